package main

import (
	"github.com/spf13/cobra"

	"github.com/candor-chaos/candor/experiments/demo"
)

// newShopCommand is the door to the bookshop's services, which run from candor's own binary.
func newShopCommand(g *global) *cobra.Command {
	return &cobra.Command{
		Use:                "shop SERVICE",
		Short:              "one service of the demo bookshop (candor demo starts these)",
		Hidden:             true,
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			return demo.Main(cmd.Context(), args, g.out)
		},
	}
}
