package engine

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/history"
	"github.com/candor-chaos/candor/faults/faulttest"
)

// told is what a history says of faults: the times of each event, by name and event.
type told map[string][]time.Time

func runMessy(t *testing.T, name, profile string, uses ...string) (told, experiments.Result, experiments.History) {
	t.Helper()
	r := newRig(t)
	plan := r.messy(t, name, profile, uses...)
	w := faulttest.NewFake()
	config, guards := r.config(plan, w)
	outcome, err := Run(t.Context(), config)
	guards.all.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if left := w.Broken(); len(left) > 0 || !outcome.Result.Environment.Clean {
		t.Errorf("there is left: %v", left)
	}
	h, err := history.Read(outcome.Folder.History())
	if err != nil {
		t.Fatal(err)
	}
	said := told{}
	for _, rec := range h.Records {
		if rec.Fault != nil {
			key := rec.Fault.Name + ": " + rec.Fault.Event
			said[key] = append(said[key], rec.At)
		}
	}
	return said, outcome.Result, h
}

// A fault that comes again is prepared anew each time: what was killed before is another incarnation by then.
func TestAFaultComesAgain(t *testing.T) {
	said, _, _ := runMessy(t, "again", "clean", "kill: {service: orders}, every: 120ms, times: 3")
	var before time.Time
	for _, name := range []string{"fault 1", "fault 1, 2nd time", "fault 1, 3rd time"} {
		injected, reverted := said[name+": injected"], said[name+": reverted"]
		if len(injected) != 1 || len(reverted) != 1 {
			t.Fatalf("%s was injected %d times and reverted %d times; want once", name, len(injected), len(reverted))
		}
		if !before.IsZero() && injected[0].Sub(before) < 10*time.Millisecond {
			t.Errorf("%s came %s after the one before had gone; want a time between", name, injected[0].Sub(before))
		}
		before = reverted[0]
	}
}

func TestRecoveryFlaps(t *testing.T) {
	said, _, _ := runMessy(t, "flaps", "flapping", "kill: {service: orders}", "outage: {from: web, to: payments}")
	for _, name := range []string{"fault 1", "fault 1, back 1", "fault 1, back 2", "fault 2", "fault 2, back 1", "fault 2, back 2"} {
		if len(said[name+": injected"]) != 1 || len(said[name+": reverted"]) != 1 {
			t.Errorf("%s was injected %d times and reverted %d times; want once", name, len(said[name+": injected"]), len(said[name+": reverted"]))
		}
	}
}

func TestRecoveryInPart(t *testing.T) {
	said, _, _ := runMessy(t, "spread", "partial", "pause: {service: orders}", "outage: {from: web, to: payments}")
	if first, last := said["fault 1: reverting"], said["fault 2: reverting"]; len(first) != 1 || len(last) != 1 || last[0].Before(first[0]) {
		t.Errorf("they ended at %v and %v; want one after the other", first, last)
	}
	said, _, h := runMessy(t, "half", "partial", "outage: {from: web, to: payments}, share: 60%")
	if len(said["fault 1, half of it: reverted"]) != 1 {
		t.Errorf("the history says %v; want half of it to end too", said)
	}
	if !slices.ContainsFunc(h.Records, func(rec experiments.Record) bool {
		return rec.Fault != nil && rec.Fault.Name == "fault 1, half of it" && strings.HasSuffix(rec.Fault.Said, "on 30% of the connections")
	}) {
		t.Error("nothing says that half of the share stays")
	}
}

func TestRecoveryUnderLoad(t *testing.T) {
	said, result, h := runMessy(t, "load", "under-load", "outage: {from: web, to: payments}")
	const name = recoveryLoad + "browse"
	if len(said[name+": injected"]) != 1 || len(said[name+": reverted"]) != 1 {
		t.Fatalf("the history says %v; want the traffic doubled once", said)
	}
	from, to := said[name+": injected"][0], said[name+": reverted"][0]
	extra := 0
	for _, rec := range h.Records {
		if rec.Visit != nil && rec.Visit.User > 0 {
			extra++
			if rec.Visit.Started.Before(from.Add(-50*time.Millisecond)) || rec.Visit.Started.After(to) {
				t.Errorf("a user more came at %s; want none outside %s to %s", rec.Visit.Started, from, to)
			}
		}
	}
	if extra == 0 || len(result.Faults) != 1 {
		t.Errorf("%d visits of others, %d faults of the plan; want some, and 1", extra, len(result.Faults))
	}
	if end := said["fault 1: reverted"]; from.Before(end[0]) {
		t.Errorf("traffic doubled at %s, before the fault had ended at %s", from, end[0])
	}
}
