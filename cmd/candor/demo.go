package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/demo"
	"github.com/candor-chaos/candor/experiments/history"
	"github.com/candor-chaos/candor/experiments/report"
	"github.com/candor-chaos/candor/faults/docker"
)

// demoCanary is the secret that is planted in the demo's shops. It opens nothing.
const demoCanary = "c4nary-7Q"

// demoSpeed divides every time that the demo's shops keep, so that an evening's outage fits into seconds.
const demoSpeed = 20

func newDemoCommand(g *global) *cobra.Command {
	var o demoOptions
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "break two bookshops, one of which lies, and see the difference",
		Long: `Start two small bookshops from candor's own binary in Docker: one is honest, the other lies. Run three experiments
on both at the same time (payments refuses connections, orders is slow, orders crashes), take everything down, and
print the difference. It passes only when the honest shop passes and every lie that was planted is found.

Where no engine answers, each run starts the shops as processes of this host instead (Linux).` +
			exitHelp(exitPass, exitFail, exitInput, exitUnproven, exitAborted, exitDirty, exitBroken),
		Example: "  candor demo\n  candor demo up practice && candor demo down practice",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runDemo(cmd.Context(), g, o)
		},
	}
	cmd.Flags().IntVar(&o.port, "port", 0, "port of the honest shop on this machine; the lying one gets the next (default: any free)")
	cmd.Flags().StringSliceVar(&o.only, "only", demoExperiments(), "experiments to run, with commas; fewer are over sooner")
	cmd.AddCommand(newDemoUpCommand(g), newDemoDownCommand(g))
	return cmd
}

type demoOptions struct {
	port int
	only []string
}

// side is one of the demo's two shops.
type side struct {
	name string
	lies []string
	shop *shop
	runs []report.Run
}

func runDemo(ctx context.Context, g *global, o demoOptions) (err error) {
	began := time.Now()
	if len(o.only) == 0 {
		return inputError("--only names no experiment: the demo has %s", strings.Join(demoExperiments(), ", "))
	}
	for _, name := range o.only {
		if !slices.Contains(demoExperiments(), name) {
			return inputError("--only %s: the demo has %s", name, strings.Join(demoExperiments(), ", "))
		}
	}
	work, err := os.MkdirTemp("", "candor-demo-")
	if err != nil {
		return fmt.Errorf("make a folder for the demo: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	lies, err := demo.Lies()
	if err != nil {
		return err
	}
	var planted []string
	for _, l := range lies {
		if !l.Alone && slices.Contains(o.only, l.Experiment) {
			planted = append(planted, l.ID)
		}
	}
	sides := []*side{{name: "honest"}, {name: "lying", lies: planted}}
	reason, err := without(ctx, g)
	if err != nil {
		return err
	}
	where := "in Docker"
	if reason != "" {
		where = fmt.Sprintf("as processes of this host (%s)", reason)
	}
	fmt.Fprintf(g.err, "starting two bookshops %s: an honest one, and one with %s\n", where, plural(len(planted), "planted lie"))
	defer func() {
		for _, s := range sides {
			if s.shop != nil {
				err = errors.Join(err, s.shop.down(context.WithoutCancel(ctx)))
			}
		}
	}()
	if err := startSides(ctx, g, work, o.port, sides, reason != ""); err != nil {
		return err
	}
	if err := runSides(ctx, g, work, o.only, sides); err != nil {
		return err
	}
	return concludeDemo(g, o.only, sides, planted, time.Since(began))
}

// startSides starts both shops; or, where there are no containers, only writes the projects whose runs start them.
func startSides(ctx context.Context, g *global, work string, port int, sides []*side, local bool) error {
	tag := history.NewRun("demo")
	var together errgroup.Group
	taken := map[int]bool{}
	for i, s := range sides {
		ports := map[string]int{}
		if port != 0 {
			ports["web"] = port + i
		}
		instance := demo.Instance{Project: projectName(tag[len(tag)-9:], s.name), Lies: s.lies, Speed: demoSpeed, Canary: demoCanary}
		folder := filepath.Join(work, s.name)
		if local {
			if _, err := writeLocal(ctx, g, instance, filepath.Join(folder, "project"), filepath.Join(folder, "data"), ports["web"], taken); err != nil {
				return err
			}
			continue
		}
		together.Go(func() (err error) {
			s.shop, err = startShop(ctx, g, instance, filepath.Join(folder, "project"), filepath.Join(folder, "data"), ports)
			return err
		})
	}
	return together.Wait()
}

// demoExperiments are what the demo runs, one after the other.
func demoExperiments() []string { return []string{"payments-refuses", "orders-slow", "orders-killed"} }

// runSides runs each experiment on both shops at the same time.
func runSides(ctx context.Context, g *global, work string, chosen []string, sides []*side) error {
	for _, name := range chosen {
		var plans []*experiments.Plan
		for _, s := range sides {
			plan, err := compile(g, filepath.Join(work, s.name, "project", "experiments", name+".yaml"))
			if err != nil {
				return err
			}
			plan.Exec.Root = "" // the runs outlive the demo: they lie in the working directory
			plans = append(plans, plan)
		}
		runs, err := runTogether(ctx, g, plans, []string{"honest  ", "lying   "})
		if err != nil {
			return err
		}
		for i, s := range sides {
			s.runs = append(s.runs, runs[i])
		}
	}
	return nil
}

// concludeDemo writes the comparison, prints the difference, and says whether the demo holds.
func concludeDemo(g *global, chosen []string, sides []*side, planted []string, took time.Duration) error {
	var all []report.Run
	for i := range chosen {
		for _, s := range sides {
			all = append(all, s.runs[i])
		}
	}
	page := filepath.Join(history.Home(""), "runs", "demo.html")
	if err := writeComparison(page, all); err != nil {
		return err
	}
	d := demoDifference{Planted: len(planted), Missed: []string{}, Seconds: took.Seconds(), Report: page}
	found := map[string]bool{}
	for i, name := range chosen {
		honest, lying := sides[0].runs[i].Result, sides[1].runs[i].Result
		d.Rows = append(d.Rows, demoRow{Experiment: name, Honest: honest.Verdict, Lying: lying.Verdict,
			HonestFindings: findings(honest), LyingFindings: findings(lying)})
		d.HonestPasses = d.HonestPasses && honest.Verdict == experiments.Pass || i == 0 && honest.Verdict == experiments.Pass
		for _, f := range lying.Findings {
			found[f.Rule] = true
		}
	}
	for _, id := range planted {
		if !found[id] {
			d.Missed = append(d.Missed, id)
		}
	}
	if err := d.print(g); err != nil {
		return err
	}
	if !d.HonestPasses || len(d.Missed) > 0 {
		return &statusError{status: exitFail, text: "the demo does not hold: " + d.complaint()}
	}
	return nil
}

// findings lists the rules that a run broke, each once.
func findings(r experiments.Result) []string {
	rules := []string{}
	for _, f := range r.Findings {
		if !slices.Contains(rules, f.Rule) {
			rules = append(rules, f.Rule)
		}
	}
	slices.Sort(rules)
	return rules
}

// demoDifference is what the demo showed.
type demoDifference struct {
	Rows         []demoRow `json:"experiments"`
	HonestPasses bool      `json:"honest_passes"`
	Planted      int       `json:"planted"`
	Missed       []string  `json:"missed"`
	Seconds      float64   `json:"seconds"`
	Report       string    `json:"report"`
}

type demoRow struct {
	Experiment     string              `json:"experiment"`
	Honest         experiments.Verdict `json:"honest"`
	Lying          experiments.Verdict `json:"lying"`
	HonestFindings []string            `json:"honest_findings"`
	LyingFindings  []string            `json:"lying_findings"`
}

func (d demoDifference) complaint() string {
	var parts []string
	if !d.HonestPasses {
		parts = append(parts, "the honest shop did not pass")
	}
	if len(d.Missed) > 0 {
		parts = append(parts, "not found: "+strings.Join(d.Missed, " "))
	}
	return strings.Join(parts, "; ")
}

func (d demoDifference) print(g *global) error {
	if g.json {
		return json.NewEncoder(g.out).Encode(d)
	}
	w := g.out
	fmt.Fprintf(w, "\n%-18s %-22s %s\n", "", "honest shop", "lying shop")
	for _, r := range d.Rows {
		fmt.Fprintf(w, "%-18s %-22s %s\n", r.Experiment, side1(r.Honest, r.HonestFindings), side1(r.Lying, r.LyingFindings))
	}
	fmt.Fprintf(w, "\n%d of %d planted lies found, in %.0f s.\nBoth side by side: %s\n", d.Planted-len(d.Missed), d.Planted, d.Seconds, d.Report)
	return nil
}

func side1(v experiments.Verdict, rules []string) string {
	text := strings.ToUpper(v.String())
	if len(rules) > 0 {
		text += "  " + strings.Join(rules, " ")
	}
	return text
}

func newDemoUpCommand(g *global) *cobra.Command {
	var lies string
	var speed float64
	var port int
	cmd := &cobra.Command{
		Use:   "up FOLDER",
		Short: "start a bookshop to practise on, with a project folder",
		Long: `Start a bookshop to practise on, and write a project folder for it: system, standards, journeys, experiments. Where no
engine answers nothing is started: each run starts the shop as processes of this host, and takes it down again.` + exitHelp(exitPass, exitInput, exitBroken),
		Example: "  candor demo up practice\n  candor demo up practice --lies CL-01,HT-03",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			folder, err := filepath.Abs(args[0])
			if err != nil {
				return inputError("%v", err)
			}
			i := demo.Instance{Project: practiceProject(folder), Speed: speed, Canary: demoCanary}
			if lies != "" {
				i.Lies = strings.Split(lies, ",")
			}
			reason, err := without(cmd.Context(), g)
			if err != nil {
				return err
			}
			if reason != "" {
				a, err := writeLocal(cmd.Context(), g, i, folder, filepath.Join(folder, ".shop"), port, map[int]bool{})
				if err != nil {
					return err
				}
				fmt.Fprintf(g.out, "each run starts the shop at %s as processes of this host, and takes it down (%s)\nits project folder is %s\n", a.Web, reason, folder)
				return nil
			}
			s, err := startShop(cmd.Context(), g, i, folder, filepath.Join(folder, ".shop"), map[string]int{"web": port})
			if err != nil {
				return err
			}
			fmt.Fprintf(g.out, "the shop is at %s\nits project folder is %s\n", s.Web, folder)
			return s.world.Close(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&lies, "lies", "", "rules that the shop breaks, with commas; all: every one (default: an honest shop)")
	cmd.Flags().Float64Var(&speed, "speed", demoSpeed, "divides every time that the shop keeps")
	cmd.Flags().IntVar(&port, "port", 0, "port of the shop on this machine (default: any free)")
	return cmd
}

func newDemoDownCommand(g *global) *cobra.Command {
	return &cobra.Command{
		Use:     "down FOLDER",
		Short:   "take a bookshop down that demo up started",
		Long:    "Take a bookshop down that demo up started. Its project folder stays." + exitHelp(exitPass, exitInput, exitBroken),
		Example: "  candor demo down practice",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			folder, err := filepath.Abs(args[0])
			if err != nil {
				return inputError("%v", err)
			}
			if isLocal(folder) {
				fmt.Fprintln(g.out, "nothing runs: each run of this shop takes it down")
				return nil
			}
			project := practiceProject(folder)
			world, err := openDocker(cmd.Context(), g, docker.Config{Run: "stack", System: project, Project: project}, docker.Options{})
			if err != nil {
				return err
			}
			return errors.Join(world.Down(cmd.Context(), project), world.Close(cmd.Context()))
		},
	}
}
