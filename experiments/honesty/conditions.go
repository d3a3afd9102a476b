package honesty

import (
	"fmt"

	"github.com/candor-chaos/candor/experiments"
)

// expectations folds what was expected as gated rules are folded.
func (f *folding) expectations() {
	for _, x := range f.result.Expectations {
		if f.e.sickness != "" {
			return
		}
		switch x.Verdict {
		case experiments.RulePass:
			f.passed++
		case experiments.RuleFail:
			f.failed = append(f.failed, experiments.Reason{Code: experiments.ReasonExpectation, Text: x.Text + "; measured: " + x.Measured})
		case experiments.Unverifiable:
			f.doubt(experiments.ReasonTruthUnreadable, x.Text+": "+x.Measured)
		case experiments.NotExercised:
			f.doubt(experiments.ReasonTooFewSamples, x.Text+"; measured: "+x.Measured)
		}
	}
}

// conditions are what a verdict rests on beside its rules. One that does not hold turns a pass into unproven; a fail that
// was seen it leaves alone.
func (f *folding) conditions() {
	e := f.e
	if e.sickness != "" {
		f.doubt(experiments.ReasonSickBaseline, e.sickness)
	}
	if e.end == nil {
		f.doubt(experiments.ReasonBroken, "the history has no last line: the runner never said that it finished")
	}
	if e.torn {
		f.doubt(experiments.ReasonEvidenceLost, "the last line of the history was cut off")
	}
	for _, t := range e.troubles {
		f.doubt(t.Code, t.Text)
	}
	f.endings()
	if e.sickness != "" {
		return
	}
	if e.baseline < 0 {
		f.doubt(experiments.ReasonTooFewSamples, "there was no baseline")
	}
	for _, s := range e.strikes {
		if why := s.missed(); why != "" {
			f.doubt(experiments.ReasonDidNotBite, "the fault “"+s.planned.Name+"” did not bite: "+why)
		}
	}
	if e.sweptNothing() {
		f.doubt(experiments.ReasonDidNotBite, "the sweep hit nothing at any boundary")
	}
	if len(e.strikes) == 0 {
		f.doubt(experiments.ReasonDidNotBite, "the plan has no fault")
	}
	if e.reached(experiments.PhaseRecovery) && f.result.Recovery.SteadyAfter < 0 {
		f.doubt(experiments.ReasonNoRecovery, "the steady state did not come back before the run ended")
	}
}

// endings says how the run ended, where that was not as planned.
func (f *folding) endings() {
	switch f.result.Ending {
	case experiments.Dirty:
		text := "something may still be in force"
		if left := f.result.Environment.Left; len(left) > 0 {
			text = fmt.Sprintf("%d left in the environment, the first: %s", len(left), left[0])
		}
		f.doubt(experiments.ReasonDirty, text)
	case experiments.Aborted:
		f.unlessSaid(experiments.ReasonAborted, "the run was ended early")
	case experiments.Broken:
		f.unlessSaid(experiments.ReasonBroken, "candor could not finish the run")
	}
}

func (f *folding) unlessSaid(code, text string) {
	for _, r := range f.unsure {
		if r.Code == code {
			return
		}
	}
	f.doubt(code, text)
}
