package faulttest

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-chaos/candor/faults"
)

// Route knows the ports of the shop.
func (f *Fake) Route(ctx context.Context, from, to string) (p faults.Path, err error) {
	service, port, named := strings.Cut(to, ":")
	err = f.call(ctx, false, func() error {
		target, ok := f.things[service]
		if _, known := f.things[from]; !ok || !known {
			return fmt.Errorf("no way from %s to %s: %w", from, to, faults.ErrNotFound)
		}
		p = faults.Path{From: from, To: service, Port: target.Ports[0]}
		if named {
			p.Port, err = strconv.Atoi(port)
			return err
		}
		if len(target.Ports) > 1 {
			return fmt.Errorf("%s has several ports: %w", service, faults.ErrAmbiguous)
		}
		return nil
	})
	return p, err
}

// Interpose takes two calls, so that it can be half done.
func (f *Fake) Interpose(ctx context.Context, p faults.Path, from faults.Identity) error {
	for half := 1; half <= 2; half++ {
		err := f.call(ctx, true, func() error {
			t, err := f.byID(from)
			if err == nil {
				t.Redirects[p.Key()] = max(t.Redirects[p.Key()], half)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Withdraw leaves alone what is not the from that was meant.
func (f *Fake) Withdraw(ctx context.Context, p faults.Path, from faults.Identity) error {
	return f.call(ctx, true, func() error {
		if t, err := f.byID(from); err == nil {
			delete(t.Redirects, p.Key())
		}
		return nil
	})
}

// Interposed looks at the from that was meant.
func (f *Fake) Interposed(ctx context.Context, p faults.Path, from faults.Identity) (s faults.State, err error) {
	err = f.call(ctx, false, func() error {
		s = faults.Absent
		if t, err := f.byID(from); err == nil {
			s = [...]faults.State{faults.Absent, faults.Partial, faults.Present}[t.Redirects[p.Key()]]
		}
		return nil
	})
	return s, err
}

// Impair takes one call for a block and one for each toxic. The path has to be interposed.
func (f *Fake) Impair(ctx context.Context, p faults.Path, name string, i faults.Impairment) error {
	for n := range max(1, len(i.Toxics)) {
		err := f.call(ctx, true, func() error {
			t, ok := f.things[p.From]
			if !ok {
				return fmt.Errorf("no service %s: %w", p.From, faults.ErrNotFound)
			}
			if t.Redirects[p.Key()] < 2 {
				return fmt.Errorf("%s is not interposed", p)
			}
			done := i
			if len(i.Toxics) > 0 {
				done.Toxics = i.Toxics[:n+1]
			}
			t.Impairments[name] = done
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// BlocksInPart says that its blocks have shares and flaps.
func (f *Fake) BlocksInPart() {}

// AnswersHTTP says that it takes replies.
func (f *Fake) AnswersHTTP() {}

// Unimpair takes one call, and is content when nothing has the name.
func (f *Fake) Unimpair(ctx context.Context, p faults.Path, name string) error {
	return f.call(ctx, true, func() error {
		if t, ok := f.things[p.From]; ok {
			delete(t.Impairments, name)
		}
		return nil
	})
}

// Impaired compares what there is with what was meant.
func (f *Fake) Impaired(ctx context.Context, p faults.Path, name string, i faults.Impairment) (s faults.State, err error) {
	err = f.call(ctx, false, func() error {
		s = faults.Absent
		if t, ok := f.things[p.From]; ok {
			if have, ok := t.Impairments[name]; ok {
				s = faults.Partial
				if cmp.Equal(have, i) {
					s = faults.Present
				}
			}
		}
		return nil
	})
	return s, err
}

// Impacts counts nothing: no traffic passes here.
func (f *Fake) Impacts(ctx context.Context, p faults.Path, name string) (int64, error) {
	return 0, f.call(ctx, false, func() error { return nil })
}

// Kill ends exactly this incarnation; a crash begins the next one where Restarts says so.
func (f *Fake) Kill(ctx context.Context, id faults.Identity, signal string, crash bool) error {
	return f.call(ctx, true, func() error {
		t, err := f.exactly(id)
		if err != nil {
			return err
		}
		t.Running, t.Paused = false, false
		if f.Restarts && crash {
			f.bear(t)
		}
		return nil
	})
}

// Start begins a new incarnation of what does not run.
func (f *Fake) Start(ctx context.Context, id faults.Identity) error {
	return f.call(ctx, true, func() error {
		t, err := f.byID(id)
		if err == nil && !t.Running {
			f.bear(t)
		}
		return err
	})
}

// Incarnation is the present identity of an ID.
func (f *Fake) Incarnation(ctx context.Context, id faults.Identity) (now faults.Identity, running bool, err error) {
	err = f.call(ctx, false, func() error {
		t, err := f.byID(id)
		if err == nil {
			now, running = t.ID, t.Running
		}
		return err
	})
	return now, running, err
}

// Pause refuses what is paused.
func (f *Fake) Pause(ctx context.Context, id faults.Identity) error { return f.freeze(ctx, id, true) }

// Unpause leaves alone what is not paused.
func (f *Fake) Unpause(ctx context.Context, id faults.Identity) error {
	return f.freeze(ctx, id, false)
}

func (f *Fake) freeze(ctx context.Context, id faults.Identity, paused bool) error {
	return f.call(ctx, true, func() error {
		t, err := f.exactly(id)
		if err == nil && paused && t.Paused {
			err = fmt.Errorf("%s: paused already", id.ID)
		}
		if err == nil {
			t.Paused = paused
		}
		return err
	})
}

// Paused looks at an ID.
func (f *Fake) Paused(ctx context.Context, id faults.Identity) (paused bool, err error) {
	err = f.call(ctx, false, func() error {
		t, err := f.byID(id)
		if err == nil {
			paused = t.Paused
		}
		return err
	})
	return paused, err
}
