package docker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/agent"
)

// reconcileEvery is how often the agents are told what is so, events or not: it is also their heartbeat.
const reconcileEvery = time.Second

// standstill is a pause between two looks in which this process must have been stopped, and others may have mended what it
// had put in force.
const standstill = 5 * time.Second

// watchOver starts to keep agents and engine in step, once. It outlives the call that started it; Close ends it.
func (w *World) watchOver(ctx context.Context) {
	w.watch.Do(func() {
		ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
		w.stop = stop
		w.watching.Go(func() error { return w.keepInStep(ctx) })
	})
}

// keepInStep reconciles each second and on every event of a container. What cannot be done now is tried again; what stays
// wrong shows as a fault that is no longer present.
func (w *World) keepInStep(ctx context.Context) error {
	tick := time.NewTicker(reconcileEvery)
	defer tick.Stop()
	happened, lost := w.events(ctx)
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-happened:
		case <-lost: // the engine ended the stream: ask for another one, the ticks go on meanwhile
			if rest(ctx, reconcileEvery) != nil {
				return nil
			}
			happened, lost = w.events(ctx)
		}
		if stood := time.Since(last) > standstill; stood && rest(ctx, reconcileEvery) != nil {
			return nil // after a standstill, whoever took over meanwhile is heard first
		}
		last = time.Now()
		if err := w.reconcile(ctx); err != nil && ctx.Err() == nil {
			w.options.Log.Warn().Err(err).Str("run", w.config.Run).Msg("keep agents in step")
		}
	}
}

func (w *World) events(ctx context.Context) (<-chan events.Message, <-chan error) {
	f := filters.NewArgs(filters.Arg("type", "container"))
	for _, e := range []string{"start", "die", "pause", "unpause", "destroy"} {
		f.Add("event", e)
	}
	return w.docker.Events(ctx, events.ListOptions{Filters: f})
}

// reconcile brings every agent in step with the engine.
func (w *World) reconcile(ctx context.Context) error {
	ctx, leave, err := w.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	var errs []error
	for _, s := range slices.Collect(maps.Values(w.sidecars)) {
		errs = append(errs, w.reconcileOne(ctx, s))
	}
	return errors.Join(errs...)
}

func (w *World) reconcileOne(ctx context.Context, s *sidecar) error {
	from, now, err := w.inspect(ctx, s.from.ID)
	if errors.Is(err, faults.ErrNotFound) {
		return nil // it is gone, and its namespace with it
	}
	if err != nil || !from.State.Running {
		return err
	}
	if s.gone() || !now.Born.Equal(s.from.Born) {
		if now.Born.Equal(s.from.Born) {
			w.mourn(s)
		}
		if w.frozen.Load() {
			return nil
		}
		return w.renew(ctx, s, now)
	}
	if _, err := s.ask(ctx, agent.Request{Op: agent.Beat}); err != nil {
		return err
	}
	for _, v := range s.ways {
		if err := w.follow(ctx, s, v); err != nil {
			return err
		}
	}
	return nil
}

// mourn tells, once, that an agent ended although nobody ended it.
func (w *World) mourn(s *sidecar) {
	if s.mourned {
		return
	}
	s.mourned = true
	select {
	case w.lost <- fmt.Errorf("the agent beside %s ended by itself: %w: %s", s.from.Service, s.conn.Err(), s.complaint.bytes()):
	default: // nobody hears the ones before
	}
}

// renew puts a new agent where the old one ended or lost its namespace, with everything that was in force.
func (w *World) renew(ctx context.Context, old *sidecar, now faults.Identity) error {
	if err := old.end(ctx); err != nil {
		return err
	}
	from, _, err := w.inspect(ctx, now.ID)
	if err != nil {
		return err
	}
	s, err := w.start(ctx, from, now)
	if err != nil {
		return err
	}
	s.ways, s.misnamed = old.ways, old.misnamed
	w.sidecars[now.ID] = s
	for _, v := range s.ways {
		if err := s.lead(ctx, v); err != nil {
			return err
		}
	}
	for label := range s.misnamed {
		if err := s.mislead(ctx, label); err != nil {
			return err
		}
	}
	return nil
}

// follow tells an agent where a dependency is now. One that is down or paused is never seen through a proxy.
func (w *World) follow(ctx context.Context, s *sidecar, v *way) error {
	if v.host != "" { // the agent follows it; what it found last is kept for the next agent
		a, err := s.ask(ctx, agent.Request{Op: agent.Where, Path: v.path})
		v.addresses = a.Found
		return err
	}
	from, _, err := w.inspect(ctx, s.from.ID)
	if err != nil {
		return err
	}
	to, err := w.all(ctx, v.path.To)
	if err != nil {
		return err
	}
	addresses := w.answering(from, to)
	lifted := len(addresses) == 0
	if lifted {
		addresses = v.addresses
		if !slices.ContainsFunc(to, func(c seen) bool { return c.State.Running }) {
			addresses = nil // the engine may give its address to another container
		}
	}
	if lifted == v.lifted && slices.Equal(addresses, v.addresses) {
		return nil
	}
	if _, err := s.ask(ctx, agent.Request{Op: agent.Readdress, Path: v.path, Addresses: addresses, Lifted: lifted}); err != nil {
		return err
	}
	v.addresses, v.lifted = addresses, lifted
	return nil
}

// answering are the addresses at which a container reaches those of a service that run, are not paused, and that nobody
// here is about to end.
func (w *World) answering(from container.InspectResponse, to []seen) (all []netip.Addr) {
	for _, c := range to {
		if !c.State.Paused && !w.marked(c.id.ID) {
			all = append(all, reachable(from, c.InspectResponse)...)
		}
	}
	slices.SortFunc(all, netip.Addr.Compare)
	return slices.Compact(all)
}
