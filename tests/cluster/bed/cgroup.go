package bed

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const cgroups = "/sys/fs/cgroup"

// cgroupName is the kubelet's root: pods of two beds, or of a bed and a real node, never meet.
func cgroupName(id string) string { return "/forewarm-" + id }

// hierarchies lists the mount point of each cgroup v1 controller, or the one of v2.
func hierarchies() ([]string, error) {
	if _, err := os.Stat(filepath.Join(cgroups, "cgroup.controllers")); err == nil {
		return []string{cgroups}, nil
	}
	return filepath.Glob(filepath.Join(cgroups, "*"))
}

func makeCgroups(id string) error {
	roots, err := hierarchies()
	if err != nil {
		return err
	}
	for _, root := range roots {
		dir := filepath.Join(root, cgroupName(id))
		if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		// A new cpuset is empty, and no process may enter it.
		for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
			if value, err := os.ReadFile(filepath.Join(root, file)); err == nil {
				_ = os.WriteFile(filepath.Join(dir, file), value, 0o644)
			}
		}
	}
	return nil
}

// removeCgroups removes the bed's cgroups, innermost first. The kernel lets go of a cgroup a little after its
// last process, hence the second tries.
func removeCgroups(id string) error {
	roots, err := hierarchies()
	for _, root := range roots {
		dir := filepath.Join(root, cgroupName(id))
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			removeErr := removeTree(dir)
			if removeErr == nil || time.Now().After(deadline) {
				err = errors.Join(err, removeErr)
				break
			}
		}
	}
	return err
}

func removeTree(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, entry := range entries {
		if entry.IsDir() {
			err = errors.Join(err, removeTree(filepath.Join(dir, entry.Name())))
		}
	}
	// Not os.Remove: it would try to unlink the cgroup first and report that.
	if rmdirErr := syscall.Rmdir(dir); rmdirErr != nil && !errors.Is(rmdirErr, fs.ErrNotExist) {
		err = errors.Join(err, rmdirErr)
	}
	return err
}
