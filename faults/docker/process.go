package docker

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/agent"
)

// Kill sends a signal to the first process of exactly this incarnation. As a crash it comes from a short-lived container
// in the host's process namespace, because the engine takes its own kill for a manual stop and then ignores the restart
// policy; as an operator's it is the engine's.
func (w *World) Kill(ctx context.Context, id faults.Identity, signal string, crash bool) error {
	ctx, leave, err := w.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	c, err := w.exactly(ctx, id)
	if err != nil {
		return err
	}
	if !c.State.Running {
		return nil
	}
	if err := w.liftAway(ctx, c, id); err != nil {
		return err
	}
	w.raise(id)
	if !crash {
		err = translate(w.docker.ContainerKill(ctx, id.ID, signal), "kill container "+id.Name)
	} else {
		err = w.crash(ctx, id, c.State.Pid, signal)
	}
	if _, now := w.exactly(ctx, id); err != nil && now != nil {
		err = now // it was another one already when the signal came
	}
	return errors.Join(err, w.untilDead(ctx, id, signal))
}

// raise remembers that a container is started again because of this world.
func (w *World) raise(id faults.Identity) {
	w.memory.Lock()
	defer w.memory.Unlock()
	w.raised[id.ID] = true
}

// liftAway lifts the redirect of every path to a container that is about to die, so that nobody meets a proxy in its place;
// of several replicas only its part. The next look at the engine brings it back, when it lives.
func (w *World) liftAway(ctx context.Context, c container.InspectResponse, id faults.Identity) error {
	dying := everywhere(c)
	for _, s := range w.sidecars {
		for _, v := range s.ways {
			if v.path.To != id.Service || v.lifted || s.gone() {
				continue
			}
			left := slices.DeleteFunc(slices.Clone(v.addresses), func(a netip.Addr) bool { return slices.Contains(dying, a) })
			lifted := len(left) == 0
			if lifted {
				left = v.addresses
			}
			if _, err := s.ask(ctx, agent.Request{Op: agent.Readdress, Path: v.path, Addresses: left, Lifted: lifted}); err != nil {
				return err
			}
			v.addresses, v.lifted = left, lifted
		}
	}
	return nil
}

// deadWithin is how long the engine may take to notice that a process was killed.
const deadWithin = 2 * time.Second

// untilDead waits until the engine knows that this incarnation is gone. Only KILL is sure to end it; a longer wait than
// deadWithin ends without an error, and the state of the fault tells.
func (w *World) untilDead(ctx context.Context, id faults.Identity, signal string) error {
	if strings.TrimPrefix(strings.ToUpper(signal), "SIG") != "KILL" {
		return nil
	}
	for end := time.Now().Add(deadWithin); time.Now().Before(end); {
		c, now, err := w.inspect(ctx, id.ID)
		if errors.Is(err, faults.ErrNotFound) || err == nil && (!c.State.Running || !now.Born.Equal(id.Born)) {
			return nil
		}
		if err == nil {
			err = rest(ctx, pollEvery)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// crash sends the signal from outside.
func (w *World) crash(ctx context.Context, id faults.Identity, process int, signal string) error {
	_, err := w.job(ctx, own{name: "candor-signal-" + w.config.Run + "-" + id.Service, role: roleSignal, network: "none", pid: "host", user: "0:0",
		args:         []string{"agent", "signal", "-pid", strconv.Itoa(process), "-in", id.ID, "-signal", signal},
		capabilities: []string{"KILL"}})
	if err != nil {
		return fmt.Errorf("crash container %s: %w", id.Name, err)
	}
	return nil
}

// Start starts a container that does not run. One that runs, in whatever incarnation, is left alone.
func (w *World) Start(ctx context.Context, id faults.Identity) error {
	c, now, err := w.inspect(ctx, id.ID)
	if err != nil {
		return w.goneOrReplaced(ctx, id, err)
	}
	if c.State.Running || c.State.Restarting {
		return nil
	}
	if now.Protected {
		return fmt.Errorf("container %s: %w", id.Name, faults.ErrProtected)
	}
	w.raise(id)
	ctx, done := brief(ctx)
	defer done()
	return translate(w.docker.ContainerStart(ctx, id.ID, container.StartOptions{}), "start container "+id.Name)
}

// Pause freezes exactly this incarnation. One that is frozen already is left so.
func (w *World) Pause(ctx context.Context, id faults.Identity) error {
	c, err := w.exactly(ctx, id)
	if err != nil || c.State.Paused {
		return err
	}
	ctx, done := brief(ctx)
	defer done()
	return translate(w.docker.ContainerPause(ctx, id.ID), "pause container "+id.Name)
}

// Unpause thaws exactly this incarnation.
func (w *World) Unpause(ctx context.Context, id faults.Identity) error {
	c, err := w.exactly(ctx, id)
	if errors.Is(err, faults.ErrProtected) && !c.State.Paused {
		err = nil // there is nothing to do, so nothing is refused
	}
	if err != nil || !c.State.Paused {
		return err
	}
	ctx, done := brief(ctx)
	defer done()
	return translate(w.docker.ContainerUnpause(ctx, id.ID), "unpause container "+id.Name)
}

// Paused looks whether exactly this incarnation is frozen.
func (w *World) Paused(ctx context.Context, id faults.Identity) (bool, error) {
	c, err := w.exactly(ctx, id)
	if errors.Is(err, faults.ErrProtected) {
		err = nil // a look touches nothing
	}
	if err != nil {
		return false, err
	}
	return c.State.Paused, nil
}
