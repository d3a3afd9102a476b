package faults

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Stop ends a service as an operator does: politely, and after a while by force. To a user it is the part of the product
// that is down for maintenance and nobody said so. It needs a world that can stop and start.
var Stop = Kind{
	Name:    "stop",
	Doc:     "a service is stopped: it is asked to end, and killed when it has not after its grace",
	Example: "stop: {service: orders, grace: 5s}",
	New:     func() Fault { return &stop{stopping{Grace: usualGrace}} },
	Needs:   Can[stopper],
	Reach:   func(f Fault) Reach { return Reach{Services: []string{f.(*stop).Service}} },
	Whole:   "service",
}

const (
	usualGrace = 10 * time.Second
	mostGrace  = 30 * time.Second // a run waits no longer for a fault to take hold
)

// stopping is what stop and restart share.
type stopping struct {
	Service string        `yaml:"service" json:"service"`
	Grace   time.Duration `yaml:"grace" json:"grace"`
	ID      Identity      `yaml:"-" json:"id"`
	Ended   string        `yaml:"-" json:"ended,omitempty"` // what Note says
}

// Validate refuses a grace that the engine would round or that no run waits for.
func (s *stopping) Validate() error {
	var wrong error
	switch {
	case s.Grace < 0:
		wrong = &FieldError{Field: "grace", Msg: fmt.Sprintf("%s is negative", s.Grace)}
	case s.Grace > mostGrace:
		wrong = &FieldError{Field: "grace", Msg: fmt.Sprintf("%s is more than %s", s.Grace, mostGrace)}
	case s.Grace%time.Second != 0:
		wrong = &FieldError{Field: "grace", Msg: fmt.Sprintf("%s is not a whole number of seconds", s.Grace)}
	}
	return errors.Join(required("service", s.Service), wrong)
}

func (s *stopping) prepare(ctx context.Context, w World) (err error) {
	s.Ended = ""
	s.ID, err = target(ctx, w, s.Service)
	return err
}

// how says in words how it is made to end.
func (s *stopping) how() string {
	if s.Grace == 0 {
		return "at once, without being asked"
	}
	return fmt.Sprintf("killed if it has not ended after %s", s.Grace)
}

func (s *stopping) stop(ctx context.Context, w World) error {
	m, err := ask[stopper](w, "stop")
	if err != nil {
		return err
	}
	if err := m.End(ctx, s.ID, s.Grace); err != nil {
		return fmt.Errorf("stop %s: %w", called(w, s.ID), err)
	}
	return nil
}

func (s *stopping) start(ctx context.Context, w World) error {
	m, err := ask[stopper](w, "start")
	if err != nil {
		return err
	}
	if err := m.Start(ctx, s.ID); err != nil {
		return fmt.Errorf("start %s: %w", called(w, s.ID), err)
	}
	return nil
}

// look tells where it stands; ending: this incarnation was asked to end and has not yet.
func (s *stopping) look(ctx context.Context, w World) (now Identity, running, ending bool, err error) {
	now, running, err = incarnation(ctx, w, s.ID)
	if err != nil || !running || !now.Born.Equal(s.ID.Born) {
		return now, running, false, err
	}
	m, err := ask[stopper](w, "stop")
	if err != nil {
		return now, running, false, err
	}
	if ending, err = m.Ending(ctx, s.ID); err != nil {
		err = fmt.Errorf("look at %s: %w", called(w, s.ID), err)
	}
	return now, running, ending, err
}

// mend starts it if it does not run. One that was asked to end and has not yet would end after a start that did nothing:
// its end is waited for, as long as its grace.
func (s *stopping) mend(ctx context.Context, w World) error {
	_, running, ending, err := s.look(ctx, w)
	if err == nil && ending {
		err = s.stop(ctx, w)
	}
	if err == nil && (ending || !running) {
		err = s.start(ctx, w)
	}
	if errors.Is(err, ErrNotFound) {
		s.Ended, err = fate(ctx, w, s.ID)
	}
	return err
}

// Note says that it could not be started because it is gone.
func (s *stopping) Note() string { return s.Ended }

// ByHand starts it.
func (s *stopping) ByHand(w World) string { return byHand(w, "start", s.ID) }

type stop struct {
	stopping `yaml:",inline"`
}

func (s *stop) Prepare(ctx context.Context, w World) (string, error) {
	if err := s.prepare(ctx, w); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s is stopped, %s; it is started again at the end if nobody else did", called(w, s.ID), s.how()), nil
}

func (s *stop) Inject(ctx context.Context, w World) error { return s.stop(ctx, w) }

// State is absent as soon as it runs again, whoever started it: nothing holds it down. One that is gone is nobody's to start.
func (s *stop) State(ctx context.Context, w World) (State, error) {
	_, running, ending, err := s.look(ctx, w)
	switch {
	case errors.Is(err, ErrNotFound):
		return Absent, nil
	case err != nil:
		return Unknown, err
	case ending:
		return Partial, nil
	case running:
		return Absent, nil
	}
	return Present, nil
}

// Revert starts it when it does not run.
func (s *stop) Revert(ctx context.Context, w World) error { return s.mend(ctx, w) }
