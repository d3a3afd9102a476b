package patterns

import (
	"slices"
	"strings"
	"unicode"

	"github.com/candor-chaos/candor/experiments"
)

// precedence is the order in which claims count, within a clause and within a text.
var precedence = [...]experiments.Claim{experiments.ClaimUnknown, experiments.ClaimRefused, experiments.ClaimPending, experiments.ClaimSuccess}

// Result is what a text says.
type Result struct {
	Claim   experiments.Claim // of the strongest clause; ClaimNone when no clause makes one
	Classes []string          // that some clause is of, in the order of the lexicon
	Words   string            // of the clause that makes the claim, as it was written
	Clauses []Clause
}

// Clause is what one clause says.
type Clause struct {
	Text    string // as it was written
	Claim   experiments.Claim
	Classes []string
	Words   string   // the normalised words that make the claim
	Nouns   []string // of the lexicon, that the clause names

	words   []string
	endings []string // of a language's nouns
}

// Is reports whether some clause is of a class.
func (r Result) Is(class string) bool { return slices.Contains(r.Classes, class) }

// Names reports whether a clause names a noun: by a word that the lexicon has for it, in the singular or the plural.
func (c Clause) Names(noun string) bool {
	noun = strings.ToLower(noun)
	if slices.Contains(c.Nouns, noun) {
		return true
	}
	return slices.ContainsFunc(c.words, func(word string) bool {
		rest, found := strings.CutPrefix(strings.TrimSuffix(word, "'s"), noun)
		return found && (rest == "" || slices.Contains(c.endings, rest))
	})
}

// About is what the clauses that name a noun claim: a clause that names the noun of an effect speaks for that effect.
// ClaimNone when none of them makes a claim.
func (r Result) About(noun string) experiments.Claim {
	var about []Clause
	for _, c := range r.Clauses {
		if c.Names(noun) {
			about = append(about, c)
		}
	}
	claim, _ := strongest(about)
	return claim
}

// maxClassified bounds how much of a text is read, in bytes.
const maxClassified = 8 << 10

// Classify reads a text as a person would who wanted something to be done.
func (l *Lexicon) Classify(text string) Result { return l.read([]string{text}) }

// Claims gives the claim of several texts that are seen together, and the words that make it.
func (l *Lexicon) Claims() func(texts []string) (experiments.Claim, string) {
	return func(texts []string) (experiments.Claim, string) {
		r := l.read(texts)
		return r.Claim, r.Words
	}
}

func (l *Lexicon) read(texts []string) Result {
	var r Result
	left := maxClassified
	for _, text := range texts {
		text = strings.ToValidUTF8(text[:min(len(text), left)], " ")
		left -= min(len(text), left)
		for _, clause := range l.grammar.clauses(text) {
			r.Clauses = append(r.Clauses, l.clause(clause))
		}
	}
	weaken(r.Clauses)
	r.Claim, r.Words = strongest(r.Clauses)
	for _, c := range l.classes {
		if slices.ContainsFunc(r.Clauses, func(said Clause) bool { return slices.Contains(said.Classes, c.name) }) {
			r.Classes = append(r.Classes, c.name)
		}
	}
	return r
}

// clause finds the classes of one clause, and of the claims that they make the strongest. A question assures nobody of
// anything.
func (l *Lexicon) clause(in sentence) Clause {
	said := Clause{Text: in.text, words: l.grammar.words(in.text), endings: l.grammar.endings}
	plain := said.words
	if strings.ContainsFunc(in.text, unicode.IsDigit) {
		plain = l.grammar.plainWords(in.text)
	}
	plain = l.grammar.unjargon(plain)
	blamed := ""
	for _, c := range l.classes {
		words := said.words
		if c.name == classJargon {
			words = plain
		}
		found, ok := c.find(words)
		if !ok || in.asks && (c.name == classSuccess || c.name == classPending) {
			continue
		}
		said.Classes = append(said.Classes, c.name)
		claim, claims := claimOf(c.name)
		switch {
		case c.name == classBlameInput:
			blamed = found
		case claims && (said.Claim == experiments.ClaimNone || rank(claim) < rank(said.Claim)):
			said.Claim, said.Words = claim, found
		}
	}
	for _, noun := range l.nouns {
		if _, named := noun.find(said.words); named {
			said.Nouns = append(said.Nouns, noun.name)
		}
	}
	if said.Claim == experiments.ClaimNone && blamed != "" {
		said.Claim, said.Words = experiments.ClaimRefused, blamed
	}
	if slices.Contains(said.Classes, classPending) {
		said.Classes = slices.DeleteFunc(said.Classes, func(name string) bool { return name == classRetry })
	}
	return said
}

// weaken takes the claim of success from a clause that says what was kept, beside one that says that something else did
// not happen: a saved basket is no placed order.
func weaken(clauses []Clause) {
	if claim, _ := strongest(clauses); claim == experiments.ClaimSuccess || claim == experiments.ClaimNone {
		return
	}
	for i := range clauses {
		if c := &clauses[i]; c.Claim == experiments.ClaimSuccess && slices.Contains(c.Classes, classKept) {
			c.Claim, c.Words = experiments.ClaimNone, ""
			c.Classes = slices.DeleteFunc(c.Classes, func(name string) bool { return name == classSuccess })
		}
	}
}

// strongest is the claim that counts among several clauses, and the clause that makes it.
func strongest(clauses []Clause) (experiments.Claim, string) {
	for _, claim := range precedence {
		if i := slices.IndexFunc(clauses, func(c Clause) bool { return c.Claim == claim }); i >= 0 {
			return claim, clauses[i].Text
		}
	}
	return experiments.ClaimNone, ""
}

func rank(claim experiments.Claim) int { return slices.Index(precedence[:], claim) }
