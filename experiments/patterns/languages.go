package patterns

import (
	"embed"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/language"

	"github.com/candor-chaos/candor/experiments"
)

//go:embed lexicon/*.txt
var files embed.FS

// English is the lexicon that the others are measured by.
func English() (*Lexicon, error) { return read("en.txt") }

func read(name string) (*Lexicon, error) {
	text, err := files.ReadFile("lexicon/" + name)
	if err != nil {
		return nil, err
	}
	return parseLexicon("lexicon/"+name, string(text))
}

// Lexicons are one for each language, English first.
type Lexicons []*Lexicon

// Shipped are the lexicons that candor has: one for each file of the folder lexicon.
func Shipped() (Lexicons, error) {
	entries, err := files.ReadDir("lexicon")
	if err != nil {
		return nil, err
	}
	var all Lexicons
	for _, e := range entries {
		l, err := read(e.Name())
		if err != nil {
			return nil, err
		}
		if want := l.language + ".txt"; e.Name() != want {
			return nil, fmt.Errorf("lexicon/%s: the lexicon of %q belongs in %s", e.Name(), l.language, want)
		}
		all = append(all, l)
	}
	slices.SortStableFunc(all, func(a, b *Lexicon) int { return rankOf(a) - rankOf(b) })
	return all, nil
}

func rankOf(l *Lexicon) int {
	if l.language == "en" {
		return 0
	}
	return 1
}

// With are the lexicons, each with a product's own phrases: a product speaks one language or several.
func (ls Lexicons) With(extra map[string][]string) (Lexicons, error) {
	own := make(Lexicons, len(ls))
	for i, l := range ls {
		var err error
		if own[i], err = l.With(extra); err != nil {
			return nil, err
		}
	}
	return own, nil
}

// For is the lexicon for what a page says of its language, as html[lang] or Accept-Language do: "de-AT", "fr, de;q=0.8".
// False when there is none for it, or it cannot be read.
func (ls Lexicons) For(languages string) (*Lexicon, bool) {
	if len(languages) > maxTags {
		return nil, false
	}
	tags, weights, err := language.ParseAcceptLanguage(languages)
	if err != nil {
		return nil, false
	}
	for i, tag := range tags {
		base, _ := tag.Base()
		at := slices.IndexFunc(ls, func(l *Lexicon) bool { return l.language == base.String() })
		if at >= 0 && weights[i] > 0 && tag != language.Und {
			return ls[at], true
		}
	}
	return nil, false
}

const (
	maxTags     = 200 // bytes
	minDetected = 20  // characters: shorter texts are in no language for sure
	minCommon   = 2   // of a language's common words, to be it
)

// Detect tells which language a text is in: the one of whose common words it has at least two, and more than twice as
// many as of any other's. False when it is too short, or in none of them for sure.
func (ls Lexicons) Detect(text string) (l *Lexicon, sure bool) {
	text = strings.ToValidUTF8(text[:min(len(text), maxClassified)], " ")
	if utf8.RuneCountInString(strings.Join(strings.Fields(text), " ")) < minDetected {
		return nil, false
	}
	most, next := 0, 0
	for _, each := range ls {
		said := 0
		for _, word := range each.grammar.words(text) {
			if each.grammar.common[word] {
				said++
			}
		}
		if said > most {
			l, most, next = each, said, most
		} else {
			next = max(next, said)
		}
	}
	if most < minCommon || most <= 2*next {
		return nil, false
	}
	return l, true
}

// Claims reads several texts that are seen together in the language that they are in, and in English where that cannot
// be told.
func (ls Lexicons) Claims() func(texts []string) (experiments.Claim, string) {
	return func(texts []string) (experiments.Claim, string) {
		l, sure := ls.Detect(strings.Join(texts, "\n"))
		if !sure {
			l = ls[0]
		}
		return l.Claims()(texts)
	}
}
