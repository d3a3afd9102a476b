package experiments_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/browser"
	"github.com/candor-chaos/candor/experiments/effects"
	"github.com/candor-chaos/candor/experiments/journeys"
	"github.com/candor-chaos/candor/experiments/probes"
	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/docker"
	"github.com/candor-chaos/candor/faults/process"
	"github.com/candor-chaos/candor/faults/toxiproxy"
)

var definitions = filepath.Join("..", "testdata")

// catalog is what the command line has, with as many rules as these tests speak of.
func catalog() experiments.Catalog {
	return experiments.Catalog{
		Faults: faults.All(), Surfaces: append(journeys.All(), browser.Kind), Probes: probes.All(), Readers: effects.All(),
		Worlds: []faults.World{new(docker.World), new(process.World), new(toxiproxy.World)},
		Rules: []experiments.RuleInfo{
			{ID: "LK-01", Name: "stack-trace", Severity: experiments.S2, Level: "H/B", Built: true},
			{ID: "CL-01", Name: "ack-lost", Severity: experiments.S1, Level: "L", Built: true},
			{ID: "CL-02", Name: "ack-wrong", Severity: experiments.S1, Level: "L", Built: true},
			{ID: "CL-03", Name: "rejected-happened", Severity: experiments.S1, Level: "L", Built: true},
			{ID: "CL-04", Name: "duplicated", Severity: experiments.S1, Level: "L", Built: true},
			{ID: "CL-05", Name: "silent-unknown", Severity: experiments.S2, Level: "L/B", Built: true},
			{ID: "CL-07", Name: "silent-no-op", Severity: experiments.S3, Level: "B", Built: true},
			{ID: "CL-08", Name: "premature-success", Severity: experiments.S1, Level: "B+L", Built: true},
			{ID: "CL-10", Name: "late-reversal", Severity: experiments.S1, Level: "L", Built: true},
			{ID: "CL-11", Name: "phantom", Severity: experiments.S1, Level: "L", Built: true},
			{ID: "HT-05", Name: "no-retry-after", Severity: experiments.S3, Level: "H", Built: true},
			{ID: "MT-04", Name: "sick-baseline", Level: "H", Built: true},
		},
	}
}

// expected is a mistake that a comment asserts: "# ERROR: message → hint", or "# ERROR@9:" with the column. Where the
// comment stands is the line; "# ERROR^" means the line above, where no comment can stand.
type expected struct {
	line, col int
	text      string
}

func (e expected) String() string {
	if e.col == 0 {
		return fmt.Sprintf("%d: %s", e.line, e.text)
	}
	return fmt.Sprintf("%d:%d: %s", e.line, e.col, e.text)
}

func expectations(t *testing.T, text string) []expected {
	t.Helper()
	var all []expected
	for i, line := range strings.Split(text, "\n") {
		for _, comment := range strings.Split(line, "# ERROR")[1:] {
			where, message, found := strings.Cut(comment, ": ")
			e := expected{line: i + 1, text: strings.TrimSpace(message)}
			for ; strings.HasPrefix(where, "^"); where = where[1:] {
				e.line--
			}
			if col, given := strings.CutPrefix(where, "@"); given {
				n, err := strconv.Atoi(col)
				if err != nil {
					t.Fatalf("line %d: a column is wanted after @: %q", i+1, comment)
				}
				e.col, where = n, ""
			}
			if !found || where != "" || e.text == "" {
				t.Fatalf("line %d: cannot read # ERROR%s", i+1, comment)
			}
			all = append(all, e)
		}
	}
	return all
}

func TestBadDefinitions(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(definitions, "bad", "*.yaml"))
	if err != nil || len(files) < 40 {
		t.Fatalf("%d bad definitions, %v; there are at least 40", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) { checkBad(t, file) })
	}
}

func checkBad(t *testing.T, file string) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := expectations(t, string(data))
	if len(want) == 0 {
		t.Fatal("no # ERROR comment: what is wrong with this file?")
	}
	_, err = experiments.Validate([]string{file}, experiments.LoadOptions{
		System: filepath.Join(definitions, "good", "candor.yaml"), Catalog: catalog()})
	var list experiments.ErrorList
	if !errors.As(err, &list) {
		t.Fatalf("no list of mistakes: %v", err)
	}
	var got []expected
	for _, e := range list {
		if e.Pos.File != file {
			t.Errorf("mistake in another file: %v", e)
			continue
		}
		found := expected{line: e.Pos.Line, text: e.Msg}
		if e.Hint != "" {
			found.text += " → " + e.Hint
		}
		if i := len(got); i < len(want) && want[i].col != 0 {
			found.col = e.Pos.Col
		}
		got = append(got, found)
	}
	if diff := cmp.Diff(words(want), words(got)); diff != "" {
		t.Errorf("mistakes (-want +got):\n%s\n%v", diff, err)
	}
}

func words(all []expected) []string {
	var texts []string
	for _, e := range all {
		texts = append(texts, e.String())
	}
	slices.Sort(texts)
	return texts
}

func TestGoodDefinitions(t *testing.T) {
	checked, err := experiments.Validate([]string{filepath.Join(definitions, "good")}, experiments.LoadOptions{Catalog: catalog()})
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for _, c := range checked {
		kinds[c.Kind]++
	}
	want := map[string]int{"System": 1, "Standards": 1, "Journey": 3, "Experiment": 1}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("definitions by kind (-want +got):\n%s", diff)
	}
}
