package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/candor-chaos/candor/faults"
)

func newFaultsCommand(g *global) *cobra.Command {
	return &cobra.Command{
		Use:     "faults [KIND]",
		Short:   "list the kinds of fault, or explain one with an example",
		Long:    "List the kinds of fault that an experiment may use, or explain one with an example." + exitHelp(exitPass, exitInput),
		Example: "  candor faults\n  candor faults outage",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			kinds := faults.All()
			if len(args) == 1 {
				kind, found := faults.Lookup(kinds, args[0])
				if !found {
					return inputError("no fault is called %q; candor faults lists them", args[0])
				}
				kinds = []faults.Kind{kind}
			}
			return listFaults(g, kinds, len(args) == 1)
		},
	}
}

func listFaults(g *global, kinds []faults.Kind, whole bool) error {
	if g.json {
		type row struct {
			Name    string `json:"name"`
			Doc     string `json:"doc"`
			Example string `json:"example"`
		}
		rows := []row{}
		for _, k := range kinds {
			rows = append(rows, row{k.Name, k.Doc, k.Example})
		}
		return json.NewEncoder(g.out).Encode(rows)
	}
	for _, k := range kinds {
		if _, err := fmt.Fprintf(g.out, "%-12s %s\n", k.Name, k.Doc); err != nil {
			return err
		}
		if whole {
			if _, err := fmt.Fprintf(g.out, "\n%s\n", k.Example); err != nil {
				return err
			}
		}
	}
	return nil
}
