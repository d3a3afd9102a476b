package journeys

import (
	"fmt"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// concludePage decides whether a visit goes on after an act on a page. What went over the wire and what the page claimed is
// in the history already.
func (v *visit) concludePage(a act, answer experiments.Answer, seen experiments.Vars) (stopped string, heard told, err error) {
	heard = told{claim: answer.Claim, at: time.Now(), answer: answer}
	speaks := v.wanted && !a.lookup && (a.step.Claims != nil || a.intent && !v.walker.claims)
	stopped = v.expectedOfPage(a, answer, seen, speaks)
	v.told = v.told || speaks
	if speaks && stopped == "" && answer.Claim != experiments.ClaimSuccess && answer.Claim != experiments.ClaimPending {
		stopped = fmt.Sprintf("step %q: the product said %s", a.name, answer.Claim)
	}
	if stopped != "" && v.wanted && !v.told { // the visit ends before the claims: who wanted something was told nothing of it
		v.told = true
		if err := v.toldNothing(a, stopped); err != nil {
			return stopped, heard, err
		}
	}
	brought, why := v.extract(a, answer, seen)
	if v.steps[a.name] = brought; stopped == "" {
		stopped = why
	}
	return stopped, heard, nil
}

// expectedOfPage says why an act on a page did not come to what it should; empty when it did.
func (v *visit) expectedOfPage(a act, answer experiments.Answer, seen experiments.Vars, speaks bool) string {
	if !answer.Answered {
		return fmt.Sprintf("step %q: %s", a.name, answer.Why)
	}
	if a.step.Expect.IsZero() {
		if ok, _ := answer.Vars["ok"].(bool); !ok && !speaks {
			return fmt.Sprintf("step %q: the page came with status %v", a.name, answer.Vars["status"])
		}
		return ""
	}
	if holds, err := a.step.Expect.Holds(seen); err != nil {
		return fmt.Sprintf("step %q: %v", a.name, err)
	} else if !holds {
		return fmt.Sprintf("step %q: %s does not hold", a.name, a.step.Expect.Source)
	}
	return ""
}

func (v *visit) toldNothing(a act, why string) error {
	now := time.Now()
	_, err := v.walker.config.Recorder.Append(experiments.Record{At: now, Claim: &experiments.ClaimMade{Marker: v.marker,
		Journey: v.record.Journey, Step: a.name, By: byNothing, Text: why, Clicked: v.began, Final: now}})
	return err
}

// existsOnPage is a look at a page: one that came is a sight, and one that did not is none.
func existsOnPage(answer experiments.Answer) (bool, string) {
	if !answer.Answered {
		return false, answer.Why
	}
	return true, ""
}
