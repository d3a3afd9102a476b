package honesty

import (
	"fmt"
	"sort"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// at is the place of a sample among a user's samples.
func (s *screen) at(seq int64) int {
	return sort.Search(len(s.samples), func(i int) bool { return s.samples[i].seq >= seq })
}

// bornWithPage reports whether a text came with its document, and whether the document says by its title or a heading of
// its own that it is another one.
func (e *evidence) bornWithPage(s *saying) (with, fitting bool) {
	i := s.screen.at(s.BornN)
	now := s.screen.samples[i]
	if !now.First && now.at.Sub(s.screen.firstOf(i).at) > secondLook {
		return false, false
	}
	fitting = s.Block.Heading > 0 || i > 0 && s.screen.samples[i-1].Title != now.Title
	for _, b := range s.screen.firstOf(i).Born {
		fitting = fitting || b.Heading > 0 && b.Heading < 3 && !e.usually(s.Journey, b.Text)
	}
	return true, fitting
}

// firstOf is the first sample of the document of a sample.
func (s *screen) firstOf(i int) sample {
	for i > 0 && !s.samples[i].First && s.samples[i-1].Page == s.samples[i].Page {
		i--
	}
	return s.samples[i]
}

// focusAfter is where the focus went after a text was born: moved, when it came to another piece of the page than it was on,
// or than was clicked; lost, when it was somewhere before and is nowhere at a second look.
func (s *saying) focusAfter(within time.Duration) (moved, lost bool) {
	i := s.screen.at(s.BornN)
	before := int64(0)
	if i > 0 && s.screen.samples[i-1].Page == s.Page {
		before = s.screen.samples[i-1].Focus
	}
	clicked := s.screen.clickedBefore(s)
	if before == 0 {
		before = clicked // a button that is disabled while it works loses the focus to begin with
	}
	for ; i < len(s.screen.samples) && s.screen.samples[i].Page == s.Page && !s.screen.samples[i].at.After(s.Born.Add(within)); i++ {
		now := s.screen.samples[i]
		moved = moved || now.Focus != 0 && now.Focus != before && now.Focus != clicked
		lost = before != 0 && now.Focus == 0
	}
	return moved, lost
}

// clickedBefore is the block that was last acted on before a text came, on its page.
func (s *screen) clickedBefore(one *saying) int64 {
	n := sort.Search(len(s.presses), func(i int) bool { return s.presses[i].Began.After(one.Born) })
	if n == 0 || s.presses[n-1].Page != one.Page {
		return 0
	}
	return s.presses[n-1].Block
}

func unannouncedRule() Rule {
	info := experiments.RuleInfo{ID: "AX-01", Name: "unannounced", Severity: experiments.S2, Level: "B",
		Doc:     "A screen reader says nothing.",
		Check:   "Violated when a new text about an error, or one that is marked as a claim, stands in no live region (alert, status, log, output, aria-live) and in no dialog, and the focus does not move within a fifth of the explanation deadline. Exercised by each such text while a fault is in force.",
		Guard:   "An error that comes with a page of its own, whose title or first heading is another, passes; one that comes with a page that looks like the one before is not judged.",
		Source:  "WCAG 4.1.3, failure F103.",
		Example: "The error appears in a plain <div> below the button.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken sights
		e.eachNews(s, func(one *saying, p place) {
			with, fitting := e.bornWithPage(one)
			moved, _ := one.focusAfter(e.soonAfter(one.Journey))
			switch {
			case one.Block.Live != "", one.Block.Dialog, moved, with && fitting:
				s.pass(p)
			case with:
				s.idle(p, "it came with a page whose title and heading are as before")
			default:
				broken.add(s, one.wrong("unannounced", fmt.Sprintf("%s came up in %s, which nothing announces, and the focus did not move.", quote(one.Block.Text), quote(one.Block.Selector))))
			}
		})
		broken.report(s, 1)
		return s.occasions
	}}
}

// eachNews visits every new text about an error or marked as a claim that came while a fault was in force.
func (e *evidence) eachNews(s *sheet, visit func(*saying, place)) {
	erred := map[*saying]bool{}
	for _, one := range e.errors() {
		erred[one] = true
	}
	for _, one := range e.sayings {
		marked := one.new && one.stayed() && one.Block.Claim != "" && one.Marker != "" && !one.Block.Control && !e.meetsBaseline(one.Born, one.Born)
		if !erred[one] && !marked {
			continue
		}
		if p := s.onPage(one.Where, one.Born, one.until); p.fault != "" {
			visit(one, p)
		}
	}
}

// wrong is a violation that a text shows.
func (s *saying) wrong(kind, text string, lines ...int64) wrongSight {
	return wrongSight{where: s.Where, from: s.Born, to: s.until, kind: kind, text: text, lines: append([]int64{s.BornN, s.DiedN}, lines...)}
}

func bornWithTextRule() Rule {
	info := experiments.RuleInfo{ID: "AX-02", Name: "born-with-text", Severity: experiments.S4, Level: "B",
		Doc:     "Region and text are inserted together.",
		Check:   "Violated when a new text about an error, or one that is marked as a claim, stands in a live region that was not there at the look before. Exercised by each such text in a live region while a fault is in force.",
		Guard:   "Many screen readers cope with it where the role is alert: a warning, and no more. What comes with its document is not judged.",
		Source:  "WCAG failure F103.",
		Example: "<div role=\"alert\"> is created with the text already in it.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken sights
		e.eachNews(s, func(one *saying, p place) {
			with, _ := e.bornWithPage(one)
			switch {
			case one.Block.Live == "" || with:
			case one.Block.LiveBorn:
				broken.add(s, one.wrong("born", fmt.Sprintf("%s came up together with the live region that it stands in (%s).", quote(one.Block.Text), quote(one.Block.Selector))))
			default:
				s.pass(p)
			}
		})
		broken.report(s, 1)
		return s.occasions
	}}
}

func lostFocusRule() Rule {
	info := experiments.RuleInfo{ID: "AX-05", Name: "lost-focus", Severity: experiments.S3, Level: "B",
		Doc:     "Back at the top of the page.",
		Check:   "Violated when the focus was on something before an error came up and is on nothing at all, or on something that was removed, at the end of a fifth of the explanation deadline after it, on the same document. Exercised by each error that comes up while a fault is in force and something has the focus.",
		Guard:   "A dialog that closes to its opener passes. A step that loses the focus in the baseline too is not judged.",
		Source:  "WCAG 4.1.3, change of context.",
		Example: "The shop redraws the whole form on error and the focus falls to the body.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken sights
		usual := e.losesFocus()
		for _, one := range e.errors() {
			p := s.onPage(one.Where, one.Born, one.until)
			i := one.screen.at(one.BornN)
			if p.fault == "" || i == 0 || one.screen.samples[i-1].Page != one.Page || one.Block.Dialog || one.screen.samples[i-1].Focus == 0 && one.screen.clickedBefore(one) == 0 {
				continue
			}
			_, lost := one.focusAfter(e.soonAfter(one.Journey))
			switch {
			case !lost:
				s.pass(p)
			case usual[one.step()]:
				s.idle(p, "the focus is lost in this step when all is well")
			default:
				broken.add(s, one.wrong("focus", fmt.Sprintf("When %s came up the focus was lost.", quote(one.Block.Text)), one.screen.samples[i-1].seq))
			}
		}
		broken.report(s, 1)
		return s.occasions
	}}
}

// losesFocus are the steps in which the focus goes from something to nothing, on one document, in the baseline.
func (e *evidence) losesFocus() map[stepKey]bool {
	loses := map[stepKey]bool{}
	for _, s := range e.screens {
		for i := 1; i < len(s.samples); i++ {
			before, now, until := s.samples[i-1], s.samples[i], s.last
			if i+1 < len(s.samples) {
				until = s.samples[i+1].at
			}
			if e.normalTime(now.at) && now.Page == before.Page && before.Focus != 0 && now.Focus == 0 && until.Sub(now.at) > e.soonAfter(s.journey) {
				loses[stepKey{s.journey, now.Step}] = true
			}
		}
	}
	return loses
}
