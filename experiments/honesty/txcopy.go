package honesty

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/candor-chaos/candor/experiments"
)

func jargonRule() Rule {
	info := experiments.RuleInfo{ID: "TX-07", Name: "jargon", Severity: experiments.S4, Level: "B",
		Doc:     "“upstream”, “token”, “instance”, 502, “bad request”.",
		Check:   "Violated when an error has a term of programmers or a status code (lexicon: jargon), or a sentence of more than 25 words. Exercised by each error that comes up while a fault is in force.",
		Guard:   "What the baseline shows is none, and what the system declares as public.",
		Source:  "CHI 2021 study of programming error messages; GOV.UK banned terms.",
		Example: "“Upstream instance returned 502, token was not propagated”.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken sights
		e.tellings(s, func(t *telling) {
			switch long := longSentence(t); {
			case t.is("jargon") && !e.public(t.words):
				broken.add(s, e.lie(t, "jargon", fmt.Sprintf("The page said %s, which is no word of its users.", t.quoted("jargon"))))
			case long != "":
				broken.add(s, e.lie(t, "long", fmt.Sprintf("A sentence of the error has more than %d words: %s.", mostWords, quote(long))))
			default:
				s.pass(t.place)
			}
		})
		broken.report(s, 1)
		return s.occasions
	}}
}

// mostWords is how long a sentence of an error may be.
const mostWords = 25

var sentenceEnd = regexp.MustCompile(`[.!?…:](\s+|$)|\n`)

// longSentence is the first sentence of an error that is too long; empty without one.
func longSentence(t *telling) string {
	for _, sentence := range sentenceEnd.Split(t.words, -1) {
		if len(wordsOf(sentence)) > mostWords {
			return sentence
		}
	}
	return ""
}

var (
	// blanks are placeholders that nobody filled: {{name}}, ${name}, {0}, %(name)s, %s, %1$d.
	blanks = regexp.MustCompile(`\{\{[^{}\n]{0,60}\}\}|[$#]\{[^{}\n]{1,60}\}|\{[A-Za-z_][\w.]{0,40}\}|\{\d\}|%\([A-Za-z_]\w{0,40}\)[sd]|%(\d\$)?[sdv]\b`)
	// messageKey is the key of a message that nobody looked up: errors.generic, checkout.errors.payment_failed.
	messageKey = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z][A-Za-z0-9_-]*)+$`)
	// keyWords are what one part at least of a key says; an address or a file has none.
	keyWords = regexp.MustCompile(`(?i)(^|[._-])(errors?|messages?|msg|labels?|texts?|titles?|generic|failed|failure|unknown|notices?|alerts?|toast|i18n|validation)([._-]|$)|_`)
)

// unfinished is what in a text was meant for a program and not for a person: a placeholder or the key of a message.
func unfinished(text string) string {
	if blank := blanks.FindString(text); blank != "" {
		return blank
	}
	for _, word := range strings.Fields(text) {
		word = strings.Trim(word, `"'“”()[],;:!?.`)
		if messageKey.MatchString(word) && keyWords.MatchString(word) {
			return word
		}
	}
	return ""
}

func brokenCopyRule() Rule {
	info := experiments.RuleInfo{ID: "TX-09", Name: "broken-copy", Severity: experiments.S3, Level: "B/H",
		Doc:     "errors.generic, {{name}}, another language.",
		Check:   "Violated when an error has a placeholder that nobody filled or the key of a message instead of it, or is in another language than its page says (html lang), both among those that candor has a lexicon of; on the wire, when the title, detail or message of a JSON body with status 400 or more has such a placeholder or key, or is in none of the languages that the request accepts or the response declares. Exercised by each error on a page, and each such body with such a member, that comes while a fault is in force.",
		Guard:   "Texts below 20 characters, and names of brands, have no language for sure. What the baseline shows is none, and what the system declares as public.",
		Source:  "RFC 9457 (localised title); NN/g error-message guidelines.",
		Example: "The notice reads “checkout.errors.payment_failed”.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken sights
		e.tellings(s, func(t *telling) {
			lang := ""
			if v := e.pageAt(t); v != nil {
				lang = v.Lang
			}
			switch raw, other := unfinished(t.words), e.otherLanguage(t.words, lang); {
			case raw != "" && !e.public(raw):
				broken.add(s, e.lie(t, "unfinished", fmt.Sprintf("The page said %s: %s is no text for people.", quote(strings.ReplaceAll(t.words, "\n", " · ")), quote(raw))))
			case other != "":
				broken.add(s, e.lie(t, "language", fmt.Sprintf("The page is in %s, and said in another language (%s): %s.", quote(lang), other, quote(strings.ReplaceAll(t.words, "\n", " · ")))))
			default:
				s.pass(t.place)
			}
		})
		broken.report(s, 1)
		e.wireCopy(s)
		return s.occasions
	}}
}

// wireCopy judges the texts for people in the bodies of errors.
func (e *evidence) wireCopy(s *sheet) {
	var broken groups
	e.eachTroubled(func(_ int, a answer) {
		d := a.document()
		if d == nil || !a.answered() || a.Status < 400 {
			return
		}
		text := strings.TrimSpace(d.text("title") + "\n" + d.text("detail") + "\n" + d.text("message"))
		if text == "" {
			return
		}
		wanted := a.RequestHeaders["Accept-Language"]
		if declared := a.header("Content-Language"); declared != "" {
			wanted = declared
		}
		switch raw, other := unfinished(text), e.otherLanguage(text, wanted); {
		case raw != "" && !e.public(raw):
			broken.add(s.answer(a), "unfinished", fmt.Sprintf("The body says %s: %s is no text for people.", quote(text), quote(raw)), a)
		case other != "":
			broken.add(s.answer(a), "language", fmt.Sprintf("%s was asked for or declared, and the body is in another language (%s): %s.", quote(wanted), other, quote(text)), a)
		default:
			s.pass(s.answer(a))
		}
	})
	broken.report(s, 1)
}

// otherLanguage is the language of a text, where it is surely another than the one that was asked for; empty otherwise.
func (e *evidence) otherLanguage(text, wanted string) string {
	got, sure := e.lexicons.Detect(text)
	if _, known := e.lexicons.For(wanted); !known || !sure {
		return ""
	}
	for _, one := range strings.Split(wanted, ",") {
		if want, known := e.lexicons.For(one); known && want == got {
			return ""
		}
	}
	return got.Language()
}
