package honesty

import (
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// sights gathers what breaks a rule on pages in the same way: one finding for all alike at a place, with the first of them
// as evidence.
type sights struct {
	order []*seenSight
	known map[groupKey]*seenSight
}

type seenSight struct {
	place    place
	where    experiments.Where
	text     string
	at, to   time.Time
	severity experiments.Severity
	lines    []int64
	times    int
}

// wrongSight is one violation on a page.
type wrongSight struct {
	where    experiments.Where
	from, to time.Time
	kind     string // of the same kind are told as one
	text     string
	severity experiments.Severity // empty: the rule's
	lines    []int64
}

// add puts a violation to those of its kind.
func (g *sights) add(s *sheet, w wrongSight) {
	p := s.onPage(w.where, w.from, w.to)
	key := groupKey{p, w.kind}
	one := g.known[key]
	if one == nil {
		if g.known == nil {
			g.known = map[groupKey]*seenSight{}
		}
		one = &seenSight{place: p, where: w.where, text: w.text, at: w.from, to: w.to, severity: w.severity}
		g.known[key] = one
		g.order = append(g.order, one)
	}
	one.times++
	if one.times <= maxSamples {
		one.lines = append(append(one.lines, w.lines...), s.e.shotOf(w.where, w.from))
	}
}

// report makes each kind a finding, with the faults that were in force; what was seen fewer times than least is not
// enough to tell.
func (g *sights) report(s *sheet, least int) {
	for _, one := range g.order {
		if one.times < least {
			s.blind(one.place, "seen once, which is not enough to tell: "+one.text)
			continue
		}
		lines := one.lines
		for _, strike := range s.e.inForce(one.at, one.to) {
			lines = append(lines, strike.seq)
		}
		text := one.text
		if one.times > 1 {
			text += " (" + times(one.times) + ")"
		}
		s.failTimes(one.place, found{at: one.at, marker: one.where.Marker, text: text, lines: refs(lines...), severity: one.severity}, one.times)
	}
}
