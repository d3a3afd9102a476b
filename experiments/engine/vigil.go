package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/history"
	"github.com/candor-chaos/candor/faults/guardian"
	"github.com/candor-chaos/candor/faults/halt"
	"github.com/candor-chaos/candor/faults/journal"
)

// overtime is how long a fault may be in force beyond its time before its runner is taken for hanging.
const overtime = 150 * time.Second

// ErrOthers: something that looks like another run's is in the world, and its journal is not here.
var ErrOthers = errors.New("the system is not as a run should find it, and no journal in this state directory says why")

// start makes this process the only one of its state directory that works on the system, mends what dead runs left, and
// begins the journal.
func (r *run) start(ctx context.Context, prefix string) (err error) {
	if err := halt.Check(r.config.StateDir); err != nil {
		return err
	}
	if r.file, err = lockSystem(r.config.StateDir, r.plan.System); err != nil {
		return fmt.Errorf("%w%s", err, r.holder())
	}
	if err := r.config.Heal(ctx, r.plan.System); err != nil {
		return err
	}
	r.world, err = r.config.OpenWorld(ctx, WorldConfig{Run: r.id, Folder: history.Path(r.config.Home, r.id), Prefix: prefix, Seed: r.config.Seed,
		Expiry: r.longest(), OnRequest: r.overhear})
	if err != nil {
		return err
	}
	memo, err := r.world.Memo()
	if err != nil {
		return err
	}
	r.journal, err = journal.Create(r.config.StateDir, journal.Header{Run: r.id, System: r.plan.System,
		World: journal.World{Name: r.world.Name(), Config: memo}})
	if err != nil {
		return err
	}
	return halt.Check(r.config.StateDir) // halt looks for journals after it has pressed: one of the two sees the other
}

// holder says which run has the system, as far as its journal tells.
func (r *run) holder() string {
	living, err := journal.Living(r.config.StateDir)
	if err != nil {
		return ""
	}
	for _, l := range living {
		if l.Header.System == r.plan.System {
			return fmt.Sprintf(": run %s (process %d on %s)", l.Header.Run, l.Header.Runner.PID, l.Header.Runner.Host)
		}
	}
	return ""
}

// guard starts the guardian and makes it responsible for the journal.
func (r *run) guard(ctx context.Context, _ string) error {
	log := r.journal.Log()
	for _, start := range r.config.Guards {
		streams, err := start(ctx, r.world, filepath.Dir(log.Path))
		if err != nil {
			return err
		}
		before := r.guards
		g, err := guardian.Guard(ctx, streams, r.journal, r.longest())
		if err != nil {
			return err
		}
		r.guards = g
		if before != nil {
			if err := before.Dismiss(ctx); err != nil {
				return err
			}
		}
	}
	if r.guards == nil {
		return errors.New("nobody would mend in this run's place: no guardian was started")
	}
	return nil
}

// takeSystem makes this process the only one in the whole world that works on the system, makes sure that nothing of
// another run is there, and remembers how the system stands.
func (r *run) takeSystem(ctx context.Context, _ string) error {
	host, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("learn the name of this host: %w", err)
	}
	r.lock, err = r.world.Lock(ctx, r.longest(), fmt.Sprintf("process %d on %s", os.Getpid(), host))
	if err != nil {
		return err
	}
	within, cancel := context.WithTimeout(ctx, r.pace.others)
	defer cancel()
	for {
		found, err := r.world.Survey(ctx, "")
		if err != nil {
			return err
		}
		if len(found.Left) == 0 {
			break
		}
		if rest(within, r.pace.halt) != nil {
			return fmt.Errorf("%w: %s: run candor heal where that run was started, or mend it by hand", ErrOthers, strings.Join(found.Left, "; "))
		}
	}
	if err := r.world.Remember(ctx); err != nil {
		return err
	}
	memo, err := r.world.Memo()
	if err != nil {
		return err
	}
	return r.journal.Amend(journal.World{Name: r.world.Name(), Config: memo})
}

// dismiss ends the guardian: with a goodbye when nothing is owed, and otherwise without one.
func (r *run) dismiss(ctx context.Context) error {
	g := r.guards
	r.guards = nil
	switch {
	case g == nil:
		return nil
	case r.owing:
		return g.Leave()
	}
	return g.Dismiss(ctx)
}

// keepVigil ends the run when it must not go on, and writes down what it lost on the way.
func (r *run) keepVigil(ctx context.Context) {
	ctx, r.stopVigil = context.WithCancel(ctx)
	guards := r.guards
	r.vigil.Go(func() error {
		tick := time.NewTicker(r.pace.halt)
		defer tick.Stop()
		var agents <-chan error
		if w, loses := r.world.(loser); loses {
			agents = w.Lost()
		}
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-guards.Lost():
				r.freeze()
				if err := guards.Err(); errors.Is(err, guardian.ErrTook) {
					r.abort(fmt.Errorf("%w: %w", ErrAborted, err))
				} else {
					r.abort(fmt.Errorf("%w: %w: nobody would mend in this run's place", ErrAborted, err))
				}
				return nil
			case <-r.lock.Lost():
				if guards.Err() != nil {
					continue // said more plainly
				}
				r.freeze()
				r.abort(fmt.Errorf("%w: the lock of system %s is lost: another run could begin", ErrAborted, r.plan.System))
				return nil
			case why := <-agents:
				if err := r.trouble(experiments.ReasonInterrupted, "for a moment nothing was in force there: "+why.Error()); err != nil {
					r.abort(err)
				}
			case <-tick.C:
				if err := halt.Check(r.config.StateDir); err != nil {
					r.abort(fmt.Errorf("%w: %w", ErrAborted, err))
					return nil
				}
			}
		}
	})
}

// freeze keeps the world from putting back what others may have mended.
func (r *run) freeze() {
	if w, can := r.world.(interface{ Freeze() }); can {
		w.Freeze()
	}
}

// endVigil is before the world is let go of.
func (r *run) endVigil() error {
	if r.stopVigil == nil {
		return nil
	}
	r.stopVigil()
	return r.vigil.Wait()
}
