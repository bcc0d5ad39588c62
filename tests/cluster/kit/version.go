package kit

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// Minor is the minor version of the bed's Kubernetes.
func (k *Kit) Minor() (int, error) {
	version, err := k.Typed.Discovery().ServerVersion()
	if err != nil {
		return 0, err
	}
	minor, err := strconv.Atoi(strings.TrimRight(version.Minor, "+"))
	if err != nil {
		return 0, fmt.Errorf("the minor version of %s: %w", version, err)
	}
	return minor, nil
}

// Has tells whether the bed's Kubernetes is 1.MINOR or newer.
func (k *Kit) Has(t testing.TB, minor int) bool {
	t.Helper()
	found, err := k.Minor()
	if err != nil {
		t.Fatal(err)
	}
	return found >= minor
}

// Needs skips a test of what Kubernetes has since 1.MINOR where the bed's is older.
func (k *Kit) Needs(t testing.TB, minor int) {
	t.Helper()
	if !k.Has(t, minor) {
		t.Skipf("Kubernetes 1.%d has it, this one is older", minor)
	}
}
