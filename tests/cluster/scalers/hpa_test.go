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

// Test_uninstall comes last: by its name, and by not being parallel it runs before the parallel ones, so it installs
// the operator again.
func Test_hpa_given_back_uninstall(t *testing.T) {
	s := taken(t, hpa, 6)
	s.k.Helm(t, "uninstall", forewarm.Release, "--namespace", forewarm.Namespace, "--wait", "--timeout", "3m")
	s.returned(2)
	if err := (forewarm.Setup{}).Install(kit.Of(t)); err != nil {
		t.Fatal(err)
	}
	s.floor(6)
}
