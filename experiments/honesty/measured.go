package honesty

import (
	"slices"
	"strings"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/standards"
)

// measured is what the clauses of the standards are held against. Intents count that were under way while a fault that
// bit was in force: what was told in peace says nothing of a lost dependency.
func (l ledger) measured(r *experiments.Result) standards.Measured {
	m := standards.Measured{Rules: r.Rules, Severities: map[string]experiments.Severity{}, Hole: l.hole(r), DidNotBite: l.noBite(),
		Recovered: l.reached(experiments.PhaseRecovery) && l.end != nil, Interactions: l.interactions()}
	if l.end != nil {
		m.SteadyAfter = l.end.SteadyAfter
	}
	for _, info := range Infos() {
		m.Severities[info.ID] = info.Severity
	}
	for _, f := range r.Findings {
		if f.Severity == experiments.S1 && !l.allowed(l.planned(experiments.RuleInfo{ID: f.Rule})) {
			m.S1++
		}
	}
	for _, row := range l.rows {
		under := l.inForce(row.acted(), row.told())
		if !slices.ContainsFunc(under, func(s *strike) bool { return s.missed() == "" }) {
			continue
		}
		m.Intents++
		switch {
		case row.outcome == open, row.outcome == unverifiable:
			m.Undecided++
		case row.outcome.straight():
			m.Straight++
		}
		if row.outcome == saidSo {
			m.SaidSo++
		}
	}
	return m
}

// hole says why nothing in the run can meet a clause: what leaves the whole run unproven, whatever its rules say.
func (e *evidence) hole(r *experiments.Result) string {
	if e.sickness != "" {
		return e.sickness
	}
	if r.Ending != experiments.Complete {
		return "the run was not completed"
	}
	for _, reason := range r.Reasons {
		switch reason.Code {
		case experiments.ReasonEvidenceLost, experiments.ReasonTruthUnreadable, experiments.ReasonLoadBehind, experiments.ReasonRuleIdle:
			return reason.Text
		}
	}
	return ""
}

// noBite says which faults did not bite: where each lost dependency counts, one that was never lost is a hole.
func (e *evidence) noBite() string {
	var missed []string
	for _, s := range e.strikes {
		if why := s.missed(); why != "" {
			missed = append(missed, "the fault “"+s.planned.Name+"” did not bite: "+why)
		}
	}
	if len(e.strikes) == 0 {
		return "the plan has no fault"
	}
	return strings.Join(missed, "; ")
}

// interactions are the requests of the baseline by kind of interaction.
func (e *evidence) interactions() map[string]experiments.PhaseNumbers {
	kinds := map[string]*samples{}
	for _, a := range e.answers {
		j := e.journeys[a.Journey]
		if j == nil || j.Interaction == "" || !a.final || a.Setup || !e.normalTime(a.Sent) {
			continue
		}
		if kinds[j.Interaction] == nil {
			kinds[j.Interaction] = &samples{}
		}
		kinds[j.Interaction].add(a)
	}
	numbers := map[string]experiments.PhaseNumbers{}
	for kind, s := range kinds {
		numbers[kind] = s.numbers()
	}
	return numbers
}
