package bed

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// Prometheus is the bed's Prometheus. As a Process it can be stopped, killed, frozen and started again; its data
// outlive that.
type Prometheus struct {
	*Process
	bed *Bed
}

// URL is Prometheus's address for pods and for everything else in the bed.
func (p *Prometheus) URL() string { return "http://" + NodeIP + ":9090" }

// HostURL is its address for the host.
func (p *Prometheus) HostURL() string { return "http://" + p.bed.HostIP + ":9090" }

func (p *Prometheus) data() string { return p.bed.mem("prometheus") }

func (p *Prometheus) configFile() string { return p.bed.path("config", "prometheus.yml") }

func (p *Prometheus) first() error {
	b := p.bed
	if err := b.kubeconfig(b.path("config", "prometheus.kubeconfig"), "prometheus", NodeIP); err != nil {
		return err
	}
	if err := p.write(b.options.Scrape); err != nil {
		return err
	}
	if err := prepareBlindness(); err != nil {
		return err
	}
	return p.start(processRecord{GID: prometheusGID, Argv: []string{b.Bin("prometheus"),
		"--config.file=" + p.configFile(), "--storage.tsdb.path=" + p.data(), "--storage.tsdb.retention.time=60d",
		"--web.listen-address=0.0.0.0:9090", "--web.enable-lifecycle", "--web.enable-admin-api",
		"--web.enable-remote-write-receiver",
		"--scrape.discovery-reload-interval=1s", // pods of a test live for seconds
		"--log.level=warn"}})
}

func (p *Prometheus) waitReady() error { return p.bed.waitReady("prometheus", p.URL()+"/-/ready") }

// Start starts Prometheus again and waits until it answers.
func (p *Prometheus) Start() error {
	if err := p.Process.Start(); err != nil {
		return err
	}
	return p.waitReady()
}

// Restart stops Prometheus, starts it again and waits until it answers.
func (p *Prometheus) Restart() error {
	if err := p.Stop(); err != nil {
		return err
	}
	return p.Start()
}

// Configure changes what is scraped, without a restart.
func (p *Prometheus) Configure(scrape Scrape) error {
	if err := p.write(scrape); err != nil {
		return err
	}
	answer, err := http.Post(p.URL()+"/-/reload", "", nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(answer.Body)
		return fmt.Errorf("reloading prometheus: %s: %s", answer.Status, text)
	}
	return nil
}

func (p *Prometheus) write(scrape Scrape) error {
	return writeJSON(p.configFile(), scrape.config(p.bed))
}

// Empty makes Prometheus answer that there is nothing, until it is configured again. It scrapes nothing from its next
// start on: told to before, it would for a moment have series that grow old, which is another fault.
func (p *Prometheus) Empty() error {
	if err := p.write(Scrape{Nothing: true}); err != nil {
		return err
	}
	return p.Wipe()
}

// Wipe forgets all data: stop, remove, start.
func (p *Prometheus) Wipe() error {
	if err := p.Stop(); err != nil {
		return err
	}
	if err := os.RemoveAll(p.data()); err != nil {
		return err
	}
	return p.Start()
}

// Point is one series' value at one time.
type Point struct {
	Labels map[string]string
	Time   time.Time
	Value  float64
}

// Query runs an instant query; a zero time means now. A scalar comes back as one point without labels.
func (p *Prometheus) Query(promql string, at time.Time) ([]Point, error) {
	form := url.Values{"query": {promql}}
	if !at.IsZero() {
		form.Set("time", seconds(at))
	}
	client := http.Client{Timeout: 30 * time.Second}
	answer, err := client.PostForm(p.URL()+"/api/v1/query", form)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	var body struct {
		Status, Error string
		Data          struct {
			ResultType string
			Result     json.RawMessage
		}
	}
	if err := json.NewDecoder(answer.Body).Decode(&body); err != nil {
		return nil, fmt.Errorf("query %s: %w", promql, err)
	}
	if body.Status != "success" {
		return nil, fmt.Errorf("query %s: %s", promql, body.Error)
	}
	return points(body.Data.ResultType, body.Data.Result)
}

func points(kind string, result json.RawMessage) ([]Point, error) {
	if kind == "scalar" {
		result = json.RawMessage(`[{"metric":{},"value":` + string(result) + `}]`)
	}
	var series []struct {
		Metric map[string]string
		Value  [2]any
	}
	if err := json.Unmarshal(result, &series); err != nil {
		return nil, err
	}
	found := make([]Point, 0, len(series))
	for _, s := range series {
		at, _ := s.Value[0].(float64)
		text, _ := s.Value[1].(string)
		value, err := strconv.ParseFloat(strings.Replace(text, "+Inf", "Inf", 1), 64)
		if err != nil {
			return nil, err
		}
		found = append(found, Point{Labels: s.Metric, Time: time.UnixMilli(int64(at * 1000)), Value: value})
	}
	return found, nil
}

// seconds writes a time as Prometheus and OpenMetrics do.
func seconds(t time.Time) string { return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', 3, 64) }
