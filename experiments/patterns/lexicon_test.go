package patterns

import (
	"slices"
	"strings"
	"testing"
)

func shipped(t testing.TB) *Lexicon {
	t.Helper()
	l, err := English()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestContract(t *testing.T) { testMessages(t, contract) }
func TestMessages(t *testing.T) { testMessages(t, messages) }

func testMessages(t *testing.T, rows []said) {
	l := shipped(t)
	for _, row := range rows {
		got := l.Classify(row.text)
		also := slices.DeleteFunc(slices.Clone(got.Classes), func(name string) bool {
			_, claims := claimOf(name)
			return claims && name != classBlameInput
		})
		if got.Claim.String() != row.claim || strings.Join(also, " ") != row.also {
			t.Errorf("%q says %s (%q) and is also %q; want %s, %q", row.text, got.Claim, got.Classes, also, row.claim, row.also)
		}
	}
}

// TestWritten guards the test set itself: it has rows of every claim, and of none.
func TestWritten(t *testing.T) {
	count := map[string]int{}
	for _, row := range messages {
		count[row.claim]++
	}
	for _, claim := range []string{"success", "refused", "pending", "unknown", "none"} {
		if count[claim] < 7 {
			t.Errorf("only %d messages are %s", count[claim], claim)
		}
	}
	if len(messages) < 60 {
		t.Errorf("only %d messages", len(messages))
	}
}

func TestEffectsAreSpokenForApart(t *testing.T) {
	r := shipped(t).Classify("Your order was placed, but we could not send the email.")
	for noun, want := range map[string]string{"order": "success", "Email": "refused", "payment": "none", "we": "refused"} {
		if got := r.About(noun).String(); got != want {
			t.Errorf("the text says %s about the %s; want %s", got, noun, want)
		}
	}
}

func TestNounsAreNamedByOtherWords(t *testing.T) {
	r := shipped(t).Classify("Ordered and paid, but the e-mail could not be sent.")
	if got := r.Clauses[0].Nouns; !slices.Equal(got, []string{"order", "payment"}) {
		t.Errorf("the first clause names %q", got)
	}
	if got := r.About("email").String(); got != "refused" {
		t.Errorf("the text says %s about the email", got)
	}
}

func TestNames(t *testing.T) {
	r := shipped(t).Classify("Your orders and the payment's state; the boxes are here")
	for noun, want := range map[string]bool{"order": true, "Payment": true, "box": false, "pay": false} {
		if got := r.Clauses[0].Names(noun); got != want {
			t.Errorf("Names(%q) = %v; want %v", noun, got, want)
		}
	}
	if !r.Clauses[1].Names("box") {
		t.Error("the plural is not known")
	}
}

func TestKeptIsNoSuccess(t *testing.T) {
	l := shipped(t)
	for text, want := range map[string][]string{
		"Your changes are saved.":                                        {"success"},
		"We could not place your order. Your changes are saved.":         {"refused", "none"},
		"Your changes are saved. We do not know if the order was placed": {"none", "unknown"},
		"Payment failed. Your order was placed.":                         {"refused", "success"},
	} {
		var got []string
		for _, c := range l.Classify(text).Clauses {
			got = append(got, c.Claim.String())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q claims %q; want %q", text, got, want)
		}
	}
}

func TestPendingIsNoRetry(t *testing.T) {
	l := shipped(t)
	if r := l.Classify("We will try again automatically."); r.Is("retry") || r.Claim.String() != "pending" {
		t.Errorf("a promise is read as %s, %q", r.Claim, r.Classes)
	}
	if r := l.Classify("Please try again."); !r.Is("retry") {
		t.Errorf("an offer is read as %q", r.Classes)
	}
}

func TestClaims(t *testing.T) {
	claims := shipped(t).Claims()
	for _, c := range []struct {
		texts       []string
		claim, said string
	}{
		{[]string{"Checkout", "Your order is placed.", "Payment failed! See below."}, "refused", "Payment failed"},
		{[]string{"Checkout", "Your  order\nis placed."}, "success", "Your order is placed"},
		{[]string{"Checkout"}, "none", ""},
		{nil, "none", ""},
		{[]string{strings.Repeat("x ", 8<<10), "Payment failed"}, "none", ""},
	} {
		if claim, said := claims(c.texts); claim.String() != c.claim || said != c.said {
			t.Errorf("%.60q say %s by %q; want %s by %q", c.texts, claim, said, c.claim, c.said)
		}
	}
}

func TestWith(t *testing.T) {
	l := shipped(t)
	own, err := l.With(map[string][]string{"success": {"your shelf has grown", "shelved."}, "pending": {"on its way in 3 days"}, "jargon": {"418"}})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{"Your shelf has grown!": "success", "Shelved": "success", "Not shelved": "none", "On its way in 5 days": "pending"} {
		if got := own.Classify(text).Claim.String(); got != want {
			t.Errorf("%q says %s; want %s", text, got, want)
		}
		if got := l.Classify(text).Claim.String(); got != "none" {
			t.Errorf("the shipped lexicon has learned %q", text)
		}
	}
	if own.Classify("Error 419").Is("jargon") || !own.Classify("Error 418").Is("jargon") {
		t.Error("jargon is not read with its numbers")
	}
	_, err = l.With(map[string][]string{"succes": {"x"}, "empty": {"(a|", "fine", "[a]"}})
	if err == nil {
		t.Fatal("mistakes were taken")
	}
	for _, want := range []string{`"succes" is no class`, `lexicon empty: phrase "(a|": a bracket is not closed`, `phrase "[a]": the phrase has no words`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in:\n%v", want, err)
		}
	}
}

func TestParseLexiconNamesEveryMistake(t *testing.T) {
	_, err := parseLexicon("xx.txt", "-- ours\nlexicon xx 2\n  early\nsuccess -- good\n  (a|b\n  [a (b) c] d\n  a. b\n  (a|) b\n  _ [x]\n  .\n  fine\nnonsense\nsuccess\nnoun x\n  (y\nnoun x\n  z\n")
	want := []string{
		"xx.txt:3: a phrase stands before any class",
		"xx.txt:5: a bracket is not closed",
		"xx.txt:6: a bracket stands within a bracket",
		"xx.txt:7: a full stop stands only at the end of a phrase",
		`xx.txt:8: a choice has nothing in it: "a|"`,
		"xx.txt:9: the phrase has no words that must be there",
		"xx.txt:10: the phrase has no words that must be there",
		`xx.txt:12: "nonsense" is no class of a lexicon; there are unknown,`,
		"xx.txt:13: success is opened twice",
		"xx.txt:15: a bracket is not closed",
		"xx.txt:16: noun x is opened twice",
	}
	if err == nil {
		t.Fatal("mistakes were taken")
	}
	got := strings.Split(err.Error(), "\n")
	if len(got) != len(want) {
		t.Fatalf("%d mistakes; want %d:\n%v", len(got), len(want), err)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("mistake %q; want %q", got[i], want[i])
		}
	}
	for _, text := range []string{"", "success\n  saved\n", "lexicon en\n", "lexicon en 0"} {
		if _, err := parseLexicon("x", text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestShippedHasEveryClass(t *testing.T) {
	l := shipped(t)
	if l.String() != "en 2" {
		t.Errorf("the lexicon is %q", l)
	}
	for _, name := range classNames {
		if !slices.ContainsFunc(l.classes, func(c class) bool { return c.name == name && len(c.phrases) > 0 }) {
			t.Errorf("class %s has no phrases", name)
		}
	}
}

func TestWildcardsHaveBounds(t *testing.T) {
	p, err := (&grammar{}).phrase("x", "a [b|c d] _ (e|f g)")
	if err != nil {
		t.Fatal(err)
	}
	c := class{phrases: []phrase{p}}
	c.index()
	for text, want := range map[string]string{
		"a e": "a e", "z a b e z": "a b e", "a c d 1 e": "a c d # e", "a w w w w f g": "a w w w w f g", "a w w w w w e": "", "a": "", "ae": "",
	} {
		if got, _ := c.find((&grammar{}).words(text)); got != want {
			t.Errorf("in %q the phrase is %q; want %q", text, got, want)
		}
	}
}

func FuzzClassify(f *testing.F) {
	l := shipped(f)
	for _, row := range messages {
		f.Add(row.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if r := l.Classify(text); r.Claim.String() != "none" && r.Words == "" {
			t.Errorf("%q claims %s by no words", text, r.Claim)
		}
	})
}

func BenchmarkPage(b *testing.B) {
	l := shipped(b)
	page := strings.Repeat("We do not know whether your payment went through. Check your orders before you try again.\n", 64<<10/90)
	for b.Loop() {
		l.Classify(page)
	}
}

func BenchmarkClassify(b *testing.B) {
	l := shipped(b)
	for b.Loop() {
		l.Classify("We do not know whether your payment went through. Check your orders before you try again.")
	}
}
