package main

import (
	"github.com/spf13/cobra"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/history"
	"github.com/candor-chaos/candor/experiments/honesty"
	"github.com/candor-chaos/candor/experiments/report"
)

func newJudgeCommand(g *global) *cobra.Command {
	var out []string
	cmd := &cobra.Command{
		Use:   "judge RUN",
		Short: "judge a saved run again, with today's rules",
		Long: `Judge a saved run again, with today's rules: a pure function of its history and plan, without any engine or
network. RUN is a run's folder, or its name below .candor/runs. Nothing is written but what --out names.` +
			exitHelp(exitPass, exitFail, exitInput, exitUnproven, exitAborted, exitDirty, exitBroken),
		Example: "  candor judge 20261124-083303-payments-outage-7f3k --json",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			saved, err := loadRun(args[0])
			if err != nil {
				return err
			}
			saved.Result = honesty.Judge(&saved.Plan, saved.History)
			return present(g, saved, out)
		},
	}
	cmd.Flags().StringSliceVar(&out, "out", nil, "write a report: KIND=FILE, KIND one of "+formatNames())
	return cmd
}

func newReportCommand(g *global) *cobra.Command {
	var out []string
	cmd := &cobra.Command{
		Use:   "report RUN",
		Short: "write the reports of a saved run",
		Long:  "Write the reports of a saved run from its result, history and plan." + exitHelp(exitPass, exitInput, exitBroken),
		Example: "  candor report .candor/runs/20261124-083303-payments-outage-7f3k --out html=report.html\n" +
			"  candor report RUN --out junit=junit.xml --out summary=summary.md",
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			saved, err := loadRun(args[0])
			if err != nil {
				return err
			}
			if len(out) == 0 {
				return render(g.out, "text", saved)
			}
			return writeReports(saved, out)
		},
	}
	cmd.Flags().StringSliceVar(&out, "out", nil, "KIND=FILE, KIND one of "+formatNames())
	return cmd
}

// loadRun reads a run's folder; a bare name is looked for below .candor/runs.
func loadRun(name string) (report.Run, error) {
	folder, err := history.OpenFolder(name)
	if err != nil {
		return report.Run{}, inputError("%v", err)
	}
	plan, err := folder.LoadPlan()
	if err != nil {
		return report.Run{}, inputError("%v", err)
	}
	h, err := history.Read(folder.History())
	if err != nil {
		return report.Run{}, inputError("%v", err)
	}
	result, err := folder.LoadResult()
	if err != nil {
		result = experiments.Result{}
	}
	return report.Run{Result: result, Plan: plan, History: h}, nil
}
