package faults

import (
	"context"
	"errors"
	"fmt"
)

// Memory lets a service have less memory. To a user it is the product that slows down and then, when it asks for more
// than it may have, dies in the middle of an action. It needs a world that can limit.
var Memory = Kind{
	Name:    "memory",
	Doc:     "a service may have less memory than it had, and dies when it asks for more",
	Example: "memory: {service: orders, limit: 64MiB}",
	New:     func() Fault { return new(memory) },
	Needs:   Can[limiter],
	Reach:   func(f Fault) Reach { return Reach{Services: []string{f.(*memory).Service}} },
	Whole:   "service",
}

type memory struct {
	limited `yaml:",inline"`
	Limit   Bytes `yaml:"limit" json:"limit" doc:"as 64MiB"`
}

// wholePages is a multiple of every size of page there is: the kernel cuts a limit to whole pages.
const wholePages = 64 << 10

// Validate refuses what is less than any process needs.
func (m *memory) Validate() error {
	var wrong error
	switch {
	case m.Limit == 0:
		wrong = &FieldError{Field: "limit", Msg: "is missing or zero", Hint: "such as 64MiB"}
	case m.Limit < 1<<20:
		wrong = &FieldError{Field: "limit", Msg: fmt.Sprintf("%s is less than 1MiB", m.Limit)}
	}
	return errors.Join(required("service", m.Service), wrong)
}

func (m *memory) bytes() int64 { return int64(m.Limit) / wholePages * wholePages }

// Prepare refuses a limit that would not bite, and one below what the service holds and cannot give back: writing that
// fails on one kernel and kills the service at once on another, which is what the fault kill is for.
func (m *memory) Prepare(ctx context.Context, w World) (string, error) {
	if err := m.prepare(ctx, w); err != nil {
		return "", err
	}
	had := "no limit"
	if m.Was.Memory > 0 {
		had = "at most " + Bytes(m.Was.Memory).String()
	}
	switch {
	case m.Was.Memory > 0 && m.bytes() >= m.Was.Memory:
		return "", fmt.Errorf("%s may have %s now: a limit of %s would not bite", called(w, m.ID), had, m.Limit)
	case m.bytes() <= m.Was.Held:
		return "", fmt.Errorf("%s holds %s of memory that cannot be taken back from it: a limit of %s cannot be kept",
			called(w, m.ID), mebibytes(m.Was.Held), m.Limit)
	}
	return fmt.Sprintf("%s may have at most %s of memory, and had %s; it holds %s now that cannot be taken back",
		called(w, m.ID), m.Limit, had, mebibytes(m.Was.Held)), nil
}

func mebibytes(n int64) string { return fmt.Sprintf("%.1fMiB", float64(n)/(1<<20)) }

func (m *memory) Inject(ctx context.Context, w World) error {
	l, err := ask[limiter](w, "limit")
	if err != nil {
		return err
	}
	if err := l.LimitMemory(ctx, m.ID, m.bytes()); err != nil {
		return fmt.Errorf("limit %s: %w", called(w, m.ID), err)
	}
	return nil
}

func (m *memory) ours(a Allowance) bool { return a.Memory == m.bytes() }

func (m *memory) State(ctx context.Context, w World) (State, error) { return m.state(ctx, w, m.ours) }

// Revert gives this incarnation back what it had.
func (m *memory) Revert(ctx context.Context, w World) error {
	return m.revert(ctx, w, m.ours, func(l limiter) error { return l.LimitMemory(ctx, m.ID, m.Was.Memory) })
}
