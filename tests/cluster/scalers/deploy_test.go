package scalers

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
)

// held is the floor that Forewarm holds while others deploy theirs.
const held = 6

// deployReset: no deploy fails, by whatever tool; what one sets back is raised again, what it says anew is the user's
// own from then on, and what it keeps nobody touches. The pods are nobody's to schedule: it is about the field.
func deployReset(t *testing.T, of kind) {
	for by, with := range tools {
		t.Run(by, func(t *testing.T) {
			t.Parallel()
			k := kit.Of(t)
			s := &scene{T: t, kind: of, k: k, namespace: forewarm.Enrolled(t, k)}
			k.Apply(t, forewarm.Unscheduled(forewarm.Function(s.namespace, name, 2)).JSON())
			d := deploys{scene: s, deploy: with.begin(s), log: forewarm.FollowLog(t, s.k)}
			d.deploy(2, "a")
			s.enforce(held)
			s.settled("2")
			d.everyRow(with)
		})
	}
}

// deploys is a scene whose scaler is deployed again and again.
type deploys struct {
	*scene
	deploy deploy
	log    *forewarm.Log
}

// everyRow deploys once for each way in which a manifest changes.
func (d deploys) everyRow(with tool) {
	d.Helper()
	if with.writesOnlyNews && d.field == keda.field {
		d.kept("another field, the line in", 2, "b", "2")
	} else {
		d.reset(2, "b")
	}
	d.says("the line says 5", 5, "b", "5")
	if with.keeps {
		d.kept("the line deleted", 0, "b", "5")
	} else {
		d.says("the line deleted", 0, "b", map[string]string{hpa.field: "1", keda.field: ""}[d.field])
	}
	d.kept("another field, the line out", 0, "c", d.recorded())
	d.says("the line added", 4, "c", "4")
}

// settled waits until our floor stands with the user's own beside it and without a claim on the field.
func (s *scene) settled(own string) {
	s.Helper()
	s.floor(held)
	s.unclaimed()
	kit.WaitFor(s, "the user's own floor on record", patience, func() error {
		if recorded := s.recorded(); recorded != own {
			return fmt.Errorf("%q, not %q", recorded, own)
		}
		return nil
	})
}

// reset deploys what is the user's own already: it is raised again at once, and said to be a reset.
func (d deploys) reset(floor int, note string) {
	d.Helper()
	at := time.Now()
	d.deploy(floor, note)
	d.log.Wait(d, "a reset that is raised again", patience, forewarm.Is(forewarm.Decision), forewarm.About(d.namespace, name),
		forewarm.Since(at), forewarm.Because("DeployReset"), func(l forewarm.Line) bool { return l.Moves(held) })
	d.settled(fmt.Sprint(floor))
}

// says deploys another floor, which is the user's own from then on, and what is held stands above it.
func (d deploys) says(what string, floor int, note, own string) {
	d.Helper()
	d.deploy(floor, note)
	d.settled(own)
	d.Logf("%s: the user's own floor is %q", what, own)
}

// kept deploys what leaves the field alone: by the audit log nobody has given it another value, and the record stays.
func (d deploys) kept(what string, floor int, note, own string) {
	d.Helper()
	audit := d.k.AuditFromNow(d)
	d.deploy(floor, note)
	d.still(what, held)
	found := written(d.scene, audit)
	if slices.ContainsFunc(found, func(value int64) bool { return value != held }) {
		d.Errorf("%s: the floor was written as %v", what, found)
	}
	if recorded := d.recorded(); recorded != own {
		d.Errorf("%s: the record became %q, not %q", what, recorded, own)
	}
}
