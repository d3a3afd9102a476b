package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// staged is what the users of one surface share in this run, or why they have nothing.
type staged struct {
	stage experiments.Stage
	err   error
}

// surface is a surface of the catalog, ready to be opened: what its users share is started once.
func (r *run) surface(ctx context.Context, name string) (experiments.SurfaceKind, error) {
	for _, kind := range r.config.Catalog.Surfaces {
		if kind.Name != name {
			continue
		}
		if kind.Start == nil {
			return kind, nil
		}
		known, started := r.stages[name]
		if !started {
			known.stage, known.err = kind.Start(ctx, experiments.StageConfig{Recorder: r, Inspect: r.config.Inspect, Lexicon: r.config.Lexicon,
				Folder: r.folder.Path(), Prefix: r.prefix})
			r.stages[name] = known
		}
		if known.err != nil {
			return kind, fmt.Errorf("surface %s: %w", name, known.err)
		}
		kind.Open = known.stage.Open
		return kind, nil
	}
	return experiments.SurfaceKind{}, fmt.Errorf("no surface %q in the catalog", name)
}

// unwalked writes down that nobody walks a journey, or nobody any more, for want of something to act through. The run goes
// on for the others, and proves nothing.
func (r *run) unwalked(journey string, why error) error {
	return r.trouble(experiments.ReasonNoBrowser, fmt.Sprintf("journey %s was not walked to its end: %v", journey, why))
}

// tellStages says that a phase begins, and about how long it will be.
func (r *run) tellStages(p experiments.Phase) {
	var length time.Duration
	switch p {
	case experiments.PhaseBaseline:
		length = r.plan.Timeline.Baseline
	case experiments.PhaseRecovery:
		length = r.plan.Timeline.Recovery
	case experiments.PhaseFault:
		for _, f := range r.plan.Faults {
			length = max(length, f.At+f.For)
		}
	}
	for _, s := range r.stages {
		if s.stage != nil {
			s.stage.Begin(p, length)
		}
	}
}

// closeStages ends what users shared.
func (r *run) closeStages() (err error) {
	for name, s := range r.stages {
		if s.stage != nil {
			err = errors.Join(err, s.stage.Close())
		}
		delete(r.stages, name)
	}
	return err
}
