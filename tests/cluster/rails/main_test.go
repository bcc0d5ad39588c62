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
	// patience is for what takes a few ticks on an idle machine.
	patience = 5 * time.Minute

	// enrolled is a namespace that the chart enrols.
	enrolled = "payments"

	// mostSeries is what an answer of the source may have.
	mostSeries = 2000
)

func TestMain(m *testing.M) {
	// A cap that an answer of few series is above: 100,000 take Prometheus more than a tick on two busy cores.
	install := forewarm.Setup{Enrolled: []string{enrolled}, Values: []string{fmt.Sprintf("sources[0].maxSeries=%d", mostSeries)}}
	os.Exit(kit.Main(m, bed.Options{}, defineScaledObjects, install.Prepare))
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
