package faulttest

import (
	"context"
	"time"

	"github.com/candor-chaos/candor/faults"
)

// End takes two calls, so that it can be half done: asked to end, and ended.
func (f *Fake) End(ctx context.Context, id faults.Identity, _ time.Duration) error {
	for _, ended := range []bool{false, true} {
		err := f.call(ctx, true, func() error {
			t, err := f.exactly(id)
			if err == nil {
				t.Ending, t.Running = !ended, !ended
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Ending looks at an ID.
func (f *Fake) Ending(ctx context.Context, id faults.Identity) (ending bool, err error) {
	err = f.call(ctx, false, func() error {
		t, err := f.byID(id)
		if err == nil {
			ending = t.Ending
		}
		return err
	})
	return ending, err
}
