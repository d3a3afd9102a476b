package faults

import (
	"context"
	"errors"
	"fmt"
)

// Outage makes a dependency unreachable for one of its callers. To a user it is the plainest of all failures: the page
// waits or fails at once, and must say so. It needs a world that can route and impair.
var Outage = Kind{
	Name:    "outage",
	Doc:     "no connection from one service to another, or none that answers: refuse, blackhole, reset or hang",
	Example: "outage: {from: web, to: payments, mode: refuse}",
	New:     func() Fault { return &outage{Mode: "refuse"} },
	Needs:   impairs,
	Reach:   func(f Fault) Reach { return f.(*outage).reach() },
}

type outage struct {
	impaired `yaml:",inline"`
	Mode     string `yaml:"mode" json:"mode"`
}

// Validate names a wrong mode or a missing end.
func (o *outage) Validate() error {
	return errors.Join(o.check(), oneOf("mode", o.Mode, "refuse", "blackhole", "reset", "hang"))
}

// how lets hang act on both streams: a dependency that greets first (a database, a mail server) must not get its greeting
// through, and an answer that was under way when it broke never arrives. reset is a block and not the toxic of that name,
// which closes connections that were open before in good order, and leaks two goroutines for each.
func (o *outage) how() Impairment {
	if o.Mode == "hang" {
		return toxics("timeout", map[string]any{"timeout": 0}, "upstream", "downstream")
	}
	return Impairment{Block: o.Mode}
}

// Suits refuses a mode that a world cannot carry out.
func (o *outage) Suits(w World) error { return o.suits(w, o.how()) }

func (o *outage) Prepare(ctx context.Context, w World) (string, error) {
	if err := o.prepare(ctx, w, "outage"); err != nil {
		return "", err
	}
	from, to := o.ends()
	return broken(o.Mode, from, to) + o.extent(), nil
}

// broken says what a mode does to the connections from one service to another.
func broken(mode, from, to string) string {
	switch mode {
	case "blackhole":
		return fmt.Sprintf("packets from %s to %s are dropped without an answer", from, to)
	case "reset":
		return fmt.Sprintf("connections from %s to %s are accepted, and reset as soon as anything is sent", from, to)
	case "hang":
		return fmt.Sprintf("connections from %s to %s are accepted and never answered", from, to)
	}
	return fmt.Sprintf("connections from %s to %s are refused with a TCP reset", from, to)
}

func (o *outage) Inject(ctx context.Context, w World) error { return o.inject(ctx, w, o.how()) }

func (o *outage) State(ctx context.Context, w World) (State, error) { return o.state(ctx, w, o.how()) }
