// Package rails proves what is refused, to whom, and what is left when the operator goes: permissions, bad resources,
// uninstall. The tests share one bed and one installation, and run in that order: the bad resources go all at once, a
// loss of policies on which the brake holds every fall for ten minutes, and the last test removes the installation.
package rails

import (
	"os"
	"testing"
	"time"

	"forewarm.dev/tests/cluster/bed"
	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
)

const (
	// patience is for what takes a few ticks of five seconds on an idle machine.
	patience = 5 * time.Minute

	// enrolled is a namespace that the chart enrols.
	enrolled = "payments"
)

func TestMain(m *testing.M) {
	// 5 s leave 3 s for a question: 100,000 series take Prometheus more than one, on two busy cores.
	install := forewarm.Setup{Enrolled: []string{enrolled}, Values: []string{"tickSeconds=5"}}
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
