package report

import (
	"encoding/json"
	"encoding/xml"
	"math"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-chaos/candor/experiments"
)

func formatNamed(t *testing.T, name string) Format {
	t.Helper()
	for _, f := range Formats() {
		if f.Name == name {
			return f
		}
	}
	t.Fatalf("no format is called %s", name)
	return Format{}
}

// TestRenderersArePure: the same run gives the same bytes, and is not changed by being looked at.
func TestRenderersArePure(t *testing.T) {
	run := makeRun(shape{name: "shop-liar", liar: true, rate: 10, seed: 1})
	before, err := json.Marshal(run)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range Formats() {
		if first, second := rendered(t, f, run), rendered(t, f, run); string(first) != string(second) {
			t.Errorf("%s differs from one time to the next", f.Name)
		}
	}
	after, err := json.Marshal(run)
	if err != nil {
		t.Fatal(err)
	}
	if string(before) != string(after) {
		t.Error("a renderer changed the run")
	}
}

func TestClean(t *testing.T) {
	for _, c := range []struct {
		in    string
		limit int
		want  string
	}{
		{"plain", 10, "plain"},
		{"  two\n\n words\t", 20, "two words"},
		{"a\u202eb", 20, "a‹U+202E›b"},
		{"\x1b[31mred", 20, "‹U+001B›[31mred"},
		{"zero\u200bwidth\ufeff", 30, "zero‹U+200B›width‹U+FEFF›"},
		{"bad \xff byte", 20, "bad \uFFFD byte"},
		{"Å汉字🙂", 20, "Å汉字🙂"},
		{strings.Repeat("é", 12), 10, strings.Repeat("é", 10) + " … (4 more bytes)"},
		{"", 5, ""},
	} {
		if got := clean(c.in, c.limit); got != c.want {
			t.Errorf("clean(%q, %d) = %q; want %q", c.in, c.limit, got, c.want)
		}
	}
}

// TestBounds checks against tables: the rule of three, and one-sided Clopper and Pearson bounds.
func TestBounds(t *testing.T) {
	for _, c := range []struct {
		k, n int
		want float64
	}{
		{0, 299, 0.009969}, {0, 2995, 0.000999741}, {0, 1, 0.95}, {1, 10, 0.394163}, {5, 10, 0.777559}, {10, 10, 1}, {0, 0, 1}, {92, 408, 0.2622},
		{50000, 100000, 0.502605},
	} {
		if got := upperBound(c.k, c.n); math.Abs(got-c.want) > max(2e-4*c.want, 1e-6) {
			t.Errorf("upperBound(%d, %d) = %v; want %v", c.k, c.n, got, c.want)
		}
		if got := lowerBound(c.n-c.k, c.n); math.Abs(got-(1-c.want)) > 2e-4 {
			t.Errorf("lowerBound(%d, %d) = %v; want %v", c.n-c.k, c.n, got, 1-c.want)
		}
	}
}

func TestPercentNeverFlatters(t *testing.T) {
	for _, c := range []struct {
		k, n int
		want string
	}{{0, 0, "–"}, {0, 9, "0 %"}, {9, 9, "100 %"}, {99999, 100000, "> 99.9 %"}, {1, 100000, "< 0.1 %"}, {1, 3, "33.3 %"}, {1, 2, "50 %"}} {
		if got := plainSpaces(percent(c.k, c.n)); got != c.want {
			t.Errorf("percent(%d, %d) = %q; want %q", c.k, c.n, got, c.want)
		}
	}
	if got := ofHundred(999, 1000, false); got != "99" {
		t.Errorf("999 of 1,000 truths are shown as %s of 100", got)
	}
	if got := ofHundred(1, 1000, true); got != "1" {
		t.Errorf("1 lie in 1,000 is shown as %s of 100", got)
	}
}

// TestTally: open and unverifiable intents are not decided, and every outcome is counted once.
func TestTally(t *testing.T) {
	j := experiments.JourneyResult{Intents: 78, Outcomes: map[string]int{}}
	for i, name := range []string{"ack-true", "ack-lost", "ack-wrong", "rejected-honest", "rejected-happened", "duplicated", "pending-dropped", "settled", "open",
		"said-so", "silent", "unverifiable"} {
		j.Outcomes[name] = i + 1
	}
	got := tallyOf(j)
	if got.Straight != 1+4+8+10 || got.Lies != 2+3+5+6+7 || got.Decided != 78-9-12 || got.Neither() != 9+11+12 {
		t.Errorf("straight %d, lies %d, decided %d, neither %d", got.Straight, got.Lies, got.Decided, got.Neither())
	}
}

func TestText(t *testing.T) {
	for name, run := range goldenRuns() {
		text := string(rendered(t, formatNamed(t, "text"), run))
		lines := strings.Split(strings.TrimSpace(text), "\n")
		if len(lines) > 45 {
			t.Errorf("%s has %d lines", name, len(lines))
		}
		first := map[string]string{"liar": "FAIL  ", "honest": "PASS  ", "dirty": "STILL IN FORCE"}[name]
		if !strings.HasPrefix(text, first) {
			t.Errorf("%s begins %q; want %q", name, lines[0], first)
		}
		for _, l := range lines {
			if n := utf8.RuneCountInString(l); n > textWidth {
				t.Errorf("%s: a line has %d characters: %s", name, n, l)
			}
			if strings.ContainsAny(l, "\x1b\u202e\u00a0\t") {
				t.Errorf("%s: %q holds characters that act", name, l)
			}
		}
	}
}

// TestNothingActsAnywhere: with hostile words in every field, no format for people hands on a character that acts, and the
// XML still parses.
func TestNothingActsAnywhere(t *testing.T) {
	run := goldenRuns()["liar"]
	poison(reflect.ValueOf(&run).Elem())
	for _, name := range []string{"html", "junit", "summary", "text"} {
		text := string(rendered(t, formatNamed(t, name), run))
		if i := strings.IndexAny(text, acting); i >= 0 {
			t.Errorf("%s hands on a character that acts: …%q", name, text[max(0, i-60):i+10])
		}
	}
	if junitOf(t, run).Tests == 0 {
		t.Error("the JUnit report has no case")
	}
	summary := string(rendered(t, formatNamed(t, "summary"), run))
	for _, bad := range []string{"<script", "[x](", "@everyone", "www.evil"} {
		if i := strings.Index(summary, bad); i >= 0 {
			t.Errorf("the summary holds %q: …%q", bad, summary[max(0, i-80):i+20])
		}
	}
}

// TestSummary: bounded whatever comes, and nothing that the target said is markup.
func TestSummary(t *testing.T) {
	run := makeRun(shape{name: "shop-liar", liar: true, rate: 10, seed: 1})
	text := string(rendered(t, formatNamed(t, "summary"), run))
	for _, bad := range []string{"<script", "[x](", "@everyone", "www.evil", "\u202e"} {
		if strings.Contains(text, bad) {
			t.Errorf("the summary holds %q:\n%s", bad, text)
		}
	}
	for range 3000 {
		run.Result.Reasons = append(run.Result.Reasons, experiments.Reason{Code: "x", Text: strings.Repeat(hostile, 30)})
	}
	text = string(rendered(t, formatNamed(t, "summary"), run))
	if len(text) > summaryLimit || !strings.Contains(text, "The rest was cut") || !utf8.ValidString(text) {
		t.Errorf("a summary of %d bytes is not cut properly: …%q", len(text), text[max(0, len(text)-90):])
	}
}

func junitOf(t *testing.T, run Run) suites {
	t.Helper()
	var s suites
	if err := xml.Unmarshal(rendered(t, formatNamed(t, "junit"), run), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestJUnitIsRedUnlessAllIsWell: no verdict but pass, no ending but complete and no doubtful environment is ever green.
func TestJUnitIsRedUnlessAllIsWell(t *testing.T) {
	for _, verdict := range []experiments.Verdict{experiments.Unproven, experiments.Pass, experiments.Fail} {
		for _, ending := range []experiments.Ending{experiments.Broken, experiments.Complete, experiments.Aborted, experiments.Dirty} {
			for _, clean := range []bool{false, true} {
				r := experiments.Result{Verdict: verdict, Ending: ending, Environment: experiments.EnvironmentResult{Clean: clean}}
				s := junitOf(t, Run{Result: r})
				green := s.Failures == 0 && s.Errors == 0
				if want := verdict == experiments.Pass && ending == experiments.Complete && clean; green != want {
					t.Errorf("verdict %s, ending %s, clean %v: green is %v", verdict, ending, clean, green)
				}
			}
		}
	}
}

func TestJUnitCases(t *testing.T) {
	run := Run{
		Plan: experiments.Plan{Rules: []experiments.PlannedRule{{ID: "CL-01", Gated: true}, {ID: "CL-02", Gated: true, Required: true}, {ID: "CL-03", Gated: true}, {ID: "HT-01"}}},
		Result: experiments.Result{Verdict: experiments.Pass, Ending: experiments.Complete, Environment: experiments.EnvironmentResult{Clean: true},
			Expectations: []experiments.ExpectationResult{{Text: "a", Verdict: experiments.RulePass}, {Text: "b", Verdict: experiments.RuleFail}, {Text: "c"},
				{Text: "d", Verdict: experiments.Unverifiable}, {Text: "e", Verdict: experiments.NotApplicable}},
			Rules:     []experiments.RuleResult{{ID: "CL-01", Verdict: experiments.RuleFail, Exercised: 2}, {ID: "CL-02"}, {ID: "CL-03"}, {ID: "HT-01"}, {ID: "HT-02", Verdict: experiments.RulePass, Exercised: 1}},
			Standards: []experiments.ClauseResult{{Clause: "m", State: "met"}, {Clause: "n", State: "missed"}, {Clause: "o", State: "not-measured"}, {Clause: "p", State: "waived"}}},
	}
	want := map[string]string{
		"the run goes to its end": "ok", "the verdict is pass": "ok", "the environment is clean afterwards": "ok",
		"1: a": "ok", "2: b": "failure expectation-failed", "3: c": "error not-exercised", "4: d": "error unverifiable", "5: e": "skipped",
		"CL-01 Confirmed, but not there": "failure rule-failed", "CL-02 Confirmed, but stored wrong": "error rule-idle", "CL-03 “It failed”, but it happened": "skipped",
		"HT-02 Two different error codes in one answer": "ok", "m": "ok", "n": "failure missed", "o": "error not-measured", "p": "skipped",
	}
	got := map[string]string{}
	for _, c := range junitOf(t, run).Suite.Cases {
		switch {
		case c.Failure != nil:
			got[c.Name] = "failure " + c.Failure.Type
		case c.Error != nil:
			got[c.Name] = "error " + c.Error.Type
		case c.Skipped != nil:
			got[c.Name] = "skipped"
		default:
			got[c.Name] = "ok"
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("cases (-want +got):\n%s", diff)
	}
}

// TestTimelineCounts: every request of a user is in one bucket, setup is in none, and long runs get wider buckets.
func TestTimelineCounts(t *testing.T) {
	run := makeRun(shape{name: "shop-honest", rate: 10, seed: 2})
	exchanges := 0
	for i := range run.History.Records {
		if x := run.History.Records[i].Exchange; x != nil {
			if exchanges == 0 {
				x.Setup = true
			}
			exchanges++
		}
	}
	total := 0
	line := timelineOf(run, readTape(run))
	for _, b := range line.Buckets {
		total += b.Requests
	}
	if line.Width != 1 || total != exchanges-1 {
		t.Errorf("%d requests in buckets of %d s; want %d in buckets of 1 s", total, line.Width, exchanges-1)
	}
	last := &run.History.Records[len(run.History.Records)-1]
	run.Result.Ended = run.Result.Started.Add(3 * 60 * 60 * 1e9)
	last.At = run.Result.Ended
	if line = timelineOf(run, readTape(run)); len(line.Buckets) > maxBuckets || line.Width < 45 {
		t.Errorf("three hours have %d buckets of %d s", len(line.Buckets), line.Width)
	}
}

func TestQuantile(t *testing.T) {
	list := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	for q, want := range map[float64]float64{0.5: 5, 0.95: 10, 0.9: 9, 0: 1} {
		if got := quantile(list, q); got != want {
			t.Errorf("quantile(1…10, %v) = %v; want %v", q, got, want)
		}
	}
	if got := quantile(nil, 0.5); got != 0 {
		t.Errorf("quantile of nothing = %v", got)
	}
}
