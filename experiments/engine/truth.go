package engine

import (
	"context"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

const (
	readTimeout = 30 * time.Second
	guardRows   = 20000 // above this many rows the looks in between are not kept
)

// readAll reads every effect of every journey once.
func (r *run) readAll(ctx context.Context, round string) error {
	for i, journey := range r.plan.Exec.Journeys {
		for _, effect := range journey.Effects {
			read := experiments.TruthRead{Journey: r.plan.Journeys[i].Name, Effect: effect.Name, Round: round, Started: time.Now().UTC()}
			within, cancel := context.WithTimeout(ctx, readTimeout)
			rows, err := effect.Reader.Read(within, r.surroundings())
			cancel()
			if err != nil && ctx.Err() != nil {
				return nil // it was cut short, and not blind
			}
			if err != nil {
				read.Blind = err.Error()
			}
			if round == roundFirst || round == roundSecond || len(rows) <= guardRows {
				read.Rows = rows
			}
			if err := r.record(experiments.Record{Truth: &read}); err != nil {
				return err
			}
		}
	}
	return nil
}

// The rounds in which the truth is read.
const (
	roundBefore = "before" // before any user acted: what a private tenant held already
	roundGuard  = "guard"  // through the fault window: can it be read at all?
	roundEarly  = "early"  // while users recover: what is there now and may vanish later
	roundFirst  = "first"  // after settling; this one and the next decide
	roundSecond = "second"
)

// keepReading reads in a round again and again until ctx ends.
func (r *run) keepReading(ctx context.Context, round string) error {
	for {
		if err := r.readAll(ctx, round); err != nil {
			return err
		}
		if rest(ctx, r.pace.guard) != nil {
			return nil
		}
	}
}
