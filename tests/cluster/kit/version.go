package kit

import (
	"strconv"
	"strings"
	"testing"
)

// Has tells whether the bed's Kubernetes is 1.MINOR or newer.
func (k *Kit) Has(t testing.TB, minor int) bool {
	t.Helper()
	version, err := k.Typed.Discovery().ServerVersion()
	if err != nil {
		t.Fatal(err)
	}
	found, err := strconv.Atoi(strings.TrimRight(version.Minor, "+"))
	if err != nil {
		t.Fatalf("the minor version of %s: %v", version, err)
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
