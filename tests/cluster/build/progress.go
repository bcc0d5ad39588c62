package build

import (
	"fmt"
	"io"
	"time"
)

// progress prints one line a step: what, how long it took, and what is left. The remaining time is the table's
// figure for what is left, scaled by how this machine did so far.
type progress struct {
	out            io.Writer
	start, began   time.Time
	step, steps    int
	done, expected time.Duration
}

func newProgress(out io.Writer, components []Component) *progress {
	p := &progress{out: out, start: time.Now(), steps: len(components)}
	for _, c := range components {
		p.expected += c.expected()
	}
	return p
}

func (c Component) expected() time.Duration { return time.Duration(c.Seconds) * time.Second }

func (p *progress) begin(c Component) {
	p.step++
	p.began = time.Now()
	fmt.Fprintf(p.out, "[%2d/%d] building %-24s elapsed %-7s about %s left\n",
		p.step, p.steps, c.Name, round(time.Since(p.start)), round(p.left()))
}

func (p *progress) end(c Component) {
	p.done += c.expected()
	fmt.Fprintf(p.out, "[%2d/%d] built    %-24s in %s\n", p.step, p.steps, c.Name, round(time.Since(p.began)))
}

func (p *progress) left() time.Duration {
	left := p.expected - p.done
	if p.done == 0 {
		return left
	}
	return time.Duration(float64(left) * float64(time.Since(p.start)) / float64(p.done))
}

func round(d time.Duration) time.Duration { return d.Round(time.Second) }
