package report

import (
	"fmt"

	"github.com/candor-chaos/candor/experiments"
)

// condition is something that a verdict rests on, with what shows it.
type condition struct{ Text, Tone string }

// conditionsOf says what the verdict rests on. It restates what was recorded and decides nothing.
func conditionsOf(run Run, t *tape, l timeline) []condition {
	var all []condition
	all = append(all, baselineCondition(run.Result, l))
	for _, f := range run.Result.Faults {
		all = append(all, faultCondition(f))
	}
	for _, j := range run.Plan.Journeys {
		for _, e := range j.Effects {
			all = append(all, truthCondition(t, j.Name, e.Name))
		}
	}
	if c, any := requiredCondition(run); any {
		all = append(all, c)
	}
	return all
}

func baselineCondition(r experiments.Result, l timeline) condition {
	requests, succeeded := 0, 0
	for _, b := range l.Buckets {
		if b.Phase == experiments.PhaseBaseline {
			requests += b.Requests
			succeeded += b.Succeeded
		}
	}
	for _, reason := range r.Reasons {
		if reason.Code == experiments.ReasonSickBaseline {
			return condition{"All was not well before the fault.", toneHole}
		}
	}
	if requests == 0 {
		return condition{"Nothing was measured before the fault.", toneHole}
	}
	return condition{fmt.Sprintf("Before the fault, %s of %s succeeded.", percent(succeeded, requests), count(requests, "request")), toneGood}
}

func faultCondition(f experiments.FaultResult) condition {
	name := "“" + word(f.Name) + "”"
	switch {
	case f.Effective.IsZero():
		return condition{name + " was never seen in force.", toneHole}
	case f.Hits == 0:
		return condition{name + " was in force and hit nothing.", toneHole}
	case f.Reverted.IsZero():
		return condition{name + " hit " + count(int(f.Hits), "request") + "; when it ended is not known.", toneBad}
	}
	return condition{fmt.Sprintf("%s was in force for %s and hit %s.", name, span(f.Reverted.Sub(f.Effective)), count(int(f.Hits), "request")), toneGood}
}

func truthCondition(t *tape, journey, effect string) condition {
	key := effectKey(journey, effect)
	what := "The truth of " + word(effect) + " (" + word(journey) + ")"
	read := t.truths[key]
	switch {
	case read == nil:
		return condition{what + " was not read.", toneHole}
	case read.rows == nil:
		return condition{what + " could not be read.", toneHole}
	case len(t.rounds[key]) < 2:
		return condition{what + " was read only once.", toneHole}
	}
	return condition{what + " was read twice after the fault.", toneGood}
}

func requiredCondition(run Run) (c condition, any bool) {
	verdicts := map[string]experiments.RuleVerdict{}
	for _, r := range run.Result.Rules {
		verdicts[r.ID] = r.Verdict
	}
	required, idle := 0, 0
	for _, p := range run.Plan.Rules {
		if !p.Required {
			continue
		}
		required++
		if v := verdicts[p.ID]; v != experiments.RulePass && v != experiments.RuleFail {
			idle++
		}
	}
	if idle > 0 {
		return condition{fmt.Sprintf("%d of %s said nothing.", idle, count(required, "required rule")), toneHole}, true
	}
	return condition{"Every required rule came up: " + count(required, "rule") + ".", toneGood}, required > 0
}
