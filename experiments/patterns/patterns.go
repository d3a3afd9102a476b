// Package patterns knows what a leak looks like and what a phrase means, as data: tables of leak patterns and of the
// default pages of servers, and a lexicon of what products tell their users. It judges nothing. Whether a hit counts
// depends on where it stood and whether it is there when all is well.
//
// A language is one file. To add French, write lexicon/fr.txt: its head "lexicon fr 1", then how it is read (spelling,
// turns, endings, glossary, common words, lists of words), then the phrases of each class and the nouns, as lexicon/de.txt
// has them. Before that, write what products say in French into testdata/heldout-fr.txt, which never tunes a phrase, and
// into testdata/tuning-fr.txt, and list both in quality_test.go with the floors that you measure. No other code changes.
package patterns

import (
	"bytes"
	"regexp"
	"slices"
)

// pattern is one thing to recognise. Each match holds one of the literals. They are looked for first and the expression
// sees only their surroundings: it runs on every answer of a run, and is a hundred times slower.
type pattern struct {
	name     string // the rule that it serves, a slash, and its own name
	literals []string
	reach    int // bytes around a literal that the expression sees; 0: far
	back     int // bytes of them before the literal; 0: as many as after it
	re       *regexp.Regexp
	edges    bool           // the expression asks for the start or the end of the text
	unless   *regexp.Regexp // matched on what stands just before: then it is none
	secret   bool           // its hits are shown masked
}

const (
	far        = 320 // bytes around a literal
	lookBehind = 16  // bytes before a hit that unless sees
)

// span is a part of a piece.
type span struct{ from, to int }

// find gives the places of at most limit hits: the first group of the expression where it has one.
func (p *pattern) find(piece []byte, limit int) []span {
	var found []span
	for _, around := range p.surroundings(piece) {
		for _, at := range p.re.FindAllSubmatchIndex(piece[around.from:around.to], -1) {
			hit, ok := p.hit(piece, around, at)
			if !ok {
				continue
			}
			if found = append(found, hit); len(found) == limit {
				return found
			}
		}
	}
	return found
}

// surroundings are the parts of a piece that a match can lie in, in order, those that touch made one.
func (p *pattern) surroundings(piece []byte) []span {
	reach := p.reach
	if reach == 0 {
		reach = far
	}
	back := p.back
	if back == 0 {
		back = reach
	}
	var all []span
	for _, literal := range p.literals {
		for from := 0; ; {
			at := bytes.Index(piece[from:], []byte(literal))
			if at < 0 {
				break
			}
			at += from
			from = at + len(literal)
			all = append(all, span{max(0, at-back), min(len(piece), from+reach)})
		}
	}
	slices.SortFunc(all, func(a, b span) int { return a.from - b.from })
	merged := all[:0]
	for _, s := range all {
		if last := len(merged) - 1; last >= 0 && s.from <= merged[last].to {
			merged[last].to = max(merged[last].to, s.to)
			continue
		}
		merged = append(merged, s)
	}
	return merged
}

// hit is the place of a match in the piece. An edge that only the cut made is none.
func (p *pattern) hit(piece []byte, around span, at []int) (span, bool) {
	start, end := around.from+at[0], around.from+at[1]
	if p.edges && (start == around.from && start > 0 || end == around.to && end < len(piece)) {
		return span{}, false
	}
	if len(at) > 2 && at[2] >= 0 {
		start, end = around.from+at[2], around.from+at[3]
	}
	if p.unless != nil && p.unless.Match(piece[max(0, start-lookBehind):start]) {
		return span{}, false
	}
	return span{start, end}, true
}
