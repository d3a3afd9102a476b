package faults

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// Spike brings more users than usual. What a product refuses under load it must refuse honestly, and what it accepts must
// come true. It needs the world of the run's own traffic, which the engine hands in.
var Spike = Kind{
	Name:    "spike",
	Doc:     "the traffic of a journey grows to so many times of what it was: its rate, or its users",
	Example: "spike: {journey: browse, times: 10}",
	New:     func() Fault { return new(spike) },
	Needs:   Can[crowder],
	Reach:   func(f Fault) Reach { return Reach{Journey: f.(*spike).Journey} },
	World:   LoadWorld,
}

// LoadWorld is the name of the world that is the run's own traffic. It ends with its runner, and so does all that was
// made in it.
const LoadWorld = "load"

// mostTimes is more than one machine can offer of any traffic that is worth a test.
const mostTimes = 100

type spike struct {
	Journey string        `yaml:"journey" json:"journey" doc:"name of a journey that the experiment uses"`
	Times   float64       `yaml:"times" json:"times" doc:"of the usual traffic, as 10"`
	Ramp    time.Duration `yaml:"-" json:"ramp,omitempty"`
	Label   string        `yaml:"-" json:"label"`
}

// SpikeOn is a spike that candor itself makes, while a product recovers.
func SpikeOn(journey string, times float64) Fault { return &spike{Journey: journey, Times: times} }

// Validate names a missing journey, and times that are no spike.
func (s *spike) Validate() error {
	var times error
	switch {
	case s.Times == 0:
		times = &FieldError{Field: "times", Msg: "is missing or zero", Hint: "such as 10"}
	case !(s.Times > 1):
		times = &FieldError{Field: "times", Msg: fmt.Sprintf("%g times is no more traffic than usual", s.Times)}
	case s.Times > mostTimes:
		times = &FieldError{Field: "times", Msg: fmt.Sprintf("%g times is more than candor offers from one machine (%d)", s.Times, mostTimes)}
	}
	return errors.Join(required("journey", s.Journey), times)
}

// GrowOver lets the traffic grow for so long.
func (s *spike) GrowOver(ramp time.Duration) { s.Ramp = ramp }

func (s *spike) Prepare(ctx context.Context, w World) (string, error) {
	c, err := ask[crowder](w, "bring more users")
	if err != nil {
		return "", err
	}
	usual, err := c.Usual(ctx, s.Journey)
	if err != nil {
		return "", fmt.Errorf("look at the traffic of %s: %w", s.Journey, err)
	}
	if s.Label == "" {
		var random [8]byte
		rand.Read(random[:]) // never fails: it ends the program instead
		s.Label = "spike-" + hex.EncodeToString(random[:])
	}
	said := fmt.Sprintf("the traffic of %s is %g times as much as usual (%s)", s.Journey, s.Times, usual)
	if s.Ramp > 0 {
		said += fmt.Sprintf(", growing to that over %s", s.Ramp)
	}
	return said, nil
}

func (s *spike) Inject(ctx context.Context, w World) error {
	c, err := ask[crowder](w, "bring more users")
	if err != nil {
		return err
	}
	if err := c.Crowd(ctx, s.Journey, s.Label, Crowd{Times: s.Times, Ramp: s.Ramp}); err != nil {
		return fmt.Errorf("bring more users to %s: %w", s.Journey, err)
	}
	return nil
}

func (s *spike) State(ctx context.Context, w World) (State, error) {
	c, err := ask[crowder](w, "count its users")
	if err != nil {
		return Unknown, err
	}
	there, _, err := c.Crowded(ctx, s.Journey, s.Label)
	switch {
	case err != nil:
		return Unknown, fmt.Errorf("look at the traffic of %s: %w", s.Journey, err)
	case there:
		return Present, nil
	}
	return Absent, nil
}

// Revert lets the extra users go: they begin no further visit, and end those that they are on.
func (s *spike) Revert(ctx context.Context, w World) error {
	c, err := ask[crowder](w, "let users go")
	if err != nil {
		return err
	}
	if err := c.Disperse(ctx, s.Journey, s.Label); err != nil {
		return fmt.Errorf("let the extra users of %s go: %w", s.Journey, err)
	}
	return nil
}

// Hits counts the extra visits that began.
func (s *spike) Hits(ctx context.Context, w World) (int64, error) {
	c, err := ask[crowder](w, "count its users")
	if err != nil {
		return 0, err
	}
	_, visits, err := c.Crowded(ctx, s.Journey, s.Label)
	return visits, err
}
