package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"

	"github.com/candor-chaos/candor/faults"
)

// End lets the engine stop exactly this incarnation: its stop signal, and KILL after grace. Nobody meets a proxy in its
// place meanwhile.
func (w *World) End(ctx context.Context, id faults.Identity, grace time.Duration) error {
	running, err := w.aboutToEnd(ctx, id)
	if err != nil || !running {
		return err
	}
	defer w.mark(id, false)
	ctx, done := context.WithTimeout(ctx, grace+briefTime)
	defer done()
	seconds := int(grace / time.Second)
	return translate(w.docker.ContainerStop(ctx, id.ID, container.StopOptions{Timeout: &seconds}), "stop container "+id.Name)
}

// aboutToEnd lifts the redirects toward a container that is about to end, and keeps them lifted while it does.
func (w *World) aboutToEnd(ctx context.Context, id faults.Identity) (running bool, err error) {
	ctx, leave, err := w.enter(ctx)
	if err != nil {
		return false, err
	}
	defer leave()
	c, err := w.exactly(ctx, id)
	switch {
	case err != nil || !c.State.Running:
		return false, err
	case c.HostConfig.AutoRemove:
		return false, fmt.Errorf("container %s is removed by the engine as soon as it ends (--rm): nobody could start it again", id.Name)
	}
	if err := w.liftAway(ctx, c, id); err != nil {
		return false, err
	}
	w.raise(id)
	w.mark(id, true)
	return true, nil
}

func (w *World) mark(id faults.Identity, ending bool) {
	w.memory.Lock()
	defer w.memory.Unlock()
	w.ending[id.ID] = ending
}

func (w *World) marked(id string) bool {
	w.memory.Lock()
	defer w.memory.Unlock()
	return w.ending[id]
}

// endingWithin is how long a container that was asked to end may still be on its way: the longest grace, and the engine's
// own time.
const endingWithin = 40 * time.Second

// Ending asks the engine's own record of what was sent to a container: a stop goes on when whoever asked for it has died,
// and shows in nothing else until the container has ended. The record holds the last 256 events of the engine, so that
// one much busier than that can hide it.
func (w *World) Ending(ctx context.Context, id faults.Identity) (bool, error) {
	c, now, err := w.inspect(ctx, id.ID)
	if err != nil {
		return false, w.goneOrReplaced(ctx, id, err)
	}
	if !c.State.Running || !now.Born.Equal(id.Born) {
		return false, nil
	}
	ctx, done := brief(ctx)
	defer done()
	server, err := w.docker.Info(ctx)
	if err != nil {
		return false, translate(err, "ask what was sent to container "+id.Name)
	}
	until, err := time.Parse(time.RFC3339Nano, server.SystemTime) // the engine's clock, not ours
	if err != nil {
		return false, fmt.Errorf("read the engine's clock: %w", err)
	}
	since := until.Add(-endingWithin)
	if since.Before(id.Born) {
		since = id.Born
	}
	sent, failed := w.docker.Events(ctx, events.ListOptions{Since: stamp(since), Until: stamp(until.Add(time.Millisecond)),
		Filters: filters.NewArgs(filters.Arg("type", "container"), filters.Arg("container", id.ID), filters.Arg("event", "kill"))})
	for {
		select {
		case e := <-sent:
			if ends(e.Actor.Attributes["signal"], c.Config.StopSignal) {
				return true, nil
			}
		case err := <-failed:
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return false, translate(err, "ask what was sent to container "+id.Name)
		}
	}
}

// stamp is a moment as the engine takes it.
func stamp(t time.Time) string { return fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond()) }

// ends reports whether a signal, as the engine's record numbers it, is one that a stop sends. Which number an image's own
// stop signal has is not looked up: any but those that ask for something else than an end counts then.
func ends(signal, own string) bool {
	const hup, kill, usr1, usr2, term, cont, winch = 1, 9, 10, 12, 15, 18, 28
	switch n, err := strconv.Atoi(signal); {
	case err != nil:
		return false
	case n == term, n == kill:
		return true
	case own == "" || own == "SIGTERM":
		return false
	default:
		return n != hup && n != usr1 && n != usr2 && n != cont && (n != winch || own == "SIGWINCH")
	}
}
