package main

import (
	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// global is what every command may be told; flags are few and the same everywhere.
type global struct {
	streams
	log      zerolog.Logger
	system   string
	stateDir string
	json     bool
	seed     uint64
	logJSON  string
	binary   string // that containers run; this process's own when empty
	started  bool   // a command began: what failed before was the user's to mend
}

func newRootCommand(g *global) *cobra.Command {
	root := &cobra.Command{
		Use:   "candor",
		Short: "break dependencies, keep users busy, and ask whether the product told them the truth",
		Long: `candor runs chaos experiments against an application: it breaks dependencies through Toxiproxy and
containers through Docker, keeps users busy meanwhile, writes down what the product claimed to each of
them, reads afterwards what is true, and compares.

Start with   candor demo                  two bookshops, one of which lies
then         candor validate FILE…        are my definitions right?
             candor plan EXPERIMENT       what exactly would happen?
             candor run EXPERIMENT        do it, and judge`,
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRun: func(*cobra.Command, []string) {
			g.started = true
			g.log = newLogger(g.streams, g.logJSON)
		},
	}
	flags := root.PersistentFlags()
	flags.StringVar(&g.system, "system", "", "file of kind System (default: candor.yaml, looked for upwards)")
	flags.StringVar(&g.stateDir, "state-dir", "", "where journals and locks live (default: $XDG_STATE_HOME/candor)")
	flags.BoolVar(&g.json, "json", false, "write data as JSON to standard output")
	flags.Uint64Var(&g.seed, "seed", 0, "seed of everything that is drawn by chance (default: drawn, and printed)")
	flags.StringVar(&g.logJSON, "log-format", "", "console or json (default: console on a terminal, else json)")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return inputError("%v\nsee %s --help", err, c.CommandPath())
	})
	root.AddCommand(
		newValidateCommand(g),
		newPlanCommand(g),
		newRunCommand(g),
		newJudgeCommand(g),
		newReportCommand(g),
		newHealCommand(g),
		newHaltCommand(g),
		newResumeCommand(g),
		newDemoCommand(g),
		newSelftestCommand(g),
		newFaultsCommand(g),
		newRulesCommand(g),
		newSchemaCommand(g),
		newVersionCommand(g),
		newAgentCommand(g),
		newGuardianCommand(g),
		newShopCommand(g),
	)
	return root
}

// newLogger builds the one logger: talk goes to standard error.
func newLogger(s streams, format string) zerolog.Logger {
	if format == "console" || (format == "" && isTerminal(s.err)) {
		return zerolog.New(zerolog.ConsoleWriter{Out: s.err, TimeFormat: "15:04:05"}).With().Timestamp().Logger()
	}
	return zerolog.New(s.err).With().Timestamp().Logger()
}

// isTerminal reports whether a stream is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(int(f.Fd()))
}
