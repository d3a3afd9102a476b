package docker

import (
	"context"
	"errors"
	"fmt"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/agent"
)

// misnaming is one that is in force. A new agent begins to count anew, so what the one before counted is kept.
type misnaming struct {
	faults.Misnaming
	before, last int64
}

// Mislead lets look-ups of names by from fail, through the agent beside it: the one that is there, or a new one.
func (w *World) Mislead(ctx context.Context, from faults.Identity, label string, m faults.Misnaming) error {
	ctx, leave, err := w.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	here, now, err := w.inspect(ctx, from.ID)
	switch {
	case err != nil:
		return w.goneOrReplaced(ctx, from, err)
	case now.Protected:
		return fmt.Errorf("container %s: %w", from.Name, faults.ErrProtected)
	case !here.State.Running:
		return fmt.Errorf("container %s does not run", from.Name)
	}
	s, err := w.beside(ctx, here, now)
	if err != nil {
		return err
	}
	w.looked[from.Service] = true
	w.watchOver(ctx)
	s.misnamed[label] = &misnaming{Misnaming: m}
	return s.mislead(ctx, label)
}

// mislead tells the agent of one misnaming.
func (s *sidecar) mislead(ctx context.Context, label string) error {
	m := s.misnamed[label]
	m.before += m.last
	m.last = 0
	_, err := s.ask(ctx, agent.Request{Op: agent.Mislead, Name: label, Misnaming: &m.Misnaming})
	return err
}

// needed reports whether anything is asked of an agent.
func (s *sidecar) needed() bool { return len(s.ways) > 0 || len(s.misnamed) > 0 }

// Unmislead ends a misnaming, and the agent with the last thing that is asked of it. Without an agent of its own, as in
// heal, it removes the agent's container.
func (w *World) Unmislead(ctx context.Context, from faults.Identity, label string) error {
	ctx, leave, err := w.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	w.looked[from.Service] = true
	s := w.sidecars[from.ID]
	if s == nil && len(w.besides(from.Service)) > 0 {
		return nil // those of this process, beside other replicas, hold nothing of this one
	}
	if s == nil {
		return w.removeAgents(ctx, from.Service)
	}
	delete(s.misnamed, label)
	if !s.needed() {
		if err := s.end(ctx); err != nil {
			return err
		}
		delete(w.sidecars, from.ID)
		return nil
	}
	if s.gone() {
		return nil
	}
	_, err = s.ask(ctx, agent.Request{Op: agent.Unmislead, Name: label})
	return err
}

// Misled looks for a misnaming: through the agent where there is one, else by a look into the namespace. It refuses a
// service whose look-ups are those of others too.
func (w *World) Misled(ctx context.Context, from faults.Identity, label string) (faults.State, error) {
	ctx, leave, err := w.enter(ctx)
	if err != nil {
		return faults.Unknown, err
	}
	defer leave()
	here, now, err := w.inspect(ctx, from.ID)
	if errors.Is(err, faults.ErrNotFound) {
		return faults.Absent, nil
	}
	if err == nil {
		err = ownNamespace(here, now)
	}
	if err != nil {
		return faults.Unknown, err
	}
	if s := w.sidecars[from.ID]; s != nil {
		if s.misnamed[label] == nil || s.gone() {
			return faults.Absent, nil
		}
		a, err := s.ask(ctx, agent.Request{Op: agent.Misled, Name: label})
		return a.State, err
	}
	sight, err := w.lookFor(ctx, now)
	switch {
	case err != nil:
		return faults.Unknown, err
	case sight.Misleads(label):
		return faults.Present, nil
	}
	return faults.Absent, nil
}

// Lookups counts the look-ups that failed, over all agents that carried the misnaming.
func (w *World) Lookups(ctx context.Context, from faults.Identity, label string) (int64, error) {
	ctx, leave, err := w.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer leave()
	s := w.sidecars[from.ID]
	if s == nil || s.misnamed[label] == nil {
		return 0, fmt.Errorf("%s: no misnaming %s", from.Service, label)
	}
	m := s.misnamed[label]
	a, err := s.ask(ctx, agent.Request{Op: agent.Lookups, Name: label})
	if err != nil {
		return 0, err
	}
	m.last = a.Count
	return m.before + m.last, nil
}
