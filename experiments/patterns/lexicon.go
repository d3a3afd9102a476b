package patterns

import (
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/candor-chaos/candor/experiments"
)

//go:embed lexicon/en.txt
var english string

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
}

// class is the phrases that mean the same.
type class struct {
	name    string
	phrases []phrase
}

// English is the lexicon that candor ships.
func English() (*Lexicon, error) { return parseLexicon("lexicon/en.txt", english) }

// String names the lexicon and its version, as in "en 1".
func (l *Lexicon) String() string { return l.language + " " + strconv.Itoa(l.version) }

// With is the lexicon and a product's own phrases, by class. The error names every phrase that cannot be read.
func (l *Lexicon) With(extra map[string][]string) (*Lexicon, error) {
	more := &Lexicon{language: l.language, version: l.version, classes: slices.Clone(l.classes), nouns: l.nouns}
	var wrong []error
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		if !slices.Contains(classNames, name) {
			wrong = append(wrong, unknownClass(name))
			continue
		}
		c := more.class(name)
		for _, text := range extra[name] {
			p, err := parsePhrase(name, text)
			if err != nil {
				wrong = append(wrong, fmt.Errorf("lexicon %s: phrase %q: %w", name, text, err))
				continue
			}
			c.phrases = append(slices.Clip(c.phrases), p)
		}
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

func unknownClass(name string) error {
	return fmt.Errorf("%q is no class of a lexicon; there are %s", name, strings.Join(classNames, ", "))
}

// parseLexicon reads a lexicon: a line at the margin opens a class, or a noun as in "noun order"; indented lines are its
// phrases; -- begins a comment. The error names every mistake with its line.
func parseLexicon(name, text string) (*Lexicon, error) {
	l := &Lexicon{}
	var open *class
	var wrong []error
	for i, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "--")
		content := strings.TrimSpace(line)
		if content == "" {
			continue
		}
		var err error
		switch indented := line[0] == ' ' || line[0] == '\t'; {
		case l.language == "":
			l.language, l.version, err = parseHead(content)
		case indented && open == nil:
			err = errors.New("a phrase stands before any class")
		case indented:
			var p phrase
			p, err = parsePhrase(open.name, content)
			open.phrases = append(open.phrases, p)
		default:
			open, err = l.open(content)
		}
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s:%d: %w", name, i+1, err))
		}
	}
	if l.language == "" {
		wrong = append(wrong, fmt.Errorf("%s:1: %w", name, errHead))
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, err
	}
	return l, nil
}

// open begins a class or a noun. With an error comes one to hold the phrases that follow.
func (l *Lexicon) open(line string) (*class, error) {
	list, name, noun := &l.classes, line, false
	if fields := strings.Fields(line); len(fields) == 2 && fields[0] == "noun" {
		list, name, noun = &l.nouns, strings.ToLower(fields[1]), true
	}
	if !noun && !slices.Contains(classNames, name) {
		return &class{}, unknownClass(name)
	}
	if slices.ContainsFunc(*list, func(c class) bool { return c.name == name }) {
		return &class{}, fmt.Errorf("%s is opened twice", line)
	}
	*list = append(*list, class{name: name})
	return &(*list)[len(*list)-1], nil
}

var errHead = errors.New(`a lexicon begins with its language and version, as in "lexicon en 1"`)

func parseHead(line string) (language string, version int, err error) {
	fields := strings.Fields(line)
	if len(fields) == 3 && fields[0] == "lexicon" {
		if version, err = strconv.Atoi(fields[2]); err == nil && version > 0 {
			return fields[1], version, nil
		}
	}
	return "?", 0, errHead
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
