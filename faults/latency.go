package faults

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Latency makes a dependency slow for one of its callers. To a user it is the unclear loading state: did it work, is it
// still working, should I press again? It needs a world that can route and impair.
var Latency = Kind{
	Name:    "latency",
	Doc:     "a delay on the way from one service to another, on its requests (up), its answers (down) or both",
	Example: "latency: {from: web, to: payments, delay: 2s, jitter: 500ms}",
	New:     func() Fault { return &latency{Direction: "down"} },
	Needs:   impairs,
	Reach:   func(f Fault) Reach { return f.(*latency).reach() },
}

type latency struct {
	impaired  `yaml:",inline"`
	Delay     time.Duration `yaml:"delay" json:"delay"`
	Jitter    time.Duration `yaml:"jitter" json:"jitter"` // the delay is uniform between delay−jitter and delay+jitter
	Direction string        `yaml:"direction" json:"direction"`
}

// Validate refuses what the proxy would accept without a word: negative delays, and parts of a millisecond, which it
// cannot count.
func (l *latency) Validate() error {
	var wrong error
	switch {
	case l.Delay == 0:
		wrong = &FieldError{Field: "delay", Msg: "is missing or zero", Hint: "such as 2s"}
	case l.Delay < time.Millisecond:
		wrong = &FieldError{Field: "delay", Msg: fmt.Sprintf("%s is less than a millisecond", l.Delay)}
	case l.Delay%time.Millisecond != 0:
		wrong = &FieldError{Field: "delay", Msg: fmt.Sprintf("%s is not a whole number of milliseconds", l.Delay)}
	case l.Jitter%time.Millisecond != 0:
		wrong = &FieldError{Field: "jitter", Msg: fmt.Sprintf("%s is not a whole number of milliseconds", l.Jitter)}
	case l.Jitter < 0:
		wrong = &FieldError{Field: "jitter", Msg: fmt.Sprintf("%s is negative", l.Jitter)}
	case l.Jitter > l.Delay:
		wrong = &FieldError{Field: "jitter", Msg: fmt.Sprintf("%s is more than the delay of %s", l.Jitter, l.Delay)}
	}
	return errors.Join(l.check(), wrong, oneOf("direction", l.Direction, "down", "up", "both"))
}

func (l *latency) how() Impairment {
	return toxics("latency", map[string]any{"latency": l.Delay.Milliseconds(), "jitter": l.Jitter.Milliseconds()}, streams(l.Direction)...)
}

// Suits refuses a dose that a world cannot give.
func (l *latency) Suits(w World) error { return l.suits(w, l.how()) }

func (l *latency) Prepare(ctx context.Context, w World) (string, error) {
	if err := l.prepare(ctx, w, "latency"); err != nil {
		return "", err
	}
	much := l.Delay.String()
	if l.Jitter > 0 {
		much += " ± " + l.Jitter.String()
	}
	if l.Direction == "both" {
		return fmt.Sprintf("%s arrives %s later each way%s", l.traffic(l.Direction), much, l.growing()), nil
	}
	return fmt.Sprintf("%s arrives %s later%s", l.traffic(l.Direction), much, l.growing()), nil
}

func (l *latency) Inject(ctx context.Context, w World) error { return l.inject(ctx, w, l.how()) }

func (l *latency) State(ctx context.Context, w World) (State, error) { return l.state(ctx, w, l.how()) }
