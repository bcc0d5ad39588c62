package forewarm

import (
	"math"
	"math/rand/v2"
	"time"

	"forewarm.dev/tests/cluster/bed"
	"forewarm.dev/tests/cluster/load"
)

// Level is the mean number of calls in flight at a moment.
type Level func(time.Time) float64

// Recurring is quiet but for a peak of some length once in every period; one of the peaks begins at the moment given.
func Recurring(period, length time.Duration, begins time.Time, quiet, peak float64) Level {
	return func(moment time.Time) float64 {
		since := moment.Sub(begins) % period
		if since < 0 {
			since += period
		}
		if since < length {
			return peak
		}
		return quiet
	}
}

// Rate sends as many requests, from a beginning on, as keep the level in flight when each takes so long.
func (l Level) Rate(begin time.Time, each time.Duration) load.Rate {
	return func(since time.Duration) float64 { return l(begin.Add(since)) / each.Seconds() }
}

// Past is the life of a function before the bed was there: the calls in flight, by chance around a level, and the
// pods that served them and are long gone, in generations one after another as rollouts leave them.
type Past struct {
	Namespace, Name string
	Level           Level
	// Length of it; every generation lives for an equal part.
	Length            time.Duration
	Generations, Pods int
	// Seed of chance and of the pods' names.
	Seed uint64
}

// sampled is the distance of the samples: of the real function there is one every two seconds, but a week of those
// takes minutes to load.
const sampled = 10 * time.Second

// Series is the past up to a moment, as the test function's own metric.
func (p Past) Series(until time.Time) []bed.Series {
	random := rand.New(rand.NewPCG(p.Seed, p.Seed))
	var series []bed.Series
	begin, life := until.Add(-p.Length), p.Length/time.Duration(p.Generations)
	for range p.Generations {
		end := begin.Add(life)
		hash := letters(random, 10)
		for range p.Pods {
			series = append(series, bed.Series{
				Name:   "function_inflight_requests",
				Labels: map[string]string{"namespace": p.Namespace, "app": p.Name, "pod": p.Name + "-" + hash + "-" + letters(random, 5)},
				Samples: bed.Every(sampled, begin, end, func(moment time.Time) float64 {
					return Poisson(random, p.Level(moment)/float64(p.Pods))
				}),
			})
		}
		begin = end
	}
	return series
}

// letters are of the alphabet that Kubernetes takes for template hashes and generated names.
func letters(random *rand.Rand, count int) string {
	const alphabet = "bcdfghjklmnpqrstvwxz2456789"
	text := make([]byte, count)
	for at := range text {
		text[at] = alphabet[random.IntN(len(alphabet))]
	}
	return string(text)
}

// Poisson is a number of events around a mean, by the product of even numbers; for means up to a few hundred.
func Poisson(random *rand.Rand, mean float64) float64 {
	least, count := math.Exp(-mean), 0.0
	for product := random.Float64(); product > least; product *= random.Float64() {
		count++
	}
	return count
}
