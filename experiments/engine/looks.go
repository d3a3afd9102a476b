package engine

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// lookTimeout bounds one look of a probe that has no limit of its own.
const lookTimeout = 5 * time.Second

// watch looks again and again with one check, and remembers how the last looks went.
type watch struct {
	name  string
	role  string
	check experiments.Check
	seen  func() // after each look

	mu    sync.Mutex
	good  int // looks in a row that were good
	bad   int // looks in a row that were bad; a look that could not look breaks neither
	last  string
	blind string
}

// run looks until ctx ends.
func (w *watch) run(ctx context.Context, in func() experiments.Surroundings, rec experiments.Recorder) error {
	every := w.check.Every
	if every <= 0 {
		every = time.Second
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		look := w.look(ctx, in())
		if ctx.Err() != nil {
			return nil
		}
		if _, err := rec.Append(experiments.Record{Look: &look}); err != nil {
			return err
		}
		if w.seen != nil {
			w.seen()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// look looks once. What could not look is never folded into what looked and saw something bad.
func (w *watch) look(ctx context.Context, in experiments.Surroundings) experiments.Look {
	within, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	began := time.Now()
	seen, err := w.check.Probe.Observe(within, in)
	look := experiments.Look{Probe: w.name, Role: w.role, Elapsed: time.Since(began), Summary: seen.Summary}
	if err == nil {
		look.OK = seen.OK
		if !w.check.Expect.IsZero() {
			look.OK, err = w.check.Expect.Holds(in.Vars.With(seen.Vars))
		}
	}
	if err != nil {
		look.OK, look.Blind = false, err.Error()
	}
	w.remember(look)
	return look
}

func (w *watch) remember(look experiments.Look) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last, w.blind = look.Summary, look.Blind
	switch {
	case look.Blind != "":
		w.good = 0
	case look.OK:
		w.good, w.bad = w.good+1, 0
	default:
		w.good, w.bad = 0, w.bad+1
	}
}

// steady reports whether enough looks in a row were good.
func (w *watch) steady() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.good >= max(1, w.check.Needs)
}

// failing says how many looks in a row were bad.
func (w *watch) failing() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.bad
}

// restart forgets the looks so far: what follows must hold by itself.
func (w *watch) restart() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.good, w.bad = 0, 0
}

// complaint says what the last look found.
func (w *watch) complaint() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.blind != "" {
		return fmt.Sprintf("%s could not look: %s", w.name, w.blind)
	}
	return fmt.Sprintf("%s: %s", w.name, w.last)
}

// newWatches prepares the steady state and the abort rules.
func newWatches(x *experiments.Experiment) (steady, aborts []*watch) {
	for i, check := range x.Steady {
		steady = append(steady, &watch{name: nameOr(check.Name, "steady", i), role: "steady", check: check})
	}
	for i, rule := range x.Abort {
		aborts = append(aborts, &watch{name: nameOr(rule.Name, "abort", i), role: "abort", check: rule.Probe})
	}
	return steady, aborts
}

func nameOr(name, kind string, index int) string {
	if name != "" {
		return name
	}
	return fmt.Sprintf("%s %d", kind, index+1)
}

// rest waits, and returns why it could not.
func rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
