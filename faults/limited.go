package faults

import (
	"context"
	"errors"
	"fmt"
)

// Allowance is what the control group of a service allows it, and what it holds.
type Allowance struct {
	Quota  int64   `json:"quota,omitempty"`  // microseconds of processor time in each period; 0: no limit
	Period int64   `json:"period,omitempty"` // in microseconds
	Memory int64   `json:"memory,omitempty"` // bytes; 0: no limit
	Held   int64   `json:"held,omitempty"`   // bytes of memory that the kernel cannot take back from it
	Cores  float64 `json:"cores,omitempty"`  // processors on which it may run
}

// limited is what faults that write a lower limit share. What is written goes past the engine, whose own record and
// whose own limit stay as they are: a restart makes a new control group, and the fault is gone.
type limited struct {
	Service string    `yaml:"service" json:"service"`
	ID      Identity  `yaml:"-" json:"id"`
	Was     Allowance `yaml:"-" json:"was"` // before
	Ended   string    `yaml:"-" json:"ended,omitempty"`
}

func (l *limited) prepare(ctx context.Context, w World) error {
	m, err := ask[limiter](w, "limit")
	if err != nil {
		return err
	}
	id, err := target(ctx, w, l.Service)
	if err != nil {
		return err
	}
	if l.Was, err = m.Allowance(ctx, id); err != nil {
		return fmt.Errorf("look at the limits of %s: %w", called(w, id), err)
	}
	l.ID, l.Ended = id, ""
	return nil
}

// state compares what this incarnation is allowed with what was written; is tells whether the limit is ours.
func (l *limited) state(ctx context.Context, w World, is func(Allowance) bool) (State, error) {
	m, err := ask[limiter](w, "limit")
	if err != nil {
		return Unknown, err
	}
	now, running, err := incarnation(ctx, w, l.ID)
	switch {
	case errors.Is(err, ErrNotFound):
		return Absent, nil
	case err != nil:
		return Unknown, err
	case !running || !now.Born.Equal(l.ID.Born):
		return Absent, nil
	}
	allowed, err := m.Allowance(ctx, l.ID)
	switch {
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrReplaced): // it ended between the two looks
		return Absent, nil
	case err != nil:
		return Unknown, fmt.Errorf("look at the limits of %s: %w", called(w, l.ID), err)
	case is(allowed):
		return Present, nil
	}
	return Absent, nil
}

// revert writes what was there before where our limit still stands. Another one is somebody else's, and stays.
func (l *limited) revert(ctx context.Context, w World, is func(Allowance) bool, restore func(limiter) error) error {
	s, err := l.state(ctx, w, is)
	if err != nil {
		return err
	}
	if s == Present {
		m, err := ask[limiter](w, "limit")
		if err != nil {
			return err
		}
		if err := restore(m); err != nil && !errors.Is(err, ErrNotFound) {
			return fmt.Errorf("give %s back what it was allowed: %w", called(w, l.ID), err)
		}
	}
	if _, _, err = incarnation(ctx, w, l.ID); errors.Is(err, ErrNotFound) {
		l.Ended, err = fate(ctx, w, l.ID)
	}
	return err
}

// Note says that there was nothing to give back because it is gone.
func (l *limited) Note() string { return l.Ended }

// ByHand starts it again: a new incarnation has what the engine says.
func (l *limited) ByHand(w World) string { return byHand(w, "restart", l.ID) }
