package engine

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// gates hold visits at a boundary between two steps until a fault is in force there. A boundary is the number of the step
// that comes next.
type gates struct {
	mu      sync.Mutex
	waiting []*held // for a visit, or with one that is held
}

// held is one fault that waits for a visit, then the visit that waits for the fault.
type held struct {
	journey  string
	step     int
	came     chan struct{} // closed when a visit stands at the boundary
	visit    int64         // which one, once it came
	marker   string
	inForce  chan struct{} // closed when the fault is in force, or never will be
	released sync.Once
	ended    chan struct{} // closed when the visit is over
}

// expect waits for the next visit of a journey at a boundary.
func (g *gates) expect(journey string, step int) *held {
	h := &held{journey: journey, step: step, came: make(chan struct{}), inForce: make(chan struct{}), ended: make(chan struct{})}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = append(g.waiting, h)
	return h
}

// forget stops waiting.
func (g *gates) forget(h *held) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = slices.DeleteFunc(g.waiting, func(o *held) bool { return o == h })
}

// pass is called by each visit at each boundary. It returns when the visit may go on.
func (g *gates) pass(ctx context.Context, journey string, visit int64, step int, marker string) {
	g.mu.Lock()
	var stop *held
	for _, h := range g.waiting {
		if h.journey != journey || h.step != step {
			continue
		}
		stop = h
		if h.visit == 0 {
			h.visit, h.marker = visit, marker
			close(h.came)
		}
		break
	}
	g.mu.Unlock()
	if stop == nil {
		return
	}
	select {
	case <-stop.inForce:
	case <-ctx.Done():
	}
}

// over is called when a visit has ended.
func (g *gates) over(visit int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = slices.DeleteFunc(g.waiting, func(h *held) bool {
		if h.visit == visit {
			close(h.ended)
		}
		return h.visit == visit
	})
}

// letGo lets the visit go on. Again, or without one, it does nothing.
func (h *held) letGo() {
	if h != nil {
		h.released.Do(func() { close(h.inForce) })
	}
}

// over rests, and is true early when the visit has ended and nothing else needs the fault.
func (h *held) over(ctx context.Context, d time.Duration, alone bool) (bool, error) {
	if h == nil || !alone {
		return false, rest(ctx, d)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-h.ended:
		return true, nil
	case <-timer.C:
		return false, nil
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
}

// waitFor waits until a visit stands where a fault is to begin. That none came is written down: the fault is not injected,
// and the run proves nothing about it.
func (r *run) waitFor(ctx context.Context, f *armed) (came bool, err error) {
	step, err := r.stepAt(f.where)
	if err != nil {
		return false, err
	}
	f.held = r.gates.expect(f.where.Journey, step)
	timer := time.NewTimer(r.pace.visit)
	defer timer.Stop()
	select {
	case <-f.held.came:
		return true, nil
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-timer.C:
		err = r.tell(f, "failed", 0, fmt.Errorf("no visit of %s came to the boundary %s within %s", f.where.Journey, f.where, r.pace.visit))
	}
	r.gates.forget(f.held)
	f.held.letGo()
	return false, err
}

// stepAt is the number of the step that comes after a boundary.
func (r *run) stepAt(b *experiments.Boundary) (int, error) {
	for _, j := range r.plan.Journeys {
		if j.Name != b.Journey {
			continue
		}
		for i, s := range j.Steps {
			switch s.Name {
			case b.Before:
				return i, nil
			case b.After:
				return i + 1, nil
			}
		}
	}
	return 0, fmt.Errorf("no boundary %s in journey %s", b, b.Journey)
}

// sweep breaks the same thing at one boundary after the other. Between two the product has time to be steady again.
func (r *run) sweep(ctx context.Context) error {
	for _, f := range r.armed {
		if !f.swept {
			continue
		}
		// Prepared anew: what the one before killed lives in another incarnation now.
		if _, err := f.fault.Prepare(ctx, f.world); err != nil {
			return fmt.Errorf("fault %s: %w", f.name, err)
		}
		if err := r.strike(ctx, f); err != nil {
			return err
		}
		for _, w := range r.steady {
			w.restart()
		}
		within, cancel := context.WithTimeout(ctx, r.pace.visit)
		err := r.untilSteady(within)
		cancel()
		if err != nil && ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return nil
}
