package ahead

import (
	"testing"
	"time"

	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
)

// installWithin is what the first decision line may take from the start of `helm install`.
const installWithin = time.Minute

// From `helm install` to the first decision line it takes less than a minute: the function is there, the images are,
// nothing else. The policy comes when helm is done, since its kind comes with the chart.
func Test_install(t *testing.T) {
	k := kit.Of(t)
	uninstall(t, k)
	namespace := k.Namespace(t, nil)
	k.Apply(t, forewarm.Function(namespace, "web", 1).JSON())
	log := forewarm.FollowLog(t, k)

	began := time.Now()
	if err := (forewarm.Setup{}).Install(k); err != nil {
		t.Fatal(err)
	}
	installed := time.Now()
	k.Apply(t, forewarm.Profile().JSON())
	k.Apply(t, forewarm.Policy(namespace, "web").JSON())
	line := log.Wait(t, "the first decision line", 3*time.Minute,
		forewarm.Is(forewarm.Decision), forewarm.About(namespace, "web"))

	took := line.Time.Sub(began)
	figure(t, "install.first_decision", took.Round(10*time.Millisecond).Seconds(), "s")
	figure(t, "install.helm", installed.Sub(began).Round(10*time.Millisecond).Seconds(), "s")
	if took > installWithin {
		t.Errorf("%s from helm install to the first decision line, want less than %s", took, installWithin)
	}
}

// uninstall takes away what an earlier run left on a bed that is used again.
func uninstall(t *testing.T, k *kit.Kit) {
	t.Helper()
	if _, err := k.Run("", "helm", "status", forewarm.Release, "--namespace", forewarm.Namespace); err == nil {
		k.Helm(t, "uninstall", forewarm.Release, "--namespace", forewarm.Namespace, "--wait")
	}
}
