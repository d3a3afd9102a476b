package process

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/candor-chaos/candor/faults"
)

// frozenWithin is for a stopped process to stand still.
const frozenWithin = time.Second

// group signals every process of a service's group.
func (w *World) group(ctx context.Context, id faults.Identity, sig unix.Signal) error {
	if err := w.exactly(ctx, id); err != nil {
		return err
	}
	if w.mends {
		p, err := w.leader(id.Service)
		if err != nil || p.pid == 0 {
			return err
		}
		return p.signal(sig)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.services[id.Service]
	if s == nil || s.pid == 0 {
		return nil
	}
	if err := unix.Kill(-s.pid, sig); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("send %s to %s: %w", unix.SignalName(sig), id.Service, err)
	}
	return nil
}

// Pause freezes exactly this incarnation, with all of its processes. The kernel stops a process some time after it was
// told to, on a busy machine later than the next look, so this waits for it. A longer wait ends without an error: a look
// tells.
func (w *World) Pause(ctx context.Context, id faults.Identity) error {
	if err := w.group(ctx, id, unix.SIGSTOP); err != nil {
		return err
	}
	p, err := w.leader(id.Service)
	for ends := time.Now().Add(frozenWithin); err == nil && p.pid != 0 && p.lives() && !p.frozen() && time.Now().Before(ends); {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(time.Millisecond):
		}
		p, err = w.leader(id.Service)
	}
	return err
}

// Unpause thaws exactly this incarnation.
func (w *World) Unpause(ctx context.Context, id faults.Identity) error {
	return w.group(ctx, id, unix.SIGCONT)
}

// Paused looks whether exactly this incarnation is frozen.
func (w *World) Paused(ctx context.Context, id faults.Identity) (bool, error) {
	if err := w.exactly(ctx, id); err != nil {
		return false, err
	}
	p, err := w.leader(id.Service)
	return p.pid != 0 && p.frozen(), err
}
