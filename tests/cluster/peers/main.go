package peers

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"testing"

	"forewarm.dev/tests/cluster/bed"
	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
)

// Peer is a scaler that users may have already.
type Peer struct {
	// fetch brings its manifests: a step for the host, since a bed has no way to the modules.
	fetch func() error
	// install is a step for kit.Main.
	install func(*kit.Kit) error
}

// Main is the whole TestMain of a package whose tests share a bed with these peers and the operator. As many tests as
// said run at a time: they wait for ticks most of the time.
func Main(m *testing.M, parallel int, setup forewarm.Setup, peers ...Peer) int {
	if err := flag.Set("test.parallel", strconv.Itoa(parallel)); err != nil {
		panic(err)
	}
	var steps []func(*kit.Kit) error
	for _, peer := range peers {
		if err := peer.fetch(); err != nil {
			fmt.Fprintln(os.Stderr, "peers:", err)
			return 1
		}
		steps = append(steps, peer.install)
	}
	return kit.Main(m, bed.Options{}, append(steps, setup.Prepare)...)
}
