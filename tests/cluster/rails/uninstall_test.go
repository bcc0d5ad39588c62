package rails

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
)

// Test_uninstall proves that nothing is lowered when the operator goes: not when both replicas are killed, not while
// they are away, not by what takes over; and that `helm uninstall` tells what each target keeps, and leaves
// definitions and policies where they are, so that an installation after it goes on.
func Test_uninstall(t *testing.T) {
	k := kit.Of(t)
	namespace := forewarm.Enrolled(t, k)
	k.Apply(t, forewarm.Unscheduled(forewarm.Function(namespace, "kept", 2)).JSON())
	k.Apply(t, forewarm.Unscheduled(forewarm.Function(namespace, "watched", 2)).JSON())
	k.Apply(t, forewarm.Enforce(namespace, "kept").With("spec.floor.min", 6).JSON())
	k.Apply(t, forewarm.Policy(namespace, "watched").JSON())
	forewarm.WaitReplicas(t, k, namespace, "kept", 6, patience)
	kept := func() error {
		found, err := forewarm.Replicas(k, namespace, "kept")
		if err == nil && found != 6 {
			err = fmt.Errorf("spec.replicas is %d", found)
		}
		return err
	}

	t.Run("both replicas killed", func(t *testing.T) { bothKilled(t, k, kept) })
	t.Run("helm uninstall", func(t *testing.T) { uninstalled(t, k, namespace, kept) })
	t.Run("installed again", func(t *testing.T) {
		if err := (forewarm.Setup{Enrolled: []string{enrolled}}).Install(k); err != nil {
			t.Fatal(err)
		}
		log := forewarm.FollowLog(t, k)
		log.Wait(t, "a decision", patience, forewarm.Is(forewarm.Decision), forewarm.About(namespace, "kept"))
		status, err := forewarm.StatusOf(k, namespace, "kept")
		if user := status.Floor.User; err != nil || user == nil || *user != 2 {
			t.Errorf("the user's own floor is forgotten: %+v, %v", status.Floor, err)
		}
		if err := kept(); err != nil {
			t.Error(err)
		}
	})
}

// bothKilled kills both replicas at once and waits until one of them decides again.
func bothKilled(t *testing.T, k *kit.Kit, kept func() error) {
	pods, err := k.ReadyPods(forewarm.Namespace, forewarm.Selector)
	if err != nil || len(pods) != 2 {
		t.Fatalf("replicas: %v, %v", pods, err)
	}
	killed := time.Now()
	for _, pod := range pods {
		if err := k.SignalPod(forewarm.Namespace, pod, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	log := forewarm.FollowLog(t, k)
	var decided forewarm.Line
	kit.WaitFor(t, "a decision after the kill", patience, func() error {
		if err := kept(); err != nil {
			t.Fatalf("while nobody was there: %v", err)
		}
		lines := log.Lines(forewarm.Is(forewarm.Decision), forewarm.Since(killed))
		if len(lines) == 0 {
			return fmt.Errorf("none yet")
		}
		decided = lines[0]
		return nil
	})
	t.Logf("decided again %.1f s after both were killed", decided.Time.Sub(killed).Seconds())
	kit.Holds(t, "the floor after the take-over", 6*time.Second, kept)
}

// uninstalled runs `helm uninstall` and looks at what it says and leaves.
func uninstalled(t *testing.T, k *kit.Kit, namespace string, kept func() error) {
	output, err := exec.Command(k.Bin("helm"), "uninstall", forewarm.Release, "--namespace", forewarm.Namespace, "--wait", "--timeout", "3m").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	said := hookSays(string(output))
	line := said[namespace+"/kept"]
	if line.Stays == nil || *line.Stays != 6 || !strings.Contains(line.Note, "replicas stay") {
		t.Errorf("the hook does not say that six replicas stay: %s", output)
	}
	t.Log("the hook says: " + line.Raw)
	if _, told := said[namespace+"/watched"]; told {
		t.Error("the hook tells of a policy in Shadow, which took nothing")
	}
	if err := kept(); err != nil {
		t.Error(err)
	}
	for _, kind := range []string{"functionpolicies", "demandprofiles"} {
		k.Kubectl(t, "get", "customresourcedefinition", kind+".forewarm.dev")
	}
	k.Kubectl(t, "--namespace", namespace, "get", "functionpolicy", "kept", "watched")
	for _, left := range []string{"clusterroles", "clusterrolebindings", "validatingadmissionpolicies", "validatingadmissionpolicybindings"} {
		if names := k.Kubectl(t, "get", left, "--selector", "app.kubernetes.io/name=forewarm", "--output", "name"); names != "" {
			t.Errorf("left behind: %s", names)
		}
	}
	if names := k.Kubectl(t, "--namespace", forewarm.Namespace, "get", "deployments,jobs,services,configmaps,roles,rolebindings",
		"--selector", "app.kubernetes.io/name=forewarm", "--output", "name"); names != "" {
		t.Errorf("left behind: %s", names)
	}
	kit.Holds(t, "the floor after the uninstall", 3*time.Second, kept)
}

// hookSays reads the hook's lines from helm's output, which quotes a pod's whole log as one message.
func hookSays(output string) map[string]forewarm.Line {
	said := map[string]forewarm.Line{}
	for _, text := range strings.Split(output, "\n") {
		_, quoted, ok := strings.Cut(text, "msg=")
		if !ok {
			continue
		}
		log, err := strconv.Unquote(quoted)
		if err != nil {
			continue
		}
		for _, printed := range strings.Split(log, "\n") {
			if line, ok := forewarm.Parse("release", printed); ok && line.Event == forewarm.Released {
				said[line.Namespace+"/"+line.Policy] = line
			}
		}
	}
	return said
}
