package faults

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Linger keeps connections from closing. Whoever waits for the end of an answer waits, and pools fill with what nobody
// uses any more. It needs a world that can route and impair.
var Linger = Kind{
	Name:    "linger",
	Doc:     "connections from one service to another that will not close: either end learns later that the other has gone",
	Example: "linger: {from: web, to: payments, delay: 10s}",
	New:     func() Fault { return new(linger) },
	Needs:   impairs,
	Reach:   func(f Fault) Reach { return f.(*linger).reach() },
}

type linger struct {
	impaired `yaml:",inline"`
	Delay    time.Duration `yaml:"delay" json:"delay" doc:"how much later a close arrives, as 10s"`
}

// Validate refuses what the proxy cannot count.
func (l *linger) Validate() error {
	var wrong error
	switch {
	case l.Delay == 0:
		wrong = &FieldError{Field: "delay", Msg: "is missing or zero", Hint: "such as 10s"}
	case l.Delay < time.Millisecond:
		wrong = &FieldError{Field: "delay", Msg: fmt.Sprintf("%s is less than a millisecond", l.Delay)}
	case l.Delay%time.Millisecond != 0:
		wrong = &FieldError{Field: "delay", Msg: fmt.Sprintf("%s is not a whole number of milliseconds", l.Delay)}
	}
	return errors.Join(l.check(), wrong)
}

func (l *linger) how() Impairment {
	return toxics("slow_close", map[string]any{"delay": l.Delay.Milliseconds()}, "upstream", "downstream")
}

// Suits refuses a dose that a world cannot give.
func (l *linger) Suits(w World) error { return l.suits(w, l.how()) }

func (l *linger) Prepare(ctx context.Context, w World) (string, error) {
	if err := l.prepare(ctx, w, "linger"); err != nil {
		return "", err
	}
	from, to := l.ends()
	return fmt.Sprintf("when %s or %s closes a connection between them, the other end learns of it %s later%s", from, to, l.Delay, l.extent()), nil
}

func (l *linger) Inject(ctx context.Context, w World) error { return l.inject(ctx, w, l.how()) }

func (l *linger) State(ctx context.Context, w World) (State, error) { return l.state(ctx, w, l.how()) }
