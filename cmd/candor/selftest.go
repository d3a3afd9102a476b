package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/demo"
	"github.com/candor-chaos/candor/experiments/history"
	"github.com/candor-chaos/candor/experiments/honesty"
	"github.com/candor-chaos/candor/experiments/report"
)

func newSelftestCommand(g *global) *cobra.Command {
	o := selftestOptions{}
	cmd := &cobra.Command{
		Use:   "selftest",
		Short: "check candor itself: is every planted lie found, and is the honest shop left in peace?",
		Long: `Check candor itself against the bookshop. Each lie is planted alone: its rule must find it for at least nine in ten of
the actions that were told it, and no rule but those that lies.yaml allows may fire. The honest shop must have no
finding. Finished rows are kept in a file, so that a long check can be interrupted and taken up again.` +
			exitHelp(exitPass, exitFail, exitInput, exitBroken),
		Example: "  candor selftest --sample 3\n  candor selftest --matrix --honest 10",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return selftest(cmd.Context(), g, o)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.all, "matrix", false, "plant every lie")
	f.IntVar(&o.sample, "sample", 0, "plant so many lies, drawn by the seed")
	f.StringSliceVar(&o.lies, "lies", nil, "plant these lies")
	f.IntVar(&o.honest, "honest", 1, "runs of the honest shop")
	f.IntVar(&o.parallel, "parallel", 3, "shops at the same time")
	f.StringVar(&o.state, "results", filepath.Join(history.Home(""), "selftest.json"), "file of finished rows; they are not run again")
	f.StringVar(&o.keep, "keep", "", "folder to keep each run's plan and history in")
	return cmd
}

type selftestOptions struct {
	all            bool
	sample, honest int
	parallel       int
	lies           []string
	state, keep    string
}

// matrixRow is one planted lie, or one run of the honest shop, and what was found.
type matrixRow struct {
	Name      string   `json:"name"` // the lie's id, or honest and a number
	Told      int      `json:"told"`
	Found     int      `json:"found"`     // of the told ones, by a must rule
	Must      []string `json:"must"`      // rules that have to fire
	Fired     []string `json:"fired"`     // rules that fired
	Beyond    []string `json:"beyond"`    // fired, and neither must nor may
	Exercised int      `json:"exercised"` // of the rules that the shop can break
	Verdict   string   `json:"verdict"`
}

// broadExperiment lets the honest shop show itself under many faults; the narrow ones have people and lies of their own.
const broadExperiment = "rough-evening"

var narrowExperiments = []string{"pressed-again", "identity-down", "sweep-checkout"}

// leastExercised is how many of the rules that the shop can break an honest run has to exercise: silence about rules that
// never came up shows nothing.
const leastExercised = 18

// right reports whether a row is as it has to be.
func (r matrixRow) right() bool {
	if len(r.Must) == 0 {
		broad := !slices.ContainsFunc(narrowExperiments, func(name string) bool { return r.Name == "honest "+name })
		return len(r.Fired) == 0 && (broad && r.Exercised >= leastExercised || !broad && r.Verdict != experiments.Unproven.String())
	}
	for _, rule := range r.Must {
		if !slices.Contains(r.Fired, rule) {
			return false
		}
	}
	return len(r.Beyond) == 0 && r.Told > 0 && r.Found*10 >= r.Told*9
}

func selftest(ctx context.Context, g *global, o selftestOptions) error {
	lies, err := demo.Lies()
	if err != nil {
		return err
	}
	chosen, err := chooseLies(g, o, lies)
	if err != nil {
		return err
	}
	done, err := loadRows(o.state)
	if err != nil {
		return err
	}
	var wanted []demo.Lie
	for i := range o.honest {
		wanted = append(wanted, demo.Lie{ID: fmt.Sprintf("honest %d", i+1), Experiment: broadExperiment})
	}
	for _, name := range narrowExperiments {
		if o.honest > 0 {
			wanted = append(wanted, demo.Lie{ID: "honest " + name, Experiment: name})
		}
	}
	wanted = append(wanted, chosen...)
	rows, err := runMatrix(ctx, g, o, wanted, done)
	perr := printMatrix(g, rows)
	if err := errors.Join(err, perr); err != nil {
		return err
	}
	for _, r := range rows {
		if !r.right() {
			return &statusError{status: exitFail, text: "the self-test does not hold: see the rows marked WRONG"}
		}
	}
	return nil
}

func chooseLies(g *global, o selftestOptions, lies []demo.Lie) ([]demo.Lie, error) {
	switch {
	case o.all:
		return lies, nil
	case o.sample > 0:
		seed := chosenSeed(g)
		fmt.Fprintf(g.err, "the sample is drawn with --seed %d\n", seed)
		chance := rand.New(rand.NewPCG(seed, 0))
		chance.Shuffle(len(lies), func(i, j int) { lies[i], lies[j] = lies[j], lies[i] })
		return lies[:min(o.sample, len(lies))], nil
	}
	var chosen []demo.Lie
	for _, id := range o.lies {
		i := slices.IndexFunc(lies, func(l demo.Lie) bool { return strings.EqualFold(l.ID, id) })
		if i < 0 {
			return nil, inputError("the shop cannot tell %q", id)
		}
		chosen = append(chosen, lies[i])
	}
	return chosen, nil
}

func loadRows(file string) ([]matrixRow, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var rows []matrixRow
	if err == nil {
		err = json.Unmarshal(data, &rows)
	}
	if err != nil {
		return nil, fmt.Errorf("read finished rows from %s: %w", file, err)
	}
	return rows, nil
}

// runMatrix runs what is wanted and not done yet, several at a time, and keeps each finished row.
func runMatrix(ctx context.Context, g *global, o selftestOptions, wanted []demo.Lie, done []matrixRow) ([]matrixRow, error) {
	rows := make([]matrixRow, len(wanted))
	keep := rowKeeper{file: o.state, rows: done}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(1, o.parallel))
	for i, l := range wanted {
		if at := slices.IndexFunc(done, func(r matrixRow) bool { return r.Name == l.ID }); at >= 0 {
			rows[i] = done[at]
			continue
		}
		group.Go(func() (err error) {
			if rows[i], err = runRow(ctx, g, o, l); err != nil {
				return fmt.Errorf("%s: %w", l.ID, err)
			}
			fmt.Fprintln(g.err, rows[i].line())
			return keep.add(rows[i])
		})
	}
	err := group.Wait()
	rows = slices.DeleteFunc(rows, func(r matrixRow) bool { return r.Name == "" })
	return rows, err
}

// runRow plants one lie in a shop of its own, runs the experiment in which it can be told, and compares what was told
// with what was found.
func runRow(ctx context.Context, g *global, o selftestOptions, l demo.Lie) (row matrixRow, err error) {
	work, err := os.MkdirTemp("", "candor-selftest-")
	if err != nil {
		return row, fmt.Errorf("make a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	tag := history.NewRun("row")
	i := demo.Instance{Project: projectName("self", tag[len(tag)-4:]), Speed: demoSpeed, Canary: demoCanary}
	if len(l.Must) > 0 {
		i.Lies = []string{l.ID}
	}
	s, err := startShop(ctx, g, i, filepath.Join(work, "project"), filepath.Join(work, "data"), nil)
	if err != nil {
		return row, err
	}
	defer func() { err = errors.Join(err, s.down(context.WithoutCancel(ctx))) }()
	plan, err := compile(g, filepath.Join(work, "project", "experiments", l.Experiment+".yaml"))
	if err != nil {
		return row, err
	}
	plan.Exec.Root = ""
	saved, err := runSaved(ctx, g, plan, newProgress(plan, "", nil))
	if err != nil {
		return row, err
	}
	told, err := s.told(ctx)
	if err != nil {
		return row, err
	}
	return compareRow(l, saved, told), keepRun(o.keep, l.ID, saved, told)
}

// compareRow compares how often the lie was told with how often a must rule was violated.
func compareRow(l demo.Lie, saved report.Run, told []tale) matrixRow {
	r := saved.Result
	row := matrixRow{Name: l.ID, Must: l.Must, Fired: findings(r), Told: len(told), Verdict: r.Verdict.String(), Exercised: exercised(r)}
	for _, rule := range row.Fired {
		allowed := slices.Contains(l.Must, rule) || slices.ContainsFunc(l.May, func(m demo.AllowedExtra) bool { return m.Rule == rule })
		if !allowed {
			row.Beyond = append(row.Beyond, rule)
		}
	}
	violated := honesty.Violations(&saved.Plan, saved.History)
	for _, rule := range l.Must {
		row.Found = max(row.Found, violated[rule])
	}
	row.Found = min(row.Found, row.Told)
	return row
}

// exercised counts the rules that the shop can break and that came up.
func exercised(r experiments.Result) int {
	lies, err := demo.Lies()
	if err != nil {
		return 0
	}
	n := 0
	for _, l := range lies {
		if slices.ContainsFunc(r.Rules, func(x experiments.RuleResult) bool { return x.ID == l.ID && x.Exercised > 0 }) {
			n++
		}
	}
	return n
}
