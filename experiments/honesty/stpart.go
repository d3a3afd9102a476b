package honesty

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/candor-chaos/candor/experiments"
)

func vanishedPartRule() Rule {
	info := experiments.RuleInfo{ID: "ST-08", Name: "vanished-part", Severity: experiments.S2, Level: "B",
		Doc:     "A section is simply missing.",
		Check:   "Violated when an essential region, which is always there in the same step of the baseline, is absent for longer than the feedback deadline on a page of the same title, and no new text on the page names it. Exercised by each look of an essential region while a fault is in force on what it needs.",
		Guard:   "Regions that are not essential may be absent. A page of another title is another page.",
		Source:  "Study of the eventual connectivity of apps (lost content); Material Design 1.",
		Example: "Catalog is down: the stock and delivery block on the book page is left out without a word.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken sights
		there, titles := e.partsWhenWell(), e.titlesWhenWell()
		e.eachStruck(func(one *stay) {
			if !one.region.Essential {
				return
			}
			p := s.onRegion(one)
			title := usualText{one.Journey + "\x00" + one.Step, e.normalize(one.screen.samples[one.screen.at(one.seq)].Title)}
			switch {
			case one.state != regionAbsent:
				s.pass(p)
			case !there[partKey{one.Journey, one.Step, one.region.Name}]:
				s.idle(p, one.region.Name+" is not always there in this step when all is well")
			case !titles[title]:
				s.idle(p, "it is another page")
			case one.lasted() <= e.deadlines(one.Journey).Feedback:
				s.idle(p, "the page was left, or the part came, before the deadline")
			case e.named(one):
				s.pass(p)
			default:
				broken.add(s, one.wrong("gone", fmt.Sprintf("%s is missing, and nothing on the page says so.", quote(one.region.Name))))
			}
		})
		broken.report(s, 1)
		return s.occasions
	}}
}

type partKey struct{ journey, step, region string }

// partsWhenWell are the regions that are there whenever somebody looks twice in a step of the baseline.
func (e *evidence) partsWhenWell() map[partKey]bool {
	there := map[partKey]bool{}
	for _, one := range e.stays {
		if !one.stayed() || !e.meetsBaseline(one.from, one.from) {
			continue
		}
		key := partKey{one.Journey, one.Step, one.region.Name}
		before, known := there[key]
		there[key] = one.state != regionAbsent && (before || !known)
	}
	return there
}

// titlesWhenWell are the titles that pages have in each step of the baseline.
func (e *evidence) titlesWhenWell() map[usualText]bool {
	titles := map[usualText]bool{}
	for _, s := range e.screens {
		for _, now := range s.samples {
			if e.normalTime(now.at) {
				titles[usualText{s.journey + "\x00" + now.Step, e.normalize(now.Title)}] = true
			}
		}
	}
	return titles
}

// named reports whether a new text on the page names a region that is not there.
func (e *evidence) named(one *stay) bool {
	words := wordsOfName(one.region.Name)
	return slices.ContainsFunc(one.screen.said[one.Visit], func(s *saying) bool {
		return s.new && s.Page == one.Page && s.seenAt(one.from, one.until) && slices.ContainsFunc(words, func(w string) bool { return strings.Contains(s.text, w) })
	})
}

// wordsOfName are the words of a name that tell something, without their plural.
func wordsOfName(name string) (words []string) {
	for _, w := range strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !unicode.IsLetter(r) }) {
		if len(w) > 3 || len(strings.Fields(name)) == 1 {
			words = append(words, strings.TrimSuffix(w, "s"))
		}
	}
	return words
}

// greyed is a time over which a control could not be used.
type greyed struct {
	waiting
	block experiments.Block
}

// greyedOut are the times over which controls could not be used, and the controls that could be at some time of the baseline.
func (e *evidence) greyedOut() (all []*greyed, usable map[waitKey]bool) {
	usable = map[waitKey]bool{}
	for _, s := range e.screens {
		open := map[int64]*greyed{}
		end := func(id int64, at time.Time, left bool) {
			if g := open[id]; g != nil {
				g.until, g.left = at, left
				delete(open, id)
			}
		}
		for _, now := range s.samples {
			if now.First {
				for id := range open {
					end(id, now.at, true)
				}
			}
			for _, id := range now.Gone {
				end(id, now.at, false)
			}
			for _, b := range now.Born {
				switch {
				case !b.Control || !b.Disabled:
					end(b.ID, now.at, false)
					if b.Control && e.normalTime(now.at) {
						usable[waitKey{s.journey, b.Selector}] = true
					}
				case open[b.ID] == nil:
					g := &greyed{waiting{Where: now.Where, screen: s, what: b.Selector, from: now.at, seq: now.seq, lastSeq: now.seq}, b}
					open[b.ID] = g
					all = append(all, g)
				default:
					open[b.ID].block, open[b.ID].lastSeq = b, now.seq
				}
			}
		}
		for id := range open {
			end(id, s.last, true)
		}
	}
	return all, usable
}

func muteDisabledRule() Rule {
	info := experiments.RuleInfo{ID: "ST-09", Name: "mute-disabled", Severity: experiments.S3, Level: "B",
		Doc:     "A grey button without a reason.",
		Check:   "Violated when a control that can be used in the baseline is disabled for longer than three tenths of the explanation deadline (3 s) while no request is on its way, has no description, and no new text near it, or announced, or about trouble anywhere on the page, gives a reason. Exercised by each control that is disabled for as long while a fault is in force.",
		Guard:   "What is disabled for half as long in the baseline is not judged.",
		Source:  "WCAG 3.3; project rule.",
		Example: "Payments is down: “Buy” is grey, nothing says why.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken sights
		all, usable := e.greyedOut()
		waits := make([]*waiting, len(all))
		for i, g := range all {
			waits[i] = &g.waiting
		}
		usual := e.usualWaits(waits)
		for _, g := range all {
			p := s.onPage(g.Where, g.from, g.until)
			limit := e.deadlines(g.Journey).Explanation * 3 / 10
			quiet := e.longestQuiet(&g.waiting)
			if p.fault == "" || e.meetsBaseline(g.from, g.from) || quiet <= limit {
				continue
			}
			switch {
			case !usable[waitKey{g.Journey, g.what}], 2*usual[waitKey{g.Journey, g.what}] > g.lasted():
				s.idle(p, "it cannot be used when all is well either")
			case g.block.Described != "", e.excused(g):
				s.pass(p)
			default:
				broken.add(s, wrongSight{where: g.Where, from: g.from, to: g.until, kind: g.what, lines: []int64{g.seq, g.lastSeq},
					text: fmt.Sprintf("%s was disabled for %s, and nothing says why.", quote(orWhat(g.block.Name, g.what)), round(g.lasted()))})
			}
		}
		broken.report(s, 1)
		return s.occasions
	}}
}

func orWhat(name, selector string) string {
	if name == "" {
		return selector
	}
	return name
}

// near is within how many pixels a text speaks for a control.
const near = 150

// excused reports whether a new text on the page gives a reason why a control cannot be used.
func (e *evidence) excused(g *greyed) bool {
	return slices.ContainsFunc(g.screen.said[g.Visit], func(s *saying) bool {
		if !s.new || s.Page != g.Page || !s.seenAt(g.from, g.until) || s.Block.ID == g.block.ID {
			return false
		}
		a, b := s.Block.Box, g.block.Box
		close := a.Y+a.H+near > b.Y && a.Y < b.Y+b.H+near && a.X+a.W+near > b.X && a.X < b.X+b.W+near
		said := e.says(s)
		return s.Block.Live != "" || isBad(said) || said.Claim == experiments.ClaimPending || close && len(strings.Fields(s.text)) > 2
	})
}
