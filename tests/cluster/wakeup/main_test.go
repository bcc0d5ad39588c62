//go:build long

// Package wakeup measures whether a function that is called on a schedule sleeps between its calls and is awake for
// each: on the real KEDA and the real Knative, side by side, at their own clocks. `figure: wakeup.SCALER...` lines out.
// It is part of `make cluster-long` and, by its build tag, of no other run of the tests.
package wakeup

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"forewarm.dev/tests/cluster/bed"
	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
	"forewarm.dev/tests/cluster/peers"
)

func TestMain(m *testing.M) {
	// The tick that ships: how late a floor is bears on both bars.
	setup := forewarm.Setup{Values: []string{"tickSeconds=15"}}
	os.Exit(peers.Main(m, 1, setup, peers.KEDA, peers.Measured))
}

const (
	// One call in a period, as a cron of six minutes sends it: some seconds after a minute began.
	period = 6 * time.Minute
	second = 8 * time.Second
	// Periods before those that are measured. With FOREWARM_PAST they are in Prometheus when the test begins, and the
	// operator reads them there; otherwise they are lived through.
	learning = 5
	// The schedules lie beside each other, so that none waits for the other's pod on this machine.
	apart = time.Minute
	// A pod takes so long to start; a call that waited for half of it met none.
	startup = 3 * time.Second
	// The smallest notice before the first call: for the operator to read the past.
	notice = time.Minute
)

// Wake-up: at zero between the calls for half of the time at least, and of ten calls nine meet a pod that is ready.
func Test_wake_up(t *testing.T) {
	k := kit.Of(t)
	log := forewarm.FollowLog(t, k)
	gateway := openGateway(t)
	if err := k.Prometheus.Configure(bed.Scrape{Pages: []string{gateway.page}}); err != nil {
		t.Fatal(err)
	}
	k.Apply(t, profile().JSON())
	all := []*function{deployKEDA(t, k, gateway), deployKnative(t, k)}
	count := periods(t)
	now := time.Now()
	first := now.Add(notice).Truncate(time.Minute).Add(time.Minute + second)
	if !loaded() {
		first = first.Add(learning * period)
	}
	var past []bed.Series
	for at, f := range all {
		f.first = first.Add(time.Duration(at) * apart)
		past = append(past, f.past(f.first.Add(-learning*period), now)...)
	}
	if loaded() {
		if err := k.Prometheus.Backfill(past); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range all {
		k.Apply(t, f.policy().JSON())
		f.begin(t, count)
	}
	for _, f := range all {
		f.report(t, log)
	}
}

// periods that are measured: ten, or as many as FOREWARM_PERIODS says.
func periods(t *testing.T) int {
	text := os.Getenv("FOREWARM_PERIODS")
	if text == "" {
		return 10
	}
	count, err := strconv.Atoi(text)
	if err != nil || count < 1 {
		t.Fatalf("FOREWARM_PERIODS is %q: give a whole number from 1 on", text)
	}
	return count
}

// loaded tells whether the periods of learning are loaded into Prometheus instead of lived through.
func loaded() bool { return os.Getenv("FOREWARM_PAST") != "" }

func figure(name string, value any, unit string) {
	fmt.Printf("figure: wakeup.%s %v %s\n", name, value, unit)
}
