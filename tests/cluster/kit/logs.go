package kit

import (
	"bufio"
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Line is one line of a pod's log.
type Line struct {
	Pod       string
	Container string
	Text      string
}

// Logs collects the lines of all pods that a selector finds, those that come later and containers that
// were started again too.
type Logs struct {
	kit                 *Kit
	namespace, selector string

	mutex sync.Mutex
	lines []Line
	known map[string]bool // container IDs
}

// FollowLogs follows until the test ends.
func (k *Kit) FollowLogs(t testing.TB, namespace, selector string) *Logs {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	l := &Logs{kit: k, namespace: namespace, selector: selector, known: map[string]bool{}}
	var running sync.WaitGroup
	running.Go(func() { l.discover(ctx, &running) })
	t.Cleanup(func() {
		stop()
		running.Wait()
	})
	return l
}

// Lines returns what was collected so far, each pod's lines in order.
func (l *Logs) Lines() []Line {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return append([]Line(nil), l.lines...)
}

// WaitLine waits for a line and returns it. Lines that came before count.
func (l *Logs) WaitLine(t testing.TB, what string, deadline time.Duration, wanted func(Line) bool) Line {
	t.Helper()
	var found Line
	seen := 0
	WaitFor(t, what, deadline, func() error {
		lines := l.Lines()
		for ; seen < len(lines); seen++ {
			if wanted(lines[seen]) {
				found = lines[seen]
				return nil
			}
		}
		return fmt.Errorf("not among %d lines", seen)
	})
	return found
}

func (l *Logs) discover(ctx context.Context, running *sync.WaitGroup) {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		pods, err := l.kit.Typed.CoreV1().Pods(l.namespace).List(ctx, meta.ListOptions{LabelSelector: l.selector})
		if err == nil {
			for _, pod := range pods.Items {
				l.followPod(ctx, running, pod)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (l *Logs) followPod(ctx context.Context, running *sync.WaitGroup, pod core.Pod) {
	for _, container := range pod.Status.ContainerStatuses {
		started := container.State.Running != nil || container.State.Terminated != nil
		if !started || container.ContainerID == "" || l.known[container.ContainerID] {
			continue
		}
		l.known[container.ContainerID] = true
		running.Go(func() { l.follow(ctx, pod.Name, container.Name) })
	}
}

func (l *Logs) follow(ctx context.Context, pod, container string) {
	stream, err := l.kit.Typed.CoreV1().Pods(l.namespace).
		GetLogs(pod, &core.PodLogOptions{Container: container, Follow: true}).Stream(ctx)
	if err != nil {
		return // gone between the list and now
	}
	defer stream.Close()
	lines := bufio.NewReaderSize(stream, 1<<20)
	for {
		text, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		l.mutex.Lock()
		l.lines = append(l.lines, Line{Pod: pod, Container: container, Text: text[:len(text)-1]})
		l.mutex.Unlock()
	}
}
