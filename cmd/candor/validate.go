package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/candor-chaos/candor/experiments"
)

func newValidateCommand(g *global) *cobra.Command {
	return &cobra.Command{
		Use:   "validate PATH…",
		Short: "check definitions, and show every mistake with its place",
		Long: `Check definitions: files, or folders that are searched for them. Every mistake of every file is shown at once, with
its place. Nothing is reached and nothing is touched.` + exitHelp(exitPass, exitInput, exitBroken),
		Example: "  candor validate .\n  candor validate experiments/payments-outage.yaml",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			checked, err := experiments.Validate(args, experiments.LoadOptions{System: g.system, Catalog: catalog()})
			if err != nil {
				return err
			}
			if g.json {
				return json.NewEncoder(g.out).Encode(checked)
			}
			_, err = fmt.Fprintf(g.out, "%s, no mistakes\n", plural(len(checked), "file"))
			return err
		},
	}
}
