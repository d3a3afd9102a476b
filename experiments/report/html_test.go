package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"math"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/candor-chaos/candor/experiments"
)

func pageOf(t *testing.T, run Run) (*html.Node, []byte) {
	t.Helper()
	text := rendered(t, Formats()[0], run)
	doc, err := html.Parse(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc, text
}

func elements(n *html.Node, name string) []*html.Node {
	var found []*html.Node
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && d.Data == name {
			found = append(found, d)
		}
	}
	return found
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

// TestPageIsInert: whatever the target said, the page holds no script, no handler and no address outside itself, and its
// policy lets in nothing but its own style.
func TestPageIsInert(t *testing.T) {
	runs := goldenRuns()
	poisoned := makeRun(shape{name: "shop-liar", liar: true, rate: 10, seed: 1})
	poison(reflect.ValueOf(&poisoned).Elem())
	runs["poisoned"] = poisoned
	for name, run := range runs {
		doc, text := pageOf(t, run)
		checkInert(t, name, doc)
		style := textOf(elements(doc, "style")[0])
		sum := sha256.Sum256([]byte(style))
		want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
		if got := attribute(elements(doc, "meta")[1], "content"); got != want {
			t.Errorf("%s: policy is %q; want %q", name, got, want)
		}
		if strings.Contains(style, "url(") || strings.Contains(style, "@import") {
			t.Errorf("%s: the style loads something", name)
		}
		if bytes.ContainsAny(text, acting) {
			t.Errorf("%s: holds characters that act on the text around them", name)
		}
	}
}

// acting are some characters that act on the text around them.
const acting = "\u202e\u202c\u2066\u200b\x1b\x00"

// poison puts what a hostile target might say into every text of a run, whoever wrote it.
func poison(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if !strings.HasPrefix(v.String(), "history.jsonl:") {
			v.SetString(hostile + "\u2066\u200b\x00\"' onload=x " + v.String())
		}
	case reflect.Pointer:
		if !v.IsNil() {
			poison(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				poison(v.Field(i))
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			poison(v.Index(i))
		}
	}
}

func checkInert(t *testing.T, name string, doc *html.Node) {
	t.Helper()
	for n := range doc.Descendants() {
		switch n.Data {
		case "script", "iframe", "img", "link", "object", "embed", "form", "base":
			if n.Type == html.ElementNode {
				t.Errorf("%s: has a <%s>", name, n.Data)
			}
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "src" {
				t.Errorf("%s: <%s> has %s=%q", name, n.Data, a.Key, a.Val)
			}
			if a.Key == "href" && !strings.HasPrefix(a.Val, "#") {
				t.Errorf("%s: links to %q", name, a.Val)
			}
		}
	}
}

// TestPageIsAccessible: landmarks, one first heading, no skipped heading level, captions and scopes, a picture with words,
// unique ids, and no link into nothing.
func TestPageIsAccessible(t *testing.T) {
	doc, _ := pageOf(t, goldenRuns()["liar"])
	for _, landmark := range []string{"header", "nav", "main", "footer", "h1"} {
		if n := len(elements(doc, landmark)); n != 1 {
			t.Errorf("%d <%s>; want 1", n, landmark)
		}
	}
	for _, table := range elements(doc, "table") {
		if len(elements(table, "caption")) != 1 {
			t.Errorf("a table has no caption: %.80s", textOf(table))
		}
		for _, th := range elements(table, "th") {
			if attribute(th, "scope") == "" {
				t.Errorf("a heading cell has no scope: %s", textOf(th))
			}
		}
	}
	ids := map[string]bool{}
	level := 0
	for n := range doc.Descendants() {
		if id := attribute(n, "id"); id != "" {
			if ids[id] {
				t.Errorf("id %q stands twice", id)
			}
			ids[id] = true
		}
		if n.Type == html.ElementNode && len(n.Data) == 2 && n.Data[0] == 'h' && n.Data[1] >= '1' && n.Data[1] <= '6' {
			if next := int(n.Data[1] - '0'); next > level+1 {
				t.Errorf("heading %q is h%d after h%d", textOf(n), next, level)
			} else {
				level = next
			}
		}
	}
	for n := range doc.Descendants() {
		for _, key := range []string{"href", "aria-labelledby"} {
			for _, ref := range strings.Fields(attribute(n, key)) {
				if !ids[strings.TrimPrefix(ref, "#")] {
					t.Errorf("<%s> %s=%q leads nowhere", n.Data, key, ref)
				}
			}
		}
	}
	for _, svg := range elements(doc, "svg") {
		if len(elements(svg, "title")) != 1 || attribute(svg, "role") != "img" {
			t.Error("a picture has no words")
		}
	}
}

// TestPageOrder: what matters most to the reader comes first, whatever happened.
func TestPageOrder(t *testing.T) {
	for name, run := range goldenRuns() {
		doc, _ := pageOf(t, run)
		order := []string{"verdict", "trust", "timeline", "ledger", "findings", "expectations", "standards", "faults", "gaps", "again"}
		if name == "dirty" {
			order = append([]string{""}, order...) // still in force
		}
		var got []string
		for _, s := range elements(doc, "section") {
			got = append(got, attribute(s, "id"))
		}
		if strings.Join(got, " ") != strings.Join(order, " ") {
			t.Errorf("%s: sections %v; want %v", name, got, order)
		}
		if danger := strings.Contains(textOf(doc), "Still in force"); danger != (name == "dirty") {
			t.Errorf("%s: says that something is still in force: %v", name, danger)
		}
	}
}

// TestPageIsSmall: a run of 10,000 exchanges and hundreds of findings stays a file that can be mailed.
func TestPageIsSmall(t *testing.T) {
	run := makeRun(shape{name: "shop-liar", liar: true, rate: 190, seed: 1})
	exchanges := 0
	for _, r := range run.History.Records {
		if r.Exchange != nil {
			exchanges++
			r.Exchange.Body.Text = strings.Repeat(r.Exchange.Body.Text+hostile, 500)
		}
	}
	if exchanges < 10000 || len(run.Result.Findings) < 500 {
		t.Fatalf("the run has %d exchanges and %d findings: too few to show anything", exchanges, len(run.Result.Findings))
	}
	_, text := pageOf(t, run)
	if len(text) > 2<<20 {
		t.Errorf("the page has %d bytes; want at most 2 MiB", len(text))
	}
}

// TestPageShowsBothSides: a finding shows what was said beside what is true, and its request and answer.
func TestPageShowsBothSides(t *testing.T) {
	doc, _ := pageOf(t, goldenRuns()["liar"])
	for _, article := range elements(doc, "article") {
		if attribute(article, "id") != "rule-CL-04" {
			continue
		}
		text := textOf(article)
		for _, want := range []string{"Wanted once, done more than once", "Order placed. Thank you!", "there 2 times", "read twice, at 52.0 s and 56.0 s",
			"POST http://127.0.0.1:18080/api/orders", "201 Created", "history.jsonl:", "and 16 more times"} {
			if !strings.Contains(text, want) {
				t.Errorf("the finding does not say %q:\n%s", want, text)
			}
		}
		return
	}
	t.Error("no finding of CL-04 is shown")
}

func TestNothingIsNeverAPass(t *testing.T) {
	for _, f := range Formats() {
		text := string(rendered(t, f, Run{}))
		if strings.Contains(text, "PASS") || strings.Contains(text, ">Pass<") || !strings.Contains(strings.ToLower(text), "unproven") {
			t.Errorf("%s of nothing does not say unproven:\n%s", f.Name, text)
		}
	}
}

func TestCompareLinks(t *testing.T) {
	liar, honest := goldenRuns()["liar"], goldenRuns()["honest"]
	honest.Link = "javascript:alert(1)"
	var b bytes.Buffer
	if err := Compare(&b, []Run{liar, honest}); err != nil {
		t.Fatal(err)
	}
	doc, err := html.Parse(&b)
	if err != nil {
		t.Fatal(err)
	}
	links := elements(doc, "a")
	if len(links) != 2 || len(elements(doc, "h2")) != 1 {
		t.Fatalf("%d links and %d experiments; want 2 and 1", len(links), len(elements(doc, "h2")))
	}
	if got := attribute(links[0], "href"); got != liar.Result.Run+"/report.html" {
		t.Errorf("the first column leads to %q", got)
	}
	if got := attribute(links[1], "href"); strings.Contains(got, "javascript") {
		t.Errorf("the second column leads to %q", got)
	}
}

// TestDangerIsToldFromCalm: every way to be not surely clean is told, and a clean run is not alarmed about.
func TestDangerIsToldFromCalm(t *testing.T) {
	clean := experiments.EnvironmentResult{Clean: true}
	fault := func(state string) []experiments.FaultResult {
		return []experiments.FaultResult{{Name: "f", StateAfter: state}}
	}
	for _, c := range []struct {
		what string
		r    experiments.Result
		want string
	}{
		{"clean", experiments.Result{Ending: experiments.Complete, Environment: clean, Faults: fault("absent")}, ""},
		{"nothing was broken and nobody looked", experiments.Result{}, ""},
		{"something left", experiments.Result{Environment: experiments.EnvironmentResult{Left: []string{"agent"}}}, "Still in force"},
		{"fault present", experiments.Result{Environment: clean, Faults: fault("present")}, "Still in force"},
		{"fault unknown", experiments.Result{Environment: clean, Faults: fault("unknown")}, "Still in force"},
		{"dirty without a word", experiments.Result{Ending: experiments.Dirty, Environment: clean}, "Still in force"},
		{"nobody looked", experiments.Result{Faults: fault("absent")}, "May still be in force"},
	} {
		got := ""
		if d := dangerOf(c.r); d != nil {
			got = d.Heading
		}
		if got != c.want {
			t.Errorf("%s: %q; want %q", c.what, got, c.want)
		}
	}
}

// TestContrast holds the page's colours to WCAG 2 AA, in light and in dark: 4.5 for text, 3 for what is drawn.
func TestContrast(t *testing.T) {
	style, err := files.ReadFile("templates/report.css")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllStringSubmatch(string(style), -1)
	for i, name := range []string{"light", "dark"} {
		colours := map[string]string{}
		for _, m := range regexp.MustCompile(`--([\w-]+): #([0-9a-f]{6})`).FindAllStringSubmatch(blocks[i][1], -1) {
			colours[m[1]] = m[2]
		}
		for _, pair := range [][2]string{{"ink", "paper"}, {"ink", "card"}, {"soft", "paper"}, {"soft", "card"}, {"link", "paper"}, {"link", "card"}, {"good", "good-bg"},
			{"good", "card"}, {"bad", "bad-bg"}, {"bad", "card"}, {"hole", "hole-bg"}, {"hole", "card"}, {"band-text", "card"}} {
			if c := contrast(t, colours[pair[0]], colours[pair[1]]); c < 4.5 {
				t.Errorf("%s: %s on %s has a contrast of %.2f", name, pair[0], pair[1], c)
			}
		}
		for _, drawn := range []string{"good-fill", "bad-fill", "hole-fill", "p50", "p95"} {
			if c := contrast(t, colours[drawn], colours["card"]); c < 3 {
				t.Errorf("%s: %s has a contrast of %.2f", name, drawn, c)
			}
		}
	}
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		v, err := strconv.ParseUint(colour[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(v) / 255
		if c <= 0.03928 {
			sum += weight * c / 12.92
		} else {
			sum += weight * math.Pow((c+0.055)/1.055, 2.4)
		}
	}
	return sum
}
