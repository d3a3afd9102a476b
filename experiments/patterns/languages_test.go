package patterns

import (
	"bufio"
	"bytes"
	"os"
	"strings"
	"testing"
	"unicode/utf8"
)

func all(t testing.TB) Lexicons {
	t.Helper()
	ls, err := Shipped()
	if err != nil {
		t.Fatal(err)
	}
	return ls
}

func TestShipped(t *testing.T) {
	var names []string
	for _, l := range all(t) {
		names = append(names, l.String())
		for _, name := range classNames {
			if len(l.class(name).phrases) == 0 {
				t.Errorf("%s: class %s has no phrases", l, name)
			}
		}
		if len(l.grammar.common) < 30 || len(l.nouns) == 0 || l.grammar.turns == nil || len(l.grammar.endings) == 0 {
			t.Errorf("%s: a part of the grammar is missing", l)
		}
	}
	if got := strings.Join(names, ", "); got != "en 2, de 1" {
		t.Errorf("the lexicons are %s", got)
	}
}

func TestFor(t *testing.T) {
	ls := all(t)
	for languages, want := range map[string]string{
		"de": "de", "de-AT": "de", "DE-de": "de", "en-GB": "en", "fr, de;q=0.8, en;q=0.5": "de", "de;q=0.2,en;q=0.9": "en",
		"fr": "", "": "", "*": "", "de;q=0": "", "not a language": "", "den": "", strings.Repeat("de,", 5000): "",
	} {
		got := ""
		if l, ok := ls.For(languages); ok {
			got = l.Language()
		}
		if got != want {
			t.Errorf("For(%.40q) = %q; want %q", languages, got, want)
		}
	}
}

func TestDetect(t *testing.T) {
	ls := all(t)
	for text, want := range map[string]string{
		"We could not place your order. You have not been charged.":             "en",
		"Wir konnten Ihre Bestellung nicht aufgeben.":                           "de",
		"DIE ZAHLUNG WURDE NICHT ANGENOMMEN":                                    "de",
		"Your order is safe.":                                                   "", // 19 characters
		"Die Karte ist da":                                                      "",
		"Une erreur est survenue pendant le paiement.":                          "",
		"Checkout payments Visa Mastercard PayPal":                              "",
		"checkout.errors.payment_failed 12345":                                  "",
		"Your order is being processed. Ihre Bestellung wird jetzt bearbeitet.": "",
		"\xff\xfe\x00 \xff\xfe\x00 \xff\xfe\x00 \xff\xfe":                       "",
		"": "",
	} {
		got := ""
		if l, ok := ls.Detect(text); ok {
			got = l.Language()
		}
		if got != want {
			t.Errorf("Detect(%q) = %q; want %q", text, got, want)
		}
	}
}

// TestDetectMessages: no message is taken to be in another language, and most that are long enough are known.
func TestDetectMessages(t *testing.T) {
	ls := all(t)
	for _, s := range sets() {
		data, err := os.ReadFile("testdata/" + s.file)
		if err != nil {
			t.Fatal(err)
		}
		long, known := 0, 0
		for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); {
			text, _, found := strings.Cut(lines.Text(), "|")
			if !found || strings.HasPrefix(text, "--") || utf8.RuneCountInString(strings.TrimSpace(text)) < minDetected {
				continue
			}
			long++
			l, ok := ls.Detect(text)
			if ok {
				known++
			}
			if ok && !strings.HasSuffix(s.file, "-"+l.Language()+".txt") {
				t.Errorf("%s: %q is taken to be in %q", s.file, text, l.Language())
			}
		}
		t.Logf("%s: of %d long enough %d are known", s.file, long, known)
		if 100*known < 50*long {
			t.Errorf("%s: only %d of %d messages are known to be in its language", s.file, known, long)
		}
	}
}

func TestEachLanguageHasTheProductsOwnPhrases(t *testing.T) {
	own, err := all(t).With(map[string][]string{"success": {"(shelf|Regal) (grew|gewachsen)"}})
	if err != nil {
		t.Fatal(err)
	}
	for languages, text := range map[string]string{"en": "Your shelf grew", "de": "Dein Regal ist, hurra: Regal gewachsen"} {
		l, ok := own.For(languages)
		if !ok || l.Classify(text).Claim.String() != "success" {
			t.Errorf("%s does not know the product's own phrase", languages)
		}
	}
	if _, err := all(t).With(map[string][]string{"success": {"(a|"}}); err == nil || !strings.Contains(err.Error(), `phrase "(a|"`) {
		t.Errorf("a bad phrase gives %v", err)
	}
}

func TestClaimsInEachLanguage(t *testing.T) {
	claims := all(t).Claims()
	for _, c := range []struct {
		texts []string
		claim string
	}{
		{[]string{"Kasse", "Ihre Bestellung konnte nicht aufgegeben werden."}, "refused"},
		{[]string{"Checkout", "Your order could not be placed."}, "refused"},
		{[]string{"Saved."}, "success"},
		{[]string{"Wurde Ihre Bestellung bei uns aufgegeben?"}, "none"},
	} {
		if claim, said := claims(c.texts); claim.String() != c.claim {
			t.Errorf("%q say %s by %q; want %s", c.texts, claim, said, c.claim)
		}
	}
}

func TestQuestionsAssureNobody(t *testing.T) {
	l := shipped(t)
	for text, want := range map[string]string{
		"Was your order placed?": "none", "Your order was placed?": "none", "Your order was placed. Did it arrive?": "success", "Payment failed. Retry?": "refused",
	} {
		if got := l.Classify(text).Claim.String(); got != want {
			t.Errorf("%q says %s; want %s", text, got, want)
		}
	}
}

func TestGrammarNamesEveryMistake(t *testing.T) {
	_, err := parseLexicon("xx.txt", "lexicon xx 1\nspelling\n  nonsense\n  *'x = no star\n  a = * b\nwords a\n  x|(y)\n  x|@b\nsuccess\n  @nobody\nturns\n  but\n")
	for _, want := range []string{"xx.txt:3: a spelling is", "xx.txt:4: a spelling is", "xx.txt:5: a spelling is", "xx.txt:7: a list of words",
		"xx.txt:8: there is no list of words @b", "xx.txt:10: there is no list of words @nobody", "xx.txt:11: turns stands behind a class"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in:\n%v", want, err)
		}
	}
}

func TestStars(t *testing.T) {
	for text, want := range map[string]string{
		"*nummer": "kartennummer nummer", "karten*": "kartennummer karten", "*tenn*": "kartennummer", "nummer": "nummer",
	} {
		p, err := (&grammar{}).phrase("x", text)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, word := range []string{"kartennummer", "nummer", "karten"} {
			if _, ok := p.match([]string{word}, 0); ok {
				got = append(got, word)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s fits %q; want %s", text, got, want)
		}
	}
}
