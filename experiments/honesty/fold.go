package honesty

import (
	"fmt"
	"strings"

	"github.com/candor-chaos/candor/experiments"
)

// foldRule folds a rule over its occasions, first that holds: any fail; any unverifiable; any pass; all not applicable;
// else, and where there are none, not-exercised.
func foldRule(occasions []Occasion) (v experiments.RuleVerdict, exercised int) {
	var count [experiments.NotApplicable + 1]int
	for _, o := range occasions {
		count[o.Verdict] += o.Times
	}
	exercised = count[experiments.RulePass] + count[experiments.RuleFail]
	for _, v := range []experiments.RuleVerdict{experiments.RuleFail, experiments.Unverifiable, experiments.RulePass} {
		if count[v] > 0 {
			return v, exercised
		}
	}
	if count[experiments.NotApplicable] > 0 && count[experiments.NotExercised] == 0 {
		return experiments.NotApplicable, 0
	}
	return experiments.NotExercised, 0
}

// folding is one run on its way to a verdict.
type folding struct {
	e      *evidence
	result *experiments.Result
	sheets map[string][]Occasion
	failed []experiments.Reason // what makes the run a fail
	unsure []experiments.Reason // what keeps it from being proven
	passed int                  // gated rules and expectations that passed
}

// fold makes the verdict: first that holds of a sick baseline (unproven), a gated fail, any reason that leaves the run
// unproven, and a pass if at least one gated thing passed. A fail that was seen stands, however the run ended.
func fold(e *evidence, result *experiments.Result, sheets map[string][]Occasion, expectations []experiments.ExpectationResult) {
	f := &folding{e: e, result: result, sheets: sheets}
	result.Expectations, result.Rules, result.Findings = expectations, []experiments.RuleResult{}, []experiments.Finding{}
	f.conditions()
	f.rules()
	f.expectations()
	switch {
	case e.sickness != "":
		f.failed = nil
		result.Verdict = experiments.Unproven
	case len(f.failed) > 0:
		result.Verdict = experiments.Fail
	case len(f.unsure) > 0:
		result.Verdict = experiments.Unproven
	case f.passed > 0:
		result.Verdict = experiments.Pass
	default:
		f.doubt(experiments.ReasonNothingGated, "nothing that decides the verdict was exercised")
	}
	result.Reasons = append(append([]experiments.Reason{}, f.failed...), f.unsure...)
	result.ExitCode = exitCode(result.Verdict, result.Ending)
}

func (f *folding) doubt(code, text string) {
	for _, r := range f.unsure {
		if r.Code == code && r.Text == text {
			return
		}
	}
	f.unsure = append(f.unsure, experiments.Reason{Code: code, Text: text})
}

// rules folds every rule that there is, built or not.
func (f *folding) rules() {
	idle := map[string]string{}
	for _, info := range Infos() {
		planned := f.e.planned(info)
		occasions := f.sheets[info.ID]
		if len(occasions) == 0 && !planned.Applies {
			occasions = []Occasion{{Verdict: experiments.NotApplicable, Times: 1, Why: planned.Why}}
		}
		r := experiments.RuleResult{ID: info.ID}
		r.Verdict, r.Exercised = foldRule(occasions)
		if f.gates(info, planned, r, occasions) && r.Verdict == experiments.NotExercised {
			idle[info.ID] = whyIdle(occasions)
		}
		f.result.Rules = append(f.result.Rules, r)
		for _, o := range occasions {
			if o.Finding != nil {
				f.result.Findings = append(f.result.Findings, *o.Finding)
			}
		}
	}
	f.idle(idle)
	f.ruleIdle(idle)
}

// gates counts what a rule does to the verdict, and reports whether it is required.
func (f *folding) gates(info experiments.RuleInfo, planned experiments.PlannedRule, r experiments.RuleResult, occasions []Occasion) (required bool) {
	required = planned.Required || f.ledgerRule(info.ID)
	if !planned.Gated && !required {
		return false
	}
	switch r.Verdict {
	case experiments.RuleFail:
		if planned.Gated && !f.e.allowed(planned) {
			f.failed = append(f.failed, experiments.Reason{Code: experiments.ReasonRuleFailed, Text: failText(info, occasions)})
		}
	case experiments.Unverifiable:
		f.doubt(experiments.ReasonTruthUnreadable, info.ID+" "+info.Name+" could not be judged: "+whyOf(occasions, experiments.Unverifiable))
	case experiments.RulePass:
		if planned.Gated {
			f.passed++
		}
	}
	return required && planned.Applies
}

// allowed reports whether an exception that was declared before the run covers it: up to and with its last day.
func (e *evidence) allowed(planned experiments.PlannedRule) bool {
	return planned.Allowed != "" && e.started.Before(planned.Until.AddDate(0, 0, 1))
}

// ledgerRules are required of every run with a journey that declares effects.
var ledgerRules = []string{"CL-01", "CL-02", "CL-03", "CL-04"}

func (f *folding) ledgerRule(id string) bool {
	for _, rule := range ledgerRules {
		if rule != id {
			continue
		}
		for _, j := range f.e.plan.Journeys {
			if len(j.Effects) > 0 {
				return true
			}
		}
	}
	return false
}

// idle doubts what a required rule would have shown. The four rules of the ledger ask together: a product that refused
// nothing under the fault gives CL-03 nothing to look at, and is not unproven for it, as long as intents that the fault
// reached were decided.
func (f *folding) idle(idle map[string]string) {
	if f.e.sickness != "" {
		return
	}
	decided := f.e.decidedUnderFault()
	for _, id := range sorted(idle) {
		if f.ledgerRule(id) && decided {
			delete(idle, id)
			continue
		}
		f.doubt(experiments.ReasonRuleIdle, id+" is required and was not exercised"+idle[id])
	}
}

// decidedUnderFault reports whether of every journey with effects an intent was decided while a fault that bit was in
// force, or after it.
func (e *evidence) decidedUnderFault() bool {
	begun := e.begun()
	if begun.IsZero() || !e.bit() {
		return false
	}
	decided := map[string]bool{}
	for _, r := range e.rows {
		if r.outcome != unverifiable && r.outcome != open && !r.told().Before(begun) {
			decided[r.Journey] = true
		}
	}
	for _, j := range e.plan.Journeys {
		if len(j.Effects) > 0 && !decided[j.Name] {
			return false
		}
	}
	return true
}

// ruleIdle gives MT-02 its verdict: only after all others were folded is it known.
func (f *folding) ruleIdle(idle map[string]string) {
	required := 0
	for _, info := range Infos() {
		if planned := f.e.planned(info); planned.Applies && (planned.Required || f.ledgerRule(info.ID)) {
			required++
		}
	}
	for i := range f.result.Rules {
		if r := &f.result.Rules[i]; r.ID == "MT-02" && required > 0 && f.e.sickness == "" {
			r.Verdict, r.Exercised = experiments.RulePass, required
			if len(idle) > 0 {
				r.Verdict = experiments.RuleFail
			}
		}
	}
}

func whyIdle(occasions []Occasion) string {
	if why := whyOf(occasions, experiments.NotExercised); why != "" {
		return ": " + why
	}
	return ": its case never came up"
}

// whyOf is the first reason among the occasions of a verdict.
func whyOf(occasions []Occasion, v experiments.RuleVerdict) string {
	for _, o := range occasions {
		if o.Verdict == v && o.Why != "" {
			return o.Why
		}
	}
	return ""
}

func failText(info experiments.RuleInfo, occasions []Occasion) string {
	n, first := 0, ""
	for _, o := range occasions {
		if o.Verdict == experiments.RuleFail {
			n += o.Times
			if first == "" && o.Finding != nil {
				first = o.Finding.Text
			}
		}
	}
	return fmt.Sprintf("%s %s was broken %s. The first: %s", info.ID, info.Name, times(n), strings.TrimSpace(first))
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}
