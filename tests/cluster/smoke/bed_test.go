// Package smoke proves the bed itself: that what the other tests stand on is there.
package smoke

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"forewarm.dev/tests/cluster/bed"
	"forewarm.dev/tests/cluster/kit"
	"forewarm.dev/tests/cluster/load"
)

const patience = 5 * time.Minute

func TestMain(m *testing.M) { os.Exit(kit.Main(m, bed.Options{})) }

const web = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: NAMESPACE}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata:
      labels: {app: web}
      annotations: {prometheus.io/scrape: "true", prometheus.io/port: "8080"}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: web
        image: ` + bed.WebImage + `
        imagePullPolicy: Never
        readinessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1}
        resources: {requests: {memory: 32Mi, cpu: 10m}, limits: {memory: 64Mi}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: NAMESPACE}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
`

// deploy brings up the small function in a namespace of its own.
func deploy(t *testing.T, k *kit.Kit) (namespace string, pods []string) {
	t.Helper()
	namespace = k.Namespace(t, nil)
	k.Apply(t, strings.ReplaceAll(web, "NAMESPACE", namespace))
	return namespace, k.WaitPods(t, namespace, "app=web", 2, patience)
}

func TestBed(t *testing.T) {
	k := kit.Of(t)
	namespace, pods := deploy(t, k)
	url := "http://web." + namespace + ".svc.cluster.local/"

	t.Run("answers through its ClusterIP and name", func(t *testing.T) {
		kit.WaitFor(t, "the first answer", patience, func() error {
			answer, err := http.Get(url)
			if err == nil {
				answer.Body.Close()
			}
			return err
		})
		report := load.Run(context.Background(), load.Plan{URL: url, Rate: load.Constant(100), Length: 3 * time.Second})
		t.Log(report)
		if report.OK() != report.Sent() || report.Sent() < 200 {
			t.Fatalf("not every request was answered: %v", report.Problem())
		}
	})
	t.Run("reaches names, itself and Prometheus, and nothing outside", func(t *testing.T) {
		for target, wanted := range map[string]int{
			url + "healthz":                    http.StatusOK,
			k.Prometheus.URL() + "/-/ready":    http.StatusOK,
			"http://nobody.svc.cluster.local/": http.StatusBadGateway,
			"http://10.200.255.1/":             http.StatusBadGateway,
		} {
			answer, err := http.Get(url + "fetch?url=" + target)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if answer.StatusCode != wanted {
				t.Errorf("%s: %s", target, answer.Status)
			}
		}
	})
	t.Run("is scraped", func(t *testing.T) {
		k.WaitValue(t, fmt.Sprintf(`sum(web_requests_total{namespace=%q})`, namespace), patience,
			func(n float64) bool { return n >= 200 })
	})
	t.Run("its memory is known", func(t *testing.T) {
		k.WaitValue(t, fmt.Sprintf(`min(container_memory_working_set_bytes{namespace=%q,container="web"})`, namespace), patience,
			func(n float64) bool { return n > 0 })
	})
	t.Run("its log is read", func(t *testing.T) {
		if out := k.Kubectl(t, "logs", "--namespace", namespace, pods[0]); !strings.Contains(out, "serving on :8080") {
			t.Fatal(out)
		}
		k.FollowLogs(t, namespace, "app=web").WaitLine(t, "its first line", patience,
			func(l kit.Line) bool { return strings.Contains(l.Text, "serving") })
	})
	t.Run("a crash is seen", func(t *testing.T) {
		if err := k.SignalPod(namespace, pods[0], syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		kit.WaitFor(t, "a restart", patience, func() error {
			pod, err := k.Typed.CoreV1().Pods(namespace).Get(context.Background(), pods[0], meta.GetOptions{})
			if err == nil && pod.Status.ContainerStatuses[0].RestartCount == 0 {
				err = fmt.Errorf("no restart yet")
			}
			return err
		})
	})
}

func TestPrometheusRemembersBackfilledHistory(t *testing.T) {
	k := kit.Of(t)
	day := 24 * time.Hour
	now := time.Now().Truncate(time.Minute)
	wave := func(at time.Time) float64 { return 10 + 10*math.Sin(2*math.Pi*float64(at.Unix())/day.Seconds()) }
	var series []bed.Series
	for generation := range 3 {
		from := now.Add(-7*day + time.Duration(generation)*56*time.Hour)
		series = append(series, bed.Series{Name: "past_in_flight",
			Labels:  map[string]string{"namespace": "past", "pod": fmt.Sprintf("web-%d", generation)},
			Samples: bed.Every(time.Minute, from, from.Add(56*time.Hour), wave)})
	}
	began := time.Now()
	if err := k.Prometheus.Backfill(series); err != nil {
		t.Fatal(err)
	}
	t.Logf("seven days loaded in %s", time.Since(began).Round(time.Millisecond))
	for _, age := range []time.Duration{time.Minute, time.Hour, 3 * day, 7 * day} {
		at := now.Add(-age)
		points, err := k.Prometheus.Query(`sum(past_in_flight)`, at)
		if err != nil || len(points) != 1 || math.Abs(points[0].Value-wave(at)) > 1e-6 {
			t.Errorf("%s ago: %v, %v; want %v", age, points, err, wave(at))
		}
	}
	k.WaitValue(t, `count(up)`, patience, func(n float64) bool { return n >= 2 })
}

func TestPrometheusCanBeHurt(t *testing.T) {
	k := kit.Of(t)
	namespace, pods := deploy(t, k)
	answers := func() error { _, err := k.Value("vector(1)"); return err }
	t.Run("killed", func(t *testing.T) {
		if err := k.Prometheus.Kill(); err != nil {
			t.Fatal(err)
		}
		if answers() == nil {
			t.Fatal("it still answers")
		}
		if err := k.Prometheus.Start(); err != nil {
			t.Fatal(err)
		}
		if err := answers(); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("frozen", func(t *testing.T) {
		if err := k.Prometheus.Pause(); err != nil {
			t.Fatal(err)
		}
		if err := k.Prometheus.Resume(); err != nil {
			t.Fatal(err)
		}
		kit.WaitFor(t, "an answer", patience, answers)
	})
	scrapesAgain := func(t *testing.T) {
		t.Helper()
		if err := k.Prometheus.Configure(bed.Scrape{}); err != nil {
			t.Fatal(err)
		}
		k.WaitValue(t, `count(up == 1)`, patience, func(n float64) bool { return n >= 2 })
	}
	t.Run("empty", func(t *testing.T) {
		if err := k.Prometheus.Empty(); err != nil {
			t.Fatal(err)
		}
		points, err := k.Prometheus.Query("up", time.Time{})
		if err != nil || len(points) > 0 {
			t.Errorf("%v, %v", points, err)
		}
		scrapesAgain(t)
	})
	t.Run("without a metric", func(t *testing.T) {
		inFlight := fmt.Sprintf(`count(web_in_flight{namespace=%q}) or vector(0)`, namespace)
		k.WaitValue(t, inFlight, patience, func(n float64) bool { return n == 2 })
		if err := k.Prometheus.Configure(bed.Scrape{DropMetrics: "web_in_flight"}); err != nil {
			t.Fatal(err)
		}
		k.WaitValue(t, inFlight, patience, func(n float64) bool { return n == 0 })
		scrapesAgain(t)
	})
	t.Run("blind to one pod", func(t *testing.T) {
		pod, err := k.Typed.CoreV1().Pods(namespace).Get(context.Background(), pods[0], meta.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		up := fmt.Sprintf(`count(up{namespace=%q} == 1)`, namespace)
		k.WaitValue(t, up, patience, func(n float64) bool { return n == 2 })
		if err := k.Prometheus.Blind(pod.Status.PodIP); err != nil {
			t.Fatal(err)
		}
		k.WaitValue(t, up, patience, func(n float64) bool { return n == 1 })
		if err := k.Prometheus.See(); err != nil {
			t.Fatal(err)
		}
		k.WaitValue(t, up, patience, func(n float64) bool { return n == 2 })
	})
}

func TestAuditLogNamesWhoWroteWhat(t *testing.T) {
	k := kit.Of(t)
	namespace := k.Namespace(t, nil)
	audit := k.AuditFromNow(t)
	config, err := k.User("mallory", "nobody-in-particular")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Run("", "kubectl", "--kubeconfig", config, "--namespace", namespace, "create", "configmap", "x"); err == nil {
		t.Fatal("a user without a role may write")
	}
	k.Kubectl(t, "--namespace", namespace, "create", "configmap", "x", "--from-literal=a=b")
	kit.WaitFor(t, "both writes in the audit log", patience, func() error {
		refused, err := audit.Events(kit.ByUser("mallory"), kit.Writes)
		if err != nil {
			return err
		}
		made, err := audit.Events(kit.ByUser("admin"), kit.Writes, kit.In(namespace), kit.Allowed)
		if err != nil {
			return err
		}
		if len(refused) != 1 || refused[0].ResponseStatus.Code != 403 {
			return fmt.Errorf("refused: %+v", refused)
		}
		if len(made) != 1 || !strings.Contains(string(made[0].RequestObject), `"a":"b"`) {
			return fmt.Errorf("made: %+v", made)
		}
		return nil
	})
}

func TestHelmVersions(t *testing.T) {
	k := kit.Of(t)
	if version := k.Helm(t, "version", "--template", "{{.Version}}"); version != "v4.3.1" {
		t.Error(version)
	}
	if version := k.Helm3(t, "version", "--template", "{{.Version}}"); version != "v3.22.0" {
		t.Error(version)
	}
}
