package main

import (
	"strings"
	"testing"
	"time"

	"forewarm.dev/tests/cluster/load"
)

// The demo's exit code is what a reader trusts: it must tell a floor that rose in time from every other.
func TestTheVerdictIsThatOfTheFloor(t *testing.T) {
	peak := time.Date(2026, 11, 24, 15, 0, 0, 0, time.UTC)
	at := func(seconds int) time.Time { return peak.Add(time.Duration(seconds) * time.Second) }
	rows := []struct {
		name    string
		floors  map[int]int // seconds after the peak's beginning: pods
		problem string
	}{
		{"up before it and down after it", map[int]int{-100: 2, -60: 6, -58: 7, 30: 7, 130: 4, 140: 2}, ""},
		{"up with it", map[int]int{-60: 2, 2: 6, 140: 2}, "2s after the load came"},
		{"never up", map[int]int{-60: 2, 30: 4, 140: 2}, "did not rise"},
		{"up for ever", map[int]int{-60: 7, 300: 7}, "did not fall"},
		{"down before it came", map[int]int{-60: 7, -30: 2, 140: 2}, "did not rise"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			seen := story{peak: peak}
			for second := -120; second <= 300; second++ {
				if pods, ok := row.floors[second]; ok {
					seen.floor(at(second), pods)
				}
			}
			err := seen.verdict()
			if (err == nil) != (row.problem == "") || err != nil && !strings.Contains(err.Error(), row.problem) {
				t.Fatalf("%v, want %q", err, row.problem)
			}
			if text := seen.summary(load.Report{}); !strings.Contains(text, "15:00:00  the load came") {
				t.Fatal(text)
			}
		})
	}
}
