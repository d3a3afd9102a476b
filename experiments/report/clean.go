package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// How many characters are shown of what the target, or a definition, says.
const (
	wordLimit = 120  // names, markers
	lineLimit = 300  // URLs, sentences
	bodyLimit = 700  // bodies
	textLimit = 1200 // hypotheses, reasons
)

// clean makes text from outside fit to be shown: bounded, on one line, and without characters that act on the text around
// them. Controls, marks that change the direction and characters without width become visible.
func clean(s string, limit int) string {
	var b strings.Builder
	n, blank := 0, true
	for i, r := range s {
		if n >= limit {
			fmt.Fprintf(&b, " … (%d more bytes)", len(s)-i)
			break
		}
		if unicode.IsSpace(r) {
			if !blank {
				b.WriteByte(' ')
				n++
			}
			blank = true
			continue
		}
		blank = false
		n++
		switch {
		case r == utf8.RuneError:
			b.WriteRune('\uFFFD')
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs, unicode.Zl, unicode.Zp), unicode.Is(unicode.Variation_Selector, r):
			fmt.Fprintf(&b, "‹U+%04X›", r)
		default:
			b.WriteRune(r)
		}
	}
	return strings.TrimSpace(b.String())
}

// word and line are clean with their limits, for templates.
func word(s string) string { return clean(s, wordLimit) }
func line(s string) string { return clean(s, lineLimit) }
