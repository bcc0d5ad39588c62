package forewarm

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"forewarm.dev/tests/cluster/kit"
)

// FunctionImage is the image of the test function.
const FunctionImage = "dev.local/forewarm-test-function:dev"

// Function is a Deployment of the test function with so many replicas; zero leaves the line out. Its pods carry the
// label app=NAME and are scraped. Environment comes as name and value by turns: CONCURRENCY, WORK_MS, STARTUP_MS.
func Function(namespace, name string, replicas int, environment ...string) Object {
	variables := []Map{{"name": "CONCURRENCY", "value": "1000"}}
	for at := 0; at+1 < len(environment); at += 2 {
		variables = append(variables, Map{"name": environment[at], "value": environment[at+1]})
	}
	container := Map{
		"name": "function", "image": FunctionImage, "imagePullPolicy": "Never", "env": variables,
		"ports":          []Map{{"containerPort": 8080}},
		"readinessProbe": Map{"httpGet": Map{"path": "/readyz", "port": 8080}, "periodSeconds": 1},
		"resources":      Map{"requests": Map{"cpu": "5m", "memory": "8Mi"}, "limits": Map{"memory": "64Mi"}},
	}
	object := Object{Map{
		"apiVersion": "apps/v1", "kind": "Deployment",
		"metadata": Map{"namespace": namespace, "name": name},
		"spec": Map{
			"selector": Map{"matchLabels": Map{"app": name}},
			"template": Map{
				"metadata": Map{"labels": Map{"app": name}, "annotations": Map{
					"prometheus.io/scrape": "true", "prometheus.io/port": "8080", "prometheus.io/path": "/metrics"}},
				"spec": Map{"terminationGracePeriodSeconds": 1, "containers": []Map{container}},
			},
		},
	}}
	if replicas > 0 {
		object.With("spec.replicas", replicas)
	}
	return object
}

// Unscheduled leaves a Deployment's pods pending for ever: for tests that look at the object alone.
func Unscheduled(deployment Object) Object {
	return deployment.With("spec.template.spec.schedulerName", "nobody")
}

// Replicas reads a Deployment's spec.replicas.
func Replicas(k *kit.Kit, namespace, name string) (int, error) {
	found, err := k.Typed.AppsV1().Deployments(namespace).Get(context.Background(), name, meta.GetOptions{})
	if err != nil {
		return 0, err
	}
	return int(*found.Spec.Replicas), nil
}

// WaitReplicas waits until a Deployment's spec.replicas is as wanted.
func WaitReplicas(t testing.TB, k *kit.Kit, namespace, name string, wanted int, deadline time.Duration) {
	t.Helper()
	kit.WaitFor(t, fmt.Sprintf("%d replicas of %s/%s", wanted, namespace, name), deadline, func() error {
		found, err := Replicas(k, namespace, name)
		if err == nil && found != wanted {
			err = fmt.Errorf("spec.replicas is %d", found)
		}
		return err
	})
}

// Calls holds so many calls in flight, spread evenly over the ready pods of a function, until stop or the end of the
// test: a demand that stays what it is for as long as the pods live.
func Calls(t testing.TB, k *kit.Kit, namespace, name string, calls int) (stop func()) {
	t.Helper()
	addresses := readyAddresses(t, k, namespace, name)
	ctx, cancel := context.WithCancel(context.Background())
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	var calling sync.WaitGroup
	for call := range calls {
		url := "http://" + addresses[call%len(addresses)] + ":8080/?work_ms=3600000"
		calling.Go(func() { hold(ctx, client, url) })
	}
	stop = func() {
		cancel()
		calling.Wait()
	}
	t.Cleanup(stop)
	return stop
}

// readyAddresses lists the pods that serve: one that is ending would refuse its calls.
func readyAddresses(t testing.TB, k *kit.Kit, namespace, name string) []string {
	t.Helper()
	ready, err := k.ReadyPods(namespace, "app="+name)
	if err != nil || len(ready) == 0 {
		t.Fatalf("ready pods of %s/%s: %v, %v", namespace, name, ready, err)
	}
	var addresses []string
	for _, pod := range ready {
		found, err := k.Typed.CoreV1().Pods(namespace).Get(context.Background(), pod, meta.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		addresses = append(addresses, found.Status.PodIP)
	}
	return addresses
}

func hold(ctx context.Context, client *http.Client, url string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		panic(err) // made of an address and a constant
	}
	if answer, err := client.Do(request); err == nil {
		answer.Body.Close()
	}
}
