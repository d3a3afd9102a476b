// Package report shows a finished run to people and to machines. Every renderer is a pure view of what was saved: it
// reads no clock and no file, judges nothing, and writes to its writer alone.
//
//	Run{Result, Plan, History} ─▶ html · junit · summary · json · text
//	[]Run                      ─▶ Compare: several runs side by side
//
// Whatever the target said is hostile until clean has bounded it and made its control characters visible; the HTML page
// needs nothing from outside and runs no script.
package report

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/candor-chaos/candor/experiments"
)

// Run is all that a report is made of.
type Run struct {
	Result  experiments.Result
	Plan    experiments.Plan
	History experiments.History
	Link    string // where the run's own page lies, relative to a comparison; RUN/report.html when empty
}

// Format is one way to show a run.
type Format struct {
	Name   string
	Doc    string
	Render func(w io.Writer, run Run) error
}

// Formats lists every format.
func Formats() []Format {
	return []Format{
		{"html", "one page for people, whole in one file", writeHTML},
		{"junit", "JUnit XML, for pipelines", writeJUnit},
		{"summary", "Markdown of at most 60 KiB, for step summaries", writeSummary},
		{"json", "the result, candor.result/v1", writeJSON},
		{"text", "a summary for the terminal", writeText},
	}
}

func writeJSON(w io.Writer, run Run) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	if err := enc.Encode(run.Result); err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return nil
}
