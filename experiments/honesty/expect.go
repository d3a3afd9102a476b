package honesty

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/candor-chaos/candor/experiments"
)

// expect judges every expectation of the plan as a gated rule. What was not measured is not met.
func expect(e *evidence) []experiments.ExpectationResult {
	results := []experiments.ExpectationResult{}
	measured := e.measure()
	for _, x := range e.plan.Expect {
		r := experiments.ExpectationResult{Text: x.Words(), Verdict: experiments.RulePass}
		during := cmp.Or(x.During, experiments.PhaseFault)
		var parts []string
		for _, p := range []part{
			e.expectMeasures(x, measured[phaseKey{x.Journey, during}]),
			e.expectClaims(x, during),
			e.expectSteady(x),
		} {
			if p.measured == "" {
				continue
			}
			parts = append(parts, p.measured)
			r.Verdict = worse(r.Verdict, p.verdict)
		}
		r.Measured = strings.Join(parts, "; ")
		switch {
		case e.sickness != "":
			r.Verdict, r.Measured = experiments.NotExercised, "not judged: the baseline was sick"
		case len(parts) == 0:
			r.Verdict, r.Measured = experiments.NotExercised, "nothing was expected"
		case x.Steady.IsZero() && during != experiments.PhaseBaseline && !e.bit():
			r.Verdict = experiments.NotExercised
			r.Measured += "; no fault of this run bit"
		}
		results = append(results, r)
	}
	return results
}

// part is one bound of an expectation; measured is empty where it sets none.
type part struct {
	verdict  experiments.RuleVerdict
	measured string
}

// worse folds two verdicts of one expectation: a fail stands, then what could not be seen, then what was not measured.
func worse(a, b experiments.RuleVerdict) experiments.RuleVerdict {
	for _, v := range []experiments.RuleVerdict{experiments.RuleFail, experiments.Unverifiable, experiments.NotExercised} {
		if a == v || b == v {
			return v
		}
	}
	return experiments.RulePass
}

func (e *evidence) expectMeasures(x experiments.Expectation, s *samples) part {
	bounds := []struct {
		name    string
		bound   experiments.Comparison
		percent float64 // 0: the success rate
	}{{"success", x.Success, 0}, {"p50", x.P50, 50}, {"p95", x.P95, 95}, {"p99", x.P99, 99}}
	p := part{verdict: experiments.RulePass}
	var texts []string
	for _, b := range bounds {
		if b.bound.IsZero() {
			continue
		}
		if s == nil {
			return part{experiments.NotExercised, "no requests"}
		}
		value, text := s.successRate(), percent(s.good, s.requests)
		if b.percent > 0 {
			value = s.quantile(b.percent) / 1000
			text = strconv.FormatFloat(s.quantile(b.percent), 'f', 1, 64) + " ms"
		}
		texts = append(texts, b.name+" "+text)
		if !b.bound.Met(value) {
			p.verdict = experiments.RuleFail
		}
	}
	if len(texts) > 0 {
		p.measured = fmt.Sprintf("%s of %d requests", strings.Join(texts, ", "), s.requests)
	}
	return p
}

// percent shows a share without rounding it over a bound of whole tenths: always down.
func percent(k, n int) string {
	tenths := k * 1000 / max(1, n)
	return fmt.Sprintf("%d.%d %%", tenths/10, tenths%10)
}

func (e *evidence) expectClaims(x experiments.Expectation, during experiments.Phase) part {
	if len(x.Said) == 0 {
		return part{}
	}
	var counts [experiments.ClaimUnknown + 1]int
	p, total, between := part{verdict: experiments.RulePass}, 0, 0
	for _, r := range e.rows {
		i := e.span(r.acted())
		if r.unsent() || x.Journey != "" && r.Journey != x.Journey || i < 0 || e.spans[i].Name != during {
			continue
		}
		if during == experiments.PhaseBaseline && i != e.baseline {
			continue
		}
		wanted := slices.Contains(x.Said, r.claim())
		if !wanted && during == experiments.PhaseFault && e.turns(r.acted(), r.told()) {
			between++
			continue
		}
		total++
		counts[r.claim()]++
		if !wanted {
			p.verdict = experiments.RuleFail
		}
	}
	if total == 0 {
		return part{experiments.NotExercised, "no intents"}
	}
	var texts []string
	for claim, n := range counts {
		if n > 0 {
			texts = append(texts, fmt.Sprintf("%s %d", experiments.Claim(claim), n))
		}
	}
	p.measured = "said " + strings.Join(texts, ", ")
	if between > 0 {
		p.measured += fmt.Sprintf("; left out: %d while a fault came or went", between)
	}
	return p
}

func (e *evidence) expectSteady(x experiments.Expectation) part {
	switch {
	case x.Steady.IsZero():
		return part{}
	case !e.reached(experiments.PhaseRecovery) || e.end == nil:
		return part{experiments.NotExercised, "recovery was not reached"}
	case e.end.SteadyAfter <= 0:
		return part{experiments.RuleFail, "never steady"}
	}
	p := part{experiments.RulePass, "steady after " + round(e.end.SteadyAfter).String()}
	if !x.Steady.Met(e.end.SteadyAfter.Seconds()) {
		p.verdict = experiments.RuleFail
	}
	return p
}
