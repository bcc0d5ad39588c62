package ownership

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
)

// Test_field_taken proves each row of "Who owns the floor field" on a real API server with the real tools. Nobody's
// deploy fails because of Forewarm: each one that is run here must pass.
func Test_field_taken(t *testing.T) {
	for row, prove := range map[string]func(*scene){
		"a person scales":                           aPersonScales,
		"a person scales what nobody owned":         aPersonScalesUnowned,
		"helm 4 with the line":                      func(s *scene) { theLine(s, s.chart("helm", s.real(0)).deploy, "helm") },
		"kubectl apply --server-side with the line": func(s *scene) { theLine(s, s.serverSide(s.real, "kubectl"), "kubectl") },
		"flux with the line": func(s *scene) {
			theLine(s, s.serverSide(s.real, "kustomize-controller", "--force-conflicts"), "kustomize-controller")
		},
		"helm 4 without the line":                    withoutTheLine,
		"helm 3 resets":                              func(s *scene) { resets(s, s.chart("helm3", s.function(0)).deploy, "helm") },
		"kubectl apply resets":                       func(s *scene) { resets(s, s.apply, "kubectl-client-side-apply") },
		"a deploy sets another value":                anotherValue,
		"a scaler has the target":                    aScaler,
		"paused by annotation of the policy":         func(s *scene) { paused(s, "functionpolicy", name) },
		"paused by annotation of the namespace":      func(s *scene) { paused(s, "namespace", s.namespace) },
		"back to Shadow, then the policy is deleted": backToShadow,
		"the policy is deleted in the middle of it":  deleted,
	} {
		t.Run(row, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			prove(newScene(t))
			t.Logf("%s: %s", row, time.Since(began).Round(100*time.Millisecond))
		})
	}
}

// A person who scales, patches or edits has the field from then on: the status says who, nothing moves it, and touching
// the policy is the answer that Forewarm waits for.
func aPersonScales(s *scene) {
	s.apply(2, "a")
	s.enforce(4)
	s.scaled(4)
	s.userFloor(2, "TakeOver")
	ways := []struct {
		manager string
		scale   func()
	}{
		{"kubectl", func() { s.kubectl("scale", "deployment", name, "--replicas=3") }},
		{"kubectl-patch", func() { s.kubectl("patch", "deployment", name, "--patch", `{"spec":{"replicas":9}}`) }},
	}
	for touch, way := range ways {
		way.scale()
		live, err := forewarm.Replicas(s.k, s.namespace, name)
		if err != nil {
			s.Fatal(err)
		}
		conflict := s.condition("Conflict", "FieldTaken", "set by "+way.manager, fmt.Sprintf("spec.replicas is %d", live))
		s.condition("Active", "FieldTaken")
		s.still("after "+way.manager, live)
		s.Log(conflict.Message)
		// Another generation and nothing else: any edit of the spec is an answer.
		s.change(fmt.Sprintf(`{"floor":{"max":%d}}`, 20+touch))
		s.condition("Conflict", "NoConflict")
		s.scaled(max(4, live)) // the demand is not known, so nothing is lowered
	}
}

// A field that nobody owned has no entry after a person scales either: Forewarm knows it by the value alone.
func aPersonScalesUnowned(s *scene) {
	s.chart("helm", s.function(0)).deploy(0, "a")
	s.enforce(3)
	s.scaled(3)
	s.kubectl("scale", "deployment", name, "--replicas=2")
	s.condition("Conflict", "FieldTaken", "spec.replicas is 2")
	s.still("after kubectl scale", 2)
	s.change(`{"floor":{"max":11}}`)
	s.scaled(3)
	s.condition("Conflict", "NoConflict")
}

// The line in a server-side manifest: Enforce is refused and says who and what; on request the value is adopted where
// it stands; the line deleted then moves nothing, and what follows is a raise. Every version of the object is looked
// at, and the pods are real: neither the field nor what serves ever dips.
func theLine(s *scene, deploy func(replicas int, note string), manager string) {
	deploy(2, "a")
	uid := s.uid()
	s.k.WaitPods(s, s.namespace, "app="+name, 2, patience)
	s.enforce(5)
	conflict := s.condition("Conflict", "InManifest", "Manager "+manager, "spec.replicas", "(2)", "onConflict: Take", "line `replicas`")
	s.Log(conflict.Message)
	s.condition("Active", "InManifest")
	s.still("while the manifest has the line", 2)

	versions := s.watch()
	deploy(2, "b")
	s.change(`{"onConflict":"Take"}`)
	adopted := s.condition("Conflict", "Adopted", manager, "delete line `replicas`", "now")
	s.Log(adopted.Message)
	deploy(2, "c") // a deploy before the line is deleted
	s.still("while both own the field", 2)
	deploy(0, "d") // the line is deleted
	s.scaled(5)
	s.condition("Conflict", "NoConflict")
	s.condition("Active", "Enforcing")
	s.k.WaitPods(s, s.namespace, "app="+name, 5, patience)
	deploy(0, "e")
	s.still("after a deploy without the line", 5)
	s.neverDipped(versions())
	if s.uid() != uid {
		s.Error("the Deployment was made anew")
	}
}

// neverDipped looks at each version between the first deploy and the last.
func (s *scene) neverDipped(versions []version) {
	s.Helper()
	s.Logf("replicas and ready pods through %d versions: %v", len(versions), versions)
	for at, version := range versions {
		before := versions[max(at-1, 0)]
		if version.replicas < max(2, before.replicas) || version.ready < 2 {
			s.Errorf("version %d dipped: %v", at, versions)
		}
	}
	// Three deploys, a raise, and the pods that become ready.
	if len(versions) < 5 || versions[len(versions)-1] != (version{5, 5}) {
		s.Errorf("the watch has not shown all: %v", versions)
	}
}

// Without the line nothing is in the way: upgrades keep what is held. A line that is added later is the manifest's
// again, and Enforce is refused again; the upgrade that adds it passes.
func withoutTheLine(s *scene) {
	release := s.chart("helm", s.function(0))
	release.deploy(0, "a")
	s.enforce(4)
	s.scaled(4)
	s.userFloor(1, "TakeOver")
	versions := s.watch()
	for _, note := range []string{"b", "c", "d"} {
		release.deploy(0, note)
	}
	s.still("after three upgrades", 4)
	for _, version := range versions() {
		if version.replicas != 4 {
			s.Errorf("an upgrade moved the field: %v", versions())
		}
	}
	s.condition("Conflict", "NoConflict")
	release.deploy(6, "e")
	s.condition("Conflict", "InManifest", "helm", "(6)")
	s.still("after the line was added", 6)
}

// A deploy by client-side tools puts the remembered value back: raised again at once and counted, and the third time
// in ten minutes Forewarm keeps off and says so.
func resets(s *scene, deploy func(replicas int, note string), manager string) {
	deploy(2, "a")
	s.enforce(4)
	s.scaled(4)
	s.userFloor(2, "TakeOver")
	for count, note := range []string{"b", "c"} {
		deployed := time.Now()
		deploy(2, note)
		line := s.log.Wait(s, "the raise after the reset", patience, forewarm.About(s.namespace, name),
			forewarm.Because("DeployReset"), forewarm.Since(deployed))
		if !line.Moves(4) || !strings.Contains(string(line.Output.Field), `"Reset":{"by":"`+manager) {
			s.Errorf("reset %d is answered with %s", count+1, line.Raw)
		}
		s.scaled(4)
		s.resetAnswered(count + 1)
	}
	// No other was seen: a read older than our own write would look like one.
	if lines := s.log.Lines(forewarm.About(s.namespace, name), forewarm.Because("DeployReset")); len(lines) != 2 {
		s.Errorf("two resets made %d decisions: %v", len(lines), lines)
	}
	deploy(2, "d")
	conflict := s.condition("Conflict", "ResetTooOften", manager, "set spec.replicas back to 2", "three times in ten minutes", "delete the line")
	s.Log(conflict.Message)
	s.still("after the third reset", 2)
	s.userFloor(2, "TakeOver")
	s.change(`{"floor":{"max":11}}`)
	s.scaled(4)
}

// resetAnswered looks at the audit log: the deploy's write, then ours as the very next, with no other decision between.
func (s *scene) resetAnswered(count int) {
	s.Helper()
	var reset, raise *write
	kit.WaitFor(s, "the reset and the raise in the audit log", patience, func() error {
		found, seen := s.writes(), 0
		reset, raise = nil, nil
		for at := range found {
			if found[at].user == forewarm.User && at > 0 && found[at-1].to == 2 {
				if seen++; seen == count+1 { // the first raise was the take-over
					reset, raise = &found[at-1], &found[at]
				}
			}
		}
		if raise == nil {
			return fmt.Errorf("%d writes", len(found))
		}
		return nil
	})
	s.Logf("reset %d was answered %d ms after it", count, raise.at.Sub(reset.at).Milliseconds())
	// Two ticks and what a busy machine adds; another decision in between would have shown as a write.
	if gap := raise.at.Sub(reset.at); gap > 15*time.Second {
		s.Errorf("the reset was answered only after %s", gap)
	}
}

// Another value in the manifest is the user's new own floor, up or down, and Forewarm goes on from there.
func anotherValue(s *scene) {
	s.apply(2, "a")
	s.enforce(4)
	s.scaled(4)
	s.userFloor(2, "TakeOver")
	s.apply(6, "b")
	s.userFloor(6, "Deploy")
	s.still("after the deploy of 6", 6)
	s.apply(3, "c")
	s.userFloor(3, "Deploy")
	s.scaled(4)
	s.condition("Conflict", "NoConflict")
	line := s.decided(time.Time{}, `"NewUserFloor"`, `"user":3`, "kubectl-client-side-apply")
	s.Log(line)
}

// A known scaler has the target: its floor is the one that is written, up to its maximum; when it goes, Forewarm goes on.
func aScaler(s *scene) {
	s.apply(2, "a")
	s.k.Apply(s, forewarm.Autoscaler(s.namespace, "tide", name, 2, 3).JSON())
	s.enforce(4)
	s.condition("Active", "Enforcing", "HorizontalPodAutoscaler/tide")
	s.scaled(3)
	if own := s.own(); len(own) != 0 {
		s.Errorf("Forewarm wrote %+v", own)
	}
	s.kubectl("delete", "horizontalpodautoscaler", "tide")
	s.scaled(4)
	s.condition("Conflict", "NoConflict")
}

// While paused nothing moves, neither up for a larger floor nor after a deploy's reset; afterwards it goes on.
func paused(s *scene, kind, object string) {
	s.apply(2, "a")
	s.enforce(3)
	s.scaled(3)
	s.kubectl("annotate", kind, object, "forewarm.dev/paused=true")
	s.condition("Active", "Paused")
	s.change(`{"floor":{"min":5}}`)
	s.still("while paused", 3)
	s.kubectl("annotate", kind, object, "forewarm.dev/paused-")
	s.scaled(5)
	s.condition("Active", "Enforcing")
}

// Back in Shadow, and with the policy deleted, the replicas stay what they are, and the log says so.
func backToShadow(s *scene) {
	s.apply(2, "a")
	s.enforce(4)
	s.scaled(4)
	s.change(`{"mode":"Shadow"}`)
	s.condition("Active", "Shadow")
	s.still("back in Shadow", 4)
	s.change(`{"floor":{"min":7}}`)
	s.still("in Shadow with a larger floor", 4)
	deletePolicy(s, 4)
}

// The policy is deleted while it enforces.
func deleted(s *scene) {
	s.apply(2, "a")
	s.enforce(4)
	s.scaled(4)
	deletePolicy(s, 4)
}

func deletePolicy(s *scene, replicas int) {
	s.Helper()
	s.kubectl("delete", "functionpolicy", name)
	line := s.log.Wait(s, "the line that gives it back", patience, forewarm.Is(forewarm.Released), forewarm.About(s.namespace, name))
	if !strings.Contains(line.Note, "replicas stay") {
		s.Errorf("it says: %s", line.Raw)
	}
	s.Log(line.Note)
	s.still("after the policy was deleted", replicas)
}
