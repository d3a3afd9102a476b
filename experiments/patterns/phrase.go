package patterns

import (
	"errors"
	"fmt"
	"strings"
)

// phrase is a way to say something, word by word.
type phrase struct {
	parts []part
	whole bool // it must be the whole clause
}

// part is one step of a phrase: a word, a choice of several, or a gap of up to maxGap words.
type part struct {
	choices  [][]string
	optional bool
	gap      bool
}

const maxGap = 4

// match gives the end of the phrase where it begins at word i.
func (p phrase) match(words []string, i int) (int, bool) {
	if p.whole && i > 0 {
		return 0, false
	}
	return p.rest(p.parts, words, i)
}

func (p phrase) rest(parts []part, words []string, i int) (int, bool) {
	if len(parts) == 0 {
		return i, !p.whole || i == len(words)
	}
	next := parts[0]
	if next.gap {
		for n := 0; n <= maxGap && i+n <= len(words); n++ {
			if end, ok := p.rest(parts[1:], words, i+n); ok {
				return end, true
			}
		}
		return 0, false
	}
	for _, choice := range next.choices {
		if !starts(words[i:], choice) {
			continue
		}
		if end, ok := p.rest(parts[1:], words, i+len(choice)); ok {
			return end, true
		}
	}
	if next.optional {
		return p.rest(parts[1:], words, i)
	}
	return 0, false
}

func starts(words, with []string) bool {
	if len(words) < len(with) {
		return false
	}
	for i, word := range with {
		if words[i] != word && !fits(words[i], word) {
			return false
		}
	}
	return true
}

// fits reports whether a word is one of those that a pattern with a star before or behind it stands for.
func fits(word, pattern string) bool {
	if pattern[0] != '*' && pattern[len(pattern)-1] != '*' {
		return false
	}
	ending, before := strings.CutPrefix(pattern, "*")
	middle, behind := strings.CutSuffix(ending, "*")
	switch {
	case before && behind:
		return strings.Contains(word, middle)
	case before:
		return strings.HasSuffix(word, ending)
	}
	return behind && strings.HasPrefix(word, middle)
}

// firstWords are the words that a phrase can begin with. False: they are too many to tell.
func (p phrase) firstWords() (words []string, all bool) {
	for _, next := range p.parts {
		if next.gap {
			return nil, false
		}
		for _, choice := range next.choices {
			if strings.Contains(choice[0], "*") {
				return nil, false
			}
			words = append(words, choice[0])
		}
		if !next.optional {
			return words, true
		}
	}
	return nil, false
}

var (
	errEmptyPhrase  = errors.New("the phrase has no words that must be there")
	errEmptyChoice  = errors.New("a choice has nothing in it")
	errNotClosed    = errors.New("a bracket is not closed")
	errFullStop     = errors.New("a full stop stands only at the end of a phrase")
	errNestedChoice = errors.New("a bracket stands within a bracket")
)

// phrase reads (a|b) as a choice, [x] and [x|y] as what may be left out, _ as up to four words, *x, x* and *x* as every
// word that ends, begins or is made so, @x as the choices of a list of the lexicon, and a full stop at the end as: this is the whole
// clause. Of a class that is read with its numbers the numbers stay as they are.
func (g *grammar) phrase(class, text string) (phrase, error) {
	split := g.words
	if class == classJargon {
		split = g.plainWords
	}
	rest, err := g.fill(strings.TrimSpace(text))
	if err != nil {
		return phrase{}, err
	}
	var p phrase
	if strings.HasSuffix(rest, ".") {
		p.whole, rest = true, strings.TrimSpace(rest[:len(rest)-1])
	}
	if strings.Contains(rest, ".") {
		return phrase{}, errFullStop
	}
	needed := false
	for rest != "" {
		next, after, err := parsePart(rest, split)
		if err != nil {
			return phrase{}, err
		}
		needed = needed || !next.optional && !next.gap
		p.parts = append(p.parts, next)
		rest = strings.TrimSpace(after)
	}
	if !needed {
		return phrase{}, errEmptyPhrase
	}
	return p, nil
}

func parsePart(text string, split func(string) []string) (next part, after string, err error) {
	closing := map[byte]string{'(': ")", '[': "]"}[text[0]]
	if closing == "" {
		word, after := text, ""
		if i := strings.IndexAny(text, " \t(["); i >= 0 {
			word, after = text[:i], text[i:]
		}
		if word == "_" {
			return part{gap: true}, after, nil
		}
		next.choices, err = choices(word, split)
		return next, after, err
	}
	inner, after, closed := strings.Cut(text[1:], closing)
	if !closed {
		return part{}, "", errNotClosed
	}
	next.optional = closing == "]"
	next.choices, err = choices(inner, split)
	return next, after, err
}

func choices(text string, split func(string) []string) ([][]string, error) {
	if strings.ContainsAny(text, "()[]") {
		return nil, errNestedChoice
	}
	var all [][]string
	for choice := range strings.SplitSeq(text, "|") {
		words := starred(choice, split)
		if len(words) == 0 {
			return nil, fmt.Errorf("%w: %q", errEmptyChoice, text)
		}
		all = append(all, words)
	}
	return all, nil
}

// starred are the words of a choice, with the stars of those that have some. A star alone is any word.
func starred(choice string, split func(string) []string) []string {
	var words []string
	for _, field := range strings.Fields(choice) {
		all := split(field)
		if len(all) == 0 && strings.Trim(field, "*") == "" {
			all = []string{""}
		}
		if len(all) > 0 && strings.HasPrefix(field, "*") {
			all[0] = "*" + all[0]
		}
		if last := len(all) - 1; last >= 0 && strings.HasSuffix(field, "*") && field != "*" {
			all[last] += "*"
		}
		words = append(words, all...)
	}
	return words
}
