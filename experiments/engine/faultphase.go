package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/journal"
)

// hitsEvery is how often a fault in force is asked what it has hit.
const hitsEvery = time.Second

// armed is a fault of the plan, prepared.
type armed struct {
	name  string
	kind  faults.Kind
	at    time.Duration
	where *experiments.Boundary // instead of at: between which steps of a journey
	swept bool                  // one of a sweep's
	held  *held                 // the visit that waited for it
	hold  time.Duration
	fault faults.Fault
	said  string
	world faults.World // where it acts

	after  *armed        // the same fault before, which has to end first
	brief  bool          // it comes back for a moment
	struck bool          // it was in force; to be read after done
	done   chan struct{} // closed when it has ended, or never will begin
}

// faultPhase breaks what the plan says, each fault at its time, and lasts until the last has been reverted. A fault that
// does not take hold is an observation; one that cannot be reverted is an error that finish meets again. Meanwhile the
// truth is read again and again: what is there now may vanish, and a reader that the fault touches shows itself.
func (r *run) faultPhase(ctx context.Context) error {
	if err := r.begin(experiments.PhaseFault); err != nil {
		return err
	}
	reading, stop := context.WithCancel(ctx)
	defer stop()
	var guard, together errgroup.Group
	guard.Go(func() error { return r.keepReading(reading, roundGuard) })
	for _, f := range r.armed {
		if !f.swept {
			together.Go(func() error { return r.orAbort(r.strike(ctx, f)) }) // one that cannot go on ends the others' time
		}
	}
	together.Go(func() error { return r.orAbort(r.sweep(ctx)) })
	err := together.Wait()
	stop()
	if err = errors.Join(err, guard.Wait()); err != nil {
		return err
	}
	return cause(ctx)
}

// strike breaks one thing when its moment has come.
func (r *run) strike(ctx context.Context, f *armed) error {
	defer close(f.done)
	if f.after != nil {
		again, err := r.follow(ctx, f)
		if err != nil || !again {
			return err
		}
		return r.breakOne(ctx, f)
	}
	if f.where == nil {
		if err := rest(ctx, f.at); err != nil {
			return err
		}
		return r.breakOne(ctx, f)
	}
	came, err := r.waitFor(ctx, f)
	if err != nil || !came {
		return err
	}
	defer f.held.letGo()
	return r.breakOne(ctx, f)
}

// follow waits until the same fault before has ended and this one is due, and prepares it anew: what was killed lives in
// another incarnation now. What was never in force does not come back, and what cannot be prepared is written down.
func (r *run) follow(ctx context.Context, f *armed) (again bool, err error) {
	began := time.Now()
	select {
	case <-f.after.done:
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
	if !f.after.struck {
		return false, nil
	}
	wait := f.at - time.Since(began)
	if f.brief {
		wait, f.hold = r.pace.flap, r.pace.flap
	}
	if err := rest(ctx, wait); err != nil {
		return false, err
	}
	said, err := f.fault.Prepare(ctx, f.world)
	if err == nil {
		f.said = said
		return true, nil
	}
	if cause(ctx) != nil {
		return false, context.Cause(ctx)
	}
	return false, r.tell(f, "failed", faults.Unknown, fmt.Errorf("prepare it anew: %w", err))
}

// breakOne injects, holds and reverts one fault. Once its intent is in the journal it is reverted here or in finish,
// whatever happens in between.
func (r *run) breakOne(ctx context.Context, f *armed) error {
	if err := r.tell(f, "injecting", faults.Unknown, nil); err != nil {
		return err
	}
	stop := r.tally.open(f)
	defer stop()
	ob := journal.Obligation{ID: f.name, Kind: f.kind.Name, Fault: f.fault, Summary: f.said,
		Until: time.Now().UTC().Add(f.hold + overtime)}
	err := r.journal.Inject(ctx, f.world, ob)
	if err != nil {
		if terr := r.tell(f, "failed", faults.Unknown, err); terr != nil {
			return terr
		}
		if cause(ctx) != nil || !errors.Is(err, journal.ErrNotPresent) {
			return fmt.Errorf("fault %s: %w", f.name, err)
		}
	} else {
		if err := r.tell(f, "injected", faults.Present, nil); err != nil {
			return err
		}
		f.struck = true
		f.held.letGo()
		if err := r.hold(ctx, f); err != nil {
			return errors.Join(err, r.mend(ctx, f))
		}
	}
	return r.mend(ctx, f)
}

// hold keeps the fault in force for its time and writes down what it hits.
func (r *run) hold(ctx context.Context, f *armed) error {
	ends := time.Now().Add(f.hold)
	for {
		left := time.Until(ends)
		if left <= 0 {
			return r.hits(ctx, f)
		}
		over, err := f.held.over(ctx, min(left, hitsEvery), f.swept)
		if err != nil {
			return err
		}
		if over {
			return r.hits(ctx, f)
		}
		if err := r.hits(ctx, f); err != nil {
			return err
		}
	}
}

// hits writes down what the fault has hit so far, counted where it acts, or else by the users' own steps that needed its
// target meanwhile. That a count could not be had is written down too: it must not read as none.
func (r *run) hits(ctx context.Context, f *armed) error {
	counter, counts := f.fault.(faults.Counter)
	if !counts {
		return r.record(experiments.Record{Fault: &experiments.FaultEvent{Name: f.name, Event: "hits", Hits: r.tally.count(f)}})
	}
	within, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	n, err := counter.Hits(within, f.world)
	event := experiments.FaultEvent{Name: f.name, Event: "hits", Hits: n}
	switch {
	case errors.Is(err, faults.ErrUncounted):
		event.Hits = r.tally.count(f)
	case err != nil:
		event.Error = err.Error()
	}
	return r.record(experiments.Record{Fault: &event})
}

// mend reverts one fault now. What it leaves is the journal's, and finish tries it again.
func (r *run) mend(ctx context.Context, f *armed) error {
	if err := r.tell(f, "reverting", faults.Unknown, nil); err != nil {
		return err
	}
	if err := r.journal.Revert(ctx, f.world, f.name); err != nil {
		return errors.Join(err, r.tell(f, "failed", faults.Unknown, err))
	}
	return r.tell(f, "reverted", faults.Absent, nil)
}

// tell appends one moment of a fault's life.
func (r *run) tell(f *armed, event string, state faults.State, err error) error {
	e := experiments.FaultEvent{Name: f.name, Event: event, State: state, Said: f.said}
	if err != nil {
		e.Error = err.Error()
	}
	if event == "injected" && f.held != nil {
		e.Visit, e.Marker = f.held.visit, f.held.marker
	}
	return r.record(experiments.Record{Fault: &e})
}

// cause is why a context ended, nil while it has not.
func cause(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return context.Cause(ctx)
}
