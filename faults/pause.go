package faults

import (
	"context"
	"errors"
	"fmt"
)

// Pause freezes a service: it holds its connections and its memory and does nothing. To a user it is the page that loads
// for ever and then, when it thaws, acts on what was asked long ago. It needs a world that can pause.
var Pause = Kind{
	Name:    "pause",
	Doc:     "a service is frozen: it accepts connections and does nothing",
	Example: "pause: {service: orders}",
	New:     func() Fault { return new(pause) },
	Needs:   func(w World) bool { return Can[pauser](w) && Can[observer](w) },
	Reach:   func(f Fault) Reach { return Reach{Services: []string{f.(*pause).Service}} },
	Whole:   "service",
}

type pause struct {
	Service string   `yaml:"service" json:"service"`
	ID      Identity `yaml:"-" json:"id"`
	Ended   string   `yaml:"-" json:"ended,omitempty"` // what Note says
}

// Validate asks for a service.
func (p *pause) Validate() error { return required("service", p.Service) }

// Prepare refuses what is paused already: thawing it would undo somebody else's act.
func (p *pause) Prepare(ctx context.Context, w World) (string, error) {
	m, err := ask[pauser](w, "pause")
	if err != nil {
		return "", err
	}
	id, err := target(ctx, w, p.Service)
	if err != nil {
		return "", err
	}
	switch paused, err := m.Paused(ctx, id); {
	case err != nil:
		return "", fmt.Errorf("look at %s: %w", called(w, id), err)
	case paused:
		return "", fmt.Errorf("%s is paused already", called(w, id))
	}
	p.ID, p.Ended = id, ""
	return called(w, id) + " is frozen: it keeps its connections and answers nothing", nil
}

func (p *pause) Inject(ctx context.Context, w World) error {
	m, err := ask[pauser](w, "pause")
	if err != nil {
		return err
	}
	if err := m.Pause(ctx, p.ID); err != nil {
		return fmt.Errorf("pause %s: %w", p.ID.Service, err)
	}
	return nil
}

// State is Absent for another incarnation: nothing that starts is frozen by us.
func (p *pause) State(ctx context.Context, w World) (State, error) {
	m, err := ask[pauser](w, "pause")
	if err != nil {
		return Unknown, err
	}
	now, running, err := incarnation(ctx, w, p.ID)
	switch {
	case errors.Is(err, ErrNotFound):
		return Absent, nil
	case err != nil:
		return Unknown, err
	case !running || !now.Born.Equal(p.ID.Born):
		return Absent, nil
	}
	switch paused, err := m.Paused(ctx, p.ID); {
	case err != nil:
		return Unknown, fmt.Errorf("look at %s: %w", called(w, p.ID), err)
	case paused:
		return Present, nil
	}
	return Absent, nil
}

// Revert thaws this incarnation and no other. It does not look first whether it is frozen: a process that was just told to
// stop may do so only after the look.
func (p *pause) Revert(ctx context.Context, w World) error {
	m, err := ask[pauser](w, "unpause")
	if err != nil {
		return err
	}
	now, running, err := incarnation(ctx, w, p.ID)
	switch {
	case errors.Is(err, ErrNotFound):
		p.Ended, err = fate(ctx, w, p.ID)
		return err
	case err != nil || !running || !now.Born.Equal(p.ID.Born):
		return err
	}
	if err := m.Unpause(ctx, p.ID); err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("unpause %s: %w", called(w, p.ID), err)
	}
	if _, _, err = incarnation(ctx, w, p.ID); errors.Is(err, ErrNotFound) {
		p.Ended, err = fate(ctx, w, p.ID)
	}
	return err
}

// Note says that there was nothing to thaw because it is gone.
func (p *pause) Note() string { return p.Ended }

// ByHand thaws it.
func (p *pause) ByHand(w World) string { return byHand(w, "unpause", p.ID) }
