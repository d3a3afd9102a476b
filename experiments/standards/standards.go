// Package standards says where one run leaves the clauses that its experiment cites. A clause is in one of six states: met,
// missed, not-measured, target-unset, waived, not-applicable. A hole is never a pass: a target that nobody set and a
// value that nobody measured are states of their own, and only met counts up.
//
// Judge is a pure function of the plan, where targets were fixed before the run, and of what was measured.
package standards

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// The six states of a clause.
const (
	Met           = "met"
	Missed        = "missed"
	NotMeasured   = "not-measured"
	TargetUnset   = "target-unset"
	Waived        = "waived"
	NotApplicable = "not-applicable"
)

// Measured is what a run showed, as far as clauses ask. Hole is why it shows nothing at all, such as a sick baseline or an
// early end; then no clause is met, but what was seen to be missed is missed.
type Measured struct {
	Hole         string
	DidNotBite   string // why nothing is known about a lost dependency; empty when every fault bit
	Intents      int    // acted while a fault was in force
	Undecided    int    // of these, open or unverifiable
	Straight     int    // of these, told the truth
	SaidSo       int    // of these, told that it is not known
	S1           int    // findings of severity S1, without those that were allowed beforehand
	Rules        []experiments.RuleResult
	Severities   map[string]experiments.Severity     // of each rule
	Recovered    bool                                // recovery was reached
	SteadyAfter  time.Duration                       // from the end of the last fault; 0 when never
	Interactions map[string]experiments.PhaseNumbers // of the baseline, by kind of interaction
}

// finding is a state with its value in words.
type finding struct{ state, measured string }

func hole(why string) finding { return finding{NotMeasured, why} }

// Judge gives each clause of the plan its state, in the plan's order.
func Judge(plan *experiments.Plan, m Measured) []experiments.ClauseResult {
	results := make([]experiments.ClauseResult, 0, len(plan.Clauses))
	for _, c := range plan.Clauses {
		f := judge(plan, c, m)
		if m.Hole != "" && f.state == Met {
			f.state, f.measured = NotMeasured, f.measured+"; "+m.Hole
		}
		results = append(results, experiments.ClauseResult{Clause: c.Clause, Target: c.Target, Measured: f.measured, State: f.state})
	}
	return results
}

// judge finds the state of one clause. A gap that a named person accepted is waived whatever was measured; a target that
// nobody set cannot be reached.
func judge(plan *experiments.Plan, c experiments.PlannedClause, m Measured) finding {
	section, name, _ := strings.Cut(c.Clause, ".")
	f := hole("candor does not measure it")
	switch {
	case c.Waived == "" && c.Target == "":
		return finding{TargetUnset, ""}
	case c.Clause == "resilience.dependency_down":
		f = dependencyDown(plan, c.Value, m)
	case c.Clause == "resilience.recovery":
		f = recovery(c.Value, m)
	case section == "messaging":
		f = messaging(c.Value, m)
	case section == "latency" && name != "":
		f = latency(name, c.Value, m)
	}
	if c.Waived != "" {
		return finding{Waived, strings.TrimPrefix(f.measured+"; waived: "+c.Waived, "; ")}
	}
	return f
}

// read fills a clause's value. One that cannot be read sets no target.
func read(raw json.RawMessage, into any) bool {
	return len(raw) > 0 && json.Unmarshal(raw, into) == nil
}
