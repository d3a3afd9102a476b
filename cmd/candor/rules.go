package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/honesty"
)

func newRulesCommand(g *global) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "rules",
		Short:   "list the rules of honesty",
		Long:    "List the rules of honesty: what each asks, how severe it is, and what its check needs (H the wire, B a browser, L the ledger)." + exitHelp(exitPass, exitInput),
		Example: "  candor rules\n  candor rules show CL-01",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return listRules(g, honesty.Infos())
		},
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "show RULE",
		Short: "explain one rule: the exact check, its guard, its source, a lie that it catches",
		Long:  "Explain one rule: the exact check, its guard against false alarms, its source, and a lie that it catches." + exitHelp(exitPass, exitInput),
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			for _, info := range honesty.Infos() {
				if strings.EqualFold(info.ID, args[0]) || strings.EqualFold(info.Name, args[0]) {
					return showRule(g, info)
				}
			}
			return inputError("no rule is called %q; candor rules lists them", args[0])
		},
	})
	return cmd
}

func listRules(g *global, rules []experiments.RuleInfo) error {
	if g.json {
		return json.NewEncoder(g.out).Encode(rules)
	}
	for _, r := range rules {
		if _, err := fmt.Fprintf(g.out, "%-6s %-3s %-4s %-20s %s\n", r.ID, r.Severity, r.Level, r.Name, r.Doc); err != nil {
			return err
		}
	}
	return nil
}

func showRule(g *global, r experiments.RuleInfo) error {
	if g.json {
		return json.NewEncoder(g.out).Encode(r)
	}
	_, err := fmt.Fprintf(g.out, `%s %s  %s  needs %s

What the person experiences
  %s

Exact check
  %s

Guard against false alarms
  %s

Source
  %s

A lie that it catches
  %s
`, r.ID, r.Name, r.Severity, r.Level, r.Doc, r.Check, r.Guard, r.Source, r.Example)
	return err
}
