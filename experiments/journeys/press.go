package journeys

import (
	"context"
	"fmt"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// pressed is one attempt of a person at a step, and what came of it.
type pressed struct {
	attempt int
	answer  experiments.Answer
	err     error
}

// press acts a step as the persona does: once, twice at once, or again while nothing has come. Each attempt sends the
// same, tokens and marker and all. Those that are out are all waited for, and come back in the order of their answers: a
// person who presses again leaves the first request behind, but the product does not.
func (v *visit) press(ctx context.Context, a act, vars experiments.Vars) ([]pressed, error) {
	acts := v.walker.planned.Acts
	at, more := 1, 0
	switch {
	case a.setup:
	case a.intent:
		more = acts.Presses
		if acts.Twice {
			at = 2
		}
	case acts.Reloads && a.step.Action != nil && !a.step.Action.Changes():
		more = acts.Presses
	}
	done := make(chan pressed, at+more)
	sent := 0
	send := func() {
		sent++
		attempt := sent
		go func() {
			answer, err := v.user.surface.Do(context.WithoutCancel(ctx), v.act(a, vars, attempt))
			done <- pressed{attempt, answer, err}
		}()
	}
	for range at {
		send()
	}
	var patience <-chan time.Time
	if more > 0 {
		ticker := time.NewTicker(acts.Again)
		defer ticker.Stop()
		patience = ticker.C
	}
	var all []pressed
	for len(all) < sent {
		select {
		case p := <-done:
			all, patience = append(all, p), nil // something happened
		case <-patience:
			if more--; more == 0 || ctx.Err() != nil {
				patience = nil
			}
			if ctx.Err() == nil {
				send()
			}
		}
	}
	for _, p := range all {
		if p.err != nil {
			return nil, fmt.Errorf("step %q: %w", a.name, p.err)
		}
	}
	return all, nil
}

// act is one attempt as a surface is told of it. After an intent that is made by another step than its claims, all that
// a page says until then speaks of it.
func (v *visit) act(a act, vars experiments.Vars, attempt int) experiments.Act {
	made := experiments.Act{Action: a.step.Action, Vars: vars, Timeout: a.timeout, Visit: v.record.ID, Step: a.name, Attempt: attempt,
		Setup: a.setup, Claims: a.step.Claims, Final: v.walker.planned.Deadlines.Final}
	made.Speaks = v.wanted && !a.lookup && (a.step.Claims != nil || a.intent && !v.walker.claims)
	if v.wanted {
		made.Marker = v.marker
	}
	return made
}

// decisive is the place of the attempt that a person goes by: the last that was answered, or the last of all.
func decisive(all []pressed) int {
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].answer.Answered {
			return i
		}
	}
	return len(all) - 1
}
