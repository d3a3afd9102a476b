package honesty

import (
	"fmt"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// The rules of the ledger that are about time: too late, never, no longer, out of nothing.

func silentRule() Rule {
	info := experiments.RuleInfo{ID: "CL-05", Name: "silent-unknown", Severity: experiments.S2, Level: "L/B",
		Doc:     "No answer at all.",
		Check:   "Violated when nothing was claimed by the tier's final deadline, whatever the truth is. Exercised by each intent that was acted and not over before the first fault, unless its client gave up before the explanation deadline.",
		Guard:   "Late is measured by the tier's deadlines, not by the client's. A client that gives up before anybody had to speak shows nothing.",
		Source:  "Jepsen, info; uwazi#2503.",
		Example: "Orders hangs: the checkout page stays exactly as it was, for ever.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		for _, r := range e.rows {
			if r.unsent() || e.inPeace(r) {
				continue
			}
			deadlines := e.deadlines(r.Journey)
			limit := deadlines.Final
			word, waited, gaveUp := r.firstWord(e)
			switch {
			case word && waited <= limit:
				s.pass(s.row(r))
			case word:
				s.broken(r, fact{}, fmt.Sprintf("The first word about %s came after %s; the deadline is %s.", r.Marker, round(waited), limit))
			case gaveUp && waited < min(deadlines.Explanation, limit):
				s.idle(s.row(r), fmt.Sprintf("the client gave up after %s, before the explanation deadline of %s", round(waited), deadlines.Explanation))
			default:
				s.broken(r, fact{}, fmt.Sprintf("The user was told nothing about %s in %s%s.", r.Marker, round(waited), r.trouble(e)))
			}
		}
		return s.occasions
	}}
}

// firstWord is how long the user waited for the first word, or in vain, and whether it was the client that ended it.
func (r *row) firstWord(e *evidence) (word bool, waited time.Duration, gaveUp bool) {
	for _, c := range r.claims {
		if c.Claim != experiments.ClaimNone {
			return true, c.Final.Sub(r.acted()), false
		}
	}
	end := r.told()
	for _, i := range r.attempts {
		if a := e.answers[i]; a.Ended.After(end) || a.Ended.Equal(end) {
			end, gaveUp = a.Ended, a.Trouble == "timeout"
		}
	}
	return false, end.Sub(r.acted()), gaveUp
}

// trouble says how the last attempt ended, where it had no answer.
func (r *row) trouble(e *evidence) string {
	if n := len(r.attempts); n > 0 {
		if a := e.answers[r.attempts[n-1]]; a.Trouble != "" {
			return " (" + a.Trouble + ")"
		}
		return fmt.Sprintf(" (HTTP %d)", e.answers[r.attempts[n-1]].Status)
	}
	return ""
}

func round(d time.Duration) time.Duration { return d.Round(time.Millisecond) }

func pendingDroppedRule() Rule {
	info := experiments.RuleInfo{ID: "CL-06", Name: "pending-dropped", Severity: experiments.S1, Level: "L",
		Doc:     "“We are processing it”, for ever.",
		Check:   "Violated when the claim is pending and the truth has no row after the promised time, or after the tier's final deadline where none was promised. Exercised by each effect of each pending intent that is there, or whose promise was over when the truth was read.",
		Guard:   "A promise that is still running is open, not broken: the rule then says until when it would have to wait.",
		Source:  "RFC 9110 15.3.3.",
		Example: "“Your order is being processed, ready within 2 minutes”: the queue lives in the shop's memory and is thrown away.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		e.eachEffect(func(r *row, x *settlement) {
			if x.claim != experiments.ClaimPending {
				return
			}
			switch f := x.fact; {
			case f.standing == unreadable:
				s.blind(s.row(r), f.why)
			case f.standing != absent:
				s.pass(s.row(r))
			case x.outcome == open:
				s.idle(s.row(r), "a promise was still running when the truth was read")
			default:
				s.broken(r, f, fmt.Sprintf("%s; it was due %s before the truth was read, and %s has no row for %s.", r.heard(x.claim),
					round(f.at.Sub(r.due(e))), x.truth.effect.Name, r.Marker))
			}
		})
		return s.occasions
	}}
}

func lateReversalRule() Rule {
	info := experiments.RuleInfo{ID: "CL-10", Name: "late-reversal", Severity: experiments.S1, Level: "L",
		Doc:     "It was saved, and vanishes later.",
		Check:   "Violated when one reading of the truth has the row and the last one has not, after a claim of success or pending. Exercised by each effect that a reading had before the last. Such a row is not counted under CL-01 as well.",
		Guard:   "A refused intent whose row goes away was put right. A run that is shorter than two of the slowest cycles cannot pass (MT-06); what it saw vanish it saw.",
		Source:  "Jepsen set-full: lost after known.",
		Example: "A clean-up deletes every order of the outage 60 s after recovery; nobody is told.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s, early := e.sheet(info), e.tooShort()
		e.eachEffect(func(r *row, x *settlement) {
			seen := x.truth.seenBefore(r.Marker)
			if !seen || x.claim != experiments.ClaimSuccess && x.claim != experiments.ClaimPending {
				return
			}
			switch f := x.fact; {
			case f.standing == unreadable && f.count == 0:
				s.blind(s.row(r), f.why)
			case f.vanished != 0:
				s.broken(r, f, fmt.Sprintf("%s; %s had a row for %s (%s) and has none any more.", r.heard(x.claim), x.truth.effect.Name, r.Marker, ref(f.vanished)))
			case early != "":
				s.idle(s.row(r), early)
			default:
				s.pass(s.row(r))
			}
		})
		return s.occasions
	}}
}

// seenBefore reports whether a reading before the last had a marker.
func (t *truth) seenBefore(marker string) bool {
	return t.glimpsed[marker] != 0 || t.second.sees() && t.first.sees() && t.first.rows[marker].Count > 0
}

func phantomRule() Rule {
	info := experiments.RuleInfo{ID: "CL-11", Name: "phantom", Severity: experiments.S1, Level: "L",
		Doc:     "Something nobody ordered.",
		Check:   "Violated when a tenant that belongs to this run alone holds a row that was not there before the run and belongs to no intent. Exercised once for each effect with its own tenant.",
		Guard:   "A shared tenant cannot be judged. A marker that the run reserved is no phantom: a runner that died may have sent it.",
		Source:  "Jepsen, unexpected.",
		Example: "On restart orders replays a sample request from its warm-up file and creates an order.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		for _, j := range e.plan.Journeys {
			for _, effect := range j.Effects {
				if effect.Own {
					s.haunted(e.truths[effectKey{j.Name, effect.Name}])
				}
			}
		}
		return s.occasions
	}}
}

func (s *sheet) haunted(t *truth) {
	p := place{journey: t.journey}
	ghosts := s.e.phantoms(t)
	switch why := t.unreadable(); {
	case why != "":
		s.blind(p, why)
	case !t.before.sees():
		s.blind(p, "what the tenant of "+t.effect.Name+" held before the run is not known")
	case len(ghosts) == 0:
		s.pass(p)
	}
	for _, g := range ghosts {
		s.fail(p, found{at: t.last().started, text: fmt.Sprintf("%s has %d more of %s than before the run, and no intent wanted it.", t.effect.Name, g.count, quote(g.marker)),
			marker: g.marker, lines: refs(g.seq, t.before.seq)})
	}
}
