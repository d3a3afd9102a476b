package honesty

import (
	"fmt"
	"slices"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

func stuckBusyRule() Rule {
	info := experiments.RuleInfo{ID: "AX-03", Name: "stuck-busy", Severity: experiments.S3, Level: "B",
		Doc:     "“Busy” for ever, or never.",
		Check:   "Violated when a part of the page is still aria-busy a fifth of the explanation deadline (2 s) after the last word about the intent, on the same visit. Exercised by each intent on whose page something is or was busy, as long as somebody looks that long, while a fault is in force.",
		Guard:   "What is busy for as long in the baseline is not judged.",
		Source:  "WAI-ARIA, aria-busy; WCAG 4.1.3.",
		Example: "The order list keeps aria-busy=\"true\" after the error is shown.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken sights
		all := e.waitings()
		usual := e.usualWaits(all)
		byVisit := map[visitKey][]*waiting{}
		for _, w := range all {
			if w.busy {
				key := visitKey{w.Journey, w.Visit, w.User}
				byVisit[key] = append(byVisit[key], w)
			}
		}
		for _, r := range e.rows {
			over := r.told().Add(e.soonAfter(r.Journey))
			for _, w := range byVisit[visitKey{r.Journey, r.Visit, r.User}] {
				p := s.onPage(w.Where, w.from, w.until)
				switch {
				case p.fault == "" || r.final() == nil || e.meetsBaseline(w.from, w.from) || w.from.After(over):
				case w.until.After(over.Add(secondLook)) && 2*usual[waitKey{w.Journey, w.what}] > w.lasted():
					s.idle(p, quote(w.what)+" is busy for as long when all is well")
				case w.until.After(over.Add(secondLook)):
					broken.add(s, w.wrong(fmt.Sprintf("%s is still busy %s after the person was told %s.", quote(w.what), round(w.until.Sub(r.told())), r.claim())))
				case w.left:
					s.idle(p, "the page was left before it had to be done")
				default:
					s.pass(p)
				}
			}
		}
		broken.report(s, 1)
		return s.occasions
	}}
}

func colourOnlyRule() Rule {
	info := experiments.RuleInfo{ID: "AX-04", Name: "colour-only", Severity: experiments.S3, Level: "B",
		Doc:     "Only a red border.",
		Check:   "Violated when the request of an intent fails, a field of the page becomes invalid, and within the explanation deadline no new text, name or description comes up. Exercised by each intent whose request fails and after which a field is invalid, while a fault is in force.",
		Guard:   "An icon with a text of its own passes. A page that is left is told by what it is left for.",
		Source:  "WCAG 1.4.1, 3.3.1; NN/g: redundant cues.",
		Example: "A refused checkout turns the card field red, nothing else.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken sights
		for _, r := range e.rows {
			sc, last := e.screenOf[screenKey{r.Journey, r.User}], r.lastChange(e)
			if sc == nil || last == nil || last.good() || last.Ended.IsZero() || e.meetsBaseline(r.acted(), r.acted()) {
				continue
			}
			until := last.Ended.Add(e.deadlines(r.Journey).Explanation)
			invalid, told, left := sc.marksAfter(last.Ended, until, r.Visit)
			switch {
			case invalid == nil:
			case told:
				s.pass(s.row(r))
			case left || sc.last.Before(last.Ended.Add(secondLook)):
				s.idle(s.row(r), "the page was left before the deadline")
			default:
				broken.add(s, wrongSight{where: invalid.Where, from: last.Ended, to: until, kind: "colour", lines: []int64{r.seq, last.seq, invalid.seq},
					text: "The request failed (" + last.outcome() + "), a field was marked, and no word on the page says why."})
			}
		}
		broken.report(s, 1)
		return s.occasions
	}}
}

// marksAfter is the sample in which a field became invalid between two times, whether the page said a word meanwhile, and
// whether it was left.
func (s *screen) marksAfter(from, to time.Time, visit int64) (invalid *sample, told, left bool) {
	for i := s.first(from); i < len(s.samples) && !s.samples[i].at.After(to) && s.samples[i].Visit == visit; i++ {
		now := s.samples[i]
		left = left || now.First
		for _, b := range now.Born {
			if b.Invalid && invalid == nil {
				invalid = &s.samples[i]
			}
			told = told || b.Described != "" || b.Text != "" && !b.Control || b.Role == "img" && b.Name != ""
		}
	}
	return invalid, told, left
}

func silentEndRule() Rule {
	info := experiments.RuleInfo{ID: "AX-06", Name: "silent-end", Severity: experiments.S4, Level: "B",
		Doc:     "Never learns that it is over.",
		Check:   "Violated when a text about the outage, which is not about a single intent, is taken from the page after the end of the last fault, and within a fifth of the explanation deadline no text comes up in a live region, no other page comes, and the focus does not move. Exercised by each such text that is taken from a page.",
		Guard:   "A text that goes because its page is left is not judged.",
		Source:  "WCAG 4.1.3, removal of status text.",
		Example: "At recovery the notice “Payments are unavailable” is deleted from the page, nothing is announced.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken sights
		for _, one := range e.outages() {
			if one.Left || e.mended().IsZero() || one.until.Before(e.mended()) {
				continue
			}
			p := s.onPage(one.Where, one.Born, one.Born)
			around := e.soonAfter(one.Journey)
			if e.announced(one, around) {
				s.pass(p)
				continue
			}
			broken.add(s, one.wrong("end", fmt.Sprintf("%s was taken from the page, and nothing was announced.", quote(one.Block.Text))))
		}
		broken.report(s, 1)
		return s.occasions
	}}
}

// announced reports whether something was announced, or the context changed, around the end of a text.
func (e *evidence) announced(one *saying, around time.Duration) bool {
	from, to := one.until.Add(-around), one.until.Add(around)
	if slices.ContainsFunc(one.screen.said[one.Visit], func(s *saying) bool {
		return s != one && s.Block.Live != "" && !s.Born.Before(from) && !s.Born.After(to)
	}) {
		return true
	}
	i := max(1, one.screen.first(one.until))
	for ; i < len(one.screen.samples) && !one.screen.samples[i].at.After(to); i++ {
		before, now := one.screen.samples[i-1], one.screen.samples[i]
		if now.First || now.Focus != before.Focus && now.Focus != 0 {
			return true
		}
	}
	return false
}
