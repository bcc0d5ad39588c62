// Package load sends requests at given times, whatever becomes of those before (open loop): a schedule in, what
// happened to each request out. A closed loop would send less exactly when the function is slow, and hide it.
package load

import (
	"math/rand/v2"
	"time"
)

// Rate is how many requests a second are due, a while after the start. It must never be negative.
type Rate func(since time.Duration) float64

// Constant is always the same rate.
func Constant(perSecond float64) Rate { return func(time.Duration) float64 { return perSecond } }

// Step is a stretch of a schedule.
type Step struct {
	PerSecond float64
	Length    time.Duration
}

// Steps goes through stretches one after another, and is zero after the last.
func Steps(steps ...Step) Rate {
	return func(since time.Duration) float64 {
		for _, step := range steps {
			if since < step.Length {
				return step.PerSecond
			}
			since -= step.Length
		}
		return 0
	}
}

// Length is how long a list of steps takes.
func Length(steps ...Step) time.Duration {
	var length time.Duration
	for _, step := range steps {
		length += step.Length
	}
	return length
}

// resolution is how finely a rate is followed between two requests.
const resolution = 5 * time.Millisecond

// arrivals gives the times at which requests are due, one by one: at equal distances of the summed rate, or, with a
// random source, at distances as of a Poisson process. Done when ok is false.
func arrivals(rate Rate, length time.Duration, random *rand.Rand) func() (due time.Duration, ok bool) {
	var now time.Duration
	sum, next := 0.0, gap(random)
	return func() (time.Duration, bool) {
		for now < length {
			part := rate(now) * resolution.Seconds()
			if sum+part >= next {
				// Within this bit of time: in proportion.
				due := now + time.Duration((next-sum)/part*float64(resolution))
				next += gap(random)
				return due, true
			}
			sum += part
			now += resolution
		}
		return 0, false
	}
}

func gap(random *rand.Rand) float64 {
	if random == nil {
		return 1
	}
	return random.ExpFloat64()
}
