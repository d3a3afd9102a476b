package main

import (
	"github.com/spf13/cobra"

	"github.com/candor-chaos/candor/experiments"
)

func newSchemaCommand(g *global) *cobra.Command {
	return &cobra.Command{
		Use:       "schema KIND",
		Short:     "print the JSON Schema of a kind of definition, for editors",
		Long:      "Print the JSON Schema of a kind of definition: System, Journey, Experiment or Standards." + exitHelp(exitPass, exitInput),
		Example:   "  candor schema Experiment > experiment.schema.json",
		Args:      cobra.ExactArgs(1),
		ValidArgs: []string{"System", "Journey", "Experiment", "Standards"},
		RunE: func(_ *cobra.Command, args []string) error {
			schema, err := experiments.Schema(args[0], catalog())
			if err != nil {
				return inputError("%v", err)
			}
			_, err = g.out.Write(schema)
			return err
		},
	}
}
