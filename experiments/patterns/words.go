package patterns

import (
	"regexp"
	"strings"
)

// Normalize makes texts that say the same comparable: lower case, straight quotes, single spaces, # for each number and
// one token for each marker, which is markerPrefix and a number.
func Normalize(text, markerPrefix string) string {
	text = straight(strings.ToLower(text))
	if prefix := strings.ToLower(markerPrefix); prefix != "" {
		text = regexp.MustCompile(regexp.QuoteMeta(prefix)+`\d+`).ReplaceAllString(text, "<marker>")
	}
	return strings.Join(strings.Fields(number.ReplaceAllString(text, "#")), " ")
}

// number is one number, however it is written, with the sign of an order's number.
var number = regexp.MustCompile(`#?\d+(?:[.,:]\d+)*`)

// straighten makes quotes and apostrophes straight.
var straighten = strings.NewReplacer("‘", "'", "’", "'", "‛", "'", "ʼ", "'", "`", "'", "“", `"`, "”", `"`, "„", `"`, "«", `"`, "»", `"`)

func straight(text string) string { return straighten.Replace(text) }
