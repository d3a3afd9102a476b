package faults

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// CPU lets a service have less processor time. To a user it is the product that answers everything, late. It needs a
// world that can limit.
var CPU = Kind{
	Name:    "cpu",
	Doc:     "a service gets less processor time than it had",
	Example: "cpu: {service: orders, cores: 0.2}",
	New:     func() Fault { return new(cpu) },
	Needs:   Can[limiter],
	Reach:   func(f Fault) Reach { return Reach{Services: []string{f.(*cpu).Service}} },
	Whole:   "service",
}

type cpu struct {
	limited `yaml:",inline"`
	Cores   float64 `yaml:"cores" json:"cores" doc:"as 0.5"`
}

// leastQuota is the smallest that the kernel takes, in microseconds.
const leastQuota = 1000

// Validate refuses what the kernel would.
func (c *cpu) Validate() error {
	var wrong error
	switch {
	case c.Cores == 0:
		wrong = &FieldError{Field: "cores", Msg: "is missing or zero", Hint: "such as 0.5; 0.01 is the least"}
	case math.IsNaN(c.Cores) || c.Cores < 0.01 || c.Cores > 4096:
		wrong = &FieldError{Field: "cores", Msg: fmt.Sprintf("%v is not a number of cores from 0.01 to 4096", c.Cores)}
	}
	return errors.Join(required("service", c.Service), wrong)
}

// quota is the limit as the kernel counts it. The period stays what it was.
func (c *cpu) quota() int64 {
	return max(leastQuota, int64(math.Round(c.Cores*float64(c.Was.Period))))
}

// Prepare refuses a limit that would not bite: a fault that changes nothing proves nothing.
func (c *cpu) Prepare(ctx context.Context, w World) (string, error) {
	if err := c.prepare(ctx, w); err != nil {
		return "", err
	}
	had := c.Was.Cores
	if c.Was.Quota > 0 {
		had = min(had, float64(c.Was.Quota)/float64(c.Was.Period))
	}
	if c.Cores >= had {
		return "", fmt.Errorf("%s has %.4g cores now: a limit of %.4g would not bite", called(w, c.ID), had, c.Cores)
	}
	return fmt.Sprintf("%s gets at most %.4g cores of processor time, and had %.4g", called(w, c.ID), c.Cores, had), nil
}

func (c *cpu) Inject(ctx context.Context, w World) error {
	m, err := ask[limiter](w, "limit")
	if err != nil {
		return err
	}
	if err := m.LimitCPU(ctx, c.ID, c.quota(), c.Was.Period); err != nil {
		return fmt.Errorf("limit %s: %w", called(w, c.ID), err)
	}
	return nil
}

func (c *cpu) ours(a Allowance) bool { return a.Quota == c.quota() && a.Period == c.Was.Period }

func (c *cpu) State(ctx context.Context, w World) (State, error) { return c.state(ctx, w, c.ours) }

// Revert gives this incarnation back what it had.
func (c *cpu) Revert(ctx context.Context, w World) error {
	return c.revert(ctx, w, c.ours, func(m limiter) error { return m.LimitCPU(ctx, c.ID, c.Was.Quota, c.Was.Period) })
}
