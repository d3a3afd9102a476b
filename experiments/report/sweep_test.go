package report

import (
	"io"
	"strings"
	"testing"

	"github.com/candor-chaos/candor/experiments"
)

// A sweep is one table in every format: which interruption makes the product lie.
func TestSweepInEveryFormat(t *testing.T) {
	run := Run{Result: experiments.Result{Verdict: experiments.Fail, Ending: experiments.Complete, Environment: experiments.EnvironmentResult{Clean: true},
		Sweep: []experiments.SweepResult{
			{Boundary: "before pay", Claim: experiments.ClaimRefused, Outcome: "rejected-honest"},
			{Boundary: "before <b>confirm</b>", Claim: experiments.ClaimSuccess, Outcome: "duplicated", Findings: []string{"CL-04"}},
			{Boundary: "after confirm", Outcome: "not-reached"},
		}}}
	for f, render := range map[string]func(io.Writer, Run) error{"html": writeHTML, "summary": writeSummary, "text": writeText} {
		var b strings.Builder
		if err := render(&b, run); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"before pay", "rejected-honest", "duplicated", "CL-04", "not-reached"} {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%s does not say %q", f, want)
			}
		}
		if f == "html" && strings.Contains(b.String(), "<b>confirm</b>") {
			t.Error("a name from a definition is not escaped")
		}
		if strings.Count(b.String(), "✗ ") == 0 {
			t.Errorf("%s does not mark the boundary that lies", f)
		}
	}
}
