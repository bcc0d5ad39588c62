package bed

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Deadlines are generous: the machine may be compiling. A component that ended is noticed at once.
const startDeadline = 3 * time.Minute

// waitReady waits until a component answers 200, or has ended, or does not come.
func (b *Bed) waitReady(component, url string) error {
	client, err := b.client()
	if err != nil {
		return err
	}
	return b.waitFor(component, "answer "+url, func() bool {
		answer, err := client.Get(url)
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		_, _ = io.Copy(io.Discard, answer.Body)
		return answer.StatusCode == http.StatusOK
	})
}

// waitFor waits for something that a component does. It may need the others for it, so none may have ended.
func (b *Bed) waitFor(component, what string, done func() bool) error {
	for deadline := time.Now().Add(startDeadline); !done(); time.Sleep(20 * time.Millisecond) {
		if process := b.ended(); process != nil {
			return fmt.Errorf("%s ended before %s could %s:\n%s", process.Name, component, what, process.tail())
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s does not %s:\n%s", component, what, b.Process(component).tail())
		}
	}
	return nil
}

// ended is a component that was started and runs no more, or nil.
func (b *Bed) ended() *Process {
	records, _ := filepath.Glob(b.path("run", "*.json"))
	for _, record := range records {
		if p := b.Process(strings.TrimSuffix(filepath.Base(record), ".json")); !p.Running() {
			return p
		}
	}
	return nil
}

// waitNode waits until the node takes pods.
func (b *Bed) waitNode() error {
	client, err := b.client()
	if err != nil {
		return err
	}
	return b.waitFor("kubelet", "report the node as ready", func() bool { return nodeReady(client) })
}

func nodeReady(client *http.Client) bool {
	answer, err := client.Get("https://" + NodeIP + ":6443/api/v1/nodes/" + NodeName)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	var node struct {
		Spec   struct{ Taints []struct{ Key string } }
		Status struct {
			Conditions []struct{ Type, Status string }
		}
	}
	if json.NewDecoder(answer.Body).Decode(&node) != nil || len(node.Spec.Taints) > 0 {
		return false
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == "Ready" {
			return condition.Status == "True"
		}
	}
	return false
}

// client speaks to the cluster as its administrator.
func (b *Bed) client() (*http.Client, error) {
	pair, err := tls.LoadX509KeyPair(b.pki.crt("admin"), b.pki.keyFile("admin"))
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(b.pki.crt("ca"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	return &http.Client{
		Timeout:   5 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}}},
	}, nil
}
