package faults

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Trickle tears what passes into tiny pieces that come one by one. It finds the client that takes one read for a whole
// answer, and the timeout that starts anew with every byte. It needs a world that can route and impair.
var Trickle = Kind{
	Name:    "trickle",
	Doc:     "what passes from one service to another comes in many tiny pieces, with a gap after each",
	Example: "trickle: {from: web, to: payments, size: 16B, gap: 50ms}",
	New:     func() Fault { return &trickle{Direction: "down"} },
	Needs:   impairs,
	Reach:   func(f Fault) Reach { return f.(*trickle).reach() },
}

type trickle struct {
	impaired  `yaml:",inline"`
	Size      Bytes         `yaml:"size" json:"size" doc:"of a piece, as 16B"`
	Gap       time.Duration `yaml:"gap" json:"gap" doc:"between two pieces, as 50ms"`
	Direction string        `yaml:"direction" json:"direction" doc:"down (answers), up (requests) or both"`
}

// longestGap is the longest pause between two pieces: what waits longer is an outage of mode hang.
const longestGap = time.Minute

// mostPiece is the largest piece: the proxy never hands on more at once, so that nothing larger would be torn.
const mostPiece = 32 << 10

// Validate refuses pieces of nothing, and gaps that the proxy cannot keep.
func (t *trickle) Validate() error {
	var size, gap error
	switch {
	case t.Size == 0:
		size = &FieldError{Field: "size", Msg: "is missing or zero", Hint: "such as 16B"}
	case t.Size > mostPiece:
		size = &FieldError{Field: "size", Msg: fmt.Sprintf("%s is more than %s, and would tear nothing", t.Size, Bytes(mostPiece))}
	}
	switch {
	case t.Gap == 0:
		gap = &FieldError{Field: "gap", Msg: "is missing or zero", Hint: "such as 50ms"}
	case t.Gap < time.Millisecond:
		gap = &FieldError{Field: "gap", Msg: fmt.Sprintf("%s is less than a millisecond", t.Gap)}
	case t.Gap > longestGap:
		gap = &FieldError{Field: "gap", Msg: fmt.Sprintf("%s is more than %s", t.Gap, longestGap)}
	case t.Gap%time.Millisecond != 0:
		gap = &FieldError{Field: "gap", Msg: fmt.Sprintf("%s is not a whole number of milliseconds", t.Gap)}
	}
	return errors.Join(t.check(), size, gap, oneOf("direction", t.Direction, "down", "up", "both"))
}

// how writes the gap in millionths of a second, as Toxiproxy counts it.
func (t *trickle) how() Impairment {
	return toxics("slicer", map[string]any{"average_size": int64(t.Size), "size_variation": 0, "delay": t.Gap.Microseconds()}, streams(t.Direction)...)
}

// Suits refuses a dose that a world cannot give.
func (t *trickle) Suits(w World) error { return t.suits(w, t.how()) }

func (t *trickle) Prepare(ctx context.Context, w World) (string, error) {
	if err := t.prepare(ctx, w, "trickle"); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s comes in pieces of %s, %s apart%s", t.traffic(t.Direction), t.Size, t.Gap, t.extent()), nil
}

func (t *trickle) Inject(ctx context.Context, w World) error { return t.inject(ctx, w, t.how()) }

func (t *trickle) State(ctx context.Context, w World) (State, error) { return t.state(ctx, w, t.how()) }
