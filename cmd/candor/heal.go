package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/candor-chaos/candor/faults/journal"
)

func newHealCommand(g *global) *cobra.Command {
	var list bool
	cmd := &cobra.Command{
		Use:   "heal",
		Short: "revert what a dead run left in force",
		Long: `Revert what a dead run left in force: everything that any journal still owes and whose runner is gone. Runs that
live are left alone and named. It can be run from any directory, any number of times.` +
			exitHelp(exitPass, exitDirty, exitBroken),
		Example: "  candor heal\n  candor heal --list",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := journal.StateDir(g.stateDir, os.Getenv)
			if err != nil {
				return inputError("%v", err)
			}
			if list {
				return listOwed(g, dir)
			}
			return heal(cmd.Context(), g, dir)
		},
	}
	cmd.Flags().BoolVar(&list, "list", false, "only say what is in force, since when and from which run")
	return cmd
}

// owedRow is one obligation as `heal --list --json` shows it.
type owedRow struct {
	Run     string    `json:"run"`
	Name    string    `json:"name"`
	Summary string    `json:"summary"`
	Since   time.Time `json:"since"`
	Living  bool      `json:"living"` // its runner, or another heal, is at it
	Error   string    `json:"error,omitempty"`
}

func owedRows(dir string) ([]owedRow, error) {
	dirty, err := journal.Dirty(dir)
	if err != nil {
		return nil, err
	}
	rows := []owedRow{}
	for _, s := range dirty {
		if s.Err != nil {
			rows = append(rows, owedRow{Run: s.Log.Path, Name: "unreadable journal", Error: s.Err.Error(), Living: s.Held})
			continue
		}
		for _, e := range s.Log.Owed() {
			rows = append(rows, owedRow{Run: s.Log.Header.Run, Name: e.ID, Summary: e.Summary, Since: e.Since, Living: s.Held, Error: e.Error})
		}
	}
	return rows, nil
}

func listOwed(g *global, dir string) error {
	rows, err := owedRows(dir)
	if err != nil {
		return err
	}
	if g.json {
		return json.NewEncoder(g.out).Encode(rows)
	}
	if len(rows) == 0 {
		fmt.Fprintln(g.out, "nothing is owed")
		return nil
	}
	for _, r := range rows {
		state := "its runner is gone"
		if r.Living {
			state = "its runner lives"
		}
		fmt.Fprintf(g.out, "%s  %s: %s (since %s, %s)\n", r.Run, r.Name, r.Summary, r.Since.Local().Format(time.DateTime), state)
	}
	return nil
}

// heal settles every journal whose runner is gone. All are tried; what stays is reported together.
func heal(ctx context.Context, g *global, dir string) error {
	dirty, err := journal.Dirty(dir)
	if err != nil {
		return err
	}
	if len(dirty) == 0 {
		fmt.Fprintln(g.err, "nothing is owed: no run left anything in force")
		return nil
	}
	var failed []error
	for _, s := range dirty {
		switch {
		case s.Held:
			fmt.Fprintf(g.err, "run %s lives (process %d on %s): left alone\n", s.Log.Header.Run, s.Log.Header.Runner.PID, s.Log.Header.Runner.Host)
		case s.Err != nil:
			failed = append(failed, s.Err)
		default:
			if err := healOne(ctx, g, s.Log); err != nil {
				failed = append(failed, err)
			}
		}
	}
	if len(failed) > 0 {
		return &statusError{status: exitDirty, text: errors.Join(failed...).Error()}
	}
	return nil
}

func healOne(ctx context.Context, g *global, l journal.Log) (err error) {
	j, err := journal.Open(l.Path)
	if errors.Is(err, journal.ErrHeld) {
		fmt.Fprintf(g.err, "run %s: somebody else is at it: left alone\n", l.Header.Run)
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeHealed(j)) }()
	world, err := reopenWorld(ctx, g, j.Log().Header.World)
	if err != nil {
		return fmt.Errorf("run %s: %w", l.Header.Run, err)
	}
	defer func() { err = errors.Join(err, world.Close(context.WithoutCancel(ctx))) }()
	owed := j.Owed()
	if err := j.RevertAll(ctx, world); err != nil {
		return err
	}
	for _, e := range owed {
		fmt.Fprintf(g.err, "run %s: reverted %s (%s)\n", l.Header.Run, e.ID, e.Summary)
	}
	left, err := world.Leftovers(ctx, l.Header.Run)
	if err != nil {
		return fmt.Errorf("run %s: look whether all is clean: %w", l.Header.Run, err)
	}
	if len(left) > 0 {
		return fmt.Errorf("run %s: all is reverted, and yet there is still: %v", l.Header.Run, left)
	}
	return nil
}

// closeHealed closes a journal; that it still owes something was said already.
func closeHealed(j *journal.Journal) error {
	err := j.Close()
	var owed *journal.InForceError
	if errors.As(err, &owed) {
		return nil
	}
	return err
}
