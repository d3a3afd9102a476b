package docker

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/docker/docker/api/types/container"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/agent"
)

// Interpose leads a path through candor's proxy, by an agent beside each container of from. Interposing again is no error.
func (w *World) Interpose(ctx context.Context, p faults.Path, from faults.Identity) error {
	ctx, leave, err := w.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	here, err := w.callers(ctx, from)
	if err != nil {
		return err
	}
	to, err := w.all(ctx, p.To)
	if _, outside := w.config.Outside[p.To]; err == nil && len(to) == 0 && !outside {
		err = fmt.Errorf("service %s: no container of %s: %w", p.To, w.whose(), faults.ErrNotFound)
	}
	if err != nil {
		return err
	}
	w.looked[p.From] = true
	for _, c := range here {
		if err := w.interpose(ctx, p, c, to); err != nil {
			return err
		}
	}
	return nil
}

// callers are the containers of from's service that run: exactly the incarnation that was meant, and those beside it.
func (w *World) callers(ctx context.Context, from faults.Identity) ([]seen, error) {
	meant, err := w.exactly(ctx, from)
	if err != nil {
		return nil, err
	}
	callers := []seen{{meant, from}}
	others, err := w.all(ctx, from.Service)
	for _, c := range others {
		switch {
		case c.id.ID == from.ID || !c.State.Running:
		case c.id.Protected:
			return nil, fmt.Errorf("container %s: %w", c.id.Name, faults.ErrProtected)
		default:
			callers = append(callers, c)
		}
	}
	return callers, err
}

func (w *World) interpose(ctx context.Context, p faults.Path, from seen, to []seen) error {
	v, err := w.newWay(p, from, to)
	if err != nil {
		return err
	}
	s, err := w.beside(ctx, from.InspectResponse, from.id)
	if err != nil {
		return err
	}
	w.watchOver(ctx)
	if old := s.ways[p.Key()]; old != nil {
		v = old
	}
	if v.host != "" && len(v.addresses) == 0 {
		if v.addresses, err = s.lookUp(ctx, v.host); err != nil {
			return err
		}
	}
	if err := s.lead(ctx, v); err != nil {
		return err
	}
	s.ways[p.Key()] = v
	return nil
}

// newWay is a path as it is now. Where a host outside is, the agent looks up.
func (w *World) newWay(p faults.Path, from seen, to []seen) (*way, error) {
	v := &way{path: p, host: w.config.Outside[p.To].Host, impaired: map[string]*impairment{}}
	if v.host != "" {
		return v, nil
	}
	runs, all := false, []netip.Addr(nil)
	for _, c := range to {
		all = append(all, reachable(from.InspectResponse, c.InspectResponse)...)
		runs = runs || c.State.Running
	}
	if len(all) == 0 && runs {
		return nil, fmt.Errorf("%s and %s share no network: %s is reached in a way that candor cannot see", p.From, p.To, p.To)
	}
	v.addresses = w.answering(from.InspectResponse, to)
	if v.lifted = len(v.addresses) == 0; v.lifted {
		v.addresses = all
	}
	return v, nil
}

// beside is the agent in the namespace of from: the one that is there, or a new one.
func (w *World) beside(ctx context.Context, here container.InspectResponse, from faults.Identity) (*sidecar, error) {
	s := w.sidecars[from.ID]
	if s != nil && (s.gone() || !s.from.Born.Equal(from.Born)) {
		if err := w.renew(ctx, s, from); err != nil {
			return nil, err
		}
		return w.sidecars[from.ID], nil
	}
	if s == nil {
		var err error
		if s, err = w.start(ctx, here, from); err != nil {
			return nil, err
		}
		w.sidecars[from.ID] = s
	}
	return s, nil
}

// Withdraw ends what Interpose began. Without agents of its own, as in heal, it removes the agents' containers and with
// them all of their paths.
func (w *World) Withdraw(ctx context.Context, p faults.Path, _ faults.Identity) error {
	ctx, leave, err := w.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	w.looked[p.From] = true
	here := w.besides(p.From)
	if len(here) == 0 {
		return w.removeAgents(ctx, p.From)
	}
	var errs []error
	for _, s := range here {
		errs = append(errs, w.withdraw(ctx, s, p))
	}
	return errors.Join(errs...)
}

func (w *World) withdraw(ctx context.Context, s *sidecar, p faults.Path) error {
	if _, there := s.ways[p.Key()]; !there && s.needed() {
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
	delete(w.sidecars, s.from.ID)
	return nil
}

// Interposed looks for the redirect: through the agents where there are some, else by a short-lived look into each
// namespace. A from that is gone, stands still or has another namespace now has no redirect of ours.
func (w *World) Interposed(ctx context.Context, p faults.Path, from faults.Identity) (faults.State, error) {
	ctx, leave, err := w.enter(ctx)
	if err != nil {
		return faults.Unknown, err
	}
	defer leave()
	var found together
	for _, s := range w.besides(p.From) {
		if s.gone() {
			continue
		}
		state, err := s.leads(ctx, p)
		if err != nil {
			return faults.Unknown, err
		}
		found = append(found, state)
	}
	if len(found) > 0 {
		return found.state(), nil
	}
	return w.sighted(ctx, p.From, from, func(s agent.Sight) bool { return s.Leads(p) })
}

// leads looks for the redirect of one path.
func (s *sidecar) leads(ctx context.Context, p faults.Path) (faults.State, error) {
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

// errNotInterposed: an impairment needs its path interposed.
var errNotInterposed = errors.New("the path is not interposed")

// lane is an interposed path beside one container.
type lane struct {
	*sidecar
	*way
}

func (w *World) on(p faults.Path) (all []lane, err error) {
	for _, s := range w.besides(p.From) {
		if v := s.ways[p.Key()]; v != nil {
			all = append(all, lane{s, v})
		}
	}
	if len(all) == 0 {
		err = fmt.Errorf("%s: %w", p, errNotInterposed)
	}
	return all, err
}

// Impair makes an impairment on an interposed path.
func (w *World) Impair(ctx context.Context, p faults.Path, name string, i faults.Impairment) error {
	ctx, leave, err := w.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	lanes, err := w.on(p)
	if err != nil {
		return err
	}
	for _, l := range lanes {
		l.impaired[name] = &impairment{Impairment: i}
	}
	for _, l := range lanes {
		if _, err := l.ask(ctx, agent.Request{Op: agent.Impair, Path: p, Name: name, Impairment: &i}); err != nil {
			return err
		}
	}
	return nil
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
	lanes, err := w.on(p)
	if errors.Is(err, errNotInterposed) {
		return w.unheld(ctx, p)
	}
	var errs []error
	for _, l := range lanes {
		delete(l.impaired, name)
		if l.gone() {
			continue
		}
		_, err := l.ask(ctx, agent.Request{Op: agent.Unimpair, Path: p, Name: name})
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// unheld makes sure that no agent of another process holds a path of this run any more.
func (w *World) unheld(ctx context.Context, p faults.Path) error {
	if len(w.besides(p.From)) > 0 {
		return nil
	}
	return w.removeAgents(ctx, p.From)
}

// Impaired looks for an impairment.
func (w *World) Impaired(ctx context.Context, p faults.Path, name string, i faults.Impairment) (faults.State, error) {
	ctx, leave, err := w.enter(ctx)
	if err != nil {
		return faults.Unknown, err
	}
	defer leave()
	lanes, err := w.on(p)
	if errors.Is(err, errNotInterposed) {
		return w.heldElsewhere(ctx, p, name, i)
	}
	var found together
	for _, l := range lanes {
		if l.gone() {
			found = append(found, faults.Absent)
			continue
		}
		a, err := l.ask(ctx, agent.Request{Op: agent.Impaired, Path: p, Name: name, Impairment: &i})
		if err != nil {
			return faults.Unknown, err
		}
		found = append(found, a.State)
	}
	return found.state(), nil
}

// heldElsewhere looks for what agents of this run do that this process does not hold. Their toxics cannot be seen from
// outside: while they lead the path they count as present.
func (w *World) heldElsewhere(ctx context.Context, p faults.Path, name string, i faults.Impairment) (faults.State, error) {
	if len(w.besides(p.From)) > 0 {
		return faults.Absent, nil
	}
	return w.sighted(ctx, p.From, faults.Identity{}, func(s agent.Sight) bool {
		return i.Block != "" && s.Blocks(p, name) || i.Block == "" && s.Leads(p)
	})
}

// Impacts counts what an impairment has hit, over all agents that carried it.
func (w *World) Impacts(ctx context.Context, p faults.Path, name string) (int64, error) {
	ctx, leave, err := w.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer leave()
	lanes, err := w.on(p)
	if err != nil {
		return 0, err
	}
	var sum int64
	for _, l := range lanes {
		i := l.impaired[name]
		if i == nil {
			return 0, fmt.Errorf("%s: no impairment %s", p, name)
		}
		a, err := l.ask(ctx, agent.Request{Op: agent.Impacts, Path: p, Name: name})
		if err != nil {
			return 0, err
		}
		i.last = a.Count
		sum += i.before + i.last
	}
	return sum, nil
}
