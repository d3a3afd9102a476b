package honesty

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

func inputLostLaterRule() Rule {
	info := experiments.RuleInfo{ID: "IN-02", Name: "input-lost-later", Severity: experiments.S3, Level: "B",
		Doc:     "Gone after retry, Back or reload.",
		Check:   "Violated when after an error and then Back, a reload or a new tab a field that held something before holds something else, or nothing, as IN-01 looks at it. Exercised by each such act after an error that follows a filled form while a fault was in force, where the form is on the page again.",
		Guard:   "Only tiers that promise drafts (data.drafts: promised) are judged.",
		Source:  "GOV.UK: store the answers.",
		Example: "The address survives the error, but reload brings an empty form.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken sights
		for _, m := range e.mishaps() {
			p := s.onPage(m.Where, m.before.Acted, m.until)
			if j := e.journeys[m.Journey]; p.fault == "" || j == nil || !j.Drafts {
				continue
			}
			for _, back := range e.returns(m) {
				switch lost, there := m.before.fields.lost(back.form); {
				case there == 0:
					s.idle(p, "the form is not there after "+back.Verb)
				case len(lost) == 0:
					s.pass(p)
				default:
					broken.add(s, wrongSight{where: m.Where, from: m.before.Acted, to: back.Acted, kind: back.Verb, lines: []int64{m.before.seq, m.BornN, back.seq, back.seen},
						text: fmt.Sprintf("After %s and then %s the person's input is gone from %d of %d fields: %s.", quote(m.Block.Text), back.Verb, len(lost), there, quote(strings.Join(lost, ", ")))})
				}
			}
		}
		broken.report(s, 1)
		return s.occasions
	}}
}

// comeback is what a form looks like after somebody went back to it.
type comeback struct {
	pressing
	form form
	seen int64
}

// returns are the times that a person went back to a form after an error, in the same visit.
func (e *evidence) returns(m mishap) (all []comeback) {
	sc := m.screen
	for i := sc.press(m.Born); i < len(sc.presses) && sc.presses[i].Visit == m.Visit; i++ {
		p := sc.presses[i]
		if !p.Acted.After(m.Born) || p.Verb != "back" && p.Verb != "reload" && p.Verb != "tab" {
			continue
		}
		until := sc.last
		if i+1 < len(sc.presses) {
			until = sc.presses[i+1].Began
		}
		back := comeback{pressing: p}
		v, opened := experiments.NewView(), false
		for n := sc.first(p.Acted); n < len(sc.samples) && !sc.samples[n].at.After(until); n++ {
			now := sc.samples[n]
			if opened = opened || now.First; opened {
				v.Add(now.at, now.PageSeen)
				back.form, back.seen = fieldsOf(v), now.seq
			}
		}
		all = append(all, back)
	}
	return all
}

// signInField is what a field for a password is called.
var signInField = regexp.MustCompile(`(?i)passw|kennwort`)

func thrownOutRule() Rule {
	info := experiments.RuleInfo{ID: "IN-03", Name: "thrown-out", Severity: experiments.S2, Level: "B",
		Doc:     "Logged out because another service was down.",
		Check:   "Violated when somebody with a login meets a page with a field for a password, for a second look, or a document that is answered 401, in a step that shows neither in the baseline, twice at a step. Exercised by each document that somebody with a login sees while a fault is in force.",
		Guard:   "A sign-in page that says that something is out of order is left alone: the login itself may be what is broken.",
		Source:  "Study of the eventual connectivity of apps.",
		Example: "Catalog is down: the shop clears the login cookie and shows “Please sign in”.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken sights
		gates := e.gates()
		usual := map[stepKey]bool{}
		for _, g := range gates {
			if e.meetsBaseline(g.from, g.until) && g.shut() {
				usual[stepKey{g.Journey, g.Step}] = true
			}
		}
		for _, g := range gates {
			p := s.onPage(g.Where, g.from, g.until)
			switch {
			case p.fault == "" || e.meetsBaseline(g.from, g.from) || g.until.Sub(g.from) < secondLook:
			case !g.shut():
				s.pass(p)
			case usual[stepKey{g.Journey, g.Step}]:
				s.idle(p, "the step asks for a password when all is well")
			case slices.ContainsFunc(g.screen.said[g.Visit], func(one *saying) bool { return one.new && one.Page == g.Page && e.says(one).Is("cause_ours") }):
				s.idle(p, "the page says that something is out of order")
			default:
				broken.add(s, wrongSight{where: g.Where, from: g.from, to: g.until, kind: "out", lines: []int64{g.seq, g.refused},
					text: fmt.Sprintf("%s, who was signed in, is asked to sign in again in step %s.", quote(g.Visitor), quote(g.Step))})
			}
		}
		broken.report(s, 2)
		return s.occasions
	}}
}

// gate is a document that somebody with a login saw in a step.
type gate struct {
	full
	screen  *screen
	asks    bool  // it has a field for a password
	refused int64 // line of its answer, where that was 401
}

func (g *gate) shut() bool { return g.asks || g.refused != 0 }

// gates are the documents that people with a login saw, step by step.
func (e *evidence) gates() (all []*gate) {
	refused := map[pageKey]int64{}
	for _, a := range e.answers {
		if a.Kind == "document" && a.Status == 401 {
			refused[pageKey{a.Journey, a.User, a.Page}] = a.seq
		}
	}
	for _, s := range e.screens {
		var now *gate
		asking := map[int64]bool{}
		s.walk(func(_ *experiments.View, one sample, until time.Time) {
			if one.First {
				clear(asking)
			}
			for _, id := range one.Gone {
				delete(asking, id)
			}
			for _, b := range one.Born {
				delete(asking, b.ID)
				if b.Masked && signInField.MatchString(b.Name+" "+b.Selector+" "+b.Placeholder) {
					asking[b.ID] = true
				}
			}
			if one.Visitor == "" {
				return
			}
			if now == nil || now.Page != one.Page || now.Step != one.Step || now.Visit != one.Visit {
				now = &gate{full: full{Where: one.Where, from: one.at, seq: one.seq}, screen: s, refused: refused[pageKey{s.journey, s.user, one.Page}]}
				all = append(all, now)
			}
			now.until, now.asks = until, now.asks || len(asking) > 0 && until.Sub(one.at) > 0
		})
	}
	return all
}

type pageKey struct {
	journey string
	user    int
	page    int64
}

func trappedRule() Rule {
	info := experiments.RuleInfo{ID: "IN-06", Name: "trapped", Severity: experiments.S3, Level: "B",
		Doc:     "Cannot cancel or leave.",
		Check:   "Violated when a page has shown for longer than the explanation deadline (10 s) that something is under way, and two acts of the person after that (Back, a key, a click) change nothing and none changes anything. Exercised by each such page on which the person tries twice while a fault is in force.",
		Guard:   "An atomic step of payment that says so declares an exception.",
		Source:  "Nielsen: interruptible; study of the eventual connectivity of apps (blocked app).",
		Example: "While payments hangs, an overlay swallows every click and key.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken sights
		for _, w := range e.waitings() {
			p := s.onPage(w.Where, w.from, w.until)
			after := w.from.Add(e.deadlines(w.Journey).Explanation)
			if p.fault == "" || e.meetsBaseline(w.from, w.from) || !w.until.After(after) {
				continue
			}
			tried, freed, lines := e.escapes(w, after)
			switch {
			case freed:
				s.pass(p)
			case tried < 2:
				s.idle(p, "nobody tried twice to get away")
			default:
				broken.add(s, wrongSight{where: w.Where, from: w.from, to: w.until, kind: w.what, lines: append([]int64{w.seq}, lines...),
					text: fmt.Sprintf("%s held the page for %s, and %d acts of the person changed nothing.", quote(w.what), round(w.lasted()), tried)})
			}
		}
		broken.report(s, 1)
		return s.occasions
	}}
}

// escapes are the acts of a person while something was under way after a moment, and whether one of them changed anything.
func (e *evidence) escapes(w *waiting, after time.Time) (tried int, freed bool, lines []int64) {
	for i := w.screen.press(after); i < len(w.screen.presses) && !w.screen.presses[i].Began.After(w.until); i++ {
		p := w.screen.presses[i]
		if p.Verb != "back" && p.Verb != "click" && p.Verb != "press" {
			continue
		}
		tried++
		if lines = append(lines, p.seq); p.Acted.IsZero() {
			continue
		}
		until := p.Acted.Add(e.deadlines(w.Journey).Feedback + secondLook)
		if i+1 < len(w.screen.presses) {
			until = earliest(until, w.screen.presses[i+1].Began)
		}
		changed, _ := e.firstChange(w.screen, p, until)
		freed = freed || !changed.IsZero()
	}
	return tried, freed, lines
}
