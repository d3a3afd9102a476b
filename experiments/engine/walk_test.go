package engine

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/history"
	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/faulttest"
	"github.com/candor-chaos/candor/faults/halt"
	"github.com/candor-chaos/candor/faults/journal"
)

// TestRandomWalk runs experiments in which everything goes wrong that can, at every step, and holds each run against the
// law of the engine's states (legal) and of its journal. Whatever happened, what is broken is either mended or owed, said,
// and mended by heal.
func TestRandomWalk(t *testing.T) {
	r := newRig(t)
	kinds := faults.All()
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		name := fmt.Sprintf("walk%d", n)
		var uses []string
		profile := rapid.SampledFrom([]string{"clean", "clean", "flapping", "partial", "under-load"}).Draw(rt, "recovery")
		least := 1
		if profile == "partial" {
			least = 2 // a single one ends in part only when it has a share
		}
		for range rapid.IntRange(least, 3).Draw(rt, "faults") {
			use := rapid.SampledFrom(kinds).Draw(rt, "kind").Example
			if profile != "partial" && profile != "flapping" && rapid.IntRange(0, 3).Draw(rt, "again") == 0 {
				use += ", every: 80ms"
			}
			uses = append(uses, use)
		}
		plan := r.messy(t, name, profile, uses...)
		w := faulttest.NewFake()
		w.Restarts = rapid.Bool().Draw(rt, "restarts")
		config, guards := r.config(plan, w)
		law := &law{state: r.state, system: name, fails: rapid.SliceOfN(rapid.IntRange(0, 19), 0, 400).Draw(rt, "calls")}
		w.Before = law.before

		ctx, cancel := context.WithCancelCause(context.Background())
		defer cancel(nil)
		accident := rapid.SampledFrom([]string{"none", "interrupt", "guardian dies", "lock lost", "halt", "replace", "remove", "restart", "stop"}).Draw(rt, "accident")
		timer := time.AfterFunc(time.Duration(rapid.IntRange(0, 500).Draw(rt, "ms"))*time.Millisecond, func() {
			happen(accident, r, w, guards, cancel, rapid.SampledFrom([]string{"web", "orders", "payments"}).Example(n))
		})
		outcome, err := Run(ctx, config)
		timer.Stop()
		if _, _, lerr := halt.Lift(r.state); lerr != nil {
			rt.Fatal(lerr)
		}
		if law.broken != "" {
			rt.Fatal(law.broken)
		}
		judgeRun(rt, r, w, name, plan, outcome, err)
		w.Before = nil
		if err := r.heal(context.Background(), w, name); err != nil {
			rt.Fatalf("heal = %v", err)
		}
		guards.all.Wait()
		if left := unnatural(w, accident); len(left) > 0 {
			rt.Fatalf("after heal there is left: %v", left)
		}
	})
}

// happen is the accident.
func happen(what string, r *rig, w *faulttest.Fake, g *guards, cancel context.CancelCauseFunc, service string) {
	switch what {
	case "interrupt":
		cancel(ErrAborted)
	case "guardian dies":
		g.kill()
	case "lock lost":
		w.LoseLock()
	case "halt":
		_ = halt.Press(r.state, halt.Halt{Reason: "a test", By: "somebody", Since: time.Now()})
	case "replace":
		w.Replace(service)
	case "remove":
		w.Remove(service)
	case "restart":
		w.Restart(service)
	case "stop":
		w.Stop(service)
	}
}

// unnatural is what is broken and was not stopped by the accident itself.
func unnatural(w *faulttest.Fake, accident string) []string {
	return slices.DeleteFunc(w.Broken(), func(b string) bool {
		return accident == "stop" && slices.Contains([]string{"web: does not run", "orders: does not run", "payments: does not run"}, b)
	})
}

// law watches each call to the world: nothing may change it while no intent is on disk.
type law struct {
	state, system string

	mu     sync.Mutex
	fails  []int // of the calls to come: 1 fails early, 2 late, the others not
	broken string
}

func (l *law) before(_ int, write bool) faulttest.Failure {
	l.mu.Lock()
	defer l.mu.Unlock()
	if write && l.broken == "" {
		dirty, err := journal.Dirty(l.state)
		if err != nil || !slices.ContainsFunc(dirty, func(s journal.Status) bool { return s.Log.Header.System == l.system }) {
			l.broken = fmt.Sprintf("the world is touched while nothing is owed on disk (%v)", err)
		}
	}
	if len(l.fails) == 0 {
		return faulttest.None
	}
	how := l.fails[0]
	l.fails = l.fails[1:]
	switch how {
	case 1:
		return faulttest.Early
	case 2:
		return faulttest.Late
	}
	return faulttest.None
}

// judgeRun holds what came of a run against what is left, on disk and in the world.
func judgeRun(rt *rapid.T, r *rig, w *faulttest.Fake, system string, plan *experiments.Plan, outcome Outcome, err error) {
	dirty, derr := journal.Dirty(r.state)
	if derr != nil {
		rt.Fatal(derr)
	}
	owed := false
	for _, s := range dirty {
		if s.Err != nil {
			rt.Fatalf("the journal breaks its law: %v", s.Err)
		}
		owed = owed || s.Log.Header.System == system
	}
	if owed && !errors.Is(err, journal.ErrDirty) {
		rt.Fatalf("something is owed, and the run ends with %v", err)
	}
	if owed && outcome.Result.Schema != "" && outcome.Result.ExitCode != 5 {
		rt.Fatalf("something is owed, and the exit code is %d", outcome.Result.ExitCode)
	}
	runs, gerr := filepath.Glob(filepath.Join(plan.Exec.Root, ".candor", "runs", "*", "history.jsonl"))
	if gerr != nil {
		rt.Fatal(gerr)
	}
	for _, path := range runs {
		h, herr := history.Read(path)
		if herr != nil {
			rt.Fatalf("the history cannot be read: %v", herr)
		}
		legal(rt, h, outcome.Result.Schema != "")
	}
}

// next says which phase may follow which, and which event of a fault may follow which.
var (
	nextPhase = map[experiments.Phase][]experiments.Phase{
		"":                        {experiments.PhaseWarmup, experiments.PhaseSettle},
		experiments.PhaseWarmup:   {experiments.PhaseBaseline, experiments.PhaseSettle},
		experiments.PhaseBaseline: {experiments.PhaseBaseline, experiments.PhaseFault, experiments.PhaseSettle},
		experiments.PhaseFault:    {experiments.PhaseRecovery, experiments.PhaseSettle},
		experiments.PhaseRecovery: {experiments.PhaseSettle},
		experiments.PhaseSettle:   {experiments.PhaseSettle},
	}
	nextEvent = map[string][]string{
		"":          {"prepared"},
		"prepared":  {"injecting", "failed"}, // one that comes again may not be there to be prepared anew
		"injecting": {"injected", "failed"},
		"injected":  {"hits", "reverting"},
		"hits":      {"hits", "reverting"},
		"failed":    {"reverting"},
		"reverting": {"reverted", "failed"},
	}
)

// legal walks a history through the engine's states.
func legal(rt *rapid.T, h experiments.History, whole bool) {
	phase := experiments.Phase("")
	event := map[string]string{}
	ended := false
	for _, rec := range h.Records {
		if ended {
			rt.Fatalf("record %d comes after the end", rec.Seq)
		}
		switch {
		case rec.Phase != nil:
			if !slices.Contains(nextPhase[phase], rec.Phase.Name) {
				rt.Fatalf("phase %q follows %q", rec.Phase.Name, phase)
			}
			phase = rec.Phase.Name
		case rec.Fault != nil:
			before := event[rec.Fault.Name]
			if !slices.Contains(nextEvent[before], rec.Fault.Event) {
				rt.Fatalf("fault %s: %q follows %q", rec.Fault.Name, rec.Fault.Event, before)
			}
			during := experiments.PhaseFault
			if strings.HasPrefix(rec.Fault.Name, recoveryLoad) {
				during = experiments.PhaseRecovery
			}
			if rec.Fault.Event == "injecting" && phase != during {
				rt.Fatalf("fault %s is injected in phase %q", rec.Fault.Name, phase)
			}
			event[rec.Fault.Name] = rec.Fault.Event
		case rec.End != nil:
			ended = true
		}
	}
	if whole && !ended {
		rt.Fatal("a run that was judged has no last line")
	}
}
