package honesty

import (
	"slices"
	"strings"
	"time"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/patterns"
)

// telling is an error as a person reads it: the texts that came up together on one page, of which one at least is an error.
type telling struct {
	*saying // the first of its errors
	parts   []*saying
	words   string // of all parts, a line for each
	all     patterns.Result
	place   place
	needed  *strike // the fault in force on what the step needs, when it came up; nil without one
}

// is reports whether some part of it is of a class of the lexicon.
func (t *telling) is(class string) bool { return t.all.Is(class) }

// quoted is the part that is of a class, or all of it.
func (t *telling) quoted(class string) string {
	for _, c := range t.all.Clauses {
		if slices.Contains(c.Classes, class) {
			return quote(c.Text)
		}
	}
	return quote(strings.ReplaceAll(t.words, "\n", " · "))
}

// tellings visits what each error told that came up while a fault was in force.
func (e *evidence) tellings(s *sheet, visit func(*telling)) {
	for _, t := range e.told() {
		if t.place = s.onPage(t.Where, t.Born, t.until); t.place.fault != "" && len(e.inForce(t.Born, t.Born)) > 0 {
			visit(t)
		}
	}
}

// told makes tellings of the errors: each with the new texts that came up with it, and are no controls.
func (e *evidence) told() []*telling {
	if e.tellingsOf != nil {
		return e.tellingsOf
	}
	e.tellingsOf = []*telling{}
	of := map[*screen][]*saying{}
	for _, one := range e.sayings {
		if one.new && !one.Block.Control && one.stayed() {
			of[one.screen] = append(of[one.screen], one)
		}
	}
	last := map[*screen]*telling{}
	for _, one := range e.errors() {
		if t := last[one.screen]; one.Block.Control || t != nil && t.Page == one.Page && one.Born.Sub(t.Born) <= secondLook {
			continue
		}
		t := &telling{saying: one, needed: e.needed(one.step(), one.Born, one.Born)}
		last[one.screen] = t
		near := of[one.screen]
		from, _ := slices.BinarySearchFunc(near, one.Born.Add(-secondLook), func(s *saying, at time.Time) int { return s.Born.Compare(at) })
		for _, part := range near[from:] {
			if part.Born.Sub(one.Born) > secondLook {
				break
			}
			if part.Page == one.Page {
				t.parts = append(t.parts, part)
			}
		}
		slices.SortStableFunc(t.parts, func(a, b *saying) int { return a.Block.Box.Y - b.Block.Box.Y })
		texts := make([]string, 0, len(t.parts))
		for _, part := range t.parts {
			texts = append(texts, part.Block.Text)
		}
		t.words = strings.Join(texts, "\n")
		t.all = e.means(t.words)
		e.tellingsOf = append(e.tellingsOf, t)
	}
	return e.tellingsOf
}

// lines are the samples that show it.
func (t *telling) lines() (lines []int64) {
	for _, part := range t.parts[:min(len(t.parts), maxSamples)] {
		lines = append(lines, part.BornN)
	}
	return lines
}

// lie is a violation by what an error tells, with the request behind it.
func (e *evidence) lie(t *telling, kind, text string, lines ...int64) wrongSight {
	if a := e.askBehind(t); a != nil {
		lines = append(lines, a.seq)
	}
	return t.wrong(kind, text, append(lines, t.lines()...)...)
}

// askBehind is the request of the page that failed before an error came up; nil without one.
func (e *evidence) askBehind(t *telling) *answer {
	return e.failedAsk(t.screen, t.Born.Add(-e.deadlines(t.Journey).Final), t.Born.Add(secondLook))
}

// worked reports whether a visit of a journey went well in a time.
func (e *evidence) worked(journey string, within func(at time.Time) bool) bool {
	return slices.ContainsFunc(e.visits, func(v seenVisit) bool { return v.Journey == journey && v.OK && within(v.Started) && within(v.at) })
}

// pageAt is the page that a user saw at the second look at an error; nil when nobody looked.
func (e *evidence) pageAt(t *telling) (seen *experiments.View) {
	v := experiments.NewView()
	first := t.screen.at(t.BornN)
	for first > 0 && !t.screen.samples[first].First {
		first--
	}
	for _, now := range t.screen.samples[first:] {
		if now.Page != t.Page || seen != nil && now.at.Sub(t.Born) > secondLook {
			break
		}
		v.Add(now.at, now.PageSeen)
		if now.seq >= t.BornN {
			seen = v
		}
	}
	return seen
}
