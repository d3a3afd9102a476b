package faulttest

import (
	"context"
	"fmt"

	"github.com/candor-chaos/candor/faults"
)

// fakeAllowance is what each service of a Fake may have, and holds.
var fakeAllowance = faults.Allowance{Period: 100_000, Held: 8 << 20, Cores: 2}

// Allowance looks at exactly one incarnation.
func (f *Fake) Allowance(ctx context.Context, id faults.Identity) (a faults.Allowance, err error) {
	err = f.call(ctx, false, func() error {
		t, err := f.exactly(id)
		if err == nil {
			a = t.Allowed
		}
		return err
	})
	return a, err
}

// LimitCPU takes one call: one file is written.
func (f *Fake) LimitCPU(ctx context.Context, id faults.Identity, quota, period int64) error {
	return f.call(ctx, true, func() error {
		t, err := f.exactly(id)
		if err == nil {
			t.Allowed.Quota, t.Allowed.Period = quota, period
		}
		return err
	})
}

// LimitMemory refuses less than what is held.
func (f *Fake) LimitMemory(ctx context.Context, id faults.Identity, bytes int64) error {
	return f.call(ctx, true, func() error {
		t, err := f.exactly(id)
		if err == nil && bytes > 0 && bytes < t.Allowed.Held {
			err = fmt.Errorf("%s holds %d bytes", id.ID, t.Allowed.Held)
		}
		if err == nil {
			t.Allowed.Memory = bytes
		}
		return err
	})
}

// Allow sets what a service may have, as its owner would.
func (f *Fake) Allow(service string, a faults.Allowance) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.things[service].Allowed = a
}
