package patterns

import (
	"regexp"
	"strings"
	"unicode"
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

// reference is a number, or a word with one in it: the number of an order, a marker.
var reference = regexp.MustCompile(`#?(?:\pL+-)*\pL*\d[\pL\d]*(?:[.,:_/-][\pL\d]+)*`)

// wordsOf gives the words of a text as phrases have them: normalised, with contractions spelled out and no marks.
func wordsOf(text string) []string {
	return spell(reference.ReplaceAllString(straight(strings.ToLower(text)), " # "))
}

// plainWordsOf is wordsOf with the numbers as they are.
func plainWordsOf(text string) []string { return spell(straight(strings.ToLower(text))) }

func spell(text string) []string {
	var words []string
	for _, field := range strings.FieldsFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\'' && r != '-' && r != '#' && r != '_'
	}) {
		if word := strings.Trim(field, "'-_"); word != "" {
			words = append(words, expand(word)...)
		}
	}
	return words
}

// expand spells out a contraction. "Cannot" becomes two words, so that it is found where "could not" is.
func expand(word string) []string {
	switch word {
	case "cannot", "can't":
		return []string{"can", "not"}
	case "won't":
		return []string{"will", "not"}
	case "it's", "that's", "there's", "what's", "here's", "who's", "he's", "she's":
		return []string{strings.TrimSuffix(word, "'s"), "is"}
	}
	stem, ending, found := strings.Cut(word, "'")
	if !found {
		return []string{word}
	}
	if ending == "t" && strings.HasSuffix(stem, "n") {
		return []string{strings.TrimSuffix(stem, "n"), "not"}
	}
	if full := map[string]string{"re": "are", "ll": "will", "ve": "have", "m": "am", "d": "would"}[ending]; full != "" {
		return []string{stem, full}
	}
	return []string{word}
}

var (
	sentenceEnd = regexp.MustCompile(`[.!?…]+(?:["')\]]*\s+|["')\]]*$)|;`)
	turn        = regexp.MustCompile(`(?i)\b(?:but|however)\b`)
)

// clausesOf splits a text into sentences and these at ";", "but" and "however".
func clausesOf(text string) []string {
	var clauses []string
	for _, sentence := range sentenceEnd.Split(text, -1) {
		for _, clause := range turn.Split(sentence, -1) {
			if clause = strings.Join(strings.Fields(clause), " "); clause != "" {
				clauses = append(clauses, clause)
			}
		}
	}
	return clauses
}
