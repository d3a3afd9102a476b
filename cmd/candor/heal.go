package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/guardian"
	"github.com/candor-chaos/candor/faults/journal"
)

func newHealCommand(g *global) *cobra.Command {
	var list bool
	cmd := &cobra.Command{
		Use:   "heal",
		Short: "revert what a dead run left in force",
		Long: `Revert what a dead run left in force: everything that any journal still owes and whose runner is gone. Runs that
live are left alone and named. It can be run from any directory, any number of times.` +
			exitHelpFor("nothing is in force, by a look at the world", exitDirty, exitBroken),
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
	Since   time.Time `json:"since,omitzero"`
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
			rows = append(rows, owedRow{Run: strings.TrimSuffix(filepath.Base(s.Log.Path), ".jsonl"), Name: "unreadable journal", Error: s.Err.Error(), Living: s.Held})
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
			state = "its runner lives, or its guardian is at it"
		}
		if r.Since.IsZero() {
			fmt.Fprintf(g.out, "%s  %s: %s\n", r.Run, r.Name, r.Error)
			continue
		}
		fmt.Fprintf(g.out, "%s  %s: %s (since %s, %s)\n", r.Run, r.Name, r.Summary, r.Since.Local().Format(time.DateTime), state)
	}
	return nil
}

// heal settles every journal whose runner is gone. All are tried; what stays is reported together.
func heal(ctx context.Context, g *global, dir string) error {
	dirty, err := journal.Unfinished(dir)
	if err != nil {
		return err
	}
	if len(dirty) == 0 {
		fmt.Fprintln(g.err, "nothing is owed: no run left anything in force")
		return nil
	}
	if _, failed := healThese(ctx, g, dirty); failed != nil {
		return &statusError{status: exitDirty, text: failed.Error()}
	}
	return nil
}

// healSystem is what a new run does first: it settles what dead runs of its system left. A journal that cannot be read
// keeps it from starting when it may be the system's.
func healSystem(ctx context.Context, g *global, dir, system string) error {
	dirty, err := journal.Unfinished(dir)
	if err != nil {
		return err
	}
	mine := slices.DeleteFunc(dirty, func(s journal.Status) bool { return s.Log.Header.Run != "" && s.Log.Header.System != system })
	living, failed := healThese(ctx, g, mine)
	if failed == nil && len(living) > 0 { // this process has the system, and yet somebody holds a journal of it
		return fmt.Errorf("system %s: %w: the journal of run %s is held", system, faults.ErrBusy, strings.Join(living, ", "))
	}
	if failed != nil {
		return fmt.Errorf("%w: earlier runs left something that could not be mended, so that nothing is begun: %w", journal.ErrDirty, failed)
	}
	return nil
}

// healThese settles journals and says what became of each.
func healThese(ctx context.Context, g *global, journals []journal.Status) (living []string, _ error) {
	var failed []error
	open := func(ctx context.Context, w journal.World) (guardian.World, error) {
		return reopenWorld(ctx, g, w, "", false)
	}
	for _, h := range guardian.Heal(ctx, journals, open) {
		run, runner := h.Log.Header.Run, h.Log.Header.Runner
		if h.Living {
			fmt.Fprintf(g.err, "run %s lives (process %d on %s): left alone\n", run, runner.PID, runner.Host)
			living = append(living, run)
			continue
		}
		for _, e := range h.Settled.Entries {
			if e.Phase == journal.Reverted {
				fmt.Fprintf(g.err, "run %s: %s %s (%s)%s\n", run, byWhom(e.By), e.ID, e.Summary, noted(e.Note))
			}
		}
		if h.Err == nil && len(h.Settled.Entries) == 0 {
			fmt.Fprintf(g.err, "run %s: nothing of it is in force; what it had begun is taken away\n", run)
		}
		for _, c := range h.Settled.Aftermath.Changed {
			fmt.Fprintf(g.err, "run %s: not as before the run: %s\n", run, c)
		}
		if h.Err != nil {
			failed = append(failed, h.Err)
		}
	}
	return living, errors.Join(failed...)
}

func byWhom(by string) string {
	if by == "guardian" {
		return "its guardian has just reverted"
	}
	return "reverted"
}

func noted(note string) string {
	if note == "" {
		return ""
	}
	return "; " + note
}

// sayInForce says what this process still owes, for a person who interrupts it again.
func (g *global) sayInForce() {
	dir, err := journal.StateDir(g.stateDir, os.Getenv)
	if err != nil {
		return
	}
	dirty, err := journal.Dirty(dir)
	if err != nil {
		fmt.Fprintf(g.err, "candor: %v\n", err)
	}
	n := 0
	for _, s := range dirty {
		if s.Log.Header.Runner.PID != os.Getpid() {
			continue
		}
		for _, e := range s.Log.Owed() {
			n++
			fmt.Fprintf(g.err, "still in force: %s (%s, since %s)\n", e.ID, e.Summary, e.Since.Local().Format(time.TimeOnly))
		}
	}
	if n == 0 {
		fmt.Fprintln(g.err, "nothing that this process began is in force any more; it is finishing")
		return
	}
	fmt.Fprintf(g.err, "it is being reverted, and no interrupt skips that. Should this process die, its guardian goes on, and this mends what stays:\n  %s\n", healCommand(g))
}

// healCommand is the command that a person can run, as it has to be typed.
func healCommand(g *global) string {
	if g.stateDir == "" {
		return "candor heal"
	}
	dir, err := filepath.Abs(g.stateDir)
	if err != nil {
		dir = g.stateDir
	}
	if strings.ContainsAny(dir, " \t'\"$\\") {
		dir = strconv.Quote(dir)
	}
	return "candor heal --state-dir " + dir
}
