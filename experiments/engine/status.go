package engine

import (
	"context"
	"time"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/probes"
)

// statusEvery is how often the status page and the readiness of services are looked at, from warm-up to the end.
const statusEvery = time.Second

// watchOutside reads what the product says of itself to the outside: its status page, and whether its services are ready.
// What cannot be read is a record like any other and never ends the run.
func (r *run) watchOutside(ctx context.Context) {
	if page := r.plan.Exec.System.Status; page != nil {
		r.watching.Go(func() error { return r.orAbort(r.watchStatus(ctx, page)) })
	}
	for _, s := range r.plan.Services {
		if s.Ready == "" {
			continue
		}
		w := &watch{name: s.Name, role: "ready", check: experiments.Check{Probe: &probes.Readiness{Service: s.Name, Path: s.Ready}, Every: statusEvery}}
		r.watching.Go(func() error { return r.orAbort(w.run(ctx, r.surroundings, r)) })
	}
}

func (r *run) watchStatus(ctx context.Context, page *experiments.StatusPage) error {
	tick := time.NewTicker(statusEvery)
	defer tick.Stop()
	for {
		read := probes.ReadStatus(ctx, page, r.surroundings())
		if ctx.Err() != nil {
			return nil // it was cut short, and saw nothing
		}
		if err := r.record(experiments.Record{Status: &read}); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
