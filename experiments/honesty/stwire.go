package honesty

import (
	"fmt"

	"github.com/candor-chaos/candor/experiments"
)

func collateralRule() Rule {
	info := experiments.RuleInfo{ID: "ST-13", Name: "collateral", Severity: experiments.S2, Level: "B/H",
		Doc:     "Search is down, so nobody can log in.",
		Check:   "Violated when a step that needs nothing of what is broken fails twice while a fault is in force, and never failed in the baseline. Exercised by each request of such a step; on pages by documents and by what people send, not by what scripts ask.",
		Guard:   "A need that nobody declared is the finding. An intent's own thing that is not there, a client that gave up by itself, and a spike of users, which is everybody's, are not judged.",
		Source:  "Material Design 1; Filibuster's service tiers; Thor (ISSTA 2015).",
		Example: "Payments is down: the home page answers 500, because the page frame asks payments for a badge.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken groups
		for _, a := range e.answers {
			n := e.normals[a.step()]
			if a.Setup || !n.fine() || n.failed(e) || !e.spared(a) || a.Kind == "" && !a.final || a.Kind != "" && a.Kind != "document" && a.By != experiments.ByPerson {
				continue
			}
			switch {
			case e.rightlyMissing(a):
				s.idle(s.answer(a), "it is about something that is pending, or that the truth does not have either")
			case a.good():
				s.pass(s.answer(a))
			default:
				broken.add(s.answer(a), a.outcome(), fmt.Sprintf("Step %s needs nothing of what was broken (%s) and failed: %s, where it never fails when all is well.", quote(a.Step), list(e.brokenBy(a)), a.outcome()), a)
			}
		}
		broken.report(s, 2)
		return s.occasions
	}}
}

// failed reports whether a step failed in the baseline.
func (n *normal) failed(e *evidence) bool {
	for _, i := range n.answers {
		if e.answers[i].final && !e.answers[i].good() {
			return true
		}
	}
	return false
}

// spared reports whether a request was sent and answered while faults were in force of which none is on what its step needs.
func (e *evidence) spared(a answer) bool {
	struck := e.inForce(a.Sent, a.Ended)
	for _, s := range struck {
		if s.planned.Reach.Journey != "" || len(s.planned.Reach.Services) == 0 || s.missed() != "" {
			return false
		}
	}
	return len(struck) > 0 && e.needs[a.step()] != nil && e.needed(a.step(), a.Sent, a.Ended) == nil && !e.unsettled(a)
}

// unsettled reports whether a fault on what the step needs was over for so short a time that it may still be felt.
func (e *evidence) unsettled(a answer) bool {
	return e.needed(a.step(), a.Sent.Add(-e.deadlines(a.Journey).Recovery), a.Sent) != nil
}

// brokenBy are the services that were broken while a request was under way.
func (e *evidence) brokenBy(a answer) (names []string) {
	for _, s := range e.inForce(a.Sent, a.Ended) {
		names = append(names, s.planned.Reach.Services...)
	}
	return names
}
