package scalers

import (
	"testing"

	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
)

func Test_hpa_floor_up(t *testing.T)       { t.Parallel(); floorUp(t, hpa) }
func Test_hpa_floor_down(t *testing.T)     { t.Parallel(); floorDown(t, hpa) }
func Test_hpa_given_back(t *testing.T)     { t.Parallel(); givenBack(t, hpa) }
func Test_hpa_user_edit_wins(t *testing.T) { t.Parallel(); userEditWins(t, hpa) }
func Test_hpa_pause_honoured(t *testing.T) { t.Parallel(); pauseHonoured(t, hpa) }
func Test_hpa_deploy_reset(t *testing.T)   { t.Parallel(); deployReset(t, hpa) }
func Test_hpa_rail_refuses(t *testing.T)   { t.Parallel(); railRefuses(t, hpa) }

func Test_hpa_two_scalers_conflict(t *testing.T) {
	t.Parallel()
	twoScalers(t, hpa, func(s *scene) forewarm.Object { return hpa.manifest(s.namespace, "other", 2) })
}

// The controller comes back to a floor that is where it was, at load and where a person has paused the target.
func Test_hpa_scaler_restarted(t *testing.T) {
	t.Parallel()
	s, paused := taken(t, hpa, 6), taken(t, hpa, 6)
	s.replicas(6)
	paused.kubectl("scale", "deployment", name, "--replicas=0")
	paused.condition("Active", "AtZero")
	if err := s.k.Process("kube-controller-manager").Restart(); err != nil {
		t.Fatal(err)
	}
	s.still("after a restart", 6)
	paused.still("after a restart", 6)
	s.policy(`{"floor":{"min":7}}`)
	s.floor(7)
	s.replicas(7)
	if found, err := forewarm.Replicas(s.k, paused.namespace, name); err != nil || found != 0 {
		t.Errorf("a pause by hand became %d, %v", found, err)
	}
}

// Zero is the autoscaler's to make where it says so (1.37): a raised floor wakes the function, and given back it sleeps
// again. A target that the autoscaler did not bring to zero is a pause, in Test_hpa_scaler_restarted.
func Test_hpa_wakes_from_zero(t *testing.T) {
	kit.Of(t).Needs(t, 37)
	t.Parallel()
	s := sceneOf(t, hpa, 1)
	// An autoscaler goes to zero by an external metric alone. KEDA's adapter serves one, of a ScaledObject that scales
	// another Deployment from one to one.
	s.k.Apply(t, forewarm.Function(s.namespace, meter, 1).JSON())
	s.k.Apply(t, keda.manifest(s.namespace, meter, 1).With("spec.maxReplicaCount", 1).
		With("spec.scaleTargetRef", forewarm.Map{"name": meter}).JSON())
	s.k.Apply(t, hpa.manifest(s.namespace, name, 0).With("spec.metrics", []forewarm.Map{{"type": "External", "external": forewarm.Map{
		"metric": forewarm.Map{"name": "s0-prometheus", "selector": forewarm.Map{
			"matchLabels": forewarm.Map{"scaledobject.keda.sh/name": meter}}},
		"target": forewarm.Map{"type": "AverageValue", "averageValue": "10"}}}}).
		With("spec.behavior", forewarm.Map{"scaleDown": forewarm.Map{"stabilizationWindowSeconds": 0}}).JSON())
	s.replicas(0)
	s.enforce(3)
	s.floor(3)
	s.replicas(3)
	s.kubectl("delete", "functionpolicy", name)
	s.returned(0)
	s.replicas(0)
}

// meter is the Deployment whose ScaledObject serves the metric of another's autoscaler.
const meter = "meter"

// Every scaler gets its floor back when the release is uninstalled. It is not parallel, so it runs before those that
// are, and installs the operator again.
func Test_given_back_uninstall(t *testing.T) {
	all := map[string]*scene{"hpa": fieldTaken(t, hpa, 6), "keda": fieldTaken(t, keda, 6)}
	forewarm.Uninstall(t, kit.Of(t))
	for of, s := range all {
		t.Run(of, func(t *testing.T) { s.on(t).returned(2) })
	}
	if err := (forewarm.Setup{}).Install(kit.Of(t)); err != nil {
		t.Fatal(err)
	}
	for of, s := range all {
		t.Run(of+" again", func(t *testing.T) { s.on(t).floor(6) })
	}
}
