package ahead

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"forewarm.dev/tests/cluster/bed"
	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
	"forewarm.dev/tests/cluster/load"
)

const (
	// Each call holds its slot for so long, of which a pod has ten.
	each  = time.Second
	slots = 10
	// A pod takes so long to start.
	startup = 20 * time.Second
	// Calls in flight on an ordinary minute and at the peak, which comes once a day for ten minutes.
	quiet, high = 2.0, 30.0
	peakLength  = 10 * time.Minute
	// What one pod is said to serve. Less than its slots: the Service gives calls to pods by chance, and at 6 of 10
	// hardly one of them meets a full pod.
	perReplica = 6
	// The peak's first minute is as much of it as has to be seen: a pod starts for a third of that.
	seen = time.Minute
	// From the history's loading to the peak at least: to load it, and for the operator to read it.
	notice = 100 * time.Second
)

// Ahead of the peak: two functions with the same Deployment, the same week of history by four generations of pods
// long gone, a sharp peak once a day, and the same open-loop load, which follows the history and rises with its peak.
// One may be raised by the forecast; the other is the twin, left to what is asked of it now. Both enforce.
//
// The floor of the one is up a lead time before the peak, so no pod of it starts when the calls come: requests that
// start more than 50 ms late, or find nobody, while a pod of the function starts are at most a tenth of the twin's.
func Test_ahead_of_the_peak(t *testing.T) {
	k := kit.Of(t)
	if err := (forewarm.Setup{}).Install(k); err != nil {
		t.Fatal(err)
	}
	namespace := forewarm.Enrolled(t, k)
	k.Apply(t, profile().JSON())
	log := forewarm.FollowLog(t, k)
	one, twin := function{k, namespace, "foreseen"}, function{k, namespace, "twin"}
	one.start(t)
	twin.start(t)

	peak := time.Now().Add(notice).Truncate(time.Minute).Add(time.Minute)
	level := forewarm.Recurring(24*time.Hour, peakLength, peak, quiet, high)
	loadPast(t, k, one.past(level), twin.past(level))
	oneLoad, twinLoad := one.fire(t, level, peak), twin.fire(t, level, peak)
	k.Apply(t, one.policy("Auto").JSON())
	k.Apply(t, twin.policy("Off").JSON())
	reports := [2]load.Report{oneLoad.Wait(), twinLoad.Wait()}

	up, reactive := one.raised(t, log), twin.raised(t, log)
	checkFloors(t, up, reactive, peak)
	checkPast(t, reactive)
	compareLate(t, one.late(t, reports[0]), twin.late(t, reports[1]))
}

// checkFloors holds the rise of the foreseen floor, and of the twin's, against the peak's beginning.
func checkFloors(t *testing.T, up, reactive forewarm.Line, peak time.Time) {
	t.Helper()
	basis, ahead := up.Basis(), peak.Sub(up.Time)
	figure(t, "ahead_of_the_peak.floor_before_peak", ahead.Round(time.Second).Seconds(), "s")
	figure(t, "ahead_of_the_peak.lead_time", basis.LeadTime.Seconds(), "s")
	figure(t, "ahead_of_the_peak.twin_floor_after_peak", reactive.Time.Sub(peak).Round(time.Second).Seconds(), "s")
	t.Logf("foreseen: %d pods at %s by %s, which foresaw %.1f calls", *up.To, up.Time.Format(time.TimeOnly), basis.Model, basis.Upper)
	t.Logf("twin: %d pods at %s by %s", *reactive.To, reactive.Time.Format(time.TimeOnly), reactive.Reason)
	if basis.LeadTime < startup {
		t.Errorf("a lead time of %s was learned of pods that take %s to start", basis.LeadTime, startup)
	}
	if ahead < basis.LeadTime {
		t.Errorf("the floor was up %s before the peak, want the lead time, %s", ahead, basis.LeadTime)
	}
	if reactive.Time.Before(peak) {
		t.Errorf("without a forecast the floor rose %s before the peak: it proves nothing", peak.Sub(reactive.Time))
	}
}

// checkPast tells whether all demand of the dead pods was found to be the functions': a minute ring full of it. It
// looks at the twin's rise, since the foreseen one may come while the past is still being read.
func checkPast(t *testing.T, reactive forewarm.Line) {
	t.Helper()
	minutes, unmapped := reactive.Learned.HistoryMinutes, reactive.Learned.UnmappedPercent
	if minutes == nil || unmapped == nil {
		t.Fatalf("no history at the peak: %s", reactive.Raw)
	}
	figure(t, "ahead_of_the_peak.history", *minutes, "minutes")
	if *minutes < 73*60 || *unmapped != 0 {
		t.Errorf("%d minutes are known and %d %% of the past unmapped, want 73 of the 74 hours kept, and none", *minutes, *unmapped)
	}
}

// compareLate holds the late requests of both against each other.
func compareLate(t *testing.T, one, twin int) {
	t.Helper()
	if twin < 100 {
		t.Errorf("only %d requests of the twin started late: nothing to compare with", twin)
	}
	if one*10 > twin {
		t.Errorf("%d requests started late, want at most a tenth of the twin's %d", one, twin)
	}
}

// profile reads the calls in flight as the built-in in-flight profile does: peaks are those of the samples' sums.
func profile() forewarm.Object {
	return forewarm.Profile().With("metadata.name", "in-flight").With("spec.peakQuery", nil)
}

// loadPast puts the past into Prometheus.
func loadPast(t *testing.T, k *kit.Kit, pasts ...forewarm.Past) {
	t.Helper()
	var series []bed.Series
	began := time.Now()
	for _, past := range pasts {
		series = append(series, past.Series(began)...)
	}
	if err := k.Prometheus.Backfill(series); err != nil {
		t.Fatal(err)
	}
	figure(t, "ahead_of_the_peak.backfill", time.Since(began).Round(100*time.Millisecond).Seconds(), "s")
}

// function is one of the twins.
type function struct {
	k               *kit.Kit
	namespace, name string
}

// start deploys it with two pods and waits until they are ready: what their start took is the lead time learned.
func (f function) start(t *testing.T) {
	t.Helper()
	f.k.Apply(t, forewarm.Function(f.namespace, f.name, 2, "CONCURRENCY", fmt.Sprint(slots),
		"WORK_MS", fmt.Sprint(each.Milliseconds()), "STARTUP_MS", fmt.Sprint(startup.Milliseconds())).JSON())
	f.k.Apply(t, forewarm.Service(f.namespace, f.name).JSON())
}

// past is its week.
func (f function) past(level forewarm.Level) forewarm.Past {
	return forewarm.Past{Namespace: f.namespace, Name: f.name, Level: level,
		Length: 7 * 24 * time.Hour, Generations: 4, Pods: 2, Seed: 1}
}

// fire sends requests from now until the peak has been seen, once the first pods are ready.
func (f function) fire(t *testing.T, level forewarm.Level, peak time.Time) *load.Running {
	t.Helper()
	f.k.WaitPods(t, f.namespace, "app="+f.name, 2, 2*time.Minute)
	now := time.Now()
	running := load.Start(context.Background(), load.Plan{URL: forewarm.URL(f.namespace, f.name),
		Rate: level.Rate(now, each), Length: peak.Add(seen).Sub(now), Seed: 7, Timeout: 2 * time.Minute})
	t.Cleanup(func() { running.Stop() })
	return running
}

// policy enforces, two pods at least, with the forecast switched as said. Nothing is lowered within the test.
func (f function) policy(forecast string) forewarm.Object {
	return forewarm.Enforce(f.namespace, f.name).With("spec.floor", forewarm.Map{"min": 2, "max": 12}).
		With("spec.demand", forewarm.Map{"profile": "in-flight", "perReplica": fmt.Sprint(perReplica), "utilizationPercent": 100}).
		With("spec.scaleDown", forewarm.Map{"stabilizationSeconds": 600}).
		With("spec.forecast", forewarm.Map{"mode": forecast})
}

// raised is the decision that brought the floor to what the peak needs.
func (f function) raised(t *testing.T, log *forewarm.Log) forewarm.Line {
	t.Helper()
	const need = int(high) / perReplica
	return log.Wait(t, fmt.Sprintf("the decision that raises %s to %d or more", f.name, need), time.Minute,
		forewarm.Is(forewarm.Decision), forewarm.About(f.namespace, f.name),
		func(line forewarm.Line) bool { return line.To != nil && *line.To >= need && line.Applied() })
}

// late counts the requests that started late while a pod of the function was starting.
func (f function) late(t *testing.T, report load.Report) int {
	t.Helper()
	starts := f.starts(t)
	late := report.Where(func(shot load.Shot) bool {
		return shot.Late(load.LateAfter) && slices.ContainsFunc(starts, func(s span) bool { return s.holds(shot.Due) })
	})
	t.Logf("%s: %d pods; %s", f.name, len(starts), report)
	figure(t, "ahead_of_the_peak."+f.name+".sent", report.Sent(), "requests")
	figure(t, "ahead_of_the_peak."+f.name+".late", late.Sent(), "requests")
	return late.Sent()
}

// span is a stretch of time.
type span struct{ from, to time.Time }

func (s span) holds(moment time.Time) bool { return !moment.Before(s.from) && moment.Before(s.to) }

// starts are the times from a pod's making to its readiness, until now where it is not ready; nothing was lowered, so
// every pod is still there. The timestamps are whole seconds, so a start ends at the end of one.
func (f function) starts(t *testing.T) []span {
	t.Helper()
	pods, err := f.k.Typed.CoreV1().Pods(f.namespace).List(context.Background(), meta.ListOptions{LabelSelector: "app=" + f.name})
	if err != nil {
		t.Fatal(err)
	}
	var starts []span
	for _, pod := range pods.Items {
		start := span{pod.CreationTimestamp.Time, time.Now()}
		for _, condition := range pod.Status.Conditions {
			if condition.Type == core.PodReady && condition.Status == core.ConditionTrue {
				start.to = condition.LastTransitionTime.Add(time.Second)
			}
		}
		starts = append(starts, start)
	}
	return starts
}
