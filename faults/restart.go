package faults

import (
	"context"
	"errors"
	"fmt"
)

// Restart ends a service politely and starts it at once, as a deployment does. To a user it is the moment in which
// sessions, carts and half-done work are lost. It needs a world that can stop and start.
var Restart = Kind{
	Name:    "restart",
	Doc:     "a service is stopped and started at once: what it held in memory is lost",
	Example: "restart: {service: orders, grace: 5s}",
	New:     func() Fault { return &restart{stopping: stopping{Grace: usualGrace}} },
	Needs:   Can[stopper],
	Reach:   func(f Fault) Reach { return Reach{Services: []string{f.(*restart).Service}} },
	Whole:   "service",
}

type restart struct {
	stopping `yaml:",inline"`
	Mended   bool `yaml:"-" json:"mended"` // Revert of this value has seen it run, or gone for good
}

func (r *restart) Prepare(ctx context.Context, w World) (string, error) {
	if err := r.prepare(ctx, w); err != nil {
		return "", err
	}
	r.Mended = false
	return fmt.Sprintf("%s is stopped, %s, and started again at once", called(w, r.ID), r.how()), nil
}

func (r *restart) Inject(ctx context.Context, w World) error {
	if err := r.stop(ctx, w); err != nil {
		return err
	}
	return r.start(ctx, w)
}

// State is about the incarnation that was meant: what was in its memory does not come back with the next one, so that the
// fault is in force from the restart until Revert, however soon it runs.
func (r *restart) State(ctx context.Context, w World) (State, error) {
	now, running, ending, err := r.look(ctx, w)
	switch gone := errors.Is(err, ErrNotFound); {
	case err != nil && !gone:
		return Unknown, err
	case ending, !gone && !running && !r.Mended:
		return Partial, nil // stopped, and not started yet
	case r.Mended && (running || gone), running && now.Born.Equal(r.ID.Born):
		return Absent, nil
	}
	return Present, nil
}

// Revert sees to it that it runs.
func (r *restart) Revert(ctx context.Context, w World) error {
	err := r.mend(ctx, w)
	r.Mended = err == nil || r.Ended != ""
	return err
}
