package faults

import (
	"context"
	"errors"
	"fmt"
)

// Cut ends connections in the middle of what they say. To a user it is half a page, or an act of which nobody knows
// whether it was done. It needs a world that can route and impair.
var Cut = Kind{
	Name:    "cut",
	Doc:     "each connection from one service to another is closed after so much data",
	Example: "cut: {from: web, to: payments, after: 10KiB}",
	New:     func() Fault { return &cut{Direction: "down"} },
	Needs:   impairs,
	Reach:   func(f Fault) Reach { return f.(*cut).reach() },
}

type cut struct {
	impaired  `yaml:",inline"`
	After     Bytes  `yaml:"after" json:"after" doc:"as 10KiB, counted from when the fault begins"`
	Direction string `yaml:"direction" json:"direction" doc:"down (answers), up (requests) or both"`
}

// Validate names a wrong direction or a missing end.
func (c *cut) Validate() error {
	var wrong error
	if c.After == 0 {
		wrong = &FieldError{Field: "after", Msg: "is missing or zero", Hint: "such as 10KiB; 1B is the least"}
	}
	return errors.Join(c.check(), wrong, oneOf("direction", c.Direction, "down", "up", "both"))
}

// how counts each direction by itself.
func (c *cut) how() Impairment {
	return toxics("limit_data", map[string]any{"bytes": int64(c.After)}, streams(c.Direction)...)
}

// Suits refuses a dose that a world cannot give.
func (c *cut) Suits(w World) error { return c.suits(w, c.how()) }

func (c *cut) Prepare(ctx context.Context, w World) (string, error) {
	if err := c.prepare(ctx, w, "cut"); err != nil {
		return "", err
	}
	from, to := c.ends()
	what := fmt.Sprintf("%s of what %s answers", c.After, to)
	switch c.Direction {
	case "up":
		what = fmt.Sprintf("%s of what %s sends", c.After, from)
	case "both":
		what = fmt.Sprintf("%s either way", c.After)
	}
	return fmt.Sprintf("connections from %s to %s are closed after %s%s", from, to, what, c.extent()), nil
}

func (c *cut) Inject(ctx context.Context, w World) error { return c.inject(ctx, w, c.how()) }

func (c *cut) State(ctx context.Context, w World) (State, error) { return c.state(ctx, w, c.how()) }
