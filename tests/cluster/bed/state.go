package bed

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"forewarm.dev/tests/cluster/build"
)

// State is what outer writes down about a bed, for those who come from outside.
type State struct {
	ID      string
	InitPID int
	HostIP  string
	Link    string // the host's end of the pair of interfaces
	Options Options
}

// Dir is the bed's folder.
func (s State) Dir() (string, error) { return bedDir(s.ID) }

// A failed run's logs are kept this long, for whoever wants to read them.
const keepFailed = time.Hour

func bedsDir() (string, error) {
	cache, err := build.CacheDir()
	return filepath.Join(cache, "beds"), err
}

func bedDir(id string) (string, error) {
	beds, err := bedsDir()
	return filepath.Join(beds, id), err
}

// claim makes the folder of a bed and locks it. Init inherits the lock and never lets go: whether a bed lives is
// whether its lock is held, and the kernel releases it however init ends.
func claim(id string) (dir string, locked *os.File, err error) {
	if dir, err = bedDir(id); err != nil {
		return "", nil, err
	}
	if err = os.MkdirAll(dir, 0o755); err != nil {
		return "", nil, err
	}
	if locked, err = tryLock(dir); err != nil {
		return "", nil, fmt.Errorf("bed %s is running already: %w", id, err)
	}
	if err = wipe(dir); err != nil {
		return "", nil, err
	}
	for _, sub := range []string{"bin", "config", "logs", "mem", "pki", "run"} {
		if err = os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			return "", nil, err
		}
	}
	return dir, locked, nil
}

func tryLock(dir string) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// wipe empties a folder but for its lock.
func wipe(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.Name() != "lock" {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, entry.Name())))
		}
	}
	return err
}

func writeState(dir string, state State) error {
	text, err := json.MarshalIndent(state, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "state.json"), text, 0o644)
}

// ReadState returns the state of a bed that is running.
func ReadState(id string) (State, error) {
	var state State
	dir, err := bedDir(id)
	if err != nil {
		return state, err
	}
	if state, err = readStateFile(dir); err != nil {
		return state, fmt.Errorf("no bed %s: %w", id, err)
	}
	if locked, err := tryLock(dir); err == nil {
		locked.Close()
		return state, fmt.Errorf("bed %s has ended", id)
	}
	return state, nil
}

func readStateFile(dir string) (state State, err error) {
	text, err := os.ReadFile(filepath.Join(dir, "state.json"))
	if err != nil {
		return state, err
	}
	return state, json.Unmarshal(text, &state)
}

// Down ends a bed, running or not, and removes what is left of it.
func Down(id string) error {
	dir, err := bedDir(id)
	if err != nil {
		return err
	}
	if _, err := os.Stat(dir); err != nil {
		return nil
	}
	locked, err := tryLock(dir)
	for deadline := time.Now().Add(30 * time.Second); err != nil; locked, err = tryLock(dir) {
		if state, stateErr := ReadState(id); stateErr == nil {
			_ = syscall.Kill(state.InitPID, syscall.SIGKILL)
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("bed %s does not end: %w", id, err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	defer locked.Close()
	return remove(id, dir)
}

// Sweep removes what runs left behind that were killed before they could tidy up.
func Sweep() error {
	beds, err := bedsDir()
	if err != nil {
		return err
	}
	dirs, err := filepath.Glob(filepath.Join(beds, "*", "lock"))
	for _, lock := range dirs {
		dir := filepath.Dir(lock)
		locked, lockErr := tryLock(dir)
		if lockErr != nil {
			continue // alive
		}
		if keep(dir) {
			err = errors.Join(err, removeCgroups(filepath.Base(dir)))
		} else {
			err = errors.Join(err, remove(filepath.Base(dir), dir))
		}
		locked.Close()
	}
	return err
}

// IDs lists the beds that have a folder.
func IDs() []string {
	beds, err := bedsDir()
	if err != nil {
		return nil
	}
	dirs, _ := filepath.Glob(filepath.Join(beds, "*", "lock"))
	for i, dir := range dirs {
		dirs[i] = filepath.Base(filepath.Dir(dir))
	}
	return dirs
}

// remove removes what a bed leaves. Its processes are gone when init is (the lock goes a little earlier), and its
// interfaces some time after that, unless they are told to.
func remove(id, dir string) error {
	if state, err := readStateFile(dir); err == nil {
		for deadline := time.Now().Add(30 * time.Second); alive(state.InitPID) && time.Now().Before(deadline); {
			time.Sleep(5 * time.Millisecond)
		}
		removeLink(id, state.Link)
	}
	return errors.Join(removeCgroups(id), os.RemoveAll(dir))
}

func markFailed(dir string) { _ = os.WriteFile(filepath.Join(dir, "failed"), nil, 0o644) }

func keep(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, "failed"))
	return err == nil && time.Since(info.ModTime()) < keepFailed
}

// validID keeps names usable as a file, a cgroup and a hostname.
func validID(id string) error {
	if id == "" || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return fmt.Errorf("bed id %q: lower-case letters, digits and dashes only", id)
	}
	return nil
}
