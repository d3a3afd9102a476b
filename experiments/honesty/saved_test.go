package honesty

import (
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/history"
)

var update = flag.Bool("update", false, "write what the saved histories are judged as now")

// saved is where whole runs of the bookshop are kept: one for each lie, and honest ones.
var saved = filepath.Join("..", "..", "testdata", "history")

// TestSavedHistories judges whole runs again and holds verdict, outcomes and every rule to what stands beside them. A
// wrong verdict that was ever found belongs here.
func TestSavedHistories(t *testing.T) {
	folders, err := filepath.Glob(filepath.Join(saved, "*", "history.jsonl.gz"))
	if err != nil || len(folders) < 20 {
		t.Fatalf("%d saved histories (%v); want one for each lie that the bookshop can tell", len(folders), err)
	}
	for _, file := range folders {
		folder := filepath.Dir(file)
		t.Run(filepath.Base(folder), func(t *testing.T) {
			plan, h := load(t, folder)
			got := account(&plan, Judge(&plan, h))
			golden := filepath.Join(folder, "judged.txt")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			diff(t, "judged now", string(want), got)
			checkName(t, filepath.Base(folder), got)
		})
	}
}

// checkName holds a run to the name of its folder: a lie's run breaks the rule that it is named for, an honest one none.
// A golden file that was updated in haste cannot get past it.
func checkName(t *testing.T, name, got string) {
	t.Helper()
	fails := strings.Count(got, " fail ")
	if strings.HasPrefix(name, "honest") {
		if fails > 0 || !strings.HasPrefix(got, "verdict pass\n") {
			t.Errorf("an honest run is judged\n%s", got)
		}
		return
	}
	if rule := strings.ToUpper(name[:len("cl-01")]); !strings.Contains(got, "\n"+rule+" fail ") {
		t.Errorf("%s is not found in the run that tells it:\n%s", rule, got)
	}
}

func load(t *testing.T, folder string) (plan experiments.Plan, h experiments.History) {
	t.Helper()
	unpack(t, filepath.Join(folder, "plan.json.gz"), func(from io.Reader) error { return json.NewDecoder(from).Decode(&plan) })
	unpack(t, filepath.Join(folder, "history.jsonl.gz"), func(from io.Reader) (err error) {
		h, err = history.ReadFrom(folder, from)
		return err
	})
	return plan, h
}

func unpack(t *testing.T, path string, read func(io.Reader) error) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if err := read(z); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// account is a result as a few lines that a person can compare. A rule that was not built when the run was planned is left
// out: the plan says so, and a rule that is built later tells nothing of that run.
func account(plan *experiments.Plan, r experiments.Result) string {
	later := map[string]bool{}
	for _, rule := range plan.Rules {
		later[rule.ID] = !rule.Applies && strings.Contains(rule.Why, "no check for it yet")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "verdict %s\nending %s\n", r.Verdict, r.Ending)
	for _, reason := range r.Reasons {
		fmt.Fprintf(&b, "reason %s\n", reason.Code)
	}
	for _, j := range r.Journeys {
		fmt.Fprintf(&b, "%s: %d intents", j.Name, j.Intents)
		for _, name := range sorted(j.Outcomes) {
			if n := j.Outcomes[name]; n > 0 {
				fmt.Fprintf(&b, ", %s %d", name, n)
			}
		}
		fmt.Fprintf(&b, ", phantoms %d\n", j.Phantoms)
	}
	for _, rule := range r.Rules {
		if rule.Verdict != experiments.NotExercised && !later[rule.ID] {
			fmt.Fprintf(&b, "%s %s %d\n", rule.ID, rule.Verdict, rule.Exercised)
		}
	}
	for _, s := range r.Sweep {
		fmt.Fprintf(&b, "swept %s: told %s, %s %s\n", s.Boundary, s.Claim, s.Outcome, strings.Join(s.Findings, " "))
	}
	for _, x := range r.Expectations {
		fmt.Fprintf(&b, "expected %s: %s\n", x.Text, x.Verdict)
	}
	for _, c := range r.Standards {
		fmt.Fprintf(&b, "clause %s: %s\n", c.Clause, c.State)
	}
	return b.String()
}
