package main

import (
	"github.com/spf13/cobra"

	"github.com/candor-chaos/candor/faults/agent"
)

// newAgentCommand is the door through which candor's own binary serves inside a target's namespace. People do not use it.
func newAgentCommand(g *global) *cobra.Command {
	return &cobra.Command{
		Use:                "agent",
		Short:              "serve inside a target's network namespace (candor starts this itself)",
		Hidden:             true,
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			return agent.Main(cmd.Context(), args, g.in, g.out)
		},
	}
}
