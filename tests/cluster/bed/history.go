package bed

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Sample is one value of a series in the past.
type Sample struct {
	Time  time.Time
	Value float64
}

// Series is a series of the past.
type Series struct {
	Name    string
	Labels  map[string]string
	Samples []Sample
}

// Every samples a function of time from one moment (included) to another (excluded).
func Every(step time.Duration, from, to time.Time, value func(time.Time) float64) []Sample {
	var samples []Sample
	for t := from; t.Before(to); t = t.Add(step) {
		samples = append(samples, Sample{Time: t, Value: value(t)})
	}
	return samples
}

// Backfill loads history. Prometheus stops for it, so it is best done before anything depends on its answers.
//
// Samples may be in any order, may overlap with what is there and may reach to now.
func (p *Prometheus) Backfill(series []Series) error {
	file := p.bed.mem("history.om")
	if err := writeOpenMetrics(file, series); err != nil {
		return err
	}
	defer os.Remove(file)
	return p.BackfillFile(file)
}

// BackfillFile loads history from a file in the OpenMetrics format.
func (p *Prometheus) BackfillFile(file string) error {
	if err := p.Stop(); err != nil {
		return err
	}
	if err := os.MkdirAll(p.data(), 0o755); err != nil {
		return err
	}
	// Long blocks: promtool reads the file once a block.
	output, err := exec.Command(p.bed.Bin("promtool"), "tsdb", "create-blocks-from", "openmetrics",
		"--quiet", "--max-block-duration=54h", file, p.data()).CombinedOutput()
	if err != nil {
		return fmt.Errorf("making blocks of history: %w: %s", err, output)
	}
	return p.Start()
}

func writeOpenMetrics(path string, series []Series) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	out := bufio.NewWriterSize(file, 1<<20)
	// The format wants a metric's series together, and each in the order of time.
	sorted := append([]Series(nil), series...)
	sort.SliceStable(sorted, func(i, j int) bool { return sorted[i].Name < sorted[j].Name })
	for i, s := range sorted {
		if i == 0 || sorted[i-1].Name != s.Name {
			fmt.Fprintf(out, "# TYPE %s unknown\n", s.Name)
		}
		s.write(out)
	}
	fmt.Fprintln(out, "# EOF")
	if err := out.Flush(); err != nil {
		return err
	}
	return file.Close()
}

func (s Series) write(out *bufio.Writer) {
	samples := append([]Sample(nil), s.Samples...)
	sort.SliceStable(samples, func(i, j int) bool { return samples[i].Time.Before(samples[j].Time) })
	head := s.Name + s.labels() + " "
	for _, sample := range samples {
		out.WriteString(head)
		out.WriteString(strconv.FormatFloat(sample.Value, 'g', -1, 64))
		out.WriteByte(' ')
		out.WriteString(seconds(sample.Time))
		out.WriteByte('\n')
	}
}

func (s Series) labels() string {
	names := make([]string, 0, len(s.Labels))
	for name := range s.Labels {
		names = append(names, name)
	}
	sort.Strings(names)
	for i, name := range names {
		names[i] = name + "=" + strconv.Quote(s.Labels[name])
	}
	return "{" + strings.Join(names, ",") + "}"
}
