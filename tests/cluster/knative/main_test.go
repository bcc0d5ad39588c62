// Package knative proves that Forewarm moves the floor of a Knative revision, rolls nothing, and gives it back: against
// the real controller, autoscaler, activator and webhook. There is no ingress, and none is needed for it.
package knative

import (
	"os"
	"testing"
	"time"

	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/peers"
)

// patience is for what takes a few ticks and Knative's reconciles.
const patience = 5 * time.Minute

// threeTicks is how long nothing may happen where nothing must.
const threeTicks = 6 * time.Second

func TestMain(m *testing.M) { os.Exit(peers.Main(m, 6, forewarm.Setup{}, peers.Knative)) }
