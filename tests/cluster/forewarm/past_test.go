package forewarm

import (
	"regexp"
	"testing"
	"time"
)

func TestThePastIsThatOfItsLevelByPodsOfSeveralReplicaSets(t *testing.T) {
	until := time.Date(2026, 11, 24, 15, 3, 20, 0, time.UTC)
	begins := until.Add(2 * time.Minute)
	past := Past{Namespace: "shop", Name: "checkout", Level: Recurring(time.Hour, 5*time.Minute, begins, 2, 30),
		Length: 7 * 24 * time.Hour, Generations: 4, Pods: 2, Seed: 1}
	owned := regexp.MustCompile(`^checkout-([bcdfghjklmnpqrstvwxz2456789]{10})-[bcdfghjklmnpqrstvwxz2456789]{5}$`)
	hashes, sums := map[string]bool{}, map[time.Time]float64{}
	for _, series := range past.Series(until) {
		hashes[owned.FindStringSubmatch(series.Labels["pod"])[1]] = true
		for _, sample := range series.Samples {
			sums[sample.Time] += sample.Value
		}
	}
	if len(hashes) != 4 {
		t.Errorf("%d generations", len(hashes))
	}
	mean := map[bool]*[2]float64{true: {}, false: {}}
	for moment, sum := range sums {
		m := mean[past.Level(moment) == 30]
		m[0], m[1] = m[0]+sum, m[1]+1
	}
	// One peak an hour, each of 30 samples; the means are 5 standard errors wide.
	if peaks := mean[true][1]; peaks != 168*30 {
		t.Errorf("%.0f samples at a peak", peaks)
	}
	for atPeak, wanted := range map[bool]float64{true: 30, false: 2} {
		if m := mean[atPeak][0] / mean[atPeak][1]; m < wanted*0.98 || m > wanted*1.02 {
			t.Errorf("%.2f in flight on average where it should be %.0f", m, wanted)
		}
	}
}
