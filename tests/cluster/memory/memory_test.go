package memory

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	core "k8s.io/api/core/v1"

	"forewarm.dev/tests/cluster/bed"
	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
)

// TestMemory runs the tests beside each other; the one that loads history goes first and alone, since Prometheus stops
// for it.
func TestMemory(t *testing.T) {
	k := kit.Of(t)
	t.Run("resize_up_and_down", func(t *testing.T) { resizeUpAndDown(t, k) })
	t.Run("together", func(t *testing.T) {
		for name, test := range map[string]func(*testing.T, *kit.Kit){
			"oom_under_load":  oomUnderLoad,
			"oom_from_birth":  oomFromBirth,
			"leak":            leak,
			"beyond_the_node": beyondTheNode,
			"crash_loop":      crashLoop,
			"stuck_pod":       stuckPod,
			"terminating_pod": terminatingPod,
			"outlier_pod":     outlierPod,
			"born_right":      bornRight,
			"conflict":        conflict,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t, k)
			})
		}
	})
}

// resizeUpAndDown: a use that eats its margin is given more at once; eight quiet days take some away. Neither restarts
// anything. A JVM beside it, with the same past, is never shrunk in place, nor is one that tells Go to use as much as it
// has; before Kubernetes 1.34 nothing is.
func resizeUpAndDown(t *testing.T, k *kit.Kit) {
	namespace := forewarm.Enrolled(t, k)
	k.Apply(t, function(namespace, "up", 1, 64, "MEMORY_MB", "58").JSON())
	k.Apply(t, function(namespace, "down", 2, 300, "MEMORY_MB", "20").JSON())
	k.Apply(t, function(namespace, "jvm", 1, 300, "MEMORY_MB", "20").JSON())
	k.Apply(t, function(namespace, "go", 1, 300, "MEMORY_MB", "20", "GOMEMLIMIT", "260MiB").JSON())
	k.WaitPods(t, namespace, selector("up"), 1, patience)
	var series []bed.Series
	for name, count := range map[string]int{"down": 2, "jvm": 1, "go": 1} {
		for _, pod := range k.WaitPods(t, namespace, selector(name), count, patience) {
			series = append(series, past(namespace, pod, 100*mebibyte))
		}
	}
	if err := k.Prometheus.Backfill(series); err != nil {
		t.Fatal(err)
	}
	k.Apply(t, healing(namespace, "up").JSON())
	k.Apply(t, healing(namespace, "down").JSON())
	k.Apply(t, healing(namespace, "go").JSON())
	k.Apply(t, healing(namespace, "jvm").With("spec.memory.containers",
		[]forewarm.Map{{"name": "function", "runtime": "JVM"}}).JSON())

	up := waitLimits(t, k, namespace, "up", patience, func(mib int) bool { return mib > 64 })
	lowers := k.Has(t, 34)
	down := waitLimits(t, k, namespace, "down", patience, func(mib int) bool { return lowers == (mib < 300) })
	for _, pod := range append(up, down...) {
		if restarts(pod) != 0 {
			t.Errorf("%s was restarted", pod.Name)
		}
		if has, err := cgroup(k, pod); err != nil || has != limit(pod) {
			t.Errorf("%s: %d Mi in its cgroup, %d specified: %v", pod.Name, has, limit(pod), err)
		}
		if strings.HasPrefix(pod.Name, "down-") && limit(pod) < 240 {
			t.Errorf("%s fell by more than a fifth: %d Mi", pod.Name, limit(pod))
		}
	}
	for name, reason := range map[string]string{"jvm": "RuntimeKeeps", "go": "GoMemoryLimit"} {
		forewarm.FollowLog(t, k).Wait(t, "the decision on "+name, patience, forewarm.About(namespace, name),
			func(l forewarm.Line) bool { return strings.Contains(l.Raw, reason) })
		kept, err := pods(k, namespace, name)
		if err != nil || limit(kept[0]) != 300 {
			t.Errorf("%s: shrunk in place to %d Mi: %v", name, limit(kept[0]), err)
		}
	}
	if lowers {
		t.Run("harmful_decrease", func(t *testing.T) { harmfulDecrease(t, k, namespace, down[0]) })
		return
	}
	kit.Holds(t, "no limit lowered in place", 10*time.Second, func() error {
		found, err := pods(k, namespace, "down")
		for _, pod := range found {
			if limit(pod) != 300 {
				err = fmt.Errorf("%s has %d Mi", pod.Name, limit(pod))
			}
		}
		return err
	})
}

// harmfulDecrease: after a decrease a pod needs what no pod needed in eight days. The decrease is taken back while that use is
// still within the new limit, so before anything is killed.
func harmfulDecrease(t *testing.T, k *kit.Kit, namespace string, lowered core.Pod) {
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		for {
			select {
			case <-stop:
				return
			default:
				visit(k, namespace, lowered.Name, "?memory_mb=190&work_ms=8000")
			}
		}
	}()
	forewarm.FollowLog(t, k).Wait(t, "the decrease to be taken back", patience, forewarm.About(namespace, "down"),
		func(l forewarm.Line) bool { return strings.Contains(l.Raw, "Reverted") })
	for _, pod := range waitLimits(t, k, namespace, "down", patience, func(mib int) bool { return mib >= 300 }) {
		if restarts(pod) != 0 {
			t.Errorf("%s was killed before the decrease was taken back", pod.Name)
		}
	}
	status, err := memoryOf(k, namespace, "down")
	if err != nil || len(status.Memory) != 1 || status.Memory[0].OomFloor != "" {
		t.Errorf("there was a kill: %+v, %v", status, err)
	}
}

// past is eight days and a few hours of a pod's working set.
func past(namespace, pod string, bytes float64) bed.Series {
	now := time.Now()
	return bed.Series{
		Name:    "container_memory_working_set_bytes",
		Labels:  map[string]string{"namespace": namespace, "pod": pod, "container": "function"},
		Samples: bed.Every(4*time.Minute, now.Add(-194*time.Hour), now, func(time.Time) float64 { return bytes }),
	}
}

// cgroup reads the limit that the kernel has, in MiB.
func cgroup(k *kit.Kit, pod core.Pod) (int, error) {
	pids, err := k.PodProcesses(pod.Namespace, pod.Name)
	if err != nil {
		return 0, err
	}
	table, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pids[0]))
	if err != nil {
		return 0, err
	}
	for _, line := range strings.Split(string(table), "\n") {
		parts := strings.SplitN(line, ":", 3)
		if len(parts) != 3 || (parts[1] != "memory" && parts[1] != "") {
			continue
		}
		for _, file := range []string{
			filepath.Join("/sys/fs/cgroup/memory", parts[2], "memory.limit_in_bytes"),
			filepath.Join("/sys/fs/cgroup", parts[2], "memory.max"),
		} {
			if text, err := os.ReadFile(file); err == nil {
				bytes, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
				return int(bytes / mebibyte), err
			}
		}
	}
	return 0, fmt.Errorf("no memory cgroup of process %d", pids[0])
}

// oomUnderLoad: one pod of three is killed under load; its siblings are raised before they die.
func oomUnderLoad(t *testing.T, k *kit.Kit) {
	namespace := forewarm.Enrolled(t, k)
	k.Apply(t, function(namespace, "busy", 3, 48, "MEMORY_MB", "10").JSON())
	ready := k.WaitPods(t, namespace, selector("busy"), 3, patience)
	k.Apply(t, healing(namespace, "busy").JSON())
	forewarm.WaitCondition(t, k, namespace, "busy", "Ready", "Deciding", patience)
	victim := ready[0]
	go visit(k, namespace, victim, "?memory_mb=80&work_ms=1000")
	found := waitLimits(t, k, namespace, "busy", patience, func(mib int) bool { return mib >= 148 })
	for _, pod := range found {
		if wanted := map[bool]int{true: 1, false: 0}[pod.Name == victim]; restarts(pod) != wanted {
			t.Errorf("%s was restarted %d times", pod.Name, restarts(pod))
		}
	}
	k.WaitPods(t, namespace, selector("busy"), 3, patience)
	forewarm.WaitCondition(t, k, namespace, "busy", "Unhealthy", "OomRaised", patience)
}

// oomFromBirth: pods that die before anything could be measured; one step is enough, and they come up. The policy is deleted and
// made again without any memory going down. The kubelet of 1.33 raises the container and not its pod while no container of it runs;
// that of 1.37 does both, and those between were not seen.
func oomFromBirth(t *testing.T, k *kit.Kit) {
	k.Needs(t, 37)
	namespace := forewarm.Enrolled(t, k)
	k.Apply(t, healing(namespace, "newborn").JSON())
	k.Apply(t, function(namespace, "newborn", 2, 40, "MEMORY_MB", "90").JSON())
	k.WaitPods(t, namespace, selector("newborn"), 2, patience)
	raised := func(mib int) bool { return mib >= 140 }
	waitLimits(t, k, namespace, "newborn", patience, raised)
	status, err := memoryOf(k, namespace, "newborn")
	if err != nil || len(status.Memory) != 1 || status.Memory[0].Rung != 1 {
		t.Errorf("one step was needed: %+v, %v", status, err)
	}
	k.Kubectl(t, "--namespace", namespace, "delete", "functionpolicy", "newborn")
	k.Apply(t, healing(namespace, "newborn").JSON())
	kit.WaitFor(t, "the floor to be remembered again", patience, func() error {
		status, err := memoryOf(k, namespace, "newborn")
		if err == nil && (len(status.Memory) != 1 || status.Memory[0].OomFloor != "140Mi") {
			err = fmt.Errorf("%+v", status)
		}
		return err
	})
	for _, pod := range waitLimits(t, k, namespace, "newborn", patience, raised) {
		if limit(pod) < 140 {
			t.Errorf("%s was lowered to %d Mi", pod.Name, limit(pod))
		}
	}
}

// leak: three steps and then quarantine, however long it goes on. At the first and at the second step every operator dies, and
// whoever leads then goes on from there: no step is forgotten, and no memory is lowered.
func leak(t *testing.T, k *kit.Kit) {
	namespace := forewarm.Enrolled(t, k)
	k.Apply(t, healing(namespace, "leaky").JSON())
	k.Apply(t, function(namespace, "leaky", 1, 32, "MEMORY_MB", "8", "LEAK_MB_PER_SECOND", "5").JSON())
	highest := 0
	wait := func(what string, there func(memory) bool) {
		t.Helper()
		kit.WaitFor(t, what, 8*time.Minute, func() error {
			if found, err := pods(k, namespace, "leaky"); err == nil && len(found) == 1 {
				if limit(found[0]) < highest {
					t.Errorf("lowered from %d to %d Mi", highest, limit(found[0]))
				}
				highest = max(highest, limit(found[0]))
			}
			status, err := memoryOf(k, namespace, "leaky")
			if err == nil && !there(status) {
				err = fmt.Errorf("%+v", status)
			}
			return err
		})
	}
	for rung := 1; rung <= 2; rung++ {
		wait("a step", func(status memory) bool { return len(status.Memory) == 1 && status.Memory[0].Rung >= rung })
		k.Kubectl(t, "--namespace", forewarm.Namespace, "delete", "pods", "--wait=false", "--selector", forewarm.Selector)
	}
	wait("quarantine", func(status memory) bool { return len(status.Quarantine) == 1 })
	status, err := memoryOf(k, namespace, "leaky")
	if err != nil || status.Memory[0].Rung != 3 {
		t.Fatalf("three steps lead there: %+v, %v", status, err)
	}
	t.Logf("cause: %s, at %s", status.Quarantine[0].Cause, status.Memory[0].Limit)
	found, err := pods(k, namespace, "leaky")
	if err != nil {
		t.Fatal(err)
	}
	most := limit(found[0])
	kit.Holds(t, "no further raise", 30*time.Second, func() error {
		found, err := pods(k, namespace, "leaky")
		if err == nil && len(found) == 1 && limit(found[0]) > most {
			err = fmt.Errorf("it has %d Mi", limit(found[0]))
		}
		return err
	})
}

// beyondTheNode: what the pod's node has not is refused, not asked again, and said. The spec goes back to what the pod has,
// but for Kubernetes 1.33, which takes no limit back and is not asked to. What no node has is not asked for at all.
func beyondTheNode(t *testing.T, k *kit.Kit) {
	audit := k.AuditFromNow(t)
	namespace := forewarm.Enrolled(t, k)
	withinTheLargest(t, k, namespace)
	larger(t, k)
	k.Apply(t, function(namespace, "giant", 1, 64, "MEMORY_MB", "8").JSON())
	k.WaitPods(t, namespace, selector("giant"), 1, patience)
	k.Apply(t, healing(namespace, "giant").With("spec.memory.containers",
		[]forewarm.Map{{"name": "function", "min": "900Gi"}}).JSON())
	forewarm.WaitCondition(t, k, namespace, "giant", "Unhealthy", "PutBack", patience)
	found, err := pods(k, namespace, "giant")
	specified := map[bool]int{true: 64, false: 900 << 10}[k.Has(t, 34)]
	if err != nil || limit(found[0]) != specified || inForce(found[0]) != 64 || restarts(found[0]) != 0 {
		t.Errorf("the pod is as it was: %d Mi, %d in force: %v", limit(found[0]), inForce(found[0]), err)
	}
	kit.Holds(t, "no resize that the API server refuses", 6*time.Second, func() error {
		refused, err := audit.Events(kit.Writes, kit.In(namespace), kit.ByUser(forewarm.User), func(e kit.Event) bool {
			return e.ObjectRef.Subresource == "resize" && e.ResponseStatus.Code == 422
		})
		if err == nil && len(refused) > 0 {
			err = fmt.Errorf("%s", refused[0].ResponseStatus.Message)
		}
		return err
	})
}
