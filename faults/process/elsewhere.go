//go:build !linux

package process

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/candor-chaos/candor/faults"
)

// ErrElsewhere: what keeps services from outliving their runner is Linux's.
var ErrElsewhere = errors.New("the process runtime runs on Linux alone")

// World is none here.
type World struct{}

// Open opens nothing here.
func Open(context.Context, Config, Options) (*World, error) { return nil, ErrElsewhere }

// Name is process.
func (*World) Name() string { return "process" }

// Config is empty here.
func (*World) Config() Config { return Config{} }

// Find finds nothing here.
func (*World) Find(context.Context, string) (faults.Identity, error) {
	return faults.Identity{}, ErrElsewhere
}

// Lock takes nothing here.
func (*World) Lock(context.Context, time.Duration, string) (faults.Lock, error) {
	return nil, ErrElsewhere
}

// Remember remembers nothing here.
func (*World) Remember(context.Context) error { return ErrElsewhere }

// Memo is nothing here.
func (*World) Memo() (json.RawMessage, error) { return nil, ErrElsewhere }

// Survey finds nothing here.
func (*World) Survey(context.Context, string) (faults.Aftermath, error) {
	return faults.Aftermath{}, ErrElsewhere
}

// Sweep removes nothing here.
func (*World) Sweep(context.Context, string, bool) error { return ErrElsewhere }

// Close closes nothing here.
func (*World) Close(context.Context) error { return nil }
