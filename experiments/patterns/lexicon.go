package patterns

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/candor-chaos/candor/experiments"
)

// The classes that rules ask for by name.
const (
	classUnknown        = "unknown"
	classFailure        = "failure"
	classFailureGeneral = "failure_general"
	classPending        = "pending"
	classSuccess        = "success"
	classRetry          = "retry"
	classBlameInput     = "blame_input"
	classKept           = "kept"
	classJargon         = "jargon"
)

// classNames are the classes that a lexicon may have.
var classNames = []string{classUnknown, classFailure, classFailureGeneral, classPending, classSuccess, classRetry, "blame_network",
	classBlameInput, "empty", "age", "next_step", classKept, "cause_ours", "cause_maintenance", "cause_load", "cause_third_party",
	"live", "accusing", classJargon}

// Lexicon is what phrases of one language mean. It does not change, so many goroutines may read it.
type Lexicon struct {
	language string
	version  int
	classes  []class
	nouns    []class // what a clause can speak for
	grammar  grammar
}

// class is the phrases that mean the same.
type class struct {
	name    string
	phrases []phrase
	first   map[string][]int // the phrases that can begin with a word
	anyhow  []int            // the phrases that can begin with many
}

// Language is the one that the lexicon is of, as in "en".
func (l *Lexicon) Language() string { return l.language }

// String names the lexicon and its version, as in "en 1".
func (l *Lexicon) String() string { return l.language + " " + strconv.Itoa(l.version) }

// With is the lexicon and a product's own phrases, by class. The error names every phrase that cannot be read.
func (l *Lexicon) With(extra map[string][]string) (*Lexicon, error) {
	more := &Lexicon{language: l.language, version: l.version, classes: slices.Clone(l.classes), nouns: l.nouns, grammar: l.grammar}
	var wrong []error
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		if !slices.Contains(classNames, name) {
			wrong = append(wrong, unknownClass(name))
			continue
		}
		c := more.class(name)
		for _, text := range extra[name] {
			p, err := l.grammar.phrase(name, text)
			if err != nil {
				wrong = append(wrong, fmt.Errorf("lexicon %s: phrase %q: %w", name, text, err))
				continue
			}
			c.phrases = append(slices.Clip(c.phrases), p)
		}
		c.index()
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, err
	}
	return more, nil
}

// class finds or begins a class.
func (l *Lexicon) class(name string) *class {
	i := slices.IndexFunc(l.classes, func(c class) bool { return c.name == name })
	if i < 0 {
		l.classes = append(l.classes, class{name: name})
		i = len(l.classes) - 1
	}
	return &l.classes[i]
}

// index notes which phrases can begin with which word: most phrases need not be tried on most clauses.
func (c *class) index() {
	c.first, c.anyhow = map[string][]int{}, nil
	for i, p := range c.phrases {
		words, all := p.firstWords()
		if !all {
			c.anyhow = append(c.anyhow, i)
			continue
		}
		for _, word := range words {
			c.first[word] = append(c.first[word], i)
		}
	}
}

// find gives the words that say the first of the phrases that a clause has.
func (c class) find(words []string) (string, bool) {
	var tried []try
	for at, word := range words {
		for _, i := range c.first[word] {
			tried = append(tried, try{i, at})
		}
		for _, i := range c.anyhow {
			tried = append(tried, try{i, at})
		}
	}
	slices.SortFunc(tried, func(a, b try) int { return cmp.Or(a.phrase-b.phrase, a.at-b.at) })
	for _, t := range tried {
		if end, ok := c.phrases[t.phrase].match(words, t.at); ok {
			return strings.Join(words[t.at:end], " "), true
		}
	}
	return "", false
}

// try is a phrase, and the word that it may begin at.
type try struct{ phrase, at int }

func unknownClass(name string) error {
	return fmt.Errorf("%q is no class of a lexicon; there are %s", name, strings.Join(classNames, ", "))
}

// claimOf is what a class claims; false when it makes no claim.
func claimOf(class string) (experiments.Claim, bool) {
	switch class {
	case classUnknown:
		return experiments.ClaimUnknown, true
	case classFailure, classFailureGeneral, classBlameInput:
		return experiments.ClaimRefused, true
	case classPending:
		return experiments.ClaimPending, true
	case classSuccess:
		return experiments.ClaimSuccess, true
	}
	return experiments.ClaimNone, false
}
