// Package ahead tests the product's promise on a real cluster: installed by helm, steered by a policy, the floor is
// up before the load comes.
package ahead

import (
	"os"
	"testing"

	"forewarm.dev/tests/cluster/bed"
	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
)

func TestMain(m *testing.M) { os.Exit(kit.Main(m, bed.Options{}, forewarm.LoadImages)) }

// figure prints a figure for whoever collects them.
func figure(t testing.TB, name string, value any, unit string) {
	t.Helper()
	t.Logf("figure: %s %v %s", name, value, unit)
}
