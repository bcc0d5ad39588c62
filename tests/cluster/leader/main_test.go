// Package leader proves that the operator goes on when its leading replica is killed, and that no write is made twice.
package leader

import (
	"os"
	"testing"

	"forewarm.dev/tests/cluster/bed"
	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
)

func TestMain(m *testing.M) { os.Exit(kit.Main(m, bed.Options{}, forewarm.Setup{}.Prepare)) }
