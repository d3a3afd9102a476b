package engine

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/load"
	"github.com/candor-chaos/candor/faults"
)

// loads is the world of a run's own traffic, in which a spike acts. It ends with the run.
type loads struct {
	usual map[string]string // traffic in words, by journey

	mu      sync.Mutex
	sources map[string]*load.Source // by journey, once users are there
}

func newLoads(p *experiments.Plan) *loads {
	w := &loads{usual: map[string]string{}, sources: map[string]*load.Source{}}
	for _, j := range p.Journeys {
		w.usual[j.Name] = j.Traffic
	}
	return w
}

// Name tells it from the worlds of systems.
func (w *loads) Name() string { return faults.LoadWorld }

// Find finds nothing: there are journeys here and no services.
func (w *loads) Find(_ context.Context, service string) (faults.Identity, error) {
	return faults.Identity{}, fmt.Errorf("%s in the traffic of a run: %w", service, faults.ErrNotFound)
}

// open makes the traffic of a journey known.
func (w *loads) open(journey string, s *load.Source) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sources[journey] = s
}

func (w *loads) source(journey string) *load.Source {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sources[journey]
}

// Usual is as the plan says it.
func (w *loads) Usual(_ context.Context, journey string) (string, error) {
	words, known := w.usual[journey]
	if !known {
		return "", fmt.Errorf("journey %q: %w", journey, faults.ErrNotFound)
	}
	return words, nil
}

// Crowd lets more users come.
func (w *loads) Crowd(ctx context.Context, journey, label string, c faults.Crowd) error {
	s := w.source(journey)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case s == nil:
		return load.ErrNobody
	}
	return s.Join(label, c.Times, c.Ramp)
}

// Disperse lets them go.
func (w *loads) Disperse(_ context.Context, journey, label string) error {
	if s := w.source(journey); s != nil {
		s.Leave(label)
	}
	return nil
}

// Crowded counts them.
func (w *loads) Crowded(_ context.Context, journey, label string) (there bool, visits int64, err error) {
	if s := w.source(journey); s != nil {
		there, visits = s.Joined(label)
	}
	return there, visits, nil
}

// recoveryLoad begins the names of what a recovery under load does. It is no fault of the plan.
const recoveryLoad = "recovery under load: "

// underLoad doubles the traffic of every journey through the first half of the recovery, where the profile wants that:
// when a product is back its users are back as well, and those who could not be served before come on top.
func (r *run) underLoad(ctx context.Context) error {
	if r.plan.Recovery.Profile != experiments.RecoveryUnderLoad {
		return nil
	}
	var together errgroup.Group
	for _, j := range r.plan.Journeys {
		together.Go(func() error {
			fault := faults.SpikeOn(j.Name, 2)
			said, err := fault.Prepare(ctx, r.loads)
			if err != nil {
				return fmt.Errorf("%s%s: %w", recoveryLoad, j.Name, err)
			}
			f := &armed{name: recoveryLoad + j.Name, kind: faults.Spike, hold: r.plan.Timeline.Recovery / 2, fault: fault, said: said, world: r.loads}
			if err := r.tell(f, "prepared", faults.Unknown, nil); err != nil {
				return err
			}
			return r.breakOne(ctx, f)
		})
	}
	return together.Wait()
}
