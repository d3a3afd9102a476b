package honesty

import (
	"slices"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/patterns"
)

// softness is what a 2xx answer says of a failure inside.
type softness struct {
	signs []string
	page  bool // by the look of a page, which takes a second sample
}

// softErrors finds, once, the 2xx answers that hold an error which the same step does not show when all is well. Keys are
// places in answers.
func (e *evidence) softErrors() map[int]softness {
	if e.soft != nil {
		return e.soft
	}
	e.soft = map[int]softness{}
	lexicon, err := patterns.English()
	if err != nil {
		lexicon = nil // single words are read without it
	}
	type usualSign struct {
		stepKey
		sign string
	}
	usual := map[usualSign]bool{}
	for step, n := range e.normals {
		for _, i := range n.answers {
			for _, sign := range e.answers[i].signs(lexicon).signs {
				usual[usualSign{step, sign}] = true
			}
		}
	}
	for i, a := range e.answers {
		if !e.troubled(a) || a.Status < 200 || a.Status > 299 {
			continue
		}
		found := a.signs(lexicon)
		found.signs = slices.DeleteFunc(found.signs, func(s string) bool { return usual[usualSign{a.step(), s}] })
		if len(found.signs) > 1 || len(found.signs) == 1 && !found.page {
			e.soft[i] = found
		}
	}
	return e.soft
}

// signs is what in a body says that something failed.
func (a answer) signs(lexicon *patterns.Lexicon) softness {
	if d := a.document(); d != nil {
		return softness{signs: d.failures()}
	}
	if a.isHTML() {
		return softness{signs: readPage(a.Body.Text).failures(lexicon), page: true}
	}
	return softness{}
}

// troubled reports whether an answer lies in the time that rules about the wire look at: while users lived through the
// fault, or its aftermath.
func (e *evidence) troubled(a answer) bool {
	switch e.phase(a.Sent) {
	case experiments.PhaseFault, experiments.PhaseRecovery, experiments.PhaseSettle:
		return true
	}
	return len(e.inForce(a.Sent, a.Ended)) > 0
}

// group is all answers alike at one place: one finding, with the first of them as evidence.
type group struct {
	place place
	text  string
	first answer
	lines []int64
	times int
}

// groups gathers answers that break a rule in the same way.
type groups struct {
	order []*group
	known map[groupKey]*group
}

type groupKey struct {
	place
	kind string
}

// maxSamples bounds the lines that stand for all answers alike.
const maxSamples = 3

// add puts an answer to those of its kind; the text is that of the first.
func (g *groups) add(p place, kind, text string, a answer, more ...int64) {
	key := groupKey{p, kind}
	one := g.known[key]
	if one == nil {
		if g.known == nil {
			g.known = map[groupKey]*group{}
		}
		one = &group{place: p, text: text, first: a}
		g.known[key] = one
		g.order = append(g.order, one)
	}
	one.times++
	if one.times <= maxSamples {
		one.lines = append(append(one.lines, a.seq), more...)
	}
}

// report makes each group a finding. A rule that goes by text reports what it saw twice; once is not enough to tell.
func (g *groups) report(s *sheet, least int) {
	for _, one := range g.order {
		if one.times < least {
			s.blind(one.place, "seen once, which is not enough to tell: "+one.text)
			continue
		}
		lines := one.lines
		for _, strike := range s.e.inForce(one.first.Sent, one.first.Ended) {
			lines = append(lines, strike.seq)
		}
		text := one.text
		if one.times > 1 {
			text += " (" + times(one.times) + ")"
		}
		s.failTimes(one.place, found{at: one.first.Sent, marker: one.first.Marker, text: text, lines: refs(lines...)}, one.times)
	}
}
