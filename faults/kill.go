package faults

import (
	"context"
	"errors"
	"fmt"
)

// Kill ends the process of a service, as a crash does or as an operator would. To a user it is the session that drops in
// the middle of an action. It needs a world that can kill, start and tell one incarnation from the next.
var Kill = Kind{
	Name:    "kill",
	Doc:     "the process of a service dies: as a crash its restart policy applies, as an operator's act it does not",
	Example: "kill: {service: orders, as: crash}",
	New:     func() Fault { return &kill{As: "crash", Signal: "KILL"} },
	Needs:   Can[killer],
	Reach:   func(f Fault) Reach { return Reach{Services: []string{f.(*kill).Service}} },
	Whole:   "service",
}

type kill struct {
	Service string   `yaml:"service" json:"service"`
	As      string   `yaml:"as" json:"as"`
	Signal  string   `yaml:"signal" json:"signal"`
	ID      Identity `yaml:"-" json:"id"`
	Mended  bool     `yaml:"-" json:"mended"`          // Revert of this value has seen it run, or gone for good
	Ended   string   `yaml:"-" json:"ended,omitempty"` // what Note says
}

// Validate refuses signals that do not end a process, and names the ends that are known.
func (k *kill) Validate() error {
	return errors.Join(required("service", k.Service), oneOf("as", k.As, "crash", "operator"),
		oneOf("signal", k.Signal, "KILL", "TERM", "INT", "QUIT", "ABRT", "SEGV", "HUP"))
}

func (k *kill) Prepare(ctx context.Context, w World) (string, error) {
	id, err := target(ctx, w, k.Service)
	if err != nil {
		return "", err
	}
	k.ID, k.Mended, k.Ended = id, false, ""
	as := "as a crash"
	if k.As == "operator" {
		as = "as an operator would"
	}
	return fmt.Sprintf("%s is killed with %s, %s; it is started again at the end if nobody else did", called(w, id), k.Signal, as), nil
}

func (k *kill) Inject(ctx context.Context, w World) error {
	m, err := ask[killer](w, "kill")
	if err != nil {
		return err
	}
	if err := m.Kill(ctx, k.ID, k.Signal, k.As == "crash"); err != nil {
		return fmt.Errorf("kill %s: %w", k.ID.Service, err)
	}
	return nil
}

// State is about the incarnation that was meant: that another one runs, because a restart policy was quicker than Revert,
// does not undo its death. Only after Revert does it count that the service runs.
func (k *kill) State(ctx context.Context, w World) (State, error) {
	now, running, err := incarnation(ctx, w, k.ID)
	switch gone := errors.Is(err, ErrNotFound); {
	case err != nil && !gone:
		return Unknown, err
	case k.Mended && (running || gone || k.Ended != ""), running && now.Born.Equal(k.ID.Born):
		return Absent, nil
	}
	return Present, nil
}

// Revert starts it when it does not run. One that somebody else started again and that ended once more is left alone: that
// end was not ours.
func (k *kill) Revert(ctx context.Context, w World) error {
	m, err := ask[killer](w, "start")
	if err != nil {
		return err
	}
	now, running, err := incarnation(ctx, w, k.ID)
	if err == nil && !running && now.Born.After(k.ID.Born) {
		k.Mended = true
		k.Ended = called(w, k.ID) + " was started again by somebody else and has ended since: it is left alone"
		return nil
	}
	if err == nil && !running {
		if err = m.Start(ctx, k.ID); err != nil {
			err = fmt.Errorf("start %s: %w", called(w, k.ID), err)
		}
	}
	if errors.Is(err, ErrNotFound) {
		k.Ended, err = fate(ctx, w, k.ID)
		k.Mended = k.Ended != ""
		return err
	}
	k.Mended = err == nil
	return err
}

// Note says why it was not started: it is gone, or ended again after somebody else had started it.
func (k *kill) Note() string { return k.Ended }

// ByHand starts it.
func (k *kill) ByHand(w World) string { return byHand(w, "start", k.ID) }
