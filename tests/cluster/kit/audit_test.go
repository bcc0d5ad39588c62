package kit

import (
	"io"
	"strings"
	"testing"
)

// An offset may lie within a line that is being written: that line began before, and half of it is no JSON.
func TestLinesFromAnOffsetAreWhole(t *testing.T) {
	log := "first\nsecond\n"
	for from, wanted := range map[int64]string{0: log, 3: "second\n", 6: "second\n", 9: "", 13: "", 99: ""} {
		lines, err := linesFrom(strings.NewReader(log), from)
		if err != nil {
			t.Fatal(err)
		}
		if found, err := io.ReadAll(lines); err != nil || string(found) != wanted {
			t.Errorf("from %d: %q, %v", from, found, err)
		}
	}
}
