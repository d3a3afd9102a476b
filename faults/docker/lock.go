package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"

	"github.com/candor-chaos/candor/faults"
)

const (
	lockPatience = 5 * time.Second // a lock whose holder died goes as soon as its guardian has mended
	lockStale    = 30 * time.Second
	lockEvery    = 250 * time.Millisecond
)

// Lock is the right to work on a system, across all that share its engine: a container of candor's own, because of all
// that the engine has only the names of containers are exclusive. It ends with its holder, or after its time.
type Lock struct {
	world   *World
	id      string
	streams types.HijackedResponse
	lost    chan struct{}
}

// Lock takes the system, for at most so long. It fails with faults.ErrBusy while another has it.
func (w *World) Lock(ctx context.Context, longest time.Duration, holder string) (faults.Lock, error) {
	ctx, leave, err := w.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	within, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	for {
		l, err := w.lock(ctx, longest, holder)
		if err == nil || !errors.Is(err, faults.ErrBusy) {
			return l, err
		}
		if rest(within, lockEvery) != nil {
			return nil, err
		}
	}
}

func (w *World) lock(ctx context.Context, longest time.Duration, holder string) (faults.Lock, error) {
	name := "candor-lock-" + w.config.System
	id, streams, err := w.create(ctx, own{name: name, role: roleLock, network: "none", user: "0:0", input: true, alone: true,
		labels: map[string]string{labelHolder: holder}, args: []string{"agent", "lock", "-expiry", longest.String()}})
	if errdefs.IsConflict(err) {
		return nil, errors.Join(w.busyWith(ctx, name), w.removeStale(ctx, name))
	}
	if err != nil {
		return nil, fmt.Errorf("lock system %s: %w", w.config.System, err)
	}
	l := &Lock{world: w, id: id, streams: streams, lost: make(chan struct{})}
	go func() {
		// All that ever comes is the end: of the container, or of the engine that holds it.
		_, _ = io.Copy(io.Discard, streams.Reader)
		close(l.lost)
	}()
	if _, err := streams.Conn.Write([]byte("hello\n")); err != nil {
		return nil, errors.Join(fmt.Errorf("lock system %s: %w", w.config.System, err), l.Release(ctx))
	}
	return l, nil
}

// busyWith says who has the system.
func (w *World) busyWith(ctx context.Context, name string) error {
	c, _, err := w.inspect(ctx, name)
	if err != nil {
		return fmt.Errorf("system %s: %w", w.config.System, faults.ErrBusy)
	}
	return fmt.Errorf("system %s: %w: run %s (%s), since %s", w.config.System, faults.ErrBusy, c.Config.Labels[labelRun],
		c.Config.Labels[labelHolder], c.Created)
}

// removeStale removes a lock that was made and never started: its holder died in between.
func (w *World) removeStale(ctx context.Context, name string) error {
	c, _, err := w.inspect(ctx, name)
	if err != nil || c.Config.Labels[labelRole] != roleLock || c.State.Running {
		return nil
	}
	made, err := time.Parse(time.RFC3339Nano, c.Created)
	if err != nil || c.State.Status == container.StateCreated && time.Since(made) < lockStale {
		return nil
	}
	return w.remove(ctx, c.ID)
}

// Lost is closed when the system is this process's no longer.
func (l *Lock) Lost() <-chan struct{} { return l.lost }

// Release gives the system back and waits until others can have it.
func (l *Lock) Release(ctx context.Context) error {
	defer l.streams.Close()
	// A lock that is lost already hears nothing, and what is left of it is removed.
	_, _ = l.streams.Conn.Write([]byte("bye\n"))
	_ = l.streams.CloseWrite()
	within, cancel := context.WithTimeout(ctx, closeTime)
	defer cancel()
	select {
	case <-l.lost:
	case <-within.Done():
	}
	within, stop := brief(ctx)
	defer stop()
	if err := l.world.remove(within, l.id); err != nil {
		return fmt.Errorf("release system %s: %w", l.world.config.System, err)
	}
	return nil
}
