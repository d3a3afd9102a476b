package honesty

import (
	"fmt"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// deadline is when a journey has to be right again: the last fault gone, and its tier's time to recover over. Zero where a
// fault was never seen gone.
func (e *evidence) deadline(journey string) time.Time {
	off := e.mended()
	if off.IsZero() {
		return off
	}
	return off.Add(e.deadlines(journey).Recovery)
}

// needsRecovery says how much longer a run would have to watch its product recover.
func needsRecovery(limit time.Duration) string {
	return fmt.Sprintf("needs recovery of %s", limit)
}

func queueStuckRule() Rule {
	info := experiments.RuleInfo{ID: "RC-03", Name: "queue-stuck", Severity: experiments.S1, Level: "L",
		Doc:     "“We will send it”, and nobody does.",
		Check:   "Violated when an intent was told pending while a fault was in force, and the truth has no row for it at the recovery deadline, counted from the end of the last fault. Exercised by each effect of each such intent whose truth was read after that, or is there before.",
		Guard:   "A promise that names a later time is the limit instead: a slow drain states its time. A truth that was read too early shows only what is there.",
		Source:  "glitchtip/django-vtasks, merge request 30 (GitLab).",
		Example: "Orders taken during the outage end in a dead-letter table while the page says “We will place it as soon as we can”.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		e.eachEffect(func(r *row, x *settlement) {
			if x.claim != experiments.ClaimPending || len(e.inForce(r.acted(), r.told())) == 0 {
				return
			}
			limit := e.deadline(r.Journey)
			if final := r.final(); final != nil && final.Promise > 0 && r.due(e).After(limit) && !limit.IsZero() {
				limit = r.due(e)
			}
			switch f := x.fact; {
			case f.standing == unreadable:
				s.blind(s.row(r), f.why)
			case f.standing != absent:
				s.pass(s.row(r))
			case limit.IsZero():
				s.idle(s.row(r), "a fault was never seen gone")
			case f.at.Before(limit):
				s.idle(s.row(r), needsRecovery(limit.Sub(e.mended()))+": the truth was read before an order that waits has to be there")
			case f.once:
				s.blind(s.row(r), f.unsure())
			default:
				s.broken(r, f, fmt.Sprintf("%s during the fault, and %s after it was over %s still has no row for %s.", r.heard(x.claim),
					round(f.at.Sub(e.mended())), x.truth.effect.Name, r.Marker))
			}
		})
		return s.occasions
	}}
}

func replayTwiceRule() Rule {
	info := experiments.RuleInfo{ID: "RC-04", Name: "replay-twice", Severity: experiments.S1, Level: "L",
		Doc:     "Everything arrives twice after recovery.",
		Check:   "Violated when the truth ends with more than one row for the marker in any effect, and one of them came after the end of the last fault: by the time that its reader gives (at), or because an earlier reading, begun after the fault, had one or none. Exercised by each effect of an intent that was begun before the end of the fault and that arrived after it.",
		Guard:   "As CL-04. Rows of which nothing says when they came are unverifiable where they are several, and not exercised where they are one.",
		Source:  "RFC 9110 9.2.2; Jepsen.",
		Example: "At recovery both the browser's queue and the shop's queue send: two confirmation mails.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s, off := e.sheet(info), e.mended()
		e.eachEffect(func(r *row, x *settlement) {
			f := x.fact
			if off.IsZero() || r.acted().After(off) || !r.told().After(e.begun()) {
				return
			}
			when := x.truth.arrival(r.Marker, off)
			switch {
			case f.standing == unreadable && f.count == 0:
				s.blind(s.row(r), f.why)
			case f.standing == absent || when == cameBefore:
			case f.standing == several && when == cameAfter:
				s.broken(r, f, fmt.Sprintf("%s once, and %s is there %d times for %s; the last came after the fault was over.", r.heard(x.claim), x.truth.effect.Name, f.count, r.Marker))
			case f.standing == several:
				s.blind(s.row(r), "nothing says when the rows of "+x.truth.effect.Name+" came")
			case when == cameAfter:
				s.pass(s.row(r))
			default:
				s.idle(s.row(r), "nothing says when the rows of "+x.truth.effect.Name+" came: needs a reader with at")
			}
		})
		return s.occasions
	}}
}

type arrival uint8

const (
	cameUnknown arrival = iota
	cameBefore
	cameAfter
)

// arrival tells when the last row of a marker came: by its own time, or by what an earlier reading had.
func (t *truth) arrival(marker string, off time.Time) arrival {
	last := t.last()
	if last == nil {
		return cameUnknown
	}
	row := last.rows[marker]
	if !row.At.IsZero() {
		if row.At.After(off) {
			return cameAfter
		}
		return cameBefore
	}
	for _, early := range t.early {
		if early.started.Before(off) || len(early.rows) == 0 { // of very many rows none are kept in between
			continue
		}
		if early.rows[marker].Count < row.Count {
			return cameAfter
		}
		break // the first one after the fault had all of them already: they may have come before or after
	}
	return cameUnknown
}

func cachedErrorRule() Rule {
	info := experiments.RuleInfo{ID: "RC-08", Name: "cached-error", Severity: experiments.S2, Level: "H",
		Doc:     "The error page survives the recovery.",
		Check:   "Violated when an answer at or after the recovery deadline, counted from the end of the last fault, is 500 or more or breaks HT-01, and has an Age above 0. Exercised by each answer after that deadline of a step that failed since the first fault.",
		Guard:   "Only an Age shows that it is a copy; an error that is made anew is none. The look of a page must be seen in two answers.",
		Source:  "RFC 9111 5.1.",
		Example: "The shop's page cache keeps the 503 of a book page for ten minutes.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s, soft := e.sheet(info), e.softErrors()
		failed := map[stepKey]bool{}
		late := map[stepKey]bool{}
		var sure, byLook groups
		e.eachTroubled(func(i int, a answer) {
			found, is := soft[i]
			bad := a.Status >= 500 || is
			limit := e.deadline(a.Journey)
			switch step := a.step(); {
			case !a.answered():
			case limit.IsZero() || a.Sent.Before(limit):
				failed[step] = failed[step] || bad
			case !failed[step] && !bad:
			case bad && a.aged() && is && found.page:
				late[step] = true
				byLook.add(s.answer(a), "page", fmt.Sprintf("Step %s still shows its error, from a cache (Age: %s), %s after the fault was over.", quote(a.Step), a.header("Age"), round(a.Sent.Sub(e.mended()))), a)
			case bad && a.aged():
				late[step] = true
				sure.add(s.answer(a), fmt.Sprint(a.Status), fmt.Sprintf("Step %s is still answered %d from a cache (Age: %s), %s after the fault was over.", quote(a.Step), a.Status, a.header("Age"), round(a.Sent.Sub(e.mended()))), a)
			default:
				late[step] = true
				s.pass(s.answer(a))
			}
		})
		sure.report(s, 1)
		byLook.report(s, 2)
		for _, j := range e.plan.Journeys {
			for _, step := range j.Steps {
				if key := (stepKey{j.Name, step.Name}); failed[key] && !late[key] {
					s.idle(place{journey: j.Name, step: step.Name}, needsRecovery(e.deadlines(j.Name).Recovery)+": nobody asked again after that")
				}
			}
		}
		return s.occasions
	}}
}

// aged reports whether an answer came out of a cache, some time after it went in.
func (a answer) aged() bool {
	age, ok := deltaSeconds(a.header("Age"))
	return ok && age > 0
}
