package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/agent"
)

// together is what all of several looks found, else Partial; Absent of none.
type together []faults.State

func (t together) state() faults.State {
	if len(t) == 0 {
		return faults.Absent
	}
	for _, s := range t {
		if s != t[0] {
			return faults.Partial
		}
	}
	return t[0]
}

// sighted looks for something in the namespaces of a service's containers. An incarnation of the one that was meant which
// is another now has nothing of ours; no meant one is any.
func (w *World) sighted(ctx context.Context, service string, meant faults.Identity, what func(agent.Sight) bool) (faults.State, error) {
	all, err := w.all(ctx, service)
	if err != nil {
		return faults.Unknown, err
	}
	var found together
	for _, c := range all {
		state := faults.Absent
		if c.id.ID != meant.ID || c.id.Born.Equal(meant.Born) {
			sight, err := w.lookFor(ctx, c.id)
			if err != nil {
				return faults.Unknown, err
			}
			if what(sight) {
				state = faults.Present
			}
		}
		found = append(found, state)
	}
	return found.state(), nil
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
