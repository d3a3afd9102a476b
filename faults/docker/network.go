package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/docker/docker/api/types/container"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/agent"
)

// Interpose leads a path through candor's proxy, by an agent beside from. Interposing again is no error.
func (w *World) Interpose(ctx context.Context, p faults.Path, from faults.Identity) error {
	ctx, leave, err := w.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	here, err := w.exactly(ctx, from)
	if err != nil {
		return err
	}
	toID, err := w.Find(ctx, p.To)
	if err != nil {
		return err
	}
	to, _, err := w.inspect(ctx, toID.ID)
	if err != nil {
		return err
	}
	addresses := reachable(here, to)
	if len(addresses) == 0 && to.State.Running {
		return fmt.Errorf("%s and %s share no network: %s is reached in a way that candor cannot see", p.From, p.To, p.To)
	}
	s, err := w.beside(ctx, here, from)
	if err != nil {
		return err
	}
	w.looked[p.From] = true
	w.watchOver(ctx)
	v := &way{path: p, addresses: addresses, lifted: len(addresses) == 0 || to.State.Paused, impaired: map[string]*impairment{}}
	if old := s.ways[p.Key()]; old != nil {
		v = old
	}
	if err := s.lead(ctx, v); err != nil {
		return err
	}
	s.ways[p.Key()] = v
	return nil
}

// beside is the agent in the namespace of from: the one that is there, or a new one.
func (w *World) beside(ctx context.Context, here container.InspectResponse, from faults.Identity) (*sidecar, error) {
	s := w.sidecars[from.Service]
	if s != nil && (s.gone() || !s.from.Born.Equal(from.Born)) {
		if err := w.renew(ctx, s, from); err != nil {
			return nil, err
		}
		return w.sidecars[from.Service], nil
	}
	if s == nil {
		var err error
		if s, err = w.start(ctx, here, from); err != nil {
			return nil, err
		}
		w.sidecars[from.Service] = s
	}
	return s, nil
}

// Withdraw ends what Interpose began. Without an agent of its own, as in heal, it removes the agent's container and with
// it all of its paths.
func (w *World) Withdraw(ctx context.Context, p faults.Path, from faults.Identity) error {
	ctx, leave, err := w.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	w.looked[p.From] = true
	s := w.sidecars[p.From]
	if s == nil {
		return w.removeOurs(ctx, w.agentName(p.From))
	}
	if _, there := s.ways[p.Key()]; !there {
		return nil
	}
	if len(s.ways) > 1 || len(s.misnamed) > 0 {
		if !s.gone() { // else the next agent is not asked for it
			if _, err := s.ask(ctx, agent.Request{Op: agent.Withdraw, Path: p}); err != nil {
				return err
			}
		}
		delete(s.ways, p.Key())
		return nil
	}
	if err := s.end(ctx); err != nil {
		return err
	}
	delete(w.sidecars, p.From)
	return nil
}

// Interposed looks for the redirect: through the agent where there is one, else by a short-lived look into the namespace.
// A from that is gone, stands still or has another namespace now has no redirect of ours.
func (w *World) Interposed(ctx context.Context, p faults.Path, from faults.Identity) (faults.State, error) {
	ctx, leave, err := w.enter(ctx)
	if err != nil {
		return faults.Unknown, err
	}
	defer leave()
	if s := w.sidecars[p.From]; s != nil && !s.gone() {
		v := s.ways[p.Key()]
		if v == nil {
			return faults.Absent, nil
		}
		if v.lifted {
			return faults.Present, nil // lifted on purpose while the dependency is down
		}
		a, err := s.ask(ctx, agent.Request{Op: agent.Sighted, Path: p})
		return a.State, err
	}
	_, now, err := w.inspect(ctx, from.ID)
	if errors.Is(err, faults.ErrNotFound) || err == nil && !now.Born.Equal(from.Born) {
		return faults.Absent, nil
	}
	if err != nil {
		return faults.Unknown, err
	}
	sight, err := w.lookFor(ctx, now)
	switch {
	case err != nil:
		return faults.Unknown, err
	case sight.Leads(p):
		return faults.Present, nil
	}
	return faults.Absent, nil
}

// look looks for a run's table in the namespace of a running container. One that ends meanwhile has none.
func (w *World) look(ctx context.Context, at faults.Identity, run string) (agent.Sight, error) {
	sight, done := inPlace(at, run)
	if done {
		return sight, nil
	}
	out, err := w.job(ctx, own{name: "candor-look-" + w.config.Run + "-" + short(at.ID), role: roleLook,
		args: []string{"agent", "look", "-run", run}, network: "container:" + at.ID, user: "0:0", capabilities: []string{"NET_ADMIN"}})
	if err == nil {
		err = json.Unmarshal(out, &sight)
	}
	if err == nil {
		return sight, nil
	}
	c, _, gone := w.inspect(ctx, at.ID)
	if errors.Is(gone, faults.ErrNotFound) || gone == nil && !c.State.Running {
		return agent.Sight{}, nil
	}
	return sight, fmt.Errorf("look into the namespace of %s: %w", at.Service, err)
}

// lookFor is look for this world's run; a container that does not run has no namespace.
func (w *World) lookFor(ctx context.Context, at faults.Identity) (agent.Sight, error) {
	if at.Process == 0 {
		return agent.Sight{}, nil
	}
	return w.look(ctx, at, w.config.Run)
}

// errNotInterposed: an impairment needs its path interposed.
var errNotInterposed = errors.New("the path is not interposed")

func (w *World) on(p faults.Path) (*sidecar, *way, error) {
	if s := w.sidecars[p.From]; s != nil {
		if v := s.ways[p.Key()]; v != nil {
			return s, v, nil
		}
	}
	return nil, nil, fmt.Errorf("%s: %w", p, errNotInterposed)
}

// Impair makes an impairment on an interposed path.
func (w *World) Impair(ctx context.Context, p faults.Path, name string, i faults.Impairment) error {
	ctx, leave, err := w.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	s, v, err := w.on(p)
	if err != nil {
		return err
	}
	v.impaired[name] = &impairment{Impairment: i}
	_, err = s.ask(ctx, agent.Request{Op: agent.Impair, Path: p, Name: name, Impairment: &i})
	return err
}

// BlocksInPart says that its agents let blocks flap, and hit a share of the connections.
func (w *World) BlocksInPart() {}

// AnswersHTTP says that its agents answer HTTP requests in a dependency's place.
func (w *World) AnswersHTTP() {}

// Unimpair ends an impairment. Where no agent of ours is left there is nothing that could hold it.
func (w *World) Unimpair(ctx context.Context, p faults.Path, name string) error {
	ctx, leave, err := w.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	s, v, err := w.on(p)
	if errors.Is(err, errNotInterposed) {
		return w.unheld(ctx, p)
	}
	delete(v.impaired, name)
	if s.gone() {
		return nil
	}
	_, err = s.ask(ctx, agent.Request{Op: agent.Unimpair, Path: p, Name: name})
	return err
}

// unheld makes sure that no agent of another process holds a path of this run any more.
func (w *World) unheld(ctx context.Context, p faults.Path) error {
	if w.sidecars[p.From] != nil {
		return nil
	}
	return w.removeOurs(ctx, w.agentName(p.From))
}

// Impaired looks for an impairment.
func (w *World) Impaired(ctx context.Context, p faults.Path, name string, i faults.Impairment) (faults.State, error) {
	ctx, leave, err := w.enter(ctx)
	if err != nil {
		return faults.Unknown, err
	}
	defer leave()
	s, _, err := w.on(p)
	if errors.Is(err, errNotInterposed) {
		return w.heldElsewhere(ctx, p, name, i)
	}
	if s.gone() {
		return faults.Absent, nil
	}
	a, err := s.ask(ctx, agent.Request{Op: agent.Impaired, Path: p, Name: name, Impairment: &i})
	return a.State, err
}

// heldElsewhere looks for what an agent of this run does that this process does not hold. Its toxics cannot be seen from
// outside: while it leads the path they count as present.
func (w *World) heldElsewhere(ctx context.Context, p faults.Path, name string, i faults.Impairment) (faults.State, error) {
	if w.sidecars[p.From] != nil {
		return faults.Absent, nil
	}
	from, err := w.Find(ctx, p.From)
	if errors.Is(err, faults.ErrNotFound) {
		return faults.Absent, nil
	}
	if err != nil {
		return faults.Unknown, err
	}
	sight, err := w.lookFor(ctx, from)
	switch {
	case err != nil:
		return faults.Unknown, err
	case i.Block != "" && sight.Blocks(p, name), i.Block == "" && sight.Leads(p):
		return faults.Present, nil
	}
	return faults.Absent, nil
}

// Impacts counts what an impairment has hit, over all agents that carried it.
func (w *World) Impacts(ctx context.Context, p faults.Path, name string) (int64, error) {
	ctx, leave, err := w.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer leave()
	s, v, err := w.on(p)
	if err != nil {
		return 0, err
	}
	i := v.impaired[name]
	if i == nil {
		return 0, fmt.Errorf("%s: no impairment %s", p, name)
	}
	a, err := s.ask(ctx, agent.Request{Op: agent.Impacts, Path: p, Name: name})
	if err != nil {
		return 0, err
	}
	i.last = a.Count
	return i.before + i.last, nil
}
