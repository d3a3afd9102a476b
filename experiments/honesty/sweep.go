package honesty

import (
	"slices"

	"github.com/candor-chaos/candor/experiments"
)

// What a boundary says where no outcome of the ledger does.
const (
	notReached = "not-reached" // no visit came there while the fault waited
	noIntent   = "no-intent"   // the visit ended before it wanted anything
)

// sweep is what became of the visit at each boundary, in the order of the boundaries.
func (e *evidence) sweep(findings []experiments.Finding) []experiments.SweepResult {
	var all []experiments.SweepResult
	for _, s := range e.strikes {
		if !s.planned.Swept || s.planned.Where == nil {
			continue
		}
		one := experiments.SweepResult{Boundary: s.planned.Where.String(), Journey: s.planned.Where.Journey, Marker: s.marker,
			Outcome: noIntent, Findings: []string{}}
		if s.effective.IsZero() {
			one.Outcome = notReached
		}
		if row := e.marked[s.marker]; row != nil && s.marker != "" {
			one.Claim, one.Outcome = row.claim(), row.outcome.String()
		}
		for _, f := range findings {
			if f.Marker == s.marker && s.marker != "" && !slices.Contains(one.Findings, f.Rule) {
				one.Findings = append(one.Findings, f.Rule)
			}
		}
		all = append(all, one)
	}
	return all
}

// sweptNothing reports whether a sweep hit nothing at any boundary: then it has shown nothing.
func (e *evidence) sweptNothing() bool {
	swept := false
	for _, s := range e.strikes {
		if s.planned.Swept {
			swept = true
			if s.hits > 0 || s.felt > 0 {
				return false
			}
		}
	}
	return swept
}
