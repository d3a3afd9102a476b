package faulttest

import (
	"context"
	"fmt"

	"github.com/candor-chaos/candor/faults"
)

// Mislead takes one call. What is misled stays so through a restart.
func (f *Fake) Mislead(ctx context.Context, from faults.Identity, label string, m faults.Misnaming) error {
	return f.call(ctx, true, func() error {
		t, err := f.byID(from)
		if err == nil && !t.Running {
			err = fmt.Errorf("%s does not run", from.ID)
		}
		if err == nil {
			if t.Misnamings == nil {
				t.Misnamings = map[string]faults.Misnaming{}
			}
			t.Misnamings[label] = m
		}
		return err
	})
}

// Unmislead is content when nothing has the label.
func (f *Fake) Unmislead(ctx context.Context, from faults.Identity, label string) error {
	return f.call(ctx, true, func() error {
		if t, err := f.byID(from); err == nil {
			delete(t.Misnamings, label)
		}
		return nil
	})
}

// Misled looks at an ID.
func (f *Fake) Misled(ctx context.Context, from faults.Identity, label string) (s faults.State, err error) {
	err = f.call(ctx, false, func() error {
		s = faults.Absent
		if t, err := f.byID(from); err == nil {
			if _, there := t.Misnamings[label]; there {
				s = faults.Present
			}
		}
		return nil
	})
	return s, err
}

// Lookups counts nothing: nobody asks here.
func (f *Fake) Lookups(ctx context.Context, _ faults.Identity, _ string) (int64, error) {
	return 0, f.call(ctx, false, func() error { return nil })
}
