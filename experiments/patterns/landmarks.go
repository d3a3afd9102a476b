package patterns

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// landmarkOf names the landmark that an element or a role is.
var landmarkOf = map[string]string{
	"header": "header", "banner": "header", "nav": "nav", "navigation": "nav", "main": "main", "footer": "footer", "contentinfo": "footer", "h1": "h1",
}

// Landmarks are those of header, nav, main, footer and h1 that a page has, as an element or a role, each once and sorted.
// What stands in scripts, templates and comments is not there. It builds no tree: a hostile page may be nested without end.
func Landmarks(page []byte) []string {
	found := map[string]bool{}
	templates := 0
	tokens := html.NewTokenizer(bytes.NewReader(page))
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			return slices.Sorted(maps.Keys(found))
		case html.StartTagToken, html.SelfClosingTagToken:
			token := tokens.Token()
			if token.Data == "template" {
				templates++
			}
			if templates > 0 {
				continue
			}
			if name := landmarkIn(token); name != "" {
				found[name] = true
			}
		case html.EndTagToken:
			if tokens.Token().Data == "template" && templates > 0 {
				templates--
			}
		}
	}
}

// landmarkIn looks at one element. A role that is known says what an element is in place of its name.
func landmarkIn(token html.Token) string {
	for _, a := range token.Attr {
		if a.Key != "role" {
			continue
		}
		for _, role := range strings.Fields(strings.ToLower(a.Val)) {
			if name := landmarkOf[role]; name != "" {
				return name
			}
			if role == "presentation" || role == "none" {
				return ""
			}
		}
	}
	switch token.Data {
	case "header", "nav", "main", "footer", "h1":
		return token.Data
	}
	return ""
}
