package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"forewarm.dev/tests/cluster/load"
)

// need is the floor that the load takes.
const need = int(high) / perReplica

// story is what was seen of the floor around the peak.
type story struct {
	peak time.Time
	// rose is when the floor was enough for the load and stayed so, fell when it was down again after it; zero: not yet.
	rose, fell time.Time
	// highest is the highest floor.
	highest int
}

// floor takes in the floor at a moment; moments come in order.
func (s *story) floor(now time.Time, pods int) {
	s.highest = max(s.highest, pods)
	switch {
	case pods < need && now.Before(s.peak):
		s.rose = time.Time{} // up and down again before the load came is not up
	case s.rose.IsZero() && pods >= need:
		s.rose = now
	}
	down := pods <= least && now.After(s.peak.Add(peakLength))
	if !s.rose.IsZero() && s.fell.IsZero() && down {
		s.fell = now
	}
}

// over tells whether there is nothing more to see.
func (s *story) over() bool { return !s.fell.IsZero() }

// verdict is an error where the floor did not rise before the load, or not fall after it.
func (s *story) verdict() error {
	switch {
	case s.rose.IsZero():
		return errors.New("the floor did not rise")
	case !s.rose.Before(s.peak):
		return fmt.Errorf("the floor rose %s after the load came", s.rose.Sub(s.peak).Round(time.Second))
	case s.fell.IsZero():
		return errors.New("the floor did not fall after the load had gone")
	}
	return nil
}

// summary is the story in a few lines.
func (s *story) summary(sent load.Report) string {
	gone := s.peak.Add(peakLength)
	var text strings.Builder
	tell := func(moment time.Time, format string, args ...any) {
		if !moment.IsZero() {
			fmt.Fprintf(&text, "  %s  %s\n", clock(moment), fmt.Sprintf(format, args...))
		}
	}
	text.WriteString("\nWhat you have seen\n")
	if s.rose.Before(s.peak) {
		tell(s.rose, "the floor rose from %d to %d, %s before the load; a pod takes %s to start", least, s.highest,
			minutes(s.peak.Sub(s.rose)), startup)
	} else {
		tell(s.rose, "the floor rose from %d to %d, %s late", least, s.highest, minutes(s.rose.Sub(s.peak)))
	}
	tell(s.peak, "the load came: from %.0f calls in flight to %.0f, as at this minute of every hour", quiet, high)
	tell(gone, "the load went")
	tell(s.fell, "the floor was down at %d again, %s after the load had gone", least, minutes(s.fell.Sub(gone)))
	fmt.Fprintf(&text, "  %d requests sent, %d answered, %d of them more than %s late", sent.Sent(), sent.OK(), sent.Late(), load.LateAfter)
	return text.String()
}

// lookAround says what to type next.
func lookAround(id string) string {
	return fmt.Sprintf(`
The cluster is still up
  eval "$(tests/cluster/bed.sh env %[1]s)"                       # KUBECONFIG, and kubectl and helm on the PATH
  kubectl get fp -n %[2]s -o wide
  kubectl describe fp -n %[2]s %[3]s
  kubectl logs -n forewarm -l app.kubernetes.io/name=forewarm -f
  tests/cluster/bed.sh fire -id %[1]s http://%[3]s.%[2]s.svc.cluster.local/ 30/1m   # more load
  tests/cluster/bed.sh down %[1]s                                # take it down
`, id, namespace, name)
}
