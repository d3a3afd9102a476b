package patterns

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// The rows of a language lie in a file of their own, so that a reader of that language can review them.
func TestMessagesOfEachLanguage(t *testing.T) {
	for _, name := range []string{"testdata/messages-en.txt"} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		l, rows := shipped(t), 0
		for line := range strings.Lines(string(data)) {
			if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "--") {
				continue
			}
			rows++
			testMessage(t, l, append(strings.Split(line, "|"), "", ""))
		}
		if rows < 100 {
			t.Errorf("%s: %d rows; want at least 100", name, rows)
		}
	}
}

func testMessage(t *testing.T, l *Lexicon, row []string) {
	t.Helper()
	text, claim, also := strings.TrimSpace(row[0]), strings.TrimSpace(row[1]), list(row[2])
	got := l.Classify(text)
	further := slices.DeleteFunc(slices.Clone(got.Classes), func(name string) bool {
		_, claims := claimOf(name)
		return claims && name != classBlameInput
	})
	slices.Sort(further)
	if got.Claim.String() != claim || !slices.Equal(further, also) {
		t.Errorf("%q says %s and is also %q (%q); want %s and %q", text, got.Claim, further, got.Classes, claim, also)
	}
	for _, about := range list(row[3]) {
		noun, claim, _ := strings.Cut(about, " ")
		if said := got.About(noun).String(); said != claim {
			t.Errorf("%q says %s about the %s; want %s", text, said, noun, claim)
		}
	}
}

// list reads a, b and sorts them.
func list(text string) []string {
	var all []string
	for one := range strings.SplitSeq(text, ",") {
		if one = strings.TrimSpace(one); one != "" {
			all = append(all, one)
		}
	}
	slices.Sort(all)
	return all
}
