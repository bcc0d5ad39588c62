package image

import (
	"context"
	"fmt"
	"os"
	"os/exec"
)

// Bake builds a folder's Dockerfile into an OCI archive. Chroot isolation and the vfs driver need nothing from
// the kernel that a container might lack.
func Bake(ctx context.Context, archive, dir, name string) error {
	_ = os.Remove(archive) // an existing archive would be added to
	for _, args := range [][]string{
		{"--storage-driver", "vfs", "bud", "--isolation", "chroot", "--pull-never", "--tag", name, dir},
		{"--storage-driver", "vfs", "push", "--quiet", name, "oci-archive:" + archive + ":" + name},
	} {
		cmd := exec.CommandContext(ctx, "buildah", args...)
		if output, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("buildah %v: %w\n%s", args, err, output)
		}
	}
	return nil
}
