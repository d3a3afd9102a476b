package honesty

import (
	"slices"
	"strings"

	"golang.org/x/net/html"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/patterns"
)

// page is what a person meets in an HTML document, as far as rules ask.
type page struct {
	headings string   // title, h1 and h2
	alerts   string   // text in a role alert or a live region
	claims   []string // values of data-claim
	links    []string
}

// maxDepth bounds what a hostile page can nest; what lies deeper is not read.
const maxDepth = 512

// readPage walks the tokens of a page. It builds no tree.
func readPage(source string) page {
	var p page
	var stack []element
	tokens := html.NewTokenizer(strings.NewReader(source))
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			return p
		case html.StartTagToken:
			e := p.open(tokens.Token())
			if len(stack) > 0 {
				top := stack[len(stack)-1]
				e.heading, e.alert, e.hidden = e.heading || top.heading, e.alert || top.alert, e.hidden || top.hidden
			}
			if len(stack) < maxDepth && !isVoid(e.tag) {
				stack = append(stack, e)
			}
		case html.EndTagToken:
			stack = closed(stack, tokens.Token().Data)
		case html.TextToken:
			if len(stack) > 0 {
				p.say(stack[len(stack)-1], strings.Join(strings.Fields(tokens.Token().Data), " "))
			}
		}
	}
}

type element struct {
	tag                    string
	heading, alert, hidden bool
}

func (p *page) open(token html.Token) element {
	e := element{tag: token.Data}
	switch e.tag {
	case "title", "h1", "h2":
		e.heading = true
	case "script", "style", "template", "noscript":
		e.hidden = true
	}
	for _, a := range token.Attr {
		switch a.Key {
		case "role":
			e.alert = e.alert || a.Val == "alert"
		case "aria-live":
			e.alert = e.alert || a.Val == "assertive"
		case "data-claim":
			p.claims = append(p.claims, strings.ToLower(strings.TrimSpace(a.Val)))
		case "href":
			if e.tag == "a" {
				p.links = append(p.links, a.Val)
			}
		}
	}
	return e
}

func (p *page) say(e element, text string) {
	if e.hidden || text == "" {
		return
	}
	if e.heading {
		p.headings += text + "\n"
	}
	if e.alert {
		p.alerts += text + "\n"
	}
}

func closed(stack []element, tag string) []element {
	for i := len(stack) - 1; i >= 0; i-- {
		if stack[i].tag == tag {
			return stack[:i]
		}
	}
	return stack
}

func isVoid(tag string) bool {
	switch tag {
	case "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr":
		return true
	}
	return false
}

// failures names the signs of failure on a page. Each of them alone proves nothing.
func (p page) failures(lexicon *patterns.Lexicon) (signs []string) {
	if refusing(p.headings, lexicon) {
		signs = append(signs, "the heading says "+quote(strings.TrimSpace(p.headings)))
	}
	if refusing(p.alerts, lexicon) {
		signs = append(signs, "an alert says "+quote(strings.TrimSpace(p.alerts)))
	}
	for _, c := range p.claims {
		if c == "failed" || c == "failure" || c == "refused" {
			signs = append(signs, "its mark says "+c)
		}
	}
	return signs
}

// refusing reports whether a short text says no: as the lexicon reads it, or by a word.
func refusing(text string, lexicon *patterns.Lexicon) bool {
	if text == "" {
		return false
	}
	if lexicon != nil && lexicon.Classify(text).Claim == experiments.ClaimRefused {
		return true
	}
	return slices.ContainsFunc(strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return (r < 'a' || r > 'z') && r != '_' }),
		func(word string) bool {
			return refusals[word] || word == "sorry" || word == "problem" || word == "wrong"
		})
}
