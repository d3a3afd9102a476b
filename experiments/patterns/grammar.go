package patterns

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// grammar is what must be known of a language before its phrases can be read. It comes from the lexicon's file.
type grammar struct {
	lists    map[string]string   // choices that many phrases share, by name
	spelled  map[string][]string // a contraction and what it stands for
	short    []shortening
	turns    *regexp.Regexp // words that begin another clause
	turning  []string
	endings  []string // of nouns
	glossary []string // what looks like jargon and is none
	common   map[string]bool
}

// shortening is the end of a word that stands for a word of its own, as the "'ll" of "we'll".
type shortening struct {
	ending string
	stands []string
}

// part is the part of the grammar that a line at the margin opens; nil when it opens none.
func (g *grammar) part(line []string) (take func(string) error) {
	switch {
	case len(line) == 2 && line[0] == "words":
		return func(text string) error { return g.list(line[1], text) }
	case len(line) != 1:
		return nil
	}
	return map[string]func(string) error{
		"spelling": g.spelling,
		"turns":    g.turn,
		"endings":  func(text string) error { g.endings = append(g.endings, strings.Fields(text)...); return nil },
		"glossary": func(text string) error {
			g.glossary = append(g.glossary, " "+strings.Join(g.plainWords(text), " ")+" ")
			return nil
		},
		"common": g.often,
	}[line[0]]
}

var (
	errSpelling = errors.New(`a spelling is as in "can't = can not" or "*'ll = * will"`)
	errList     = errors.New("a list of words has choices and no brackets, gaps or stops, as in: saved|sent|placed")
)

// list adds choices to a list.
func (g *grammar) list(name, choices string) error {
	if strings.ContainsAny(choices, "()[]_.") {
		return errList
	}
	choices, err := g.fill(choices)
	if err != nil {
		return err
	}
	if g.lists == nil {
		g.lists = map[string]string{}
	}
	if before := g.lists[name]; before != "" {
		choices = before + "|" + choices
	}
	g.lists[name] = choices
	return nil
}

var listName = regexp.MustCompile(`@[\pL\d_]*`)

// fill puts the choices of lists where their names stand.
func (g *grammar) fill(text string) (string, error) {
	var wrong error
	filled := listName.ReplaceAllStringFunc(text, func(name string) string {
		choices := g.lists[name[1:]]
		if choices == "" {
			wrong = fmt.Errorf("there is no list of words %s", name)
		}
		return choices
	})
	return filled, wrong
}

// spelling adds a contraction, or with a star all that end so.
func (g *grammar) spelling(line string) error {
	short, long, found := strings.Cut(straight(strings.ToLower(line)), "=")
	short, stands := strings.TrimSpace(short), strings.Fields(long)
	ending, star := strings.CutPrefix(short, "*")
	if !found || ending == "" || len(stands) == 0 || strings.ContainsAny(ending, "* ") || star != (stands[0] == "*") {
		return errSpelling
	}
	if star {
		g.short = append(g.short, shortening{ending, stands[1:]})
		return nil
	}
	if g.spelled == nil {
		g.spelled = map[string][]string{}
	}
	g.spelled[short] = stands
	return nil
}

// turn adds words that begin another clause.
func (g *grammar) turn(line string) (err error) {
	for _, word := range strings.Fields(line) {
		g.turning = append(g.turning, regexp.QuoteMeta(word))
	}
	g.turns, err = regexp.Compile(`(?i)(?:^|[^\pL\pN])(` + strings.Join(g.turning, "|") + `)(?:[^\pL\pN]|$)`)
	return err
}

// often adds words that show which language a text is in.
func (g *grammar) often(line string) error {
	if g.common == nil {
		g.common = map[string]bool{}
	}
	for _, word := range strings.Fields(line) {
		g.common[word] = true
	}
	return nil
}

// reference is a number, or a word with one in it: the number of an order, a marker.
var reference = regexp.MustCompile(`#?(?:\pL+-)*\pL*\d[\pL\d]*(?:[.,:_/-][\pL\d]+)*`)

// words gives the words of a text as phrases have them: normalised, with contractions spelled out and no marks.
func (g *grammar) words(text string) []string {
	text = straight(strings.ToLower(text))
	if strings.ContainsFunc(text, unicode.IsDigit) { // it is slow, and most clauses have none
		text = reference.ReplaceAllString(text, " # ")
	}
	return g.spell(text)
}

// plainWords is words with the numbers as they are.
func (g *grammar) plainWords(text string) []string { return g.spell(straight(strings.ToLower(text))) }

// mayBe is what a noun has that is one or many, as in "message(s)".
var mayBe = regexp.MustCompile(`(\pL)\(\pL{1,3}\)`)

func (g *grammar) spell(text string) []string {
	if strings.Contains(text, "(") {
		text = mayBe.ReplaceAllString(text, "$1")
	}
	var words []string
	for _, field := range strings.FieldsFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\'' && r != '-' && r != '#' && r != '_'
	}) {
		if word := strings.Trim(field, "'-_"); word != "" {
			words = append(words, g.expand(word)...)
		}
	}
	return words
}

// expand spells out a contraction. English "cannot" becomes two words, so that it is found where "could not" is.
func (g *grammar) expand(word string) []string {
	if stands := g.spelled[word]; stands != nil {
		return slices.Clone(stands)
	}
	for _, s := range g.short {
		if stem, ok := strings.CutSuffix(word, s.ending); ok && stem != "" {
			return slices.Concat([]string{stem}, s.stands)
		}
	}
	return []string{word}
}

// unjargon takes out what looks like jargon and is none.
func (g *grammar) unjargon(words []string) []string {
	text := " " + strings.Join(words, " ") + " "
	for _, known := range g.glossary {
		text = strings.ReplaceAll(text, known, " ")
	}
	return strings.Fields(text)
}

// sentence is a sentence or a clause of one.
type sentence struct {
	text string
	asks bool // it is a question
}

var sentenceEnd = regexp.MustCompile(`[.!?…]+(?:["')\]]*\s+|["')\]]*$)|;`)

// clauses splits a text into sentences and these at ";" and at the words that begin another clause.
func (g *grammar) clauses(text string) []sentence {
	var all []sentence
	add := func(text string, asks bool) {
		if text = strings.Join(strings.Fields(text), " "); text != "" {
			all = append(all, sentence{text, asks})
		}
	}
	from := 0
	for _, end := range append(sentenceEnd.FindAllStringIndex(text, -1), []int{len(text), len(text)}) {
		part, asks := text[from:end[0]], strings.Contains(text[end[0]:end[1]], "?")
		from = end[1]
		if g.turns != nil {
			for at := g.turns.FindStringSubmatchIndex(part); at != nil; at = g.turns.FindStringSubmatchIndex(part) {
				add(part[:at[2]], asks)
				part = part[at[3]:]
			}
		}
		add(part, asks)
	}
	return all
}
