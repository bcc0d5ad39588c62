// Package kit is what tests on the bed are written with: clients, commands, the audit log, pods' logs, and one way
// to wait. A bed in, words of the tests out.
package kit

import (
	"fmt"
	"os"
	"testing"
	"time"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"forewarm.dev/tests/cluster/bed"
)

// Kit is a bed with clients for its administrator.
type Kit struct {
	*bed.Bed
	Config  *rest.Config
	Typed   kubernetes.Interface
	Dynamic dynamic.Interface
}

// New makes the clients.
func New(b *bed.Bed) (*Kit, error) {
	config, err := clientcmd.BuildConfigFromFlags("", b.Kubeconfig())
	if err != nil {
		return nil, err
	}
	// The tests are in nobody's way: the client's own limit would be the slowest thing on the bed.
	config.QPS, config.Burst = 200, 400
	config.UserAgent = "forewarm-tests"
	typed, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	dynamicClient, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	return &Kit{Bed: b, Config: config, Typed: typed, Dynamic: dynamicClient}, nil
}

// shared is set before any test runs.
var shared *Kit

// Main is the whole TestMain of a package whose tests share a bed. Functions may prepare what all tests need.
//
//	func TestMain(m *testing.M) { os.Exit(kit.Main(m, bed.Options{})) }
func Main(m *testing.M, options bed.Options, prepare ...func(*Kit) error) int {
	return bed.Main(options, func(b *bed.Bed) int {
		k, err := New(b)
		for _, step := range prepare {
			if err == nil {
				err = step(k)
			}
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "kit:", err)
			return 1
		}
		shared = k
		return m.Run()
	})
}

// Of returns the kit of the bed that Main started.
func Of(t testing.TB) *Kit {
	t.Helper()
	if shared == nil {
		t.Fatal("no bed: TestMain must call kit.Main")
	}
	return shared
}

// look is the time between two looks: many tests wait at a time, and each look is the API server's work.
const look = 200 * time.Millisecond

// WaitFor waits until a condition holds: nil is yes, an error says what is still wrong and is printed when the
// deadline passes. It is the only way to wait; a bare sleep is either too short or too long.
func WaitFor(t testing.TB, what string, deadline time.Duration, condition func() error) {
	t.Helper()
	if err := Wait(deadline, condition); err != nil {
		t.Fatalf("waited %s for %s: %v", deadline, what, err)
	}
}

// Wait is WaitFor outside a test.
func Wait(deadline time.Duration, condition func() error) error {
	for end := time.Now().Add(deadline); ; time.Sleep(look) {
		err := condition()
		if err == nil {
			return nil
		}
		if time.Now().After(end) {
			return err
		}
	}
}

// Holds fails the test when a condition stops holding before the time is over: for what must not happen.
func Holds(t testing.TB, what string, length time.Duration, condition func() error) {
	t.Helper()
	for end := time.Now().Add(length); time.Now().Before(end); time.Sleep(look) {
		if err := condition(); err != nil {
			t.Fatalf("%s must hold for %s: %v", what, length, err)
		}
	}
}
