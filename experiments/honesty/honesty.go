// Package honesty judges a run. What was broken, what the product said and what later turned out to be true are three
// separate records; a lie is a contradiction between them.
//
//	Plan + History ──▶ evidence (indexed once) ──▶ ledger ──▶ occasions of each rule ──▶ fold ──▶ Result
//
// Judge is a pure function: no clock, no I/O, no chance. The same history gives the same result, byte for byte, so any old
// run can be judged again. A rule is one function over the evidence that returns its occasions; one that found nothing to
// look at returns none, and folds to not-exercised, never to pass.
//
// To add a rule write a function returning a Rule in the file of its family and list it in All.
package honesty

import (
	"fmt"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/standards"
)

// Judge says what a run has shown. It never fails: what cannot be judged is unproven or unverifiable, with the reason.
func Judge(plan *experiments.Plan, h experiments.History) experiments.Result {
	e := gather(plan, h)
	l := e.reckon()
	sheets := judgeRules(e)
	expectations := expect(e)
	result := experiments.Result{
		Schema: "candor.result/v1", Run: e.head.Run, Experiment: plan.Experiment, System: plan.System,
		Ending: e.ending(), Seed: e.head.Seed, Started: e.started, Ended: e.ended, Candor: e.head.Candor,
		Phases: e.phaseSpans(), Faults: e.faultResults(), Journeys: l.journeys(),
		Recovery: e.recovered(), Environment: e.environment(),
	}
	fold(e, &result, sheets, expectations)
	result.Sweep = e.sweep(result.Findings)
	result.Standards = standards.Judge(plan, l.measured(&result))
	return result
}

// judgeRules asks every rule that is built for its occasions. A check that panics has judged nothing: that is
// unverifiable with the reason, and the other rules go on.
func judgeRules(e *evidence) map[string][]Occasion {
	found := map[string][]Occasion{}
	if e.sickness != "" {
		sick := sickBaselineRule()
		return map[string][]Occasion{sick.Info.ID: attempt(sick, e)}
	}
	for _, info := range unbuilt {
		found[info.ID] = []Occasion{{Verdict: experiments.NotExercised, Times: 1, Why: notBuilt}}
	}
	for _, rule := range All() {
		if planned := e.planned(rule.Info); !planned.Applies {
			found[rule.Info.ID] = []Occasion{{Verdict: experiments.NotApplicable, Times: 1, Why: planned.Why}}
			continue
		}
		found[rule.Info.ID] = attempt(rule, e)
	}
	return found
}

func attempt(rule Rule, e *evidence) (occasions []Occasion) {
	defer func() {
		if r := recover(); r != nil {
			occasions = []Occasion{{Verdict: experiments.Unverifiable, Times: 1, Why: fmt.Sprintf("the check broke: %v", r)}}
		}
	}()
	return rule.check(e)
}

// planned is what the plan says about a rule. A rule that the plan does not know applies, and decides as its severity says.
func (e *evidence) planned(info experiments.RuleInfo) experiments.PlannedRule {
	if i, known := e.rules[info.ID]; known {
		return e.plan.Rules[i]
	}
	return experiments.PlannedRule{ID: info.ID, Applies: true, Gated: info.Severity == experiments.S1}
}
