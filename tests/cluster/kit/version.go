package kit

import (
	"strconv"
	"strings"
	"testing"
)

// Needs skips a test of what Kubernetes has since 1.MINOR where the bed's is older.
func (k *Kit) Needs(t testing.TB, minor int) {
	t.Helper()
	version, err := k.Typed.Discovery().ServerVersion()
	if err != nil {
		t.Fatal(err)
	}
	found, err := strconv.Atoi(strings.TrimRight(version.Minor, "+"))
	if err != nil {
		t.Fatalf("the minor version of %s: %v", version, err)
	}
	if found < minor {
		t.Skipf("Kubernetes 1.%d has it, this is %s", minor, version)
	}
}
