//go:build long

package scalers

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
)

// writers is how long two of them are watched: twenty minutes, or as many as FOREWARM_MINUTES says.
func writers(t *testing.T) time.Duration {
	text := os.Getenv("FOREWARM_MINUTES")
	if text == "" {
		return 20 * time.Minute
	}
	minutes, err := strconv.Atoi(text)
	if err != nil || minutes < 2 {
		t.Fatalf("FOREWARM_MINUTES is %q: give a whole number from 2 on", text)
	}
	return time.Duration(minutes) * time.Minute
}

// Two writers on one field: a deploy tool that applies its manifest every twenty seconds, as one that reconciles does.
// What it sets back is raised again twice; the third time within ten minutes it has the field, and no write of ours
// follows for as long as it goes on.
func Test_hpa_two_writers(t *testing.T) {
	const tool = "argocd-controller"
	s := fieldTaken(t, hpa, 6)
	s.unclaimed()
	audit := s.k.AuditFromNow(t)
	manifest := hpa.manifest(s.namespace, name, 2).JSON()
	applied := 0
	for end := time.Now().Add(writers(t)); time.Now().Before(end); applied++ {
		if _, err := s.k.Run(manifest, "kubectl", "apply", "--server-side", "--force-conflicts", "--field-manager="+tool, "--filename", "-"); err != nil {
			t.Fatalf("the deploy tool's write %d failed: %v", applied, err)
		}
		time.Sleep(20 * time.Second)
	}
	s.condition("Conflict", "ResetTooOften", tool)
	s.still("the deploy tool's value", 2)
	ours := falls(s, audit)
	events, err := audit.Events(kit.Writes, kit.In(s.namespace), kit.ByUser(forewarm.User), func(e kit.Event) bool {
		return e.ObjectRef.Resource == s.resource.Resource && e.ResponseStatus.Code < 300
	})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("figure: two_writers.theirs %d writes\nfigure: two_writers.ours %d writes\n", applied, len(events))
	// Each raise is a write and the dropping of our claim, which is tried again where the scaler's own entry has moved it.
	if len(events) > 4 {
		t.Errorf("%d writes of ours to %v against %d of the tool's", len(events), ours, applied)
	}
}
