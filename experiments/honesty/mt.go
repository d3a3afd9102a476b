package honesty

import (
	"fmt"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// The rules about candor itself. They have no severity and make no findings: a fail of one of them takes the worth from
// other rules, or from the run, and stands among the run's reasons.

func faultMissedRule() Rule {
	return Rule{Info: experiments.RuleInfo{ID: "MT-01", Name: "fault-missed", Level: "H",
		Doc:     "A pass although nothing was broken.",
		Check:   "Violated when a fault was never seen in force, hit nothing, or no step that needs its target ran while it was in force. Then all rules are not-exercised for this fault. Exercised once for each fault of the plan.",
		Guard:   "Hits are counted where the fault acts, not where it was ordered.",
		Source:  "Review notes of vola-trebla/playwright-network-chaos-mcp: smoke tests that passed with intercepted=0.",
		Example: "The fault's proxy listens on a port that nobody uses: the shop works, and every rule would be green.",
	}, check: faultMissed}
}

func faultMissed(e *evidence) (all []Occasion) {
	for _, s := range e.strikes {
		o := Occasion{Fault: s.planned.Name, Times: 1, Verdict: experiments.RulePass}
		if o.Why = s.missed(); o.Why != "" {
			o.Verdict = experiments.RuleFail
		}
		all = append(all, o)
	}
	return all
}

func ruleIdleRule() Rule {
	return Rule{Info: experiments.RuleInfo{ID: "MT-02", Name: "rule-idle", Level: "any",
		Doc:     "A rule passes because its case never came up.",
		Check:   "Violated when a rule that the experiment requires was never exercised. Every rule counts its occasions, and none folds to not-exercised. Exercised once for each required rule.",
		Guard:   "Precondition and check are separate code, and both are counted.",
		Source:  "“Sometimes” assertions (Antithesis, FoundationDB).",
		Example: "Payments is broken in a plan without a journey that buys: a rule about orders must not pass.",
	}, check: func(*evidence) []Occasion { return nil }}
}

func truthBlindRule() Rule {
	return Rule{Info: experiments.RuleInfo{ID: "MT-03", Name: "truth-blind", Level: "L",
		Doc:     "A guess sold as a finding.",
		Check:   "Violated when the truth of a declared effect could not be read after the fault, or its reader shares the fault. Then what rests on it is unverifiable, never a pass. Exercised once for each declared effect.",
		Guard:   "The reader is looked at through the fault window as well.",
		Source:  "Jepsen, :unknown.",
		Example: "The reader goes through the web shop's cache while orders is down.",
	}, check: truthBlind}
}

func truthBlind(e *evidence) (all []Occasion) {
	for _, j := range e.plan.Journeys {
		for _, effect := range j.Effects {
			t := e.truths[effectKey{j.Name, effect.Name}]
			o := Occasion{Journey: j.Name, Times: 1, Verdict: experiments.RulePass}
			if o.Why = t.unreadable(); o.Why != "" {
				o.Verdict = experiments.RuleFail
			}
			all = append(all, o)
		}
	}
	return all
}

// unreadable says why the truth of an effect cannot be relied on, empty when it can.
func (t *truth) unreadable() string {
	if f := t.about("", "", false, 0); f.standing == unreadable {
		return t.effect.Name + " of " + t.journey + ": " + f.why
	}
	return ""
}

func sickBaselineRule() Rule {
	return Rule{Info: experiments.RuleInfo{ID: "MT-04", Name: "sick-baseline", Level: "any",
		Doc:     "Old defects are blamed on the fault.",
		Check:   "Violated when a visit of the baseline failed, the steady state did not hold, or an intent was done twice, stored wrong or refused and done before anything was broken. Then the run is unproven and nothing is judged. Exercised once, when there was a baseline.",
		Guard:   "The baseline is repeated once. What was confirmed in it and is gone later may have been lost to the fault, and is judged.",
		Source:  "Faultbox's method: the scenario passes first.",
		Example: "The shop starts with a broken checkout and no fault.",
	}, check: func(e *evidence) []Occasion {
		switch {
		case e.sickness != "":
			return []Occasion{{Times: 1, Verdict: experiments.RuleFail, Why: e.sickness}}
		case e.baseline < 0:
			return nil
		}
		return []Occasion{{Times: 1, Verdict: experiments.RulePass}}
	}}
}

// diagnose says why the baseline does not show a product that works, empty when it does.
func (e *evidence) diagnose() string {
	for _, t := range e.troubles {
		if t.Code == experiments.ReasonSickBaseline {
			return t.Text
		}
	}
	if e.baseline < 0 {
		return ""
	}
	for _, v := range e.visits {
		if !v.OK && e.normalTime(v.at) && e.normalTime(v.Started) {
			return fmt.Sprintf("a visit of %s failed before anything was broken: %s", v.Journey, v.Stopped)
		}
	}
	if why := e.unsteady(); why != "" {
		return why
	}
	for _, r := range e.rows {
		if r.outcome != duplicated && r.outcome != ackWrong && r.outcome != rejectedHappened {
			continue
		}
		if e.inPeace(r) && !e.marred(r) {
			return fmt.Sprintf("the intent %s of %s was %s before anything was broken", r.Marker, r.Journey, r.outcome)
		}
	}
	return ""
}

// inPeace reports whether the last word about an intent came before any fault began: in the baseline, or in what was before
// it. What went wrong then is no fault's doing.
func (e *evidence) inPeace(r *row) bool {
	begun := e.begun()
	return begun.IsZero() || r.told().Before(begun)
}

// unsteady says which probe of the steady state was bad when it last looked in the baseline.
func (e *evidence) unsteady() string {
	bad := map[string]string{}
	for _, r := range e.looks {
		if r.Look.Role != "steady" || r.Look.Blind != "" || !e.normalTime(r.At) {
			continue
		}
		delete(bad, r.Look.Probe)
		if !r.Look.OK {
			bad[r.Look.Probe] = r.Look.Summary
		}
	}
	for _, probe := range sorted(bad) {
		return fmt.Sprintf("the steady state did not hold before anything was broken: %s: %s", probe, bad[probe])
	}
	return ""
}

// marred reports whether a row of the baseline can have been changed by a fault later: its effect has a time, and that
// lies after the first fault.
func (e *evidence) marred(r *row) bool {
	begun := e.begun()
	for _, s := range r.effects {
		last := s.truth.last()
		if s.outcome != r.outcome || last == nil || begun.IsZero() {
			continue
		}
		if at := last.rows[r.Marker].At; at.After(begun) {
			return true
		}
	}
	return false
}

func bluntOracleRule() Rule {
	return Rule{Info: experiments.RuleInfo{ID: "MT-05", Name: "blunt-oracle", Level: "any",
		Doc:     "Checks that cannot fail.",
		Check:   "A property of candor's own test: each lie planted in the demo shop is caught by its rule, and the honest twin stays clean. Within a run it cannot apply.",
		Guard:   "The twin runs under the same faults as the liar.",
		Source:  "Mutation testing.",
		Example: "A rule is replaced by one that always passes: the self-test has to fail.",
	}, check: func(*evidence) []Occasion {
		return []Occasion{{Verdict: experiments.NotApplicable, Times: 1, Why: "it is a property of candor's self-test, not of a run"}}
	}}
}

func endedEarlyRule() Rule {
	return Rule{Info: experiments.RuleInfo{ID: "MT-06", Name: "ended-early", Level: "L",
		Doc:     "A periodic repair never ran, so nobody saw what it does.",
		Check:   "Violated when the run, from the end of the last fault to the last reading of the truth, is shorter than two of the slowest declared cycles. Then nothing that needs time to go wrong can pass (CL-10, RC). Exercised once, when cycles are declared.",
		Guard:   "The cycles are declared in the system.",
		Source:  "glitchtip/django-vtasks merge request 30 (GitLab).",
		Example: "The run ends 10 s after recovery, while orders sweeps every 60 s and deletes orders in its sweep.",
	}, check: endedEarly}
}

func endedEarly(e *evidence) []Occasion {
	if len(e.plan.Cycles) == 0 {
		return []Occasion{{Verdict: experiments.NotApplicable, Times: 1, Why: "the system declares no cycles"}}
	}
	if why := e.tooShort(); why != "" {
		return []Occasion{{Verdict: experiments.RuleFail, Times: 1, Why: why}}
	}
	return []Occasion{{Verdict: experiments.RulePass, Times: 1}}
}

// tooShort says what the run would need to see the slowest cycle twice, empty when it saw it or none is declared.
func (e *evidence) tooShort() string {
	var slowest time.Duration
	name := ""
	for _, n := range sorted(e.plan.Cycles) {
		if e.plan.Cycles[n] > slowest {
			slowest, name = e.plan.Cycles[n], n
		}
	}
	if name == "" {
		return ""
	}
	if mended := e.mended(); !mended.IsZero() {
		if watched := e.lastReading().Sub(mended); watched >= 2*slowest {
			return ""
		}
	}
	return fmt.Sprintf("needs recovery of %s: %s runs every %s", 2*slowest, name, slowest)
}

// lastReading is when the truth was last read, or the end of the history where it never was.
func (e *evidence) lastReading() (at time.Time) {
	for _, t := range e.truths {
		if last := t.last(); last != nil && last.started.After(at) {
			at = last.started
		}
	}
	if at.IsZero() {
		return e.ended
	}
	return at
}
