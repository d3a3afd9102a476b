//go:build !linux

package process

import (
	"context"
	"errors"

	"github.com/candor-chaos/candor/faults"
)

// ErrElsewhere: what keeps services from outliving their runner is Linux's.
var ErrElsewhere = errors.New("the process runtime runs on Linux alone")

// World is none here.
type World struct{}

// Name is process.
func (*World) Name() string { return "process" }

// Find finds nothing here.
func (*World) Find(context.Context, string) (faults.Identity, error) {
	return faults.Identity{}, ErrElsewhere
}
