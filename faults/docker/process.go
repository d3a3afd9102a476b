package docker

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/docker/docker/api/types/container"

	"github.com/candor-chaos/candor/faults"
)

// Kill sends a signal to the first process of exactly this incarnation. As a crash it comes from a short-lived container
// in the host's process namespace, because the engine takes its own kill for a manual stop and then ignores the restart
// policy; as an operator's it is the engine's.
func (w *World) Kill(ctx context.Context, id faults.Identity, signal string, crash bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	c, err := w.exactly(ctx, id)
	if err != nil {
		return err
	}
	if !c.State.Running {
		return nil
	}
	if !crash {
		return translate(w.docker.ContainerKill(ctx, id.ID, signal), "kill container "+id.Name)
	}
	_, err = w.job(ctx, own{name: "candor-signal-" + w.config.Run + "-" + id.Service, network: "none", pid: "host", user: "0:0",
		args:         []string{"agent", "signal", "-pid", strconv.Itoa(c.State.Pid), "-in", id.ID, "-signal", signal},
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
	return translate(w.docker.ContainerStart(ctx, id.ID, container.StartOptions{}), "start container "+id.Name)
}

// Pause freezes exactly this incarnation. One that is frozen already is left so.
func (w *World) Pause(ctx context.Context, id faults.Identity) error {
	c, err := w.exactly(ctx, id)
	if err != nil || c.State.Paused {
		return err
	}
	return translate(w.docker.ContainerPause(ctx, id.ID), "pause container "+id.Name)
}

// Unpause thaws exactly this incarnation.
func (w *World) Unpause(ctx context.Context, id faults.Identity) error {
	c, err := w.exactly(ctx, id)
	if err != nil || !c.State.Paused {
		return err
	}
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
