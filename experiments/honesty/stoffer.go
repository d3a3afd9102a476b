package honesty

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

func deadOfferRule() Rule {
	info := experiments.RuleInfo{ID: "ST-10", Name: "dead-offer", Severity: experiments.S3, Level: "B",
		Doc:     "A full form that fails at its end.",
		Check:   "Violated when a fault had been in force on what the intent's step needs for longer than six explanation deadlines (60 s) before the visit began, the intent then fails, and no page before its act said a word about trouble. Exercised by each such visit whose intent fails.",
		Guard:   "A short outage is none: the threshold. It must be seen in two visits.",
		Source:  "Material Design 1, errors.",
		Example: "Payments has been down for five minutes: three pages of checkout are still asked for before it fails.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken sights
		for _, r := range e.rows {
			sc := e.screenOf[screenKey{r.Journey, r.User}]
			claim := r.claim()
			if sc == nil || r.unsent() || claim == experiments.ClaimSuccess || claim == experiments.ClaimPending {
				continue
			}
			began, steps := sc.visitBegan(r.Visit)
			strike := e.needed(stepKey{r.Journey, r.Step}, r.acted(), r.told())
			long := 6 * e.deadlines(r.Journey).Explanation
			switch {
			case began.IsZero() || strike == nil || strike.effective.IsZero():
			case steps < 2:
				s.idle(s.row(r), "the first page is the one on which it fails")
			case began.Sub(strike.effective) <= long:
				s.idle(s.row(r), fmt.Sprintf("needs a fault that lasts longer than %s", long))
			case e.warned(sc, r.Visit, began, r.acted()):
				s.pass(s.row(r))
			default:
				broken.add(s, wrongSight{where: experiments.Where{Journey: r.Journey, User: r.User, Visit: r.Visit, Step: r.Step, Marker: r.Marker}, from: began, to: r.told(), kind: "offer",
					text:  fmt.Sprintf("The person was led through %d steps, %s after %s, and then heard %s.", steps, round(began.Sub(strike.effective)), strike.meanwhile(), claim),
					lines: []int64{r.seq, sc.samples[sc.first(began)].seq}})
			}
		}
		broken.report(s, 2)
		return s.occasions
	}}
}

// first is the place of the first sample at or after a time; the last one where there is none.
func (s *screen) first(at time.Time) int {
	i, _ := slices.BinarySearchFunc(s.samples, at, func(one sample, at time.Time) int { return one.at.Compare(at) })
	return min(i, len(s.samples)-1)
}

// press is the place of the first act at or after a time.
func (s *screen) press(at time.Time) int {
	i, _ := slices.BinarySearchFunc(s.presses, at, func(p pressing, at time.Time) int { return p.Began.Compare(at) })
	return i
}

// visitBegan is when the first page of a visit was seen, and how many steps it showed before and with that of its intent.
func (s *screen) visitBegan(visit int64) (began time.Time, steps int) {
	i, _ := slices.BinarySearchFunc(s.samples, visit, func(one sample, visit int64) int { return int(one.Visit - visit) })
	last := ""
	for ; i < len(s.samples) && s.samples[i].Visit == visit; i++ {
		if began.IsZero() {
			began = s.samples[i].at
		}
		if s.samples[i].Step != last {
			last = s.samples[i].Step
			steps++
		}
		if s.samples[i].Marker != "" {
			break
		}
	}
	return began, steps
}

// warned reports whether a page said something about trouble in a time.
func (e *evidence) warned(sc *screen, visit int64, from, to time.Time) bool {
	return slices.ContainsFunc(sc.said[visit], func(s *saying) bool {
		return s.new && s.Marker == "" && s.seenAt(from, to) && (isBad(e.says(s)) || s.Block.Live != "" && !s.Block.Control)
	})
}

func fleetingRule() Rule {
	info := experiments.RuleInfo{ID: "ST-14", Name: "fleeting", Severity: experiments.S3, Level: "B",
		Doc:     "A critical error that is gone after 4 s.",
		Check:   "Violated when a text that says that an intent failed disappears from the page, without an act of the person, before the explanation deadline (10 s) or a tenth of it for each two words, whichever is longer, and no other text about the failure is left. Exercised by each such text while a fault is in force, as long as the person stays on the page.",
		Guard:   "A history of messages that keeps it passes, and so does what ends because the person acts.",
		Source:  "Carbon, notifications: errors persist; Material Design 1.",
		Example: "“Payment failed” shows for 3 s, then the page looks as before.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken sights
		for _, one := range e.sayings { // also those that are gone at the second look: that is the point
			if one.Marker == "" || !one.new || e.meetsBaseline(one.Born, one.Born) || e.claimed(one) != experiments.ClaimRefused || len(e.signs(one)) < 2 {
				continue
			}
			p := s.onPage(one.Where, one.Born, one.until)
			explanation := e.deadlines(one.Journey).Explanation
			needs := max(explanation, time.Duration(len(strings.Fields(one.Block.Text))/2)*explanation/10)
			lasted := one.until.Sub(one.Born)
			switch {
			case p.fault == "":
			case lasted >= needs:
				s.pass(p)
			case one.Left:
				s.idle(p, "the page was left before the deadline")
			case one.screen.actedIn(one.Born, one.until):
				s.idle(p, "the person acted before the deadline")
			case e.leavesTrace(one):
				s.pass(p)
			default:
				broken.add(s, one.wrong("fleeting", fmt.Sprintf("%s was gone after %s (it takes %s to meet and read), and nothing of it is left.", quote(one.Block.Text), round(lasted), needs)))
			}
		}
		broken.report(s, 1)
		return s.occasions
	}}
}

// actedIn reports whether the person did something between two times.
func (s *screen) actedIn(from, to time.Time) bool {
	i := s.press(from)
	return i < len(s.presses) && s.presses[i].Began.Before(to)
}

// leavesTrace reports whether another text about the same failure is there when one is gone.
func (e *evidence) leavesTrace(one *saying) bool {
	return slices.ContainsFunc(one.screen.said[one.Visit], func(s *saying) bool {
		return s != one && s.Page == one.Page && s.new && s.seenAt(one.until.Add(secondLook), one.until.Add(secondLook)) && isBad(e.says(s))
	})
}
