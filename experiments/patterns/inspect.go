package patterns

import (
	"bytes"
	"html"
	"mime"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/candor-chaos/candor/experiments"
)

const (
	maxHits   = 16  // of one piece
	maxOfOne  = 4   // of one pattern in one piece
	maxText   = 200 // bytes of one hit
	canaryHit = "LK-06/canary"
)

// Inspect searches a piece of an answer for planted secrets and for every pattern of the tables, the gravest first. The
// offsets count from the start of the piece; what looks like a real secret is shown masked, a planted one as it is. A
// text that was met is given once. The function keeps no state, so many goroutines may share it.
func Inspect(canaries []string) func(piece []byte) []experiments.PatternHit {
	var planted [][]byte
	for _, canary := range canaries {
		for _, spelled := range spellings(canary) {
			planted = append(planted, []byte(spelled))
		}
	}
	return func(piece []byte) []experiments.PatternHit {
		var hits []experiments.PatternHit
		for _, canary := range planted {
			if at := bytes.Index(piece, canary); at >= 0 && len(hits) < maxHits {
				hits = append(hits, experiments.PatternHit{Pattern: canaryHit, Offset: int64(at), Text: bounded(string(canary))})
			}
		}
		for _, table := range [][]pattern{secrets, pages, traces, databases, addresses, debris} {
			for i := range table {
				hits = table[i].add(hits, piece)
			}
		}
		return hits
	}
}

// spellings are how a planted secret can stand in a body: as it is, in a URL, in HTML.
func spellings(canary string) []string {
	if canary == "" {
		return nil
	}
	all := []string{canary, url.QueryEscape(canary), html.EscapeString(canary)}
	slices.Sort(all)
	return slices.Compact(all)
}

func (p *pattern) add(hits []experiments.PatternHit, piece []byte) []experiments.PatternHit {
	if len(hits) >= maxHits {
		return hits
	}
	for _, at := range p.find(piece, maxOfOne) {
		text := string(piece[at.from:at.to])
		if p.secret {
			if text = mask(text); text == "" {
				continue
			}
		}
		hit := experiments.PatternHit{Pattern: p.name, Offset: int64(at.from), Text: bounded(text)}
		known := slices.ContainsFunc(hits, func(h experiments.PatternHit) bool { return h.Pattern == hit.Pattern && h.Text == hit.Text })
		if !known && len(hits) < maxHits {
			hits = append(hits, hit)
		}
	}
	return hits
}

func bounded(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), maxText)], "\uFFFD")
}

// passwords are the parts of a secret that nobody may see: the second group. The first stays readable.
var passwords = []*regexp.Regexp{
	regexp.MustCompile(`(?s)^(\w[\w+]*://[^:]*:)(.*)(@[^@]*)$`),
	regexp.MustCompile(`(?s)^(.*password=)(\S*)()$`),
	regexp.MustCompile(`(?s)^([Bb]earer eyJ)(.*)()$`),
	regexp.MustCompile(`(?s)^((?:AKIA|ASIA|AIza).{4})(.*)()$`),
}

// blanked is a password that was masked before it got here, or a place for one.
var blanked = regexp.MustCompile(`^(?:[*x.•#_-]+|%2A(?:%2A)*|REDACTED|redacted|\[?(?:hidden|masked|redacted|REDACTED|FILTERED)\]?|\$?\{[^}]*\}|\$[A-Z_]+|%s|%v|password|PASSWORD)$`)

// mask hides the password in what looks like a secret. It is "" where there is nothing left to hide.
func mask(text string) string {
	for _, shape := range passwords {
		parts := shape.FindStringSubmatch(text)
		switch {
		case parts == nil:
		case blanked.MatchString(parts[2]):
			return ""
		default:
			return parts[1] + "****" + parts[3]
		}
	}
	return text
}

// DefaultPage names the default page that a whole body is, as in "LK-05/nginx"; "" when it is none. It knows what
// Inspect knows and the pages that are so short that they tell only as a whole.
func DefaultPage(body, contentType string) string {
	whole := []byte(strings.TrimSpace(body))
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil || kind == "text/plain" || kind == "text/html" {
		for i := range wholes {
			if wholes[i].find(whole, 1) != nil {
				return wholes[i].name
			}
		}
	}
	for i := range pages {
		if pages[i].find(whole, 1) != nil {
			return pages[i].name
		}
	}
	return ""
}
