package faulttest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/candor-chaos/candor/faults"
)

// What a run and its guardian ask of a world beyond what faults do.

// Sweep removes nothing: a Fake makes no helpers.
func (f *Fake) Sweep(ctx context.Context, _ string, _ bool) error {
	return f.call(ctx, false, func() error { return nil })
}

// Survey finds what is broken.
func (f *Fake) Survey(ctx context.Context, _ string) (after faults.Aftermath, err error) {
	err = f.call(ctx, false, func() error {
		after.Left = f.broken()
		slices.Sort(after.Left)
		return nil
	})
	return after, err
}

// Close lets go of nothing.
func (f *Fake) Close(context.Context) error { return nil }

// Remember only asks.
func (f *Fake) Remember(ctx context.Context) error {
	return f.call(ctx, false, func() error { return nil })
}

// Memo is nothing: a Fake is opened again by whoever has it.
func (f *Fake) Memo() (json.RawMessage, error) { return json.RawMessage("{}"), nil }

// FakeLock is the right to work in a Fake.
type FakeLock struct {
	fake *Fake
	lost chan struct{}
}

// Lock takes the world, until Release or LoseLock.
func (f *Fake) Lock(ctx context.Context, _ time.Duration, _ string) (faults.Lock, error) {
	var l *FakeLock
	err := f.call(ctx, false, func() error {
		if f.lock != nil {
			return fmt.Errorf("the fake world: %w", faults.ErrBusy)
		}
		l = &FakeLock{fake: f, lost: make(chan struct{})}
		f.lock = l
		return nil
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

// LoseLock takes the lock away from whoever has it.
func (f *Fake) LoseLock() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lock != nil {
		close(f.lock.lost)
		f.lock = nil
	}
}

// Lost is closed by LoseLock.
func (l *FakeLock) Lost() <-chan struct{} { return l.lost }

// Release gives the world back.
func (l *FakeLock) Release(context.Context) error {
	l.fake.mu.Lock()
	defer l.fake.mu.Unlock()
	if l.fake.lock == l {
		l.fake.lock = nil
	}
	return nil
}
