// Package ownership proves what happens when somebody else writes the floor field: every row of "Who owns the floor
// field" that a target without a scaler can meet.
package ownership

import (
	"flag"
	"os"
	"testing"
	"time"

	"forewarm.dev/tests/cluster/bed"
	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
)

// patience is for what takes a few ticks of two seconds on an idle machine.
const patience = 5 * time.Minute

// threeTicks is how long nothing may happen where nothing must.
const threeTicks = 6 * time.Second

func TestMain(m *testing.M) {
	// The rows wait for ticks most of the time: six of them at once keep two cores busy.
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
	os.Exit(kit.Main(m, bed.Options{}, forewarm.Setup{}.Prepare))
}
