//go:build long

package wakeup

import (
	"context"
	"fmt"
	"testing"
	"time"

	"forewarm.dev/tests/cluster/bed"
	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
)

// name of the function, its scaler and its policy; each scaler has a namespace of its own.
const name = "f"

// Behind KEDA a job of twenty seconds, which its metric's own clock sees; behind Knative a call of five, which the
// activator sees.
const (
	job  = 20 * time.Second
	call = 5 * time.Second
)

// profile reads the calls that the gateway holds or has under way.
func profile() forewarm.Object {
	return forewarm.ObjectOf(forewarm.Map{
		"apiVersion": "forewarm.dev/v1alpha1", "kind": "DemandProfile",
		"metadata": forewarm.Map{"name": "gateway"},
		"spec": forewarm.Map{
			"unit": "Concurrency", "query": "sum by (namespace, workload) (" + inFlight + ")",
			"join":          forewarm.Map{"by": "Workload", "namespaceLabel": "namespace", "nameLabel": "workload"},
			"scrapeSeconds": 2,
		},
	})
}

func environment(work time.Duration) []string {
	return []string{"CONCURRENCY", "10", "WORK_MS", fmt.Sprint(work.Milliseconds()), "STARTUP_MS", fmt.Sprint(startup.Milliseconds())}
}

// deployKEDA: asleep but for the gateway's calls, looked at every five seconds, asleep again 30 s after the last.
func deployKEDA(t *testing.T, k *kit.Kit, gateway *gateway) *function {
	t.Helper()
	namespace := forewarm.Enrolled(t, k)
	gateway.namespace.Store(namespace)
	k.Apply(t, forewarm.Function(namespace, name, 0, environment(job)...).JSON())
	k.Apply(t, forewarm.Service(namespace, name).JSON())
	k.WaitPods(t, namespace, "app="+name, 1, 2*time.Minute)
	k.Apply(t, forewarm.ObjectOf(forewarm.Map{
		"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject",
		"metadata": forewarm.Map{"namespace": namespace, "name": name},
		"spec": forewarm.Map{
			"minReplicaCount": 0, "maxReplicaCount": 10, "pollingInterval": 5, "cooldownPeriod": 30,
			"scaleTargetRef": forewarm.Map{"name": name},
			"triggers": []forewarm.Map{{"type": "prometheus", "metadata": forewarm.Map{
				"serverAddress": "http://10.244.0.1:9090", "threshold": "7",
				"query": fmt.Sprintf("sum(%s{namespace=%q})", inFlight, namespace)}}},
		},
	}).JSON())
	return &function{
		k: k, scaler: "keda", namespace: namespace, selector: "app=" + name, work: job,
		profile: "gateway", target: forewarm.Map{"name": name},
		send: func(ctx context.Context) error { return gateway.call(ctx, forewarm.URL(namespace, name)) },
		past: func(from, until time.Time) []bed.Series {
			labels := map[string]string{"namespace": namespace, "workload": name}
			return []bed.Series{{Name: inFlight, Labels: labels, Samples: bed.Every(2*time.Second, from.Add(-3*time.Minute), until,
				func(at time.Time) float64 { return busy(from, at, 0, job) })}}
		},
	}
}

// deployKnative at the autoscaler's defaults. Calls go to the revision's own Service, as an ingress would send them.
func deployKnative(t *testing.T, k *kit.Kit) *function {
	t.Helper()
	namespace := forewarm.Enrolled(t, k)
	var variables []forewarm.Map
	for all := environment(call); len(all) > 1; all = all[2:] {
		variables = append(variables, forewarm.Map{"name": all[0], "value": all[1]})
	}
	k.Apply(t, forewarm.ObjectOf(forewarm.Map{
		"apiVersion": "serving.knative.dev/v1", "kind": "Service",
		"metadata": forewarm.Map{"namespace": namespace, "name": name},
		"spec": forewarm.Map{"template": forewarm.Map{"spec": forewarm.Map{
			"containerConcurrency": 10, "containers": []forewarm.Map{{
				"image": forewarm.FunctionImage, "imagePullPolicy": "Never", "env": variables,
				"ports":     []forewarm.Map{{"containerPort": 8080}},
				"resources": forewarm.Map{"requests": forewarm.Map{"cpu": "5m", "memory": "8Mi"}},
			}}}}},
	}).JSON())
	revision, selector := name+"-00001", "serving.knative.dev/service="+name
	k.WaitPods(t, namespace, selector, 1, 4*time.Minute)
	return &function{
		k: k, scaler: "knative", namespace: namespace, selector: selector, work: call, profile: "knative",
		target: forewarm.Map{"apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": name},
		send:   func(ctx context.Context) error { return get(ctx, forewarm.URL(namespace, revision)) },
		// What its autoscaler tells: the means of a minute and of six seconds.
		past: func(from, until time.Time) []bed.Series {
			labels := map[string]string{"k8s_namespace_name": namespace, "kn_service_name": name, "kn_revision_name": revision}
			mean := func(window time.Duration) func(time.Time) float64 {
				return func(at time.Time) float64 {
					return busy(from, at, window, call) * min(1, call.Seconds()/window.Seconds())
				}
			}
			return []bed.Series{
				{Name: "kn_revision_concurrency_stable", Labels: labels, Samples: bed.Every(2*time.Second, from.Add(-3*time.Minute), until, mean(time.Minute))},
				{Name: "kn_revision_concurrency_panic", Labels: labels, Samples: bed.Every(2*time.Second, from.Add(-3*time.Minute), until, mean(6*time.Second))},
			}
		},
	}
}

// busy is 1 from each call of a schedule on until it is over and has been so for a while, and 0 otherwise.
func busy(from, at time.Time, longer, work time.Duration) float64 {
	if since := at.Sub(from); since >= 0 && since%period < work+longer {
		return 1
	}
	return 0
}
