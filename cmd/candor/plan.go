package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/engine"
	"github.com/candor-chaos/candor/experiments/history"
)

func newPlanCommand(g *global) *cobra.Command {
	return &cobra.Command{
		Use:   "plan EXPERIMENT",
		Short: "say exactly what a run would do, and touch nothing",
		Long: `Say exactly what a run would do: resolve the real targets, print the sentences that will become true, and the rules
that can and cannot apply. It reads the world and writes nothing.` + exitHelp(exitPass, exitInput, exitBroken),
		Example: "  candor plan experiments/payments-outage.yaml",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			plan, err := compile(g, args[0])
			if err != nil {
				return err
			}
			seed := chosenSeed(g)
			if err := prepare(cmd.Context(), g, plan, seed); err != nil {
				return err
			}
			if g.json {
				enc := json.NewEncoder(g.out)
				enc.SetIndent("", "  ")
				return enc.Encode(plan)
			}
			return printPlan(g.out, plan, seed)
		},
	}
}

// prepare opens the world for a look and closes it again.
func prepare(ctx context.Context, g *global, plan *experiments.Plan, seed uint64) (err error) {
	names := experiments.RunNames{ID: "plan", Prefix: "plan-"}
	if err := plan.Exec.Resolve(environ(), names); err != nil {
		return err
	}
	world, err := worldOpener(g, plan)(ctx, engine.WorldConfig{Run: history.NewRun("plan"), Prefix: names.Prefix})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, world.Close(context.WithoutCancel(ctx))) }()
	_, err = engine.Prepare(ctx, plan, catalog(), world, seed)
	return err
}

func printPlan(w io.Writer, p *experiments.Plan, seed uint64) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s on %s: %s\n\n", p.Experiment, p.System, p.Title)
	fmt.Fprintf(&b, "We believe\n  %s\n\n", p.Hypothesis)
	fmt.Fprintf(&b, "Users\n")
	for _, j := range p.Journeys {
		fmt.Fprintf(&b, "  %s (%s, %s): %s\n", j.Name, j.Surface, j.Persona, j.Traffic)
		if words := j.Acts.Words(); words != "" {
			fmt.Fprintf(&b, "    %s: %s\n", j.Persona, words)
		}
		if j.Visitors > 0 {
			fmt.Fprintf(&b, "    signed in as %d visitors in turn\n", j.Visitors)
		}
		for _, e := range j.Effects {
			fmt.Fprintf(&b, "    true when: %s, read by %s\n", e.Name, e.Reader)
		}
	}
	t := p.Timeline
	fmt.Fprintf(&b, "\nTimeline\n  baseline %s → fault %s → recovery %s → settle %s → the truth, and again after %s\n\n",
		t.Baseline, faultTime(p), t.Recovery, t.Settle, t.Reread)
	fmt.Fprintf(&b, "What will become true\n")
	for _, f := range p.Faults {
		when := "after " + f.At.String()
		if f.Where != nil {
			when = f.Where.String() + " of " + f.Where.Journey
		}
		fmt.Fprintf(&b, "  %s, for %s: %s\n", when, f.For, f.Said)
	}
	if slices.ContainsFunc(p.Faults, func(f experiments.PlannedFault) bool { return !f.Pick.IsZero() }) {
		fmt.Fprintf(&b, "  replicas are drawn anew by each run; with --seed %d it is these\n", seed)
	}
	if words := p.Recovery.Words(); words != "" {
		fmt.Fprintf(&b, "  recovery is %s\n", words)
	}
	fmt.Fprintf(&b, "\nHow it is judged\n")
	for _, e := range p.Expect {
		fmt.Fprintf(&b, "  expect: %s\n", e.Words())
	}
	gated, reported, cannot := splitRules(p.Rules)
	fmt.Fprintf(&b, "  decide the verdict: %s\n", orNone(gated))
	fmt.Fprintf(&b, "  are reported:       %s\n", orNone(reported))
	fmt.Fprintf(&b, "  cannot apply:\n")
	for _, why := range reasonsOf(cannot) {
		fmt.Fprintf(&b, "    %s\n", why)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// reasonsOf says why rules cannot apply, those with the same reason in one line, in the order of the first of each.
func reasonsOf(cannot []experiments.PlannedRule) []string {
	ids := map[string][]string{}
	var reasons []string
	for _, r := range cannot {
		if ids[r.Why] == nil {
			reasons = append(reasons, r.Why)
		}
		ids[r.Why] = append(ids[r.Why], r.ID)
	}
	for i, why := range reasons {
		reasons[i] = strings.Join(ids[why], " ") + ": " + why
	}
	return reasons
}

func splitRules(rules []experiments.PlannedRule) (gated, reported []string, cannot []experiments.PlannedRule) {
	for _, r := range rules {
		switch {
		case !r.Applies:
			cannot = append(cannot, r)
		case r.Gated:
			gated = append(gated, r.ID)
		default:
			reported = append(reported, r.ID)
		}
	}
	return gated, reported, cannot
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, " ")
}
