package bed

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// The kubelet sets these for the whole machine. It finds them set instead, in files that only the bed sees.
var kernelTunables = map[string]string{
	"/proc/sys/vm/overcommit_memory":      "1",
	"/proc/sys/vm/panic_on_oom":           "0",
	"/proc/sys/kernel/panic":              "10",
	"/proc/sys/kernel/panic_on_oops":      "1",
	"/proc/sys/kernel/keys/root_maxkeys":  "1000000",
	"/proc/sys/kernel/keys/root_maxbytes": "25000000",
}

// prepareMounts makes the mount namespace the bed's own: a tmpfs for all that is written, and over the system
// folders that Kubernetes writes to (fixed paths, most of them) an overlay that ends up on it. The bed's folder
// may be below one of those, and is then bound back in.
func prepareMounts(dir string) error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("making mounts private: %w", err)
	}
	mem := filepath.Join(dir, "mem")
	if err := syscall.Mount("forewarm", mem, "tmpfs", 0, "mode=0755"); err != nil {
		return fmt.Errorf("mounting tmpfs: %w", err)
	}
	// Volumes with mount propagation need a shared parent.
	if err := syscall.Mount("", mem, "", syscall.MS_SHARED, ""); err != nil {
		return fmt.Errorf("sharing tmpfs: %w", err)
	}
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mounting proc: %w", err)
	}
	own, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer own.Close()
	for _, system := range []string{"/etc", "/run", "/var"} {
		if err := overlay(system, mem); err != nil {
			return err
		}
		if strings.HasPrefix(dir, system+"/") {
			source := fmt.Sprintf("/proc/self/fd/%d", own.Fd())
			if err := syscall.Mount(source, dir, "", syscall.MS_BIND|syscall.MS_REC, ""); err != nil {
				return fmt.Errorf("binding %s back over its overlay: %w", dir, err)
			}
		}
	}
	return shadowTunables(mem)
}

// overlay keeps what is under a system folder readable and sends writes to the tmpfs.
func overlay(system, mem string) error {
	upper, work := filepath.Join(mem, "overlay", system, "upper"), filepath.Join(mem, "overlay", system, "work")
	for _, dir := range []string{upper, work} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", system, upper, work)
	if err := syscall.Mount("overlay", system, "overlay", 0, options); err != nil {
		return fmt.Errorf("mounting an overlay on %s: %w", system, err)
	}
	return nil
}

func shadowTunables(mem string) error {
	for path, value := range kernelTunables {
		if _, err := os.Stat(path); err != nil {
			continue
		}
		file := filepath.Join(mem, "tunables", path)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(value), 0o644); err != nil {
			return err
		}
		if err := syscall.Mount(file, path, "", syscall.MS_BIND, ""); err != nil {
			return fmt.Errorf("shadowing %s: %w", path, err)
		}
	}
	return nil
}
