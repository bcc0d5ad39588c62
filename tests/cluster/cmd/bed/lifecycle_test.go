package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"forewarm.dev/tests/cluster/bed"
	"forewarm.dev/tests/cluster/kit"
)

// command builds this program once and returns a function that runs it.
func command(t *testing.T) func(args ...string) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "bed")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return func(args ...string) string {
		t.Helper()
		cmd := exec.Command(binary, args...)
		var problems bytes.Buffer
		cmd.Stderr = &problems
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("bed %s: %v: %s", strings.Join(args, " "), err, &problems)
		}
		return string(out)
	}
}

// started is a bed with the number of its interface: another bed may have the name as soon as this one is gone.
type started struct {
	bed.State
	link int
}

// leftovers lists what there is of a bed on the machine.
func leftovers(t *testing.T, state started) []string {
	t.Helper()
	var found []string
	if link, err := net.InterfaceByName(state.Link); err == nil && link.Index == state.link {
		found = append(found, "interface "+state.Link)
	}
	dir, err := state.Dir()
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{dir, "/sys/fs/cgroup/forewarm-" + state.ID, "/sys/fs/cgroup/*/forewarm-" + state.ID} {
		matches, _ := filepath.Glob(pattern)
		found = append(found, matches...)
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(mounts), dir) {
		found = append(found, "a mount")
	}
	// A process of the bed has the bed's folder in its command line, or is in its cgroup.
	processes, _ := filepath.Glob("/proc/[0-9]*")
	for _, process := range processes {
		for _, file := range []string{"cmdline", "cgroup"} {
			text, _ := os.ReadFile(filepath.Join(process, file))
			if strings.Contains(string(text), dir+"/") || strings.Contains(string(text), "/forewarm-"+state.ID) {
				found = append(found, fmt.Sprintf("process %s: %.120q", process, text))
			}
		}
	}
	return found
}

func TestABedLeavesNothing(t *testing.T) {
	run := command(t)
	id := fmt.Sprintf("gone-%d", os.Getpid())
	start := func(t *testing.T) started {
		t.Helper()
		run("up", id)
		t.Cleanup(func() { _ = bed.Down(id) })
		state, err := bed.ReadState(id)
		if err != nil {
			t.Fatal(err)
		}
		link, err := net.InterfaceByName(state.Link)
		if err != nil {
			t.Fatal(err)
		}
		if out := run("exec", "-id", id, "kubectl", "run", "web", "--image", bed.WebImage, "--image-pull-policy", "Never"); !strings.Contains(out, "created") {
			t.Fatal(out)
		}
		run("exec", "-id", id, "kubectl", "wait", "--for=condition=Ready", "--timeout=120s", "pod/web")
		return started{state, link.Index}
	}
	gone := func(t *testing.T, state started) {
		t.Helper()
		if left := leftovers(t, state); len(left) > 0 {
			t.Errorf("left behind: %s", strings.Join(left, "\n"))
		}
	}
	t.Run("after down", func(t *testing.T) {
		state := start(t)
		if len(leftovers(t, state)) < 5 {
			t.Fatal("this test does not see what it looks for")
		}
		run("down", id)
		gone(t, state)
	})
	kill := func(t *testing.T, state started) {
		t.Helper()
		if err := syscall.Kill(state.InitPID, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		// As long as the kernel is at it, it is not dead.
		if err := kit.Wait(time.Minute, func() error {
			if syscall.Kill(state.InitPID, 0) == nil {
				return errors.New("init is still there")
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("after it was killed and another run came by", func(t *testing.T) {
		state := start(t)
		kill(t, state)
		run("down", "no-such-bed")
		gone(t, state)
	})
	t.Run("and takes nothing of another that has its interface's name since", func(t *testing.T) {
		dead := start(t)
		// Of a failed run the logs are kept: the next bed is up before it is removed.
		dir, err := dead.Dir()
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "failed"), nil, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		kill(t, dead)
		living := id + "-living"
		run("up", living)
		t.Cleanup(func() { _ = bed.Down(living) })
		state, err := bed.ReadState(living)
		if err != nil {
			t.Fatal(err)
		}
		if state.Link != dead.Link {
			t.Skipf("the interfaces are %s and %s: nothing to mix up", dead.Link, state.Link)
		}
		run("down", id)
		if _, err := os.Stat("/sys/class/net/" + state.Link); err != nil {
			t.Errorf("the living bed's interface went with the dead one: %v", err)
		}
	})
}
