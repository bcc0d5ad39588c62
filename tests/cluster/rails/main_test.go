// Package rails proves what is refused, to whom, and what is left when the operator goes: permissions, bad resources,
// uninstall. The tests share one bed and one installation, and run in that order: the bad resources go all at once, a
// loss of policies on which the brake holds every fall for ten minutes, and the last test removes the installation.
package rails

import (
	"fmt"
	"os"
	"testing"
	"time"

	"forewarm.dev/tests/cluster/bed"
	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
)

const (
	// patience is for what takes a few ticks of two seconds on an idle machine.
	patience = 90 * time.Second

	// enrolled is a namespace that the chart enrols.
	enrolled = "payments"

	// manySeries is more than a source may answer by default.
	manySeries = 100_000
)

func TestMain(m *testing.M) {
	// 5 s leave 3 s for a question: 100,000 series take Prometheus about one, on two busy cores.
	install := forewarm.Setup{Enrolled: []string{enrolled}, Values: []string{"tickSeconds=5"}}
	os.Exit(kit.Main(m, bed.Options{}, loadManySeries, defineScaledObjects, install.Prepare))
}

// loadManySeries fills Prometheus with one metric of very many series. Prometheus stops for it, so it comes first.
func loadManySeries(k *kit.Kit) error {
	now := time.Now()
	series := make([]bed.Series, manySeries)
	for n := range series {
		series[n] = bed.Series{Name: "flood", Labels: map[string]string{"namespace": "nowhere", "pod": fmt.Sprintf("p-%d", n)},
			Samples: []bed.Sample{{Time: now, Value: 1}}}
	}
	return k.Prometheus.Backfill(series)
}

// defineScaledObjects brings KEDA's API, without KEDA: the operator watches it where it is there.
func defineScaledObjects(k *kit.Kit) error {
	return k.TryApply(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: scaledobjects.keda.sh}
spec:
  group: keda.sh
  scope: Namespaced
  names: {kind: ScaledObject, plural: scaledobjects, singular: scaledobject}
  versions:
  - name: v1alpha1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
`)
}
