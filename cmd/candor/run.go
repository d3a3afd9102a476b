package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/engine"
	"github.com/candor-chaos/candor/experiments/history"
	"github.com/candor-chaos/candor/experiments/journeys"
	"github.com/candor-chaos/candor/experiments/patterns"
	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/halt"
	"github.com/candor-chaos/candor/faults/journal"
)

func newRunCommand(g *global) *cobra.Command {
	var out []string
	var protected string
	cmd := &cobra.Command{
		Use:   "run EXPERIMENT",
		Short: "run an experiment, judge it and report",
		Long: `Run an experiment: wait for the steady state, measure a baseline, break what the experiment says while users are
busy, mend it, wait for recovery, read what is true, and judge. The run's folder below .candor/runs holds its
history, result and report.

^C ends the run early: what is broken is reverted first, then what was seen is judged. Should this process die instead,
its guardian, a second process or container that started before anything was broken, reverts everything.

First it mends what a dead run of the same system left. One run at a time works on a system, across all hosts that share
its engine. A protected environment has to be named with --allow-protected.` +
			exitHelp(exitPass, exitFail, exitInput, exitUnproven, exitAborted, exitDirty, exitBroken),
		Example: "  candor run experiments/payments-outage.yaml\n  candor run experiments/payments-outage.yaml --out junit=junit.xml --json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := outputs(out); err != nil {
				return err
			}
			plan, err := compile(g, args[0])
			if err != nil {
				return err
			}
			if err := allowed(plan.Exec.System, protected); err != nil {
				return err
			}
			return runOne(cmd.Context(), g, plan, out)
		},
	}
	cmd.Flags().StringVar(&protected, "allow-protected", "", "name of the protected environment that this run may touch")
	cmd.Flags().StringSliceVar(&out, "out", nil, "write a report: KIND=FILE, KIND one of "+formatNames())
	return cmd
}

// allowed keeps a run out of a protected environment that was not named.
func allowed(s *experiments.System, named string) error {
	e := s.Environment
	if e.Class == experiments.Protected && e.Name != named {
		return inputError("%s is the protected environment %q: run there with --allow-protected %s, or not at all; nothing was touched", s.Name, e.Name, e.Name)
	}
	return nil
}

// runOne runs a compiled plan, shows it as it goes, and presents what came of it.
func runOne(ctx context.Context, g *global, plan *experiments.Plan, out []string) error {
	runs, err := runTogether(ctx, g, []*experiments.Plan{plan}, []string{""})
	if err != nil {
		return err
	}
	verdict := present(g, runs[0], out)
	fmt.Fprintf(g.err, "report: %s\n", filepath.Join(history.Home(plan.Exec.Root), "runs", runs[0].Result.Run, "report.html"))
	return verdict
}

// chosenSeed is the seed that was asked for, or else one that is drawn: below 2⁵³, so that every reader of JSON keeps it.
func chosenSeed(g *global) uint64 {
	if g.seed != 0 {
		return g.seed
	}
	return rand.Uint64() >> 11
}

// startError gives what kept a run from starting its exit status.
func startError(err error) error {
	switch {
	case errors.Is(err, faults.ErrBusy):
		return &statusError{status: exitUnproven, text: err.Error() + "; wait for it, or see candor heal --list"}
	case errors.Is(err, halt.ErrHalted):
		return &statusError{status: exitUnproven, text: err.Error() + "; candor resume lets runs start again"}
	case errors.Is(err, engine.ErrOthers):
		return &statusError{status: exitDirty, text: err.Error()}
	}
	return err
}

// engineConfig is what every run of this process is given.
func engineConfig(g *global, plan *experiments.Plan, seed uint64) (engine.Config, error) {
	state, err := journal.StateDir(g.stateDir, os.Getenv)
	if err != nil {
		return engine.Config{}, inputError("%v", err)
	}
	words, err := phrases(plan)
	if err != nil {
		return engine.Config{}, err
	}
	return engine.Config{
		Plan: plan, Catalog: catalog(), Version: version, Seed: seed, Environ: environ(), StateDir: state,
		Home: history.Home(plan.Exec.Root), OpenWorld: worldOpener(g, plan), Inspect: patterns.Inspect(plan.Canaries), Lexicon: words,
		Heal:   func(ctx context.Context, system string) error { return healSystem(ctx, g, state, system) },
		Guards: guardStarters(g, plan.Exec.System),
	}, nil
}

// phrases are the lexicons with the product's own phrases.
func phrases(plan *experiments.Plan) (journeys.Lexicon, error) {
	shipped, err := patterns.Shipped()
	if err != nil {
		return nil, err
	}
	own, err := shipped.With(plan.Exec.System.Lexicon)
	if err != nil {
		return nil, inputError("the system's lexicon: %v", err)
	}
	return own.Claims(), nil
}

// environ is the process's environment as a map.
func environ() map[string]string {
	all := map[string]string{}
	for _, pair := range os.Environ() {
		name, value, _ := strings.Cut(pair, "=")
		all[name] = value
	}
	return all
}

// compile loads and compiles one experiment with everything that it names.
func compile(g *global, path string) (*experiments.Plan, error) {
	// Compile adds its own mistakes to those of Load, so that all of them are shown at once.
	defs, _ := experiments.Load(path, experiments.LoadOptions{System: g.system, Catalog: catalog()})
	return experiments.Compile(defs, catalog())
}
