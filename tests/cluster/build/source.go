package build

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
)

const module = "module forewarm.dev/tests/cluster\n"

// SourceDir finds the folder of this Go module by walking up from the working directory: `go test` runs in
// the package's folder and `go run ./cmd/bed` in the module's.
func SourceDir() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(text), module) {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("the bed must be run from inside tests/cluster: its component modules are there")
		}
	}
}

// CacheDir is where everything that outlives a run is kept, outside the checkout.
func CacheDir() (string, error) {
	if dir := os.Getenv("FOREWARM_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(home, ".cache", "forewarm"), nil
}
