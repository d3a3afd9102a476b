package honesty

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/candor-chaos/candor/experiments"
)

// ways are words of controls that lead out of an error: again, back, another way, or to somebody who helps.
var ways = [...]string{"again", "retry", "reload", "refresh", "back", "home", "return", "continue", "another", "other", "different", "instead", "contact", "help", "support", "call", "email", "chat", "status", "close", "dismiss", "cancel",
	"erneut", "nochmal", "wiederholen", "neu laden", "zurück", "startseite", "weiter", "andere", "kontakt", "hilfe", "schließen", "abbrechen"}

// frames are the landmarks that are the same on every page: what stands there does not belong to an error.
var frames = [...]string{"navigation", "banner", "contentinfo"}

// deadEnd reports whether an error leaves the person without anything to do.
func (e *evidence) deadEnd(t *telling) bool {
	if t.is("next_step") || t.is("retry") {
		return false
	}
	v := e.pageAt(t)
	if v == nil {
		return false
	}
	for _, b := range v.Blocks {
		if b.Control && !b.Disabled && (!slices.Contains(frames[:], b.Landmark) || b.Dialog) && e.leads(orText(b.Name, b.Text)) {
			return false
		}
	}
	return true
}

func orText(name, text string) string {
	if strings.TrimSpace(name) != "" {
		return name
	}
	return text
}

// leads reports whether a control is named like one that leads out.
func (e *evidence) leads(name string) bool {
	said := e.means(name)
	words := " " + strings.Join(wordsOf(name), " ") + " "
	return said.Is("next_step") || said.Is("retry") || slices.ContainsFunc(ways[:], func(way string) bool { return strings.Contains(words, " "+way+" ") })
}

// wordsOf are the words of a text, in lower case.
func wordsOf(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\'' && r != '’' })
}

func noNextStepRule() Rule {
	info := experiments.RuleInfo{ID: "TX-04", Name: "no-next-step", Severity: experiments.S3, Level: "B",
		Doc:     "A dead end.",
		Check:   "Violated when an error says nothing of what the person can do (lexicon: next_step, retry), and at the second look the page has no enabled control that is named like a way out: again, back, another way, contact. Exercised by each error that comes up while a fault is in force.",
		Guard:   "Where there is truly nothing to do, “we will finish this for you” is a next step. What stands in the page's frame (navigation, banner, footer) belongs to no error, and the control that was pressed is none unless it says so.",
		Source:  "NN/g error-message guidelines; GOV.UK; Microsoft.",
		Example: "“Your order could not be placed.” No button, no link, no contact.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken sights
		e.tellings(s, func(t *telling) {
			if !e.deadEnd(t) {
				s.pass(t.place)
				return
			}
			broken.add(s, e.lie(t, "dead end", fmt.Sprintf("The page said %s, and neither it nor a control says what the person can do.", t.quoted(""))))
		})
		broken.report(s, 1)
		return s.occasions
	}}
}

// fates are the classes of the lexicon that say what became of an intent.
var fates = [...]string{"unknown", "failure", "pending", "success", "kept"}

// fateless reports whether an error about an intent says nothing of what became of it, nor anything else on the page that
// is new. About another thing it is not: false, false.
func (e *evidence) fateless(t *telling) (none, about bool) {
	r := e.marked[t.Marker]
	j := e.journeys[t.Journey]
	if t.Marker == "" || r == nil || j == nil || t.Step != j.IntentStep || t.Born.Before(r.acted()) {
		return false, false
	}
	says := func(text string) bool {
		said := e.means(text)
		return slices.ContainsFunc(fates[:], said.Is)
	}
	if says(t.words) {
		return false, true
	}
	if v := e.pageAt(t); v != nil {
		for _, b := range v.Blocks {
			if !b.Control && b.Text != "" && !e.usually(t.Journey, b.Text) && says(b.Text) {
				return false, true
			}
		}
	}
	return true, true
}

func fateUnknownRule() Rule {
	info := experiments.RuleInfo{ID: "TX-05", Name: "fate-unknown", Severity: experiments.S2, Level: "B",
		Doc:     "Not told what became of the order.",
		Check:   "Violated when an error comes up after the act of an intent, at its step, and neither it nor another new text on the page says what became of it: done, not done, waiting, kept, or not known (lexicon: unknown, failure, pending, success, kept). That something went wrong names no fate, nor does blame. Exercised by each such error that comes up while a fault is in force.",
		Guard:   "Journeys that only read are outside.",
		Source:  "GOV.UK (what happened to their answers); Microsoft (end result).",
		Example: "Checkout fails: “Sorry, there is a problem. Go back to the shop.” Not a word about order or charge.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken sights
		e.tellings(s, func(t *telling) {
			switch none, about := e.fateless(t); {
			case !about:
			case none:
				broken.add(s, e.lie(t, "no fate", fmt.Sprintf("The page said %s, and not a word of what became of what the person wanted.", t.quoted("")), e.rowLine(t)))
			default:
				s.pass(t.place)
			}
		})
		broken.report(s, 1)
		return s.occasions
	}}
}

// small are words without content.
var small = map[string]bool{"a": true, "an": true, "the": true, "is": true, "was": true, "are": true, "has": true, "have": true, "and": true, "or": true, "to": true, "of": true, "in": true, "on": true, "at": true,
	"we": true, "you": true, "it": true, "this": true, "that": true, "there": true, "sorry": true, "please": true, "oops": true, "error": true,
	"der": true, "die": true, "das": true, "ein": true, "eine": true, "ist": true, "war": true, "und": true, "wir": true, "sie": true, "es": true, "bitte": true, "fehler": true}

func emptyPhraseRule() Rule {
	info := experiments.RuleInfo{ID: "TX-08", Name: "empty-phrase", Severity: experiments.S3, Level: "B",
		Doc:     "“Error”, “Oops!”.",
		Check:   "Violated when all texts of an error together have fewer than four words with content, and it is a dead end (TX-04) or tells no fate (TX-05). Exercised by each error that comes up while a fault is in force.",
		Guard:   "A compact notice inside a declared region, with the object that it is about next to it, passes.",
		Source:  "GOV.UK; gitlab#365208.",
		Example: "“Oops!” and nothing else.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken sights
		e.tellings(s, func(t *telling) {
			none, _ := e.fateless(t)
			content := slices.DeleteFunc(wordsOf(t.words), func(w string) bool { return small[w] })
			if len(content) > 3 || t.Block.Region != "" || !none && !e.deadEnd(t) {
				s.pass(t.place)
				return
			}
			broken.add(s, e.lie(t, "empty", fmt.Sprintf("All that the page said was %s.", t.quoted(""))))
		})
		broken.report(s, 1)
		return s.occasions
	}}
}
