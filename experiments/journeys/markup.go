package journeys

import (
	"mime"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/net/html"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/wire"
)

// markup finds data-claim on the message containers of a page. The first of unknown, refused, pending, success counts.
func markup(last experiments.Exchange, body string) heard {
	if !isHTML(last) {
		return heard{by: byNothing}
	}
	page := readPage(body)
	h := heard{by: byNothing}
	for _, claim := range precedence {
		text, said := page.claims[claim]
		switch {
		case !said:
		case h.claim == experiments.ClaimNone:
			h.claim, h.by, h.words = claim, byMarkup, wire.Line(text, maxWords)
		default:
			h.also = append(h.also, claim)
		}
	}
	return h
}

// spoken reads the words of an answer: the titles, headings and messages of a page, or the texts of a JSON body.
func spoken(last experiments.Exchange, vars experiments.Vars, words Lexicon) heard {
	var texts []string
	if isHTML(last) {
		texts = readPage(bodyOf(vars)).messages
	} else {
		texts = textsOf(vars["json"], nil, 0)
	}
	if len(texts) == 0 {
		return heard{by: byNothing}
	}
	claim, evidence := words(texts)
	return heard{claim: claim, by: byLexicon, words: wire.Line(evidence, maxWords)}
}

const (
	maxTexts  = 200 // read of one answer
	maxDepth  = 8   // of a JSON body
	maxPiece  = 600 // bytes of one text
	maxOpened = 400 // elements of a page open at once
)

// textsOf gathers the texts of a JSON value, in an order that does not change.
func textsOf(value any, texts []string, depth int) []string {
	if depth > maxDepth || len(texts) >= maxTexts {
		return texts
	}
	switch v := value.(type) {
	case string:
		return append(texts, v[:min(len(v), maxPiece)])
	case []any:
		for _, inner := range v {
			texts = textsOf(inner, texts, depth+1)
		}
	case map[string]any:
		keys := make([]string, 0, len(v))
		for key := range v {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		for _, key := range keys {
			texts = textsOf(v[key], texts, depth+1)
		}
	}
	return texts
}

func bodyOf(vars experiments.Vars) string {
	body, _ := vars["body"].(string)
	return body
}

func isHTML(e experiments.Exchange) bool {
	kind, _, err := mime.ParseMediaType(http.Header(e.Headers).Get("Content-Type"))
	return err == nil && (kind == "text/html" || kind == "application/xhtml+xml")
}

// page is what a reader without scripts is told by a page.
type page struct {
	claims   map[experiments.Claim]string // with the text of their containers
	messages []string                     // of titles, headings and live regions
}

// opened is an element whose end has not come.
type opened struct {
	tag     string
	claim   experiments.Claim
	message bool
	hidden  bool // it, or what it is in
	text    strings.Builder
}

// readPage walks through the tokens of a page. It builds no tree: a hostile page may be nested without end.
func readPage(source string) page {
	p := page{claims: map[experiments.Claim]string{}}
	var stack []*opened
	tokens := html.NewTokenizer(strings.NewReader(source))
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			p.close(stack)
			return p
		case html.StartTagToken, html.SelfClosingTagToken:
			element := open(tokens.Token())
			if len(stack) > 0 && stack[len(stack)-1].hidden {
				element.hidden = true
			}
			if len(stack) < maxOpened && !void(element.tag) {
				stack = append(stack, element)
			}
		case html.EndTagToken:
			stack = p.end(stack, tokens.Token().Data)
		case html.TextToken:
			say(stack, tokens.Token().Data)
		}
	}
}

// open looks at the start of an element.
func open(token html.Token) *opened {
	e := &opened{tag: token.Data}
	switch token.Data {
	case "script", "style", "template", "noscript":
		e.hidden = true
	case "title", "h1", "h2":
		e.message = true
	}
	for _, a := range token.Attr {
		switch a.Key {
		case "hidden":
			e.hidden = true
		case "role":
			e.message = e.message || a.Val == "alert" || a.Val == "status"
		case "aria-live":
			e.message = e.message || a.Val == "polite" || a.Val == "assertive"
		case "data-claim":
			var claim experiments.Claim
			if claim.UnmarshalText([]byte(strings.ToLower(strings.TrimSpace(a.Val)))) == nil {
				e.claim = claim
			}
		}
	}
	return e
}

// end closes the innermost element of a tag and whatever was left open inside it.
func (p *page) end(stack []*opened, tag string) []*opened {
	for i := len(stack) - 1; i >= 0; i-- {
		if stack[i].tag == tag {
			p.close(stack[i:])
			return stack[:i]
		}
	}
	return stack
}

// close takes what the elements said, the outer ones first.
func (p *page) close(elements []*opened) {
	for _, e := range elements {
		text := strings.Join(strings.Fields(e.text.String()), " ")
		if _, said := p.claims[e.claim]; !said && !e.hidden && e.claim != experiments.ClaimNone {
			p.claims[e.claim] = text
		}
		if e.message && !e.hidden && text != "" && len(p.messages) < maxTexts {
			p.messages = append(p.messages, text)
		}
	}
}

// say gives a text that can be seen to every open element that wants it.
func say(stack []*opened, text string) {
	if len(stack) > 0 && stack[len(stack)-1].hidden {
		return
	}
	for _, e := range stack {
		if room := maxPiece - e.text.Len(); room > 0 && (e.message || e.claim != experiments.ClaimNone) {
			e.text.WriteString(text[:min(len(text), room)])
			e.text.WriteByte(' ')
		}
	}
}

// void elements have no end.
func void(tag string) bool {
	switch tag {
	case "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr":
		return true
	}
	return false
}
