package build

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sort"
)

// key names what a binary is made of: the pins, the sources, the flags, the compiler. A binary with the same
// key is the same binary, so a hit in the cache needs no `go` at all.
func (c Component) key(source string) (string, error) {
	files, err := sources(filepath.Join(source, "components", c.Module))
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	fmt.Fprintln(sum, runtime.Version(), runtime.GOARCH, c.Name, c.Package, c.Tags, c.ldflags())
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		fmt.Fprintln(sum, filepath.Base(file), len(text))
		sum.Write(text)
	}
	return hex.EncodeToString(sum.Sum(nil))[:12], nil
}

// sources lists go.mod, go.sum and the Go files of one component module, sorted.
func sources(dir string) ([]string, error) {
	var files []string
	for _, pattern := range []string{"go.mod", "go.sum", "*.go", "*/*.go"} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no component module in %s", dir)
	}
	sort.Strings(files)
	return files, nil
}

func (c Component) ldflags() string {
	if c.Stamp == "" {
		return "-s -w"
	}
	return "-s -w " + c.Stamp
}
