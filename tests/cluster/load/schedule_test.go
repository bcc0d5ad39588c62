package load

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

func count(rate Rate, length time.Duration, random *rand.Rand) (n int, last time.Duration) {
	next := arrivals(rate, length, random)
	for due, ok := next(); ok; due, ok = next() {
		n, last = n+1, due
	}
	return n, last
}

func TestEvenScheduleSendsTheSummedRate(t *testing.T) {
	steps := []Step{{10, 2 * time.Second}, {0, time.Second}, {500, time.Second}}
	n, last := count(Steps(steps...), Length(steps...), nil)
	if n < 519 || n > 520 || last > 4*time.Second {
		t.Fatalf("%d requests, the last at %s", n, last)
	}
}

func TestPoissonScheduleHasTheRateAndItsSpread(t *testing.T) {
	const rate, length = 50.0, 200 * time.Second
	n, _ := count(Constant(rate), length, rand.New(rand.NewPCG(1, 2)))
	// Five standard deviations of a Poisson count around its mean.
	if mean := rate * length.Seconds(); math.Abs(float64(n)-mean) > 5*math.Sqrt(mean) {
		t.Fatalf("%d requests, want about %.0f", n, mean)
	}
}

func TestSameSeedGivesTheSameTimes(t *testing.T) {
	one, oneLast := count(Constant(20), time.Minute, rand.New(rand.NewPCG(7, 7)))
	two, twoLast := count(Constant(20), time.Minute, rand.New(rand.NewPCG(7, 7)))
	if one != two || oneLast != twoLast {
		t.Fatalf("%d until %s, then %d until %s", one, oneLast, two, twoLast)
	}
}
