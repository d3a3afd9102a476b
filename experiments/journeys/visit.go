package journeys

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// visit is one walk through the journey.
type visit struct {
	walker *Walker
	user   *user
	due    time.Time
	record experiments.Visit
	marker string         // of this visit's intent
	wanted bool           // the intent is in the history
	told   bool           // a claim was made
	began  time.Time      // when the intent was acted
	steps  map[string]any // what the steps so far brought
}

// act is one step as it is about to be taken.
type act struct {
	step    *experiments.Step
	name    string
	timeout time.Duration
	setup   bool
	intent  bool // the user's intent is this step
	lookup  bool // a doubter looks, and no visit depends on it
}

// rehearser is an action that can find out beforehand whether it can be acted.
type rehearser interface {
	Rehearse(vars experiments.Vars) error
}

// walk takes the steps in order and says why it stopped early; empty when it did not.
func (v *visit) walk(ctx context.Context) (stopped string, err error) {
	w := v.walker
	for name, brought := range v.user.steps {
		v.steps[name] = brought
	}
	if !v.user.settled {
		if stopped, err = v.settle(ctx); stopped != "" || err != nil {
			return stopped, err
		}
	}
	if w.planned.IntentStep != "" {
		if v.marker, err = w.config.Markers.Next(ctx); err != nil {
			if ctx.Err() != nil {
				return "the run ended before the first step", nil
			}
			return "", fmt.Errorf("reserve a marker: %w", err)
		}
	}
	for i := range w.journey.Steps {
		v.pass(ctx, i)
		a := act{step: &w.journey.Steps[i], name: v.name(i)}
		a.intent = a.name == w.planned.IntentStep
		a.timeout = v.timeout(a.step, i)
		if stopped, err = v.take(ctx, a); stopped != "" || err != nil {
			return stopped, err
		}
	}
	v.pass(ctx, len(w.journey.Steps))
	return "", nil
}

// pass waits at a boundary between two steps where somebody holds the visit.
func (v *visit) pass(ctx context.Context, step int) {
	if pass := v.walker.config.Pass; pass != nil {
		pass(ctx, v.record.Journey, v.record.ID, step, v.marker)
	}
}

// settle takes the steps that a user takes once. What they bring stays with the user.
func (v *visit) settle(ctx context.Context) (stopped string, err error) {
	for i := range v.walker.journey.Setup {
		step := &v.walker.journey.Setup[i]
		a := act{step: step, name: step.Name, timeout: v.timeout(step, -1), setup: true}
		if a.name == "" {
			a.name = fmt.Sprintf("setup %d", i+1)
		}
		if stopped, err = v.take(ctx, a); stopped != "" || err != nil {
			return stopped, err
		}
		v.user.steps[a.name] = v.steps[a.name]
	}
	v.user.settled = true
	return "", nil
}

func (v *visit) name(i int) string {
	if planned := v.walker.planned.Steps; i < len(planned) {
		return planned[i].Name
	}
	return v.walker.journey.Steps[i].Name
}

// timeout is when the client gives up: what the step says, else twice the final deadline.
func (v *visit) timeout(step *experiments.Step, i int) time.Duration {
	planned := v.walker.planned
	switch {
	case step.Timeout > 0:
		return step.Timeout
	case i >= 0 && i < len(planned.Steps) && planned.Steps[i].Timeout > 0:
		return planned.Steps[i].Timeout
	case planned.Deadlines.Final > 0:
		return 2 * planned.Deadlines.Final
	}
	return 2 * experiments.DefaultDeadlines().Final
}

// take takes one step: the intent goes to the history first, then the act, its exchanges, its claim.
func (v *visit) take(ctx context.Context, a act) (stopped string, err error) {
	if ctx.Err() != nil {
		return fmt.Sprintf("the run ended before step %q", a.name), nil
	}
	vars := v.sees()
	if r, ok := a.step.Action.(rehearser); ok {
		if err := r.Rehearse(vars); err != nil {
			return fmt.Sprintf("step %q cannot be acted: %v", a.name, err), nil
		}
	}
	if a.intent {
		if stopped, err = v.intend(a, vars); stopped != "" || err != nil {
			return stopped, err
		}
	}
	clicked := time.Now()
	if a.intent {
		v.began = clicked
	}
	all, err := v.press(ctx, a, vars)
	if err != nil {
		return "", err
	}
	stopped, heard, err := v.conclude(a, vars, all, clicked)
	if err == nil && a.intent && v.wanted {
		err = v.doubt(ctx, a, heard)
	}
	return stopped, err
}

// conclude writes down what came of a step and decides whether the visit goes on. Of several attempts each is written
// down, and each that was answered told the user something; the last one counts.
func (v *visit) conclude(a act, vars experiments.Vars, all []pressed, clicked time.Time) (stopped string, heard told, err error) {
	last := decisive(all)
	if p := all[last]; p.answer.Recorded {
		return v.concludePage(a, p.answer, vars.With(p.answer.Vars))
	}
	for i, p := range all {
		answer, seen := p.answer, vars.With(p.answer.Vars)
		why := v.expected(a, answer, seen)
		seq, err := v.exchanges(a, p, why == "", seen)
		if err != nil {
			return "", heard, err
		}
		speaks := a.step.Claims != nil || a.intent && !v.walker.claims || v.wanted && !v.told && why != ""
		if speaks && (i == last || answer.Answered) {
			said := hear(a.step.Claims, answer, seen, p.attempt, v.walker.config.Lexicon)
			if err := v.claimed(a, said, clicked, answer, seq); err != nil {
				return "", heard, err
			}
			heard = told{said.claim, answer.Exchanges[len(answer.Exchanges)-1].Ended, answer}
			if why == "" && said.claim != experiments.ClaimSuccess && said.claim != experiments.ClaimPending {
				why = fmt.Sprintf("step %q: the product said %s", a.name, said.claim)
			}
		}
		if i == last {
			if v.steps[a.name], stopped = v.extract(a, answer, seen); why != "" {
				stopped = why
			}
		}
	}
	return stopped, heard, nil
}

// sees is what templates and expressions of the next step see.
func (v *visit) sees() experiments.Vars {
	return v.walker.config.Plan.Exec.Vars.With(experiments.Vars{"marker": v.marker, "steps": v.steps,
		"visitor": map[string]string{"name": v.user.login.Name, "password": v.user.login.Password}})
}

// intend writes the intent down with what it wants to be true, before anything is sent.
func (v *visit) intend(a act, vars experiments.Vars) (stopped string, err error) {
	wants := map[string]string{}
	for _, effect := range v.walker.journey.Effects {
		if effect.Want.IsZero() {
			continue
		}
		value, err := effect.Want.Eval(vars)
		if err != nil {
			return fmt.Sprintf("step %q: what effect %q should be is not known: %v", a.name, effect.Name, err), nil
		}
		wants[effect.Name] = fmt.Sprint(value)
	}
	_, err = v.walker.config.Recorder.Append(experiments.Record{At: time.Now(), Intent: &experiments.Intent{Marker: v.marker,
		Journey: v.record.Journey, Step: a.name, User: v.record.User, Visitor: v.user.login.Name, Visit: v.record.ID, Wants: wants}})
	v.wanted = err == nil
	return "", err
}

// expected says why an answer is no success, beside what it claims: empty when it is one.
func (v *visit) expected(a act, answer experiments.Answer, seen experiments.Vars) string {
	last := answer.Exchanges[len(answer.Exchanges)-1]
	if !answer.Answered {
		return fmt.Sprintf("step %q: no answer (%s)", a.name, last.Trouble)
	}
	if a.step.Expect.IsZero() {
		if ok, _ := answer.Vars["ok"].(bool); !ok && a.step.Claims == nil {
			return fmt.Sprintf("step %q: status %d", a.name, last.Status)
		}
		return ""
	}
	holds, err := a.step.Expect.Holds(seen)
	if err != nil {
		return fmt.Sprintf("step %q: %v", a.name, err)
	}
	if !holds {
		return fmt.Sprintf("step %q: %s does not hold (status %d)", a.name, a.step.Expect.Source, last.Status)
	}
	return ""
}

// exchanges appends every hop of an attempt and returns the place of the last one.
func (v *visit) exchanges(a act, p pressed, expected bool, seen experiments.Vars) (seq int64, err error) {
	for i, e := range p.answer.Exchanges {
		e.Journey, e.Step, e.Setup = v.record.Journey, a.name, a.setup
		e.User, e.Visitor, e.Visit, e.Attempt = v.record.User, v.user.login.Name, v.record.ID, p.attempt
		e.By, e.Due, e.Service = experiments.ByPerson, v.due, v.walker.service(e.URL)
		if v.wanted && (a.intent || a.step.Claims != nil) {
			e.Marker = v.marker
		}
		if i == len(p.answer.Exchanges)-1 && p.answer.Answered {
			if !a.step.Expect.IsZero() && !a.lookup {
				e.Expect = &expected
			}
			e.Version = version(a.step.Version, seen)
		}
		if seq, err = v.walker.config.Recorder.Append(experiments.Record{At: e.Ended, Exchange: &e}); err != nil {
			return seq, err
		}
	}
	return seq, nil
}

// version is what an answer says of itself; nil where it says nothing, or no number.
func version(expr experiments.Expr, seen experiments.Vars) *float64 {
	if expr.IsZero() {
		return nil
	}
	value, err := expr.Eval(seen)
	if err != nil {
		return nil
	}
	n, err := strconv.ParseFloat(fmt.Sprint(value), 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		return nil
	}
	return &n
}

// claimed appends what the product told the user about the intent. Before there is an intent it can tell nothing of it.
func (v *visit) claimed(a act, said heard, clicked time.Time, answer experiments.Answer, seq int64) error {
	if !v.wanted {
		return nil
	}
	v.told = true
	final := answer.Exchanges[len(answer.Exchanges)-1].Ended
	_, err := v.walker.config.Recorder.Append(experiments.Record{At: final, Claim: &experiments.ClaimMade{Marker: v.marker,
		Journey: v.record.Journey, Step: a.name, Claim: said.claim, Effects: said.effects, By: said.by, Text: said.words,
		Also: said.also, Promise: said.promise, Clicked: clicked, Final: final, Exchange: seq}})
	return err
}

// extract keeps the answer for later steps, with the values that the journey names.
func (v *visit) extract(a act, answer experiments.Answer, seen experiments.Vars) (brought map[string]any, stopped string) {
	brought = map[string]any(answer.Vars.With(nil))
	if !answer.Answered {
		return brought, ""
	}
	for name, expr := range a.step.Extract {
		value, err := expr.Eval(seen)
		if err != nil {
			stopped = fmt.Sprintf("step %q: extract %s: %v", a.name, name, err)
			continue
		}
		brought[name] = value
	}
	return brought, stopped
}
