package docker

import (
	"context"

	"github.com/candor-chaos/candor/faults"
)

// AllowanceByHelper reads by a helper also where the control groups are in sight.
func AllowanceByHelper(ctx context.Context, w *World, id faults.Identity) (faults.Allowance, error) {
	return w.limit(ctx, id)
}
