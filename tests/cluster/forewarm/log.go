package forewarm

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"forewarm.dev/tests/cluster/kit"
)

// The events of the decision log that tests ask for.
const (
	Decision = "forewarm.decision"
	Intent   = "forewarm.intent"
	Outcome  = "forewarm.outcome"
	Leader   = "forewarm.leader"
	Released = "forewarm.release"
)

// Line is one line of the decision log, as far as tests read it.
type Line struct {
	// Pod printed it.
	Pod string `json:"-"`
	// Raw is the whole line.
	Raw string `json:"-"`

	Event     string    `json:"event.name"`
	Time      time.Time `json:"time"`
	Run       string    `json:"run"`
	Epoch     int       `json:"epoch"`
	Seq       int       `json:"seq"`
	Namespace string    `json:"namespace"`
	Policy    string    `json:"policy"`
	ID        string    `json:"decision"`
	AuditID   string    `json:"audit_id"`
	Mode      string    `json:"mode"`
	Verdict   string    `json:"verdict"`
	Reason    string    `json:"reason"`
	Rule      string    `json:"rule"`
	From      *int      `json:"from"`
	To        *int      `json:"to"`
	Wished    *int      `json:"wished"`
	Note      string    `json:"note"`
	Stays     *int      `json:"stays"`
	State     string    `json:"state"`
	Holder    string    `json:"holder"`
	// Outcomes are words, or objects of one word.
	Outcomes []json.RawMessage `json:"outcomes"`
	// Result is the same for one write, in the line that tells its outcome.
	Result json.RawMessage `json:"outcome"`
	Output struct {
		Field json.RawMessage `json:"field"`
	} `json:"output"`
	Inputs json.RawMessage `json:"inputs"`
	// Learned is what was learned of the past: minutes with a known demand, and the share of the demand that no
	// function was found for. Nil where it was not read yet.
	Learned struct {
		HistoryMinutes  *int `json:"history_minutes"`
		UnmappedPercent *int `json:"unmapped_percent"`
	} `json:"learned"`
}

// Of tells whether the line is about one policy.
func (l Line) Of(namespace, policy string) bool {
	return l.Namespace == namespace && l.Policy == policy
}

// Moves tells whether the line is a decision that leads to so many pods.
func (l Line) Moves(to int) bool { return l.Event == Decision && l.To != nil && *l.To == to }

// Parse reads a line of the log; the operator's other words are not of it.
func Parse(pod, text string) (Line, bool) {
	if !strings.HasPrefix(text, "{") {
		return Line{}, false
	}
	line := Line{Pod: pod, Raw: text}
	err := json.Unmarshal([]byte(text), &line)
	return line, err == nil && line.Event != ""
}

// Log is the decision log of all replicas, from the start of those that run.
type Log struct{ logs *kit.Logs }

// FollowLog follows the decision log until the test ends.
func FollowLog(t testing.TB, k *kit.Kit) *Log {
	t.Helper()
	return &Log{logs: k.FollowLogs(t, Namespace, Selector)}
}

// Lines returns the lines so far that pass all filters, each replica's in order.
func (l *Log) Lines(filters ...func(Line) bool) []Line {
	var found []Line
	for _, text := range l.logs.Lines() {
		if line, ok := Parse(text.Pod, text.Text); ok && all(filters, line) {
			found = append(found, line)
		}
	}
	return found
}

// Wait waits for a line that passes all filters, of those so far or to come.
func (l *Log) Wait(t testing.TB, what string, deadline time.Duration, filters ...func(Line) bool) Line {
	t.Helper()
	text := l.logs.WaitLine(t, what, deadline, func(raw kit.Line) bool {
		line, ok := Parse(raw.Pod, raw.Text)
		return ok && all(filters, line)
	})
	line, _ := Parse(text.Pod, text.Text)
	return line
}

// About keeps the lines about one policy.
func About(namespace, policy string) func(Line) bool {
	return func(l Line) bool { return l.Of(namespace, policy) }
}

// Is keeps the lines of one event.
func Is(event string) func(Line) bool { return func(l Line) bool { return l.Event == event } }

// Since keeps the lines of a moment and later. The log's own clock is the bed's.
func Since(moment time.Time) func(Line) bool {
	return func(l Line) bool { return !l.Time.Before(moment) }
}

// Because keeps the decisions of one reason.
func Because(reason string) func(Line) bool {
	return func(l Line) bool { return l.Event == Decision && l.Reason == reason }
}

func all(filters []func(Line) bool, line Line) bool {
	for _, passes := range filters {
		if !passes(line) {
			return false
		}
	}
	return true
}

// String is the line in short, for messages.
func (l Line) String() string {
	return fmt.Sprintf("%s %s %s/%s %s %s %s field %s", l.Time.Format(time.TimeOnly), l.Event, l.Namespace, l.Policy,
		l.Verdict, l.Reason, l.Rule, l.Output.Field)
}
