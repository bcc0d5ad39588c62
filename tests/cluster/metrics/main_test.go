// Package metrics proves what the operator does when its metrics are gone, wrong or incomplete: it lowers nothing,
// says why, and goes on when they are back.
package metrics

import (
	"os"
	"testing"

	"forewarm.dev/tests/cluster/bed"
	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
)

func TestMain(m *testing.M) { os.Exit(kit.Main(m, bed.Options{}, forewarm.Setup{}.Prepare)) }
