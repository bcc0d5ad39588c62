// Package scalers proves that Forewarm moves the floor of the scaler that is already there, and gives it back: against
// the real controllers. Tests are named SCALER_behaviour.
package scalers

import (
	"os"
	"testing"
	"time"

	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/peers"
)

// patience is for what takes a few ticks of two seconds on an idle machine, and one look of a scaler's of 15 s.
const patience = 5 * time.Minute

// threeTicks is how long nothing may happen where nothing must.
const threeTicks = 6 * time.Second

func TestMain(m *testing.M) { os.Exit(peers.Main(m, 8, forewarm.Setup{}, peers.KEDA)) }
