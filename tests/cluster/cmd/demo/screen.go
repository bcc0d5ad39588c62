package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// screen is the terminal, or a file: colours only for the one.
type screen struct {
	mutex sync.Mutex
	out   io.Writer
	color bool
}

func newScreen(out *os.File) *screen {
	info, err := out.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	return &screen{out: out, color: terminal && os.Getenv("NO_COLOR") == ""}
}

// say prints lines of the demo's own.
func (s *screen) say(format string, args ...any) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	fmt.Fprintf(s.out, format+"\n", args...)
}

// Colours by their numbers in ANSI.
const (
	bold  = "1"
	faint = "2"
	green = "32"
)

func (s *screen) paint(color, text string) string {
	if !s.color {
		return text
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

// steps does one after another. `then` is what comes after the last, for what is left.
func (s *screen) steps(ctx context.Context, steps []step, then time.Duration) error {
	left := then
	for _, step := range steps {
		left += step.usual
	}
	for at, step := range steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		s.say("%s %-68s %s", s.paint(bold, fmt.Sprintf("[%d/%d]", at+2, len(steps)+1)), step.title,
			s.paint(faint, "about "+minutes(left)+" left"))
		began := time.Now()
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.title, err)
		}
		s.say("      %s", s.paint(faint, "done in "+time.Since(began).Round(100*time.Millisecond).String()))
		left -= step.usual
	}
	return nil
}

// minutes writes a time as 3:05.
func minutes(length time.Duration) string {
	seconds := int(length.Round(time.Second).Seconds())
	return fmt.Sprintf("%d:%02d", seconds/60, seconds%60)
}

// clock writes the time of day as the decision log does, in UTC.
func clock(moment time.Time) string { return moment.UTC().Format(time.TimeOnly) }

// decision prints a line of the operator's decision log.
func (s *screen) decision(line string) { s.say("%s", s.paint(bold+";"+green, line)) }

// state prints how things are: calls in flight, pods that are ready and on their way, and what comes next.
func (s *screen) state(is state, calls float64, next string) {
	s.say("%s", s.paint(faint, fmt.Sprintf("%s   calls in flight %3.0f %-16s floor %2d %-14s %s",
		clock(is.at), calls, bar(calls/3), is.floor, pods(is.ready, is.floor), next)))
}

// bar is as long as a number of blocks, 14 at most, in halves.
func bar(blocks float64) string {
	halves := min(int(blocks*2+0.5), 28)
	return strings.Repeat("█", halves/2) + strings.Repeat("▌", halves%2)
}

// pods draws a full square for each pod that is ready and an empty one for each that is on its way.
func pods(ready, floor int) string {
	return strings.Repeat("■", ready) + strings.Repeat("□", max(floor-ready, 0))
}
