package faults

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Flap lets a dependency come and go. Retries, caches and circuit breakers that stand one long outage may not stand many
// short ones, and to a user it is the act that works the second time, or happens twice. It needs a world that can route,
// impair, and let a block come and go by itself.
var Flap = Kind{
	Name:    "flap",
	Doc:     "outage, whole, outage … between two services, beginning with an outage: refuse, blackhole or reset",
	Example: "flap: {from: web, to: payments, down: 2s, up: 3s, mode: refuse}",
	New:     func() Fault { return &flap{Mode: "refuse"} },
	Needs:   func(w World) bool { return impairs(w) && Can[blocker](w) },
	Reach:   func(f Fault) Reach { return f.(*flap).reach() },
}

type flap struct {
	impaired `yaml:",inline"`
	Down     time.Duration `yaml:"down" json:"down" doc:"how long each outage lasts, as 2s"`
	Up       time.Duration `yaml:"up" json:"up" doc:"how long the path is whole in between, as 3s"`
	Mode     string        `yaml:"mode" json:"mode" doc:"refuse, blackhole or reset"`
}

// quickest is the shortest half: the agent's clock ticks twice in it.
const quickest = 100 * time.Millisecond

// Validate refuses halves that the agent cannot keep.
func (f *flap) Validate() error {
	half := func(field string, d time.Duration) error {
		switch {
		case d == 0:
			return &FieldError{Field: field, Msg: "is missing or zero", Hint: "such as 2s"}
		case d < quickest:
			return &FieldError{Field: field, Msg: fmt.Sprintf("%s is less than %s", d, quickest)}
		case d%time.Millisecond != 0:
			return &FieldError{Field: field, Msg: fmt.Sprintf("%s is not a whole number of milliseconds", d)}
		}
		return nil
	}
	return errors.Join(f.check(), half("down", f.Down), half("up", f.Up), oneOf("mode", f.Mode, "refuse", "blackhole", "reset"))
}

func (f *flap) how() Impairment {
	return Impairment{Block: f.Mode, Flap: &Flapping{Down: f.Down.Milliseconds(), Up: f.Up.Milliseconds()}}
}

// Suits refuses a dose that a world cannot give.
func (f *flap) Suits(w World) error { return f.suits(w, f.how()) }

func (f *flap) Prepare(ctx context.Context, w World) (string, error) {
	if err := f.prepare(ctx, w, "flap"); err != nil {
		return "", err
	}
	from, to := f.ends()
	return fmt.Sprintf("%s for %s, then not for %s, and so on%s", broken(f.Mode, from, to), f.Down, f.Up, f.extent()), nil
}

func (f *flap) Inject(ctx context.Context, w World) error { return f.inject(ctx, w, f.how()) }

func (f *flap) State(ctx context.Context, w World) (State, error) { return f.state(ctx, w, f.how()) }
