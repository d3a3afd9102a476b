package process

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/lock"
)

// Lock takes the system on this host, for at most so long. It fails with faults.ErrBusy while another has it.
func (w *World) Lock(ctx context.Context, longest time.Duration, holder string) (faults.Lock, error) {
	return lock.Take(ctx, w.config.System, w.config.Run, longest, holder)
}

// Remember keeps nothing: before a run there are no services, and afterwards there are none.
func (w *World) Remember(context.Context) error { return nil }

// Memo is what opens this world again, to mend.
func (w *World) Memo() (json.RawMessage, error) { return json.Marshal(w.config) }

// Survey looks at what is there after a run, or of any other run of the system when run is empty: processes that carry
// its mark, and in the world that started them what stands frozen or impaired. Its own services run until Close, which
// looks for itself.
func (w *World) Survey(ctx context.Context, run string) (after faults.Aftermath, err error) {
	found, err := marked(func(p proc) bool {
		if run == "" {
			return p.system == w.config.System && p.run != w.config.Run
		}
		return p.run == run && (w.mends || run != w.config.Run)
	})
	if err != nil {
		return after, err
	}
	for _, p := range found {
		after.Left = append(after.Left, fmt.Sprintf("process %d of service %q (run %q)", p.pid, p.service, p.run))
	}
	if w.mends || run != w.config.Run || !w.up {
		return after, nil
	}
	for name, s := range w.services {
		p, err := w.own(s)
		switch {
		case err != nil:
			return after, err
		case p.pid == 0:
			after.Changed = append(after.Changed, fmt.Sprintf("service %s does not run any more", name))
		case p.frozen():
			after.Left = append(after.Left, fmt.Sprintf("service %s (process %d) is frozen", name, p.pid))
		}
	}
	for _, f := range w.fronts {
		f.work.Lock()
		f.mu.Lock()
		for name := range f.blocks {
			after.Left = append(after.Left, fmt.Sprintf("path %s is blocked by %s", f.path, name))
		}
		f.mu.Unlock()
		if f.line != nil {
			after.Left = append(after.Left, fmt.Sprintf("path %s is interposed", f.path))
		}
		f.work.Unlock()
	}
	slices.Sort(after.Left)
	slices.Sort(after.Changed)
	return after, ctx.Err()
}

// sweepTime is how long what was killed may take to be gone.
const sweepTime = 5 * time.Second

// Sweep kills every process of a run, until none is left: what one of them starts meanwhile carries the mark too. What
// this world itself has started is as wanted until Close, and is to be looked at as it stands.
func (w *World) Sweep(ctx context.Context, run string, _ bool) error {
	w.mu.Lock()
	serves := !w.mends && !w.ending
	w.mu.Unlock()
	if serves && run == w.config.Run {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, sweepTime, fmt.Errorf("processes of run %s do not die", run))
	defer cancel()
	for {
		found, err := marked(func(p proc) bool { return p.run == run })
		if err != nil || len(found) == 0 {
			return err
		}
		for _, p := range found {
			if err := p.signal(unix.SIGKILL); err != nil {
				return err
			}
		}
		if err := rest(ctx, pollEvery); err != nil {
			return err
		}
	}
}

// rest waits, and returns why it could not.
func rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
