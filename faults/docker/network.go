package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/agent"
)

// Interpose leads a path through candor's proxy, by an agent beside from. Interposing again is no error.
func (w *World) Interpose(ctx context.Context, p faults.Path, from faults.Identity) error {
	w.mu.Lock()
	defer w.mu.Unlock()
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
	s := w.sidecars[p.From]
	if s == nil || s.gone() || !s.from.Born.Equal(from.Born) {
		if s, err = w.start(ctx, here, from); err != nil {
			return err
		}
		w.sidecars[p.From] = s
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

// Withdraw ends what Interpose began. Without an agent of its own, as in heal, it removes the agent's container and with
// it all of its paths.
func (w *World) Withdraw(ctx context.Context, p faults.Path, from faults.Identity) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.sidecars[p.From]
	if s == nil {
		return w.remove(ctx, w.agentName(p.From))
	}
	if _, there := s.ways[p.Key()]; !there {
		return nil
	}
	if len(s.ways) > 1 && !s.gone() {
		if _, err := s.ask(ctx, agent.Request{Op: agent.Withdraw, Path: p}); err != nil {
			return err
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
	w.mu.Lock()
	defer w.mu.Unlock()
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
	sight, err := w.look(ctx, now)
	if err != nil {
		return faults.Unknown, err
	}
	if sight.Table {
		return faults.Partial, nil
	}
	return faults.Absent, nil
}

// look looks for the run's table in the namespace of a container. One that does not run has none.
func (w *World) look(ctx context.Context, at faults.Identity) (agent.Sight, error) {
	var sight agent.Sight
	if at.Process == 0 {
		return sight, nil
	}
	out, err := w.job(ctx, own{name: "candor-look-" + w.config.Run + "-" + at.Service,
		args: []string{"agent", "look", "-run", w.config.Run}, network: "container:" + at.ID, user: "0:0", capabilities: []string{"NET_ADMIN"}})
	if err != nil {
		return sight, fmt.Errorf("look into the namespace of %s: %w", at.Service, err)
	}
	if err := json.Unmarshal(out, &sight); err != nil {
		return sight, fmt.Errorf("look into the namespace of %s: %w", at.Service, err)
	}
	return sight, nil
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
	w.mu.Lock()
	defer w.mu.Unlock()
	s, v, err := w.on(p)
	if err != nil {
		return err
	}
	v.impaired[name] = &impairment{Impairment: i}
	_, err = s.ask(ctx, agent.Request{Op: agent.Impair, Path: p, Name: name, Impairment: &i})
	return err
}

// Unimpair ends an impairment. Where no agent of ours is left there is nothing that could hold it.
func (w *World) Unimpair(ctx context.Context, p faults.Path, name string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
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
	return w.remove(ctx, w.agentName(p.From))
}

// Impaired looks for an impairment.
func (w *World) Impaired(ctx context.Context, p faults.Path, name string, i faults.Impairment) (faults.State, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s, _, err := w.on(p)
	if errors.Is(err, errNotInterposed) {
		return w.heldElsewhere(ctx, p)
	}
	if s.gone() {
		return faults.Absent, nil
	}
	a, err := s.ask(ctx, agent.Request{Op: agent.Impaired, Path: p, Name: name, Impairment: &i})
	return a.State, err
}

// heldElsewhere asks the engine whether an agent of this run is there that this process does not hold.
func (w *World) heldElsewhere(ctx context.Context, p faults.Path) (faults.State, error) {
	if w.sidecars[p.From] != nil {
		return faults.Absent, nil
	}
	_, _, err := w.inspect(ctx, w.agentName(p.From))
	switch {
	case errors.Is(err, faults.ErrNotFound):
		return faults.Absent, nil
	case err != nil:
		return faults.Unknown, err
	}
	return faults.Present, nil
}

// Impacts counts what an impairment has hit, over all agents that carried it.
func (w *World) Impacts(ctx context.Context, p faults.Path, name string) (int64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
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
