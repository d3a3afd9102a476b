package faulttest

import (
	"context"

	"github.com/candor-chaos/candor/faults"
)

// Usual knows every journey.
func (f *Fake) Usual(ctx context.Context, _ string) (string, error) {
	return "4 users", f.call(ctx, false, func() error { return nil })
}

// Crowd takes one call.
func (f *Fake) Crowd(ctx context.Context, journey, label string, c faults.Crowd) error {
	return f.call(ctx, true, func() error {
		if f.crowds == nil {
			f.crowds = map[string]faults.Crowd{}
		}
		f.crowds[journey+" by "+label] = c
		return nil
	})
}

// Disperse is content when nothing has the label.
func (f *Fake) Disperse(ctx context.Context, journey, label string) error {
	return f.call(ctx, true, func() error {
		delete(f.crowds, journey+" by "+label)
		return nil
	})
}

// Crowded counts no visits: nobody walks here.
func (f *Fake) Crowded(ctx context.Context, journey, label string) (there bool, visits int64, err error) {
	err = f.call(ctx, false, func() error {
		_, there = f.crowds[journey+" by "+label]
		return nil
	})
	return there, 0, err
}
