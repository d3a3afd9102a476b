package faults

import (
	"context"
	"errors"
	"fmt"
)

// Slow narrows the way between two services. To a user it is the page that comes in pieces, and the upload whose bar
// creeps: is it still working? It needs a world that can route and impair.
var Slow = Kind{
	Name:    "slow",
	Doc:     "a limit to how much data passes in a second, on each connection from one service to another",
	Example: "slow: {from: web, to: payments, rate: 64KiB/s}",
	New:     func() Fault { return &slow{Direction: "both"} },
	Needs:   impairs,
	Reach:   func(f Fault) Reach { return f.(*slow).reach() },
}

type slow struct {
	impaired  `yaml:",inline"`
	Rate      Rate   `yaml:"rate" json:"rate" doc:"as 64KiB/s, for each connection and each way"`
	Direction string `yaml:"direction" json:"direction" doc:"down (answers), up (requests) or both"`
}

// leastRate keeps a fault from being an outage in disguise: below it not even the head of a request passes in a minute.
const leastRate = 10

// Validate refuses a rate that is none.
func (s *slow) Validate() error {
	var wrong error
	switch {
	case s.Rate == 0:
		wrong = &FieldError{Field: "rate", Msg: "is missing or zero", Hint: "such as 64KiB/s; an outage lets nothing pass"}
	case s.Rate < leastRate:
		wrong = &FieldError{Field: "rate", Msg: fmt.Sprintf("%s is less than %dB/s", s.Rate, leastRate), Hint: "an outage of mode hang lets nothing pass"}
	}
	return errors.Join(s.check(), wrong, oneOf("direction", s.Direction, "down", "up", "both"))
}

// how gives the rate twice: a Toxiproxy counts in whole thousands of bytes a second, candor's own agent in bytes.
func (s *slow) how() Impairment {
	return toxics("bandwidth", map[string]any{"rate": max(1, (int64(s.Rate)+500)/1000), "bytes": int64(s.Rate)}, streams(s.Direction)...)
}

// Suits refuses a dose that a world cannot give.
func (s *slow) Suits(w World) error { return s.suits(w, s.how()) }

func (s *slow) Prepare(ctx context.Context, w World) (string, error) {
	if err := s.prepare(ctx, w, "slow"); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s passes at no more than %s on each connection%s", s.traffic(s.Direction), s.Rate, s.growing()), nil
}

func (s *slow) Inject(ctx context.Context, w World) error { return s.inject(ctx, w, s.how()) }

func (s *slow) State(ctx context.Context, w World) (State, error) { return s.state(ctx, w, s.how()) }
