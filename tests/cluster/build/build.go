package build

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// Binaries maps a component's name to the path of its binary.
type Binaries map[string]string

// Ensure builds what is missing in the cache and returns the path of every component.
//
// Steps go to out, one a line; a run that finds everything prints nothing. It may run at the same time in
// several checkouts: a lock for each binary makes the second one wait instead of building it again.
func Ensure(ctx context.Context, out io.Writer, components []Component) (Binaries, error) {
	source, err := SourceDir()
	if err != nil {
		return nil, err
	}
	cache, err := CacheDir()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(cache, "bin")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	found := Binaries{}
	var missing []Component
	for _, c := range components {
		key, err := c.key(source)
		if err != nil {
			return nil, err
		}
		found[c.Name] = filepath.Join(dir, c.Name+"-"+key)
		if _, err := os.Stat(found[c.Name]); err != nil {
			missing = append(missing, c)
		}
	}
	steps := newProgress(out, missing)
	for _, c := range missing {
		steps.begin(c)
		if err := c.build(ctx, source, found[c.Name]); err != nil {
			return nil, fmt.Errorf("building %s: %w", c.Name, err)
		}
		steps.end(c)
	}
	return found, nil
}

// build makes one binary under a temporary name and renames it, so that a build that is interrupted leaves
// nothing that looks complete.
func (c Component) build(ctx context.Context, source, target string) error {
	unlock, err := lock(filepath.Join(filepath.Dir(target), "."+c.Name+".lock"))
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := os.Stat(target); err == nil {
		return nil // another run built it while this one waited for the lock
	}
	partial := target + ".partial"
	// nice: the bed is built next to compilers that somebody is waiting for.
	cmd := exec.CommandContext(ctx, "nice", "-n", "5", goCommand(), "build", "-trimpath",
		"-tags", c.Tags, "-ldflags", c.ldflags(), "-o", partial, c.Package)
	cmd.Dir = filepath.Join(source, "components", c.Module)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=readonly -buildvcs=false", "GOWORK=off", "GOTOOLCHAIN=local")
	output, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, output)
	}
	return os.Rename(partial, target)
}

func goCommand() string {
	if path := os.Getenv("FOREWARM_GO"); path != "" {
		return path
	}
	return "go"
}

func lock(path string) (func(), error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		file.Close()
		return nil, err
	}
	return func() { file.Close() }, nil
}
