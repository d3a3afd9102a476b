package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/report"
)

// formatNames lists the kinds of report for help texts.
func formatNames() string {
	var names []string
	for _, f := range report.Formats() {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

// render writes one report to a stream.
func render(w io.Writer, kind string, run report.Run) error {
	for _, f := range report.Formats() {
		if f.Name == kind {
			return f.Render(w, run)
		}
	}
	return inputError("no report is called %q (%s)", kind, formatNames())
}

// outputs are the files that --out asks for, checked before anything runs.
func outputs(flags []string) (map[string]string, error) {
	files := map[string]string{}
	for _, flag := range flags {
		kind, file, found := strings.Cut(flag, "=")
		known := false
		for _, f := range report.Formats() {
			known = known || f.Name == kind
		}
		switch {
		case !found || file == "":
			return nil, inputError("--out %q: want KIND=FILE, KIND one of %s", flag, formatNames())
		case !known:
			return nil, inputError("--out %q: no report is called %q (%s)", flag, kind, formatNames())
		}
		files[kind] = file
	}
	return files, nil
}

// writeReports writes the files that --out asks for.
func writeReports(run report.Run, flags []string) error {
	files, err := outputs(flags)
	if err != nil {
		return err
	}
	for kind, file := range files {
		if err := writeReport(file, kind, run); err != nil {
			return err
		}
	}
	return nil
}

func writeReport(file, kind string, run report.Run) (err error) {
	f, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("write the %s report: %w", kind, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriter(f)
	if err := render(w, kind, run); err != nil {
		return fmt.Errorf("write the %s report: %w", kind, err)
	}
	return w.Flush()
}

// present shows a judged run: data to standard output, reports to files, and the verdict as the exit status.
func present(g *global, run report.Run, out []string) error {
	if err := writeReports(run, out); err != nil {
		return err
	}
	if g.json {
		enc := json.NewEncoder(g.out)
		enc.SetIndent("", "  ")
		if err := enc.Encode(run.Result); err != nil {
			return fmt.Errorf("write the result: %w", err)
		}
	} else if err := render(g.out, "text", run); err != nil {
		return err
	}
	return verdictError(run.Result)
}

// verdictError turns a result into its exit status; the report has said why.
func verdictError(r experiments.Result) error {
	if r.ExitCode == exitPass {
		return nil
	}
	return &statusError{status: r.ExitCode}
}
