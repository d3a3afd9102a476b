package patterns

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// parseLexicon reads a lexicon: a line at the margin opens a class, a noun as in "noun order", or a part of the grammar;
// indented lines are its phrases; -- begins a comment. The grammar stands first: phrases are read by it. The error names
// every mistake with its line.
func parseLexicon(name, text string) (*Lexicon, error) {
	l := &Lexicon{}
	open := func(string) error { return errors.New("a phrase stands before any class") }
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
		case indented:
			err = open(content)
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
	for i := range l.classes {
		l.classes[i].index()
	}
	for i := range l.nouns {
		l.nouns[i].index()
	}
	return l, nil
}

// open begins a class, a noun or a part of the grammar and gives what takes the lines that follow.
func (l *Lexicon) open(line string) (take func(line string) error, err error) {
	fields := strings.Fields(line)
	if take := l.grammar.part(fields); take != nil {
		if len(l.classes)+len(l.nouns) > 0 {
			return take, fmt.Errorf("%s stands behind a class, and phrases are read by it", line)
		}
		return take, nil
	}
	list, name, noun := &l.classes, line, false
	if len(fields) == 2 && fields[0] == "noun" {
		list, name, noun = &l.nouns, strings.ToLower(fields[1]), true
	}
	at := len(*list)
	switch {
	case !noun && !slices.Contains(classNames, name):
		list, err = new([]class), unknownClass(name)
	case slices.ContainsFunc(*list, func(c class) bool { return c.name == name }):
		list, err = new([]class), fmt.Errorf("%s is opened twice", line)
	}
	if err != nil {
		at = 0
	}
	*list = append(*list, class{name: name})
	return func(line string) error {
		c := &(*list)[at]
		p, err := l.grammar.phrase(c.name, line)
		c.phrases = append(c.phrases, p)
		return err
	}, err
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
