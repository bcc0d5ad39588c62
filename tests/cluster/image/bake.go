package image

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Bake builds a folder into an OCI archive; an empty dockerfile means the folder's own. Chroot isolation and the vfs driver need nothing from
// the kernel that a container might lack.
func Bake(ctx context.Context, archive, dockerfile, dir, name string) error {
	_ = os.Remove(archive) // an existing archive would be added to
	if dockerfile == "" {
		dockerfile = filepath.Join(dir, "Dockerfile")
	}
	for _, args := range [][]string{
		{"--storage-driver", "vfs", "bud", "--isolation", "chroot", "--pull-never", "--file", dockerfile, "--tag", name, dir},
		{"--storage-driver", "vfs", "push", "--quiet", name, "oci-archive:" + archive + ":" + name},
	} {
		cmd := exec.CommandContext(ctx, "buildah", args...)
		if output, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("buildah %v: %w\n%s", args, err, output)
		}
	}
	return nil
}
