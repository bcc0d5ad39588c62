//go:build compare

package compare

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"forewarm.dev/tests/cluster/bed"
	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
)

const (
	// most pods any of the scalers may make, and the policy.
	most = 10
	// A scaler aims at so many calls in flight a pod: 70 % of its slots, as Knative does.
	aim = "3500m"
)

// kind of scaler.
type kind struct {
	name string
	// profile is the demand profile, target what the policy names.
	profile string
	target  func(name string) forewarm.Map
	// deploy makes a function with the scaler.
	deploy func(t *testing.T, k *kit.Kit, namespace, name string) *twin
	// past is the metric of a week, as the profile reads it.
	past func(p *twins, until time.Time) []bed.Series
}

var kinds = []kind{
	{"hpa", "in-flight", deployment, deployHPA, podPast},
	{"keda", "in-flight", deployment, deployKEDA, podPast},
	{"kpa", "knative", service, deployKPA, knativePast},
}

func (p *twins) past(until time.Time) []bed.Series { return p.kind.past(p, until) }

func deployment(name string) forewarm.Map { return forewarm.Map{"name": name} }

func service(name string) forewarm.Map {
	return forewarm.Map{"apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": name}
}

// profile reads the calls in flight as the chart's profile http-inflight does.
func profile() forewarm.Object {
	return forewarm.Profile().With("metadata.name", "in-flight").With("spec.peakQuery", nil)
}

func function(t *testing.T, k *kit.Kit, namespace, name string) *twin {
	t.Helper()
	k.Apply(t, forewarm.Function(namespace, name, 0, environment()...).JSON())
	k.Apply(t, forewarm.Service(namespace, name).JSON())
	k.WaitPods(t, namespace, "app="+name, 1, 2*time.Minute)
	return &twin{namespace: namespace, name: name, url: forewarm.URL(namespace, name), selector: "app=" + name}
}

// deployHPA: an autoscaler on an external metric. The metric is served by KEDA's adapter, of a ScaledObject that scales
// another Deployment, from one to one: so that both scalers see the same figure by the same way.
func deployHPA(t *testing.T, k *kit.Kit, namespace, name string) *twin {
	t.Helper()
	twin := function(t, k, namespace, name)
	meter := name + "-meter"
	k.Apply(t, forewarm.Function(namespace, meter, 1).JSON())
	k.Apply(t, scaledObject(namespace, meter, name, 1).JSON())
	k.Apply(t, forewarm.ObjectOf(forewarm.Map{
		"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
		"metadata": forewarm.Map{"namespace": namespace, "name": name},
		"spec": forewarm.Map{
			"maxReplicas":    most,
			"scaleTargetRef": forewarm.Map{"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
			"metrics": []forewarm.Map{{"type": "External", "external": forewarm.Map{
				"metric": forewarm.Map{"name": "s0-prometheus", "selector": forewarm.Map{
					"matchLabels": forewarm.Map{"scaledobject.keda.sh/name": meter}}},
				"target": forewarm.Map{"type": "AverageValue", "averageValue": aim}}}},
		},
	}).JSON())
	return twin
}

func deployKEDA(t *testing.T, k *kit.Kit, namespace, name string) *twin {
	t.Helper()
	twin := function(t, k, namespace, name)
	k.Apply(t, scaledObject(namespace, name, name, most).JSON())
	return twin
}

// scaledObject scales one Deployment by the calls in flight of another, or of the same; at least one pod, since its own
// metric cannot tell of calls that nobody takes.
func scaledObject(namespace, scales, measures string, most int) forewarm.Object {
	return forewarm.ObjectOf(forewarm.Map{
		"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject",
		"metadata": forewarm.Map{"namespace": namespace, "name": scales},
		"spec": forewarm.Map{
			"minReplicaCount": 1, "maxReplicaCount": most, "scaleTargetRef": forewarm.Map{"name": scales},
			"triggers": []forewarm.Map{{"type": "prometheus", "metadata": forewarm.Map{
				"serverAddress": "http://10.244.0.1:9090", "threshold": "3.5",
				"query": fmt.Sprintf("sum(function_inflight_requests{namespace=%q, app=%q})", namespace, measures)}}},
		},
	})
}

// deployKPA: requests go to the revision's own Service, as an ingress would send them.
func deployKPA(t *testing.T, k *kit.Kit, namespace, name string) *twin {
	t.Helper()
	var variables []forewarm.Map
	for all := environment(); len(all) > 1; all = all[2:] {
		variables = append(variables, forewarm.Map{"name": all[0], "value": all[1]})
	}
	k.Apply(t, forewarm.ObjectOf(forewarm.Map{
		"apiVersion": "serving.knative.dev/v1", "kind": "Service",
		"metadata": forewarm.Map{"namespace": namespace, "name": name},
		"spec": forewarm.Map{"template": forewarm.Map{
			"metadata": forewarm.Map{"annotations": forewarm.Map{"autoscaling.knative.dev/max-scale": fmt.Sprint(most)}},
			"spec": forewarm.Map{"containerConcurrency": slots, "containers": []forewarm.Map{{
				"image": forewarm.FunctionImage, "imagePullPolicy": "Never", "env": variables,
				"ports":     []forewarm.Map{{"containerPort": 8080}},
				"resources": forewarm.Map{"requests": forewarm.Map{"cpu": "5m", "memory": "8Mi"}},
			}}},
		}},
	}).JSON())
	revision := name + "-00001"
	selector := "serving.knative.dev/service=" + name
	k.WaitPods(t, namespace, selector, 1, 4*time.Minute)
	return &twin{namespace: namespace, name: name, url: forewarm.URL(namespace, revision), selector: selector}
}

// podPast is a week of the function's own metric, by generations of pods that are gone.
func podPast(p *twins, until time.Time) []bed.Series {
	return forewarm.Past{Namespace: p.namespace, Name: p.with.name, Level: p.level(), Length: 7 * 24 * time.Hour,
		Generations: 4, Pods: 1, Seed: 1}.Series(until)
}

// knativePast is a week of what Knative's autoscaler tells: the mean of a minute, and of six seconds, which chance moves.
func knativePast(p *twins, until time.Time) []bed.Series {
	begin := until.Add(-7 * 24 * time.Hour)
	random := rand.New(rand.NewPCG(1, 1))
	level := p.level()
	stable := func(moment time.Time) float64 {
		sum, steps := 0.0, 6
		for step := range steps {
			sum += level(moment.Add(-time.Minute * time.Duration(step) / time.Duration(steps)))
		}
		return sum / float64(steps)
	}
	panicking := func(moment time.Time) float64 { return forewarm.Poisson(random, level(moment)*6) / 6 }
	labels := map[string]string{"k8s_namespace_name": p.namespace, "kn_service_name": p.with.name, "kn_revision_name": p.with.name + "-00001"}
	return []bed.Series{
		{Name: "kn_revision_concurrency_stable", Labels: labels, Samples: bed.Every(15*time.Second, begin, until, stable)},
		{Name: "kn_revision_concurrency_panic", Labels: labels, Samples: bed.Every(15*time.Second, begin, until, panicking)},
	}
}
