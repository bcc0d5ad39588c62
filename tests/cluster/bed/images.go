package bed

import (
	"fmt"
	"os/exec"
	"strings"

	"forewarm.dev/tests/cluster/image"
)

const (
	containerNamespace = "k8s.io"

	pauseImage = "dev.local/pause:1"
	// WebImage is a small function in Go, for proving the bed itself.
	WebImage = "dev.local/web:1"
)

// LoadImage imports an OCI or docker archive, so that pods can use it with `imagePullPolicy: Never`.
func (b *Bed) LoadImage(archive string) error {
	return imported(exec.Command(b.Bin("ctr"), b.importArgs(archive)...), archive)
}

// imported runs an import; ctr's warnings are of interest only when it fails.
func imported(cmd *exec.Cmd, archive string) error {
	cmd.Stdout, cmd.Stderr = nil, nil
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("importing %s: %w: %s", archive, err, strings.TrimSpace(string(output)))
	}
	return nil
}

// LoadBinary makes an image of one static binary and imports it.
func (b *Bed) LoadBinary(binary, name string) error {
	archive := b.mem("image.tar")
	if err := image.Write(archive, image.Image{Name: name, Binary: binary}); err != nil {
		return err
	}
	return b.LoadImage(archive)
}

// Load imports an archive into a running bed, from outside it.
func Load(id, archive string) error {
	state, err := ReadState(id)
	if err != nil {
		return err
	}
	dir, err := state.Dir()
	if err != nil {
		return err
	}
	b := &Bed{ID: id, Dir: dir}
	cmd, err := Inside(id, append([]string{b.Bin("ctr")}, b.importArgs(archive)...))
	if err != nil {
		return err
	}
	return imported(cmd, archive)
}

func (b *Bed) importArgs(archive string) []string {
	return []string{"--address", b.ContainerdSocket(), "--namespace", containerNamespace, "images", "import", archive}
}
