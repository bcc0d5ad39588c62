//go:build compare

// Package compare measures what Forewarm adds to a scaler that is already there: the same load on two functions that
// differ in nothing but the policy, `figure: compare.SCALER.{alone,with}...` lines out. HPA, KEDA and Knative's autoscaler
// run at their shipped defaults, and so does Forewarm's tick. It is `make cluster-compare` and, by its build tag, part of
// no other run of the tests.
package compare

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"forewarm.dev/tests/cluster/bed"
	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
	"forewarm.dev/tests/cluster/load"
	"forewarm.dev/tests/cluster/peers"
)

func TestMain(m *testing.M) {
	setup := forewarm.Setup{Values: []string{"tickSeconds=15"}}
	os.Exit(peers.Main(m, 1, setup, peers.KEDA, peers.Measured))
}

// The load: silent, and once in a period so many calls in flight for a minute, as a batch job of others would send them.
const (
	period      = 8 * time.Minute
	burstLength = time.Minute
	high        = 20.0
	// Each call holds its slot for so long, of which a pod has five. A pod takes ten seconds to start.
	each    = time.Second
	slots   = 5
	startup = 10 * time.Second
	// Each period begins two minutes before its burst, so that what is raised for it is counted.
	before = 2 * time.Minute
	// From the loading of the past to the first period: to read it, and for what was started to come to rest.
	notice = 3 * time.Minute
	// The scalers' bursts come one after another, so that none waits for the other's pods on this machine.
	apart = 160 * time.Second
)

// Each scaler alone and with Forewarm.
func Test_compare(t *testing.T) {
	k := kit.Of(t)
	k.Apply(t, profile().JSON())
	var all []*twins
	for _, kind := range chosen() {
		all = append(all, deploy(t, k, kind))
	}
	first := time.Now().Add(notice).Truncate(time.Minute).Add(time.Minute)
	var series []bed.Series
	for at, pair := range all {
		pair.begin = first.Add(time.Duration(at) * apart)
		series = append(series, pair.past(time.Now())...)
	}
	if err := k.Prometheus.Backfill(series); err != nil {
		t.Fatal(err)
	}
	for _, pair := range all {
		k.Apply(t, pair.policy().JSON())
	}
	for _, pair := range all {
		pair.measure(t)
	}
	for _, pair := range all {
		pair.report(t)
	}
}

// periods that are measured: three, or as many as FOREWARM_PERIODS says.
func periods(t *testing.T) time.Duration {
	text := os.Getenv("FOREWARM_PERIODS")
	if text == "" {
		return 3
	}
	count, err := strconv.Atoi(text)
	if err != nil || count < 1 {
		t.Fatalf("FOREWARM_PERIODS is %q: give a whole number from 1 on", text)
	}
	return time.Duration(count)
}

// chosen are the scalers that FOREWARM_COMPARE names, by default all.
func chosen() []kind {
	names := os.Getenv("FOREWARM_COMPARE")
	return slices.DeleteFunc(slices.Clone(kinds), func(kind kind) bool {
		return names != "" && !slices.Contains(strings.Split(names, ","), kind.name)
	})
}

// level is the calls in flight at a moment, for bursts of which one comes some time after a beginning.
func (p *twins) level() forewarm.Level {
	return forewarm.Recurring(period, burstLength, p.begin.Add(before), 0, high)
}

// measure starts the load on both twins and counts their pods, until the last period is over.
func (p *twins) measure(t *testing.T) {
	length := periods(t) * period
	for _, twin := range []*twin{p.alone, p.with} {
		twin.load = load.Start(context.Background(), load.Plan{URL: twin.url, Rate: p.level().Rate(p.begin, each),
			Length: length, Begin: p.begin, Seed: 7, Timeout: 2 * time.Minute})
		twin.pods = countPods(t, p.k, twin, p.begin, p.begin.Add(length))
	}
}

// report waits for both and prints the figures.
func (p *twins) report(t *testing.T) {
	alone, with := p.alone.result(), p.with.result()
	for name, of := range map[string]result{"alone": alone, "with": with} {
		figure := func(what string, value any, unit string) {
			fmt.Printf("figure: compare.%s.%s.%s %v %s\n", p.kind.name, name, what, value, unit)
		}
		figure("sent", of.sent, "requests")
		figure("waited", of.waited, "requests")
		figure("failed", of.failed, "requests")
		figure("p99_wait", of.p99.Round(10*time.Millisecond).Seconds(), "s")
		figure("pod_seconds", of.podSeconds, "pod-seconds")
		t.Logf("%s %s: %+v", p.kind.name, name, of)
		if of.sent == 0 || of.lag > time.Second {
			t.Errorf("%s %s: %d requests, sent up to %s late: the machine, not the scaler, was measured", p.kind.name, name, of.sent, of.lag)
		}
	}
	ratio := func(a, b int) float64 { return float64(a) / float64(max(b, 1)) }
	waits, cost := ratio(with.waited, alone.waited), ratio(with.podSeconds, alone.podSeconds)
	fmt.Printf("figure: compare.%s.waited_ratio %.2f x\nfigure: compare.%s.pod_seconds_ratio %.2f x\n", p.kind.name, waits, p.kind.name, cost)
}
