package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/engine"
	"github.com/candor-chaos/candor/experiments/report"
	"github.com/candor-chaos/candor/faults/journal"
)

// runTogether runs several plans at the same time under one view, writes each one's report, and returns what is saved.
// Each plan is of a system of its own.
func runTogether(ctx context.Context, g *global, plans []*experiments.Plan, labels []string) ([]report.Run, error) {
	shown := make([]*progress, len(plans))
	terminal := isTerminal(g.err)
	for i, plan := range plans {
		shown[i] = newProgress(plan, labels[i], nil)
		if !terminal {
			shown[i].plain = g.err
		}
	}
	screen, stop := context.WithCancel(ctx)
	drawn := make(chan error, 1)
	if terminal {
		go func() { drawn <- showLive(screen, g.err, os.Getenv("NO_COLOR") == "", shown...) }()
	}
	runs := make([]report.Run, len(plans))
	var together errgroup.Group
	for i, plan := range plans {
		together.Go(func() (err error) {
			runs[i], err = runSaved(ctx, g, plan, shown[i])
			return err
		})
	}
	err := together.Wait()
	stop()
	if terminal {
		if serr := <-drawn; serr != nil && ctx.Err() == nil && !errors.Is(serr, context.Canceled) {
			g.log.Debug().Err(serr).Msg("the live view ended early")
		}
	}
	return runs, err
}

// runSaved runs one plan and reads back what it saved.
func runSaved(ctx context.Context, g *global, plan *experiments.Plan, shown *progress) (report.Run, error) {
	config, err := engineConfig(g, plan, chosenSeed(g))
	if err != nil {
		return report.Run{}, err
	}
	config.Watch = shown.see
	outcome, err := engine.Run(ctx, config)
	if outcome.Result.Schema == "" {
		return report.Run{}, startError(err)
	}
	saved, lerr := loadRun(outcome.Folder.Path())
	if lerr != nil {
		return saved, errors.Join(err, lerr)
	}
	page := filepath.Join(outcome.Folder.Path(), "report.html")
	if rerr := writeReport(page, "html", saved); rerr != nil {
		return saved, errors.Join(err, rerr)
	}
	if err != nil {
		fmt.Fprintf(g.err, "candor: %v\n", err)
	}
	if errors.Is(err, journal.ErrDirty) {
		fmt.Fprintf(g.err, "candor: the guardian goes on trying; to mend what stays, type\n  %s\n", healCommand(g))
	}
	return saved, nil
}

// writeComparison writes several runs side by side.
func writeComparison(file string, runs []report.Run) (err error) {
	f, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("write the comparison: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriter(f)
	if err := report.Compare(w, runs); err != nil {
		return fmt.Errorf("write the comparison: %w", err)
	}
	return w.Flush()
}
