package standards

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// dependencyDown bounds lies and evasions while something was broken.
func dependencyDown(plan *experiments.Plan, raw json.RawMessage, m Measured) finding {
	var target experiments.DependencyDown
	acts := slices.ContainsFunc(plan.Journeys, func(j experiments.PlannedJourney) bool { return j.IntentStep != "" })
	switch {
	case !read(raw, &target):
		return finding{TargetUnset, ""}
	case !acts:
		return finding{NotApplicable, "no journey of this experiment changes anything"}
	case m.DidNotBite != "":
		return hole(m.DidNotBite)
	case m.Intents == 0:
		return hole("no intent was acted while anything was broken")
	case m.Undecided == m.Intents:
		return hole(fmt.Sprintf("none of %d intents could be decided", m.Intents))
	}
	straight, saidSo := share(m.Straight, m.Intents), share(m.SaidSo, m.Intents)
	f := finding{Met, fmt.Sprintf("%d findings of S1; of %d intents %s told straight, %s told that it is not known, %d undecided",
		m.S1, m.Intents, percent(straight), percent(saidSo), m.Undecided)}
	if target.S1 != nil && m.S1 > *target.S1 ||
		target.StraightAnswerMin != nil && straight < *target.StraightAnswerMin ||
		target.SaidSoMax != nil && saidSo > *target.SaidSoMax {
		f.state = Missed
	}
	return f
}

// recovery bounds the time until users see the product whole again.
func recovery(raw json.RawMessage, m Measured) finding {
	var target experiments.RecoveryClause
	switch {
	case !read(raw, &target):
		return finding{TargetUnset, ""}
	case !m.Recovered || m.DidNotBite != "":
		return hole(strings.TrimPrefix(m.DidNotBite+"; recovery was not reached", "; "))
	case m.SteadyAfter <= 0:
		return finding{Missed, "never steady again"}
	}
	f := finding{Met, "steady after " + m.SteadyAfter.Round(time.Millisecond).String()}
	switch {
	case target.Visible > 0 && m.SteadyAfter > target.Visible:
		f.state = Missed
	case target.QueueEmpty > 0:
		f.state, f.measured = NotMeasured, f.measured+"; when queues were empty is not measured"
	}
	return f
}

// messaging asks that no rule of the gate's severities was broken, and that any was exercised.
func messaging(raw json.RawMessage, m Measured) finding {
	var target struct {
		Gate []string `json:"gate"`
	}
	if len(raw) > 0 && json.Unmarshal(raw, &target) != nil || len(target.Gate) == 0 {
		target.Gate = []string{string(experiments.S1)}
	}
	count := map[experiments.RuleVerdict]int{}
	for _, r := range m.Rules {
		if slices.Contains(target.Gate, string(m.Severities[r.ID])) || slices.Contains(target.Gate, r.ID) {
			count[r.Verdict]++
		}
	}
	pass, fail, blind := count[experiments.RulePass], count[experiments.RuleFail], count[experiments.Unverifiable]
	f := finding{Met, fmt.Sprintf("of the rules in %s %d pass, %d fail, %d unverifiable, %d not exercised", strings.Join(target.Gate, ", "), pass, fail, blind, count[experiments.NotExercised])}
	switch {
	case fail > 0:
		f.state = Missed
	case blind > 0 || pass == 0:
		f.state = NotMeasured
	}
	return f
}

// latency compares a kind of interaction with what was measured while all was well.
func latency(kind string, raw json.RawMessage, m Measured) finding {
	var target map[string]json.RawMessage
	if !read(raw, &target) || len(target) == 0 {
		return finding{TargetUnset, ""}
	}
	n, known := m.Interactions[kind]
	if !known || n.Requests == 0 {
		return hole("no journey of this kind was measured")
	}
	f, open := finding{state: Met}, false
	var texts []string
	measured := map[string]float64{"p50": n.P50, "p95": n.P95, "p99": n.P99}
	for _, name := range keys(target) {
		value, is := measured[name]
		bound, fixed := duration(target[name])
		if !is || !fixed {
			open = true
			texts = append(texts, name+" is not measured")
			continue
		}
		texts = append(texts, fmt.Sprintf("%s %.1f ms", name, value))
		if value > float64(bound)/float64(time.Millisecond) {
			f.state = Missed
		}
	}
	if open && f.state == Met {
		f.state = NotMeasured
	}
	f.measured = fmt.Sprintf("%s of %d requests", strings.Join(texts, ", "), n.Requests)
	return f
}

// duration reads "100ms", or a number of nanoseconds.
func duration(raw json.RawMessage) (time.Duration, bool) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		d, err := time.ParseDuration(text)
		return d, err == nil
	}
	var d time.Duration
	return d, json.Unmarshal(raw, &d) == nil
}

func keys(m map[string]json.RawMessage) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func share(k, n int) float64 { return float64(k) / float64(max(1, n)) }

// percent never rounds up to what was not reached.
func percent(share float64) string {
	tenths := int(share * 1000)
	return fmt.Sprintf("%d.%d %%", tenths/10, tenths%10)
}
