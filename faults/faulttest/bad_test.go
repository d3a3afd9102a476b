package faulttest

import (
	"context"
	"errors"

	"github.com/candor-chaos/candor/faults"
)

// badKind is the environment variable by which TestSuiteCatches names the kind to run.
const badKind = "CANDOR_FAULTTEST_BAD_KIND"

// sound is the one of them that breaks nothing, so that the others fail for their clause alone.
const sound = "sound"

// bad is a pause that breaks one clause of the contract, and keeps the others.
type bad struct {
	Service string          `yaml:"service" json:"service"`
	ID      faults.Identity `yaml:"-" json:"id"`
	how     string
	memory  bool
}

// badKinds are named by the clause that they break.
func badKinds() map[string]faults.Kind {
	all := map[string]faults.Kind{}
	for _, how := range []string{sound, "prepare writes", "not idempotent", "touches a stranger", "keeps it in memory", "hides a failed call",
		"always absent", "unknown without error", "forgets what is gone", "sentence missing"} {
		all[how] = faults.Kind{
			Name: "bad", Doc: how, Example: "bad: {service: orders}",
			New:   func() faults.Fault { return &bad{how: how} },
			Needs: func(faults.World) bool { return true },
			Reach: func(f faults.Fault) faults.Reach { return faults.Reach{Services: []string{f.(*bad).Service}} },
		}
	}
	return all
}

func (b *bad) Prepare(ctx context.Context, w faults.World) (said string, err error) {
	if b.ID, err = w.Find(ctx, b.Service); err != nil {
		return "", err
	}
	if b.how == "prepare writes" {
		return "bad", errors.Join(w.(*Fake).Pause(ctx, b.ID), w.(*Fake).Unpause(ctx, b.ID))
	}
	if b.how == "sentence missing" {
		return "", nil
	}
	return "bad", nil
}

func (b *bad) Inject(ctx context.Context, w faults.World) error {
	b.memory = true
	err := w.(*Fake).Pause(ctx, b.ID)
	if b.how == "hides a failed call" {
		return nil
	}
	return err
}

func (b *bad) State(ctx context.Context, w faults.World) (faults.State, error) {
	paused, err := w.(*Fake).Paused(ctx, b.ID)
	switch {
	case b.how == "always absent":
		return faults.Absent, nil
	case b.how == "unknown without error" && paused:
		return faults.Unknown, nil
	case errors.Is(err, faults.ErrNotFound):
		return faults.Absent, nil
	case err != nil:
		return faults.Unknown, err
	case paused:
		return faults.Present, nil
	}
	return faults.Absent, nil
}

func (b *bad) Revert(ctx context.Context, world faults.World) error {
	w := world.(*Fake)
	if b.how == "not idempotent" {
		return w.Unpause(ctx, b.ID)
	}
	if b.how == "keeps it in memory" && !b.memory {
		return nil
	}
	if b.how == "touches a stranger" {
		id, err := w.Find(ctx, b.Service)
		if err != nil {
			return nil
		}
		return errors.Join(w.Pause(ctx, id), w.Unpause(ctx, id))
	}
	now, running, err := w.Incarnation(ctx, b.ID)
	switch {
	case errors.Is(err, faults.ErrNotFound) && b.how != "forgets what is gone":
		return nil
	case err != nil || !running || !now.Born.Equal(b.ID.Born):
		return err
	}
	paused, err := w.Paused(ctx, b.ID)
	if err != nil || !paused {
		return err
	}
	return w.Unpause(ctx, b.ID)
}
