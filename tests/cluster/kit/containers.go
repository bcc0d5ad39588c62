package kit

import (
	"context"
	"fmt"
	"strings"
	"syscall"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// SignalPod sends a signal to the first process of each container of a pod, as `kill` on the node would: SIGKILL for a crash,
// SIGSTOP for a process that hangs.
func (k *Kit) SignalPod(namespace, pod string, signal syscall.Signal) error {
	pids, err := k.PodProcesses(namespace, pod)
	if err != nil {
		return err
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, signal); err != nil {
			return err
		}
	}
	return nil
}

// PodProcesses finds the first process of each container of a pod: to be signalled at a moment that allows no search.
func (k *Kit) PodProcesses(namespace, pod string) ([]int, error) {
	found, err := k.Typed.CoreV1().Pods(namespace).Get(context.Background(), pod, meta.GetOptions{})
	if err != nil {
		return nil, err
	}
	running, err := k.containerPIDs()
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, container := range found.Status.ContainerStatuses {
		pid, ok := running[strings.TrimPrefix(container.ContainerID, "containerd://")]
		if !ok {
			return nil, fmt.Errorf("container %s of %s/%s does not run", container.Name, namespace, pod)
		}
		pids = append(pids, pid)
	}
	return pids, nil
}

// containerPIDs asks the runtime for the first process of each container; the tests share its process namespace.
func (k *Kit) containerPIDs() (map[string]int, error) {
	out, err := k.Run("", "ctr", "tasks", "list")
	if err != nil {
		return nil, err
	}
	pids := map[string]int{}
	for _, line := range strings.Split(out, "\n") {
		var id, status string
		var pid int
		if n, _ := fmt.Sscan(line, &id, &pid, &status); n == 3 {
			pids[id] = pid
		}
	}
	return pids, nil
}
