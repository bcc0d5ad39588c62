package leader

import (
	"regexp"
	"slices"
	"strings"

	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
)

// auditID is `<ULID>.<step>.<attempt>`.
var auditID = regexp.MustCompile(`^([0-9A-HJKMNP-TV-Z]{26})\.[1-9][0-9]*\.[1-9][0-9]*$`)

// account holds the API server's audit log to the decision logs of both replicas, those of killed containers included.
func (r *ramp) account() {
	r.Helper()
	r.chains()
	intents := map[string][]forewarm.Line{}
	for _, line := range r.log.Lines(forewarm.Is(forewarm.Intent), forewarm.About(r.namespace, name)) {
		intents[line.AuditID] = append(intents[line.AuditID], line)
	}
	sent := r.sent()
	decisions := map[string]bool{}
	for _, event := range sent {
		found := auditID.FindStringSubmatch(event.AuditID)
		if found == nil {
			r.Errorf("a write without a decision id: %q", event.AuditID)
			continue
		}
		if decisions[found[1]] {
			r.Errorf("decision %s was written twice", found[1])
		}
		decisions[found[1]] = true
		r.announced(event, intents[event.AuditID])
		delete(intents, event.AuditID)
	}
	// A leader may be killed between its word and its deed, once each time.
	if len(intents) > kills {
		r.Errorf("%d intents were never sent: %v", len(intents), intents)
	}
	r.terms()
	r.rose()
	r.Logf("%d writes under %d decision ids; %d intents that a kill cut off", len(sent), len(decisions), len(intents))
}

// sent are all requests of ours to a scale of the namespace, refused ones too.
func (r *ramp) sent() []kit.Event {
	r.Helper()
	events, err := r.audit.Events(kit.ByUser(forewarm.User), kit.Writes, kit.In(r.namespace), func(e kit.Event) bool {
		return e.ObjectRef.Subresource == "scale"
	})
	if err != nil {
		r.Fatal(err)
	}
	if len(events) < 2*kills {
		r.Fatalf("only %d writes were made", len(events))
	}
	return events
}

// announced: exactly one intent, printed before the request came in.
func (r *ramp) announced(event kit.Event, intents []forewarm.Line) {
	r.Helper()
	if len(intents) != 1 {
		r.Errorf("write %s has %d intents", event.AuditID, len(intents))
		return
	}
	if printed := intents[0].Time; printed.After(event.RequestReceivedTimestamp) {
		r.Errorf("write %s came in at %s, its intent was printed at %s", event.AuditID, event.RequestReceivedTimestamp, printed)
	}
	if !strings.HasPrefix(event.AuditID, intents[0].ID+".") {
		r.Errorf("write %s was announced by decision %s", event.AuditID, intents[0].ID)
	}
}

// terms: whoever wrote later wrote in a later term, and no term had two writers.
func (r *ramp) terms() {
	r.Helper()
	lines := r.log.Lines(forewarm.Is(forewarm.Intent), forewarm.About(r.namespace, name))
	slices.SortStableFunc(lines, func(a, b forewarm.Line) int { return a.Time.Compare(b.Time) })
	last, writer := 0, map[int]string{}
	for _, line := range lines {
		if line.Epoch < last {
			r.Errorf("a write of term %d was announced after one of term %d", line.Epoch, last)
		}
		if known, ok := writer[line.Epoch]; ok && known != line.Run {
			r.Errorf("term %d had two writers", line.Epoch)
		}
		last, writer[line.Epoch] = line.Epoch, line.Run
	}
	if len(writer) != kills+1 {
		r.Errorf("%d terms, want %d", len(writer), kills+1)
	}
}

// rose: whoever led, the floor only went up.
func (r *ramp) rose() {
	r.Helper()
	writes, err := forewarm.FloorWrites(r.audit, r.namespace, name)
	if err != nil {
		r.Fatal(err)
	}
	floor := 0
	for _, write := range writes {
		if write.To < floor {
			r.Errorf("the floor fell from %d to %d by %s", floor, write.To, write.AuditID)
		}
		floor = write.To
	}
	r.Logf("the floor rose to %d pods", floor)
}

// chains: no line of any run is missing, so an intent that was printed is among those read.
func (r *ramp) chains() {
	r.Helper()
	last := map[string]int{}
	for _, line := range r.log.Lines() {
		if line.Seq != last[line.Run]+1 {
			r.Errorf("run %s of %s: line %d follows line %d", line.Run, line.Pod, line.Seq, last[line.Run])
		}
		last[line.Run] = line.Seq
	}
	if len(last) < kills {
		r.Errorf("%d runs were read; %d kills make more", len(last), kills)
	}
}
