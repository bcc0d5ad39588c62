package load

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// LateAfter is the queue time from which a request counts as late.
const LateAfter = 50 * time.Millisecond

// Report is what became of the requests, in the order in which they ended.
type Report struct{ Shots []Shot }

// Where keeps some of the requests.
func (r Report) Where(wanted func(Shot) bool) Report {
	var kept Report
	for _, shot := range r.Shots {
		if wanted(shot) {
			kept.Shots = append(kept.Shots, shot)
		}
	}
	return kept
}

// Between keeps the requests that were due in a stretch of time.
func (r Report) Between(from, to time.Time) Report {
	return r.Where(func(s Shot) bool { return !s.Due.Before(from) && s.Due.Before(to) })
}

// Sent is the number of all requests.
func (r Report) Sent() int { return len(r.Shots) }

// OK is the number of requests with answer 200.
func (r Report) OK() int {
	return len(r.Where(func(s Shot) bool { return s.Err == nil && s.Status == http.StatusOK }).Shots)
}

// Refused is the number of requests that nobody took.
func (r Report) Refused() int { return len(r.Where(func(s Shot) bool { return s.Refused }).Shots) }

// Failed is the number of requests that went wrong in another way.
func (r Report) Failed() int { return r.Sent() - r.OK() - r.Refused() }

// Late is the number of requests that started more than LateAfter late, refused ones among them.
func (r Report) Late() int {
	return len(r.Where(func(s Shot) bool { return s.Late(LateAfter) }).Shots)
}

// Took is a quantile (0 to 1) of the time to the answer; 0 where there is none.
func (r Report) Took(quantile float64) time.Duration {
	return r.quantile(quantile, func(s Shot) time.Duration { return s.Took })
}

// Lag is a quantile of the generator's own lateness: large means that the machine, not the function, was slow.
func (r Report) Lag(quantile float64) time.Duration {
	return r.quantile(quantile, func(s Shot) time.Duration { return s.Sent.Sub(s.Due) })
}

func (r Report) quantile(quantile float64, of func(Shot) time.Duration) time.Duration {
	if len(r.Shots) == 0 {
		return 0
	}
	values := make([]time.Duration, 0, len(r.Shots))
	for _, shot := range r.Shots {
		values = append(values, of(shot))
	}
	slices.Sort(values)
	return values[min(int(quantile*float64(len(values))), len(values)-1)]
}

// Problem is the first error, or nil.
func (r Report) Problem() error {
	for _, shot := range r.Shots {
		if shot.Err != nil {
			return shot.Err
		}
	}
	return nil
}

// String is the report in one line.
func (r Report) String() string {
	return fmt.Sprintf("sent %d, ok %d, refused %d, failed %d, late %d; took p50 %s p99 %s; own lag p99 %s",
		r.Sent(), r.OK(), r.Refused(), r.Failed(), r.Late(),
		r.Took(0.5).Round(time.Millisecond), r.Took(0.99).Round(time.Millisecond), r.Lag(0.99).Round(time.Millisecond))
}
