package engine

import (
	"strings"
	"testing"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/history"
	"github.com/candor-chaos/candor/faults/faulttest"
)

// A spike brings users of its own while it is in force, and none after it.
func TestASpikeBringsUsers(t *testing.T) {
	r := newRig(t)
	plan := r.plan(t, "spike", "spike: {journey: browse, times: 10}, ramp: 10ms")
	w := faulttest.NewFake()
	config, guards := r.config(plan, w)
	outcome, err := Run(t.Context(), config)
	guards.all.Wait()
	if err != nil {
		t.Fatal(err)
	}
	f := outcome.Result.Faults[0]
	if f.Hits < 9 || f.Target != "browse" || f.StateAfter != "absent" || !outcome.Result.Environment.Clean {
		t.Errorf("the spike is %+v, and the environment %+v; want visits counted, and all as it was", f, outcome.Result.Environment)
	}
	if len(w.Broken()) > 0 {
		t.Errorf("it acted in the system's world: %v", w.Broken())
	}
	h, err := history.Read(outcome.Folder.History())
	if err != nil {
		t.Fatal(err)
	}
	extra, late, said := 0, 0, ""
	for _, rec := range h.Records {
		switch {
		case rec.Visit != nil && rec.Visit.User > 0:
			extra++
			if rec.Visit.Started.After(f.Reverted) {
				late++
			}
		case rec.Fault != nil && rec.Fault.Event == "prepared":
			said = rec.Fault.Said
		case rec.Trouble != nil && rec.Trouble.Code != experiments.ReasonLoadBehind:
			t.Errorf("trouble: %+v", rec.Trouble)
		}
	}
	// One more may begin between the last count and the revert.
	if int64(extra) < f.Hits || int64(extra) > f.Hits+2 || late > 0 {
		t.Errorf("%d visits of others are in the history, %d of them after the revert; the spike says %d", extra, late, f.Hits)
	}
	if want := "the traffic of browse is 10 times as much as usual (1 user, every 10ms), growing to that over 10ms"; !strings.Contains(said, want) {
		t.Errorf("it says %q; want %q", said, want)
	}
}
