package scalers

import (
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"forewarm.dev/tests/cluster/forewarm"
)

var keda = kind{
	resource: schema.GroupVersionResource{Group: "keda.sh", Version: "v1alpha1", Resource: "scaledobjects"},
	plural:   "scaledobjects.keda.sh", field: "minReplicaCount",
	manifest: func(namespace, named string, floor int) forewarm.Object {
		return forewarm.ObjectOf(forewarm.Map{
			"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject",
			"metadata": forewarm.Map{"namespace": namespace, "name": named},
			"spec": forewarm.Map{
				"minReplicaCount": floor, "maxReplicaCount": 20, "pollingInterval": 5, "cooldownPeriod": 5,
				"scaleTargetRef": forewarm.Map{"name": name},
				"triggers": []forewarm.Map{{"type": "prometheus", "metadata": forewarm.Map{
					"serverAddress": "http://10.244.0.1:9090", "query": "vector(0)", "threshold": "10"}}},
			},
		})
	},
}

func Test_keda_floor_up(t *testing.T)       { t.Parallel(); floorUp(t, keda) }
func Test_keda_floor_down(t *testing.T)     { t.Parallel(); floorDown(t, keda) }
func Test_keda_given_back(t *testing.T)     { t.Parallel(); givenBack(t, keda) }
func Test_keda_user_edit_wins(t *testing.T) { t.Parallel(); userEditWins(t, keda) }
func Test_keda_deploy_reset(t *testing.T)   { t.Parallel(); deployReset(t, keda) }
func Test_keda_rail_refuses(t *testing.T)   { t.Parallel(); railRefuses(t, keda) }

// Test_keda_pause_honoured: ours, and the ScaledObject's own.
func Test_keda_pause_honoured(t *testing.T) {
	t.Parallel()
	pauseHonoured(t, keda)
	s := fieldTaken(t, keda, 6)
	s.kubectl("annotate", keda.plural, name, "autoscaling.keda.sh/paused=true")
	s.condition("Active", "ScalerPaused", "ScaledObject/"+name)
	s.policy(`{"floor":{"min":9}}`)
	s.still("KEDA's pause", 6)
	s.kubectl("annotate", keda.plural, name, "autoscaling.keda.sh/paused-")
	s.floor(9)
}

func Test_keda_two_scalers_conflict(t *testing.T) {
	t.Parallel()
	twoScalers(t, keda, func(s *scene) forewarm.Object { return hpa.manifest(s.namespace, "other", 2) })
}

// Test_keda_wakes_from_zero: zero is KEDA's to make; a raised floor wakes the function, and given back it sleeps again.
func Test_keda_wakes_from_zero(t *testing.T) {
	t.Parallel()
	s := sleeping(t, keda)
	s.replicas(0)
	s.enforce(3)
	s.floor(3)
	s.replicas(3)
	s.kubectl("delete", "functionpolicy", name)
	s.returned(0)
	s.replicas(0)
}

// Test_keda_idle: with idleReplicaCount KEDA looks at no floor while no trigger is active. It is said, the floor is kept for
// when one is, and it counts at once when the line is gone.
func Test_keda_idle(t *testing.T) {
	t.Parallel()
	s := taken(t, keda, 3)
	s.replicas(3)
	s.kubectl("patch", keda.plural, name, "--type=merge", "--patch", `{"spec":{"idleReplicaCount":0}}`)
	s.condition("Active", "EnforcingUnlessIdle", "spec.minReplicaCount", "spec.idleReplicaCount is 0")
	s.replicas(0)
	s.policy(`{"floor":{"min":4}}`)
	s.floor(4)
	s.kubectl("patch", keda.plural, name, "--type=merge", "--patch", `{"spec":{"idleReplicaCount":null}}`)
	s.condition("Active", "Enforcing")
	s.replicas(4)
}

// Test_keda_scaler_restarted: the operator comes back to a floor that is where it was, at load and at zero.
func Test_keda_scaler_restarted(t *testing.T) {
	t.Parallel()
	s, asleep := taken(t, keda, 6), sleeping(t, keda)
	s.replicas(6)
	asleep.replicas(0)
	s.k.Kubectl(t, "--namespace", "keda", "rollout", "restart", "deployment/keda-operator")
	s.k.Kubectl(t, "--namespace", "keda", "rollout", "status", "deployment/keda-operator", "--timeout=3m")
	s.still("after a restart", 6)
	asleep.enforce(2)
	asleep.floor(2)
	asleep.replicas(2)
	s.policy(`{"floor":{"min":7}}`)
	s.replicas(7)
}
