package patterns

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNormalize(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"  Your Order\n #1,234 “is” placed ", `your order # "is" placed`},
		{"It’s £12.50 at 14:05.", "it's £# at #."},
		{"Order for cab3xy7q-12 and CAB3XY7Q-3", "order for <marker> and <marker>"},
		{"", ""},
	} {
		if got := Normalize(c.text, "cab3xy7q-"); got != c.want {
			t.Errorf("Normalize(%q) = %q; want %q", c.text, got, c.want)
		}
	}
	if got := Normalize("a b-1", ""); got != "a b-#" {
		t.Errorf("without a prefix: %q", got)
	}
}

func TestWords(t *testing.T) {
	for text, want := range map[string]string{
		"We couldn't, can't & won’t":       "we could not can not will not",
		"We're sorry; it's Ada's wi-fi":    "we are sorry it is ada's wi-fi",
		"I'm here: they've, you'll, she'd": "i am here they have you will she would",
		"£12.50 #4711 14:05 10,000":        "# # # #",
		"<b>Bold</b> — 'quoted'":           "b bold b quoted",
	} {
		if got := strings.Join(shipped(t).grammar.words(text), " "); got != want {
			t.Errorf("words(%q) = %q; want %q", text, got, want)
		}
	}
}

func TestClauses(t *testing.T) {
	for text, want := range map[string][]string{
		"It costs £12.50. Really? Yes!":       {"It costs £12.50", "Really", "Yes"},
		"Placed, but not paid; However, wait": {"Placed,", "not paid", ", wait"},
		"Saving…":                             {"Saving"},
		`He said "no." We go on`:              {`He said "no`, "We go on"},
		"attribute buttons":                   {"attribute buttons"},
		" ... ":                               nil,
	} {
		var got []string
		for _, s := range shipped(t).grammar.clauses(text) {
			got = append(got, s.text)
		}
		if !slices.Equal(got, want) {
			t.Errorf("clauses(%q) = %q; want %q", text, got, want)
		}
	}
}

func TestLandmarks(t *testing.T) {
	for page, want := range map[string][]string{
		`<header>x</header><nav></nav><main><h1>Shop</h1></main><footer></footer>`:            {"footer", "h1", "header", "main", "nav"},
		`<div role="banner"></div><div role=main></div><div role="x Navigation contentinfo">`: {"header", "main", "nav"},
		`<html><body><center><h1>502 Bad Gateway</h1></center></body></html>`:                 {"h1"},
		`<!-- <main> --><script>"<main>"</script><template><nav></nav></template><p>x`:        {},
		`<header role="presentation"></header><main role="none">`:                             {},
		`{"main": 1}`: {},
		"":            {},
	} {
		if diff := cmp.Diff(want, Landmarks([]byte(page)), cmp.Transformer("", func(s []string) string { return strings.Join(s, " ") })); diff != "" {
			t.Errorf("Landmarks(%q) (-want +got):\n%s", page, diff)
		}
	}
	if got := Landmarks([]byte(strings.Repeat("<div>", 200000) + "<main>")); !slices.Equal(got, []string{"main"}) {
		t.Errorf("a deep page has %q", got)
	}
}
