package main

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/engine"
	"github.com/candor-chaos/candor/faults/docker"
	"github.com/candor-chaos/candor/faults/guardian"
	"github.com/candor-chaos/candor/faults/journal"
)

// newGuardianCommand is the door through which candor's own binary guards a run. People do not use it.
func newGuardianCommand(g *global) *cobra.Command {
	var host, run string
	cmd := &cobra.Command{
		Use:    "guardian",
		Short:  "mend what a run breaks should the run die (candor starts this itself)",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			// Nothing but its runner's end ends a guardian in good order, and a runner that reads no more is no reason to die.
			signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
			return guardian.Serve(cmd.Context(), g.in, g.out, func(ctx context.Context, w journal.World) (guardian.World, error) {
				return reopenWorld(ctx, g, w, host, true)
			})
		},
	}
	cmd.Flags().StringVar(&host, "host", "", "where the engine is seen from here")
	cmd.Flags().StringVar(&run, "run", "", "the run, for whoever looks at the list of processes")
	return cmd
}

// guardStarters start the guardian that a system asks for: a process, and where it has to be a container, that too. The
// process guards meanwhile: a runner that dies while the container is made would leave it.
func guardStarters(g *global, system *experiments.System) []engine.GuardStarter {
	process := func(_ context.Context, w engine.World, journals string) (guardian.Streams, error) {
		binary, err := ownBinary(g)
		if err != nil {
			return guardian.Streams{}, err
		}
		return guardian.Process(binary, "guardian", "--state-dir", filepath.Dir(journals), "--run", runOf(w))
	}
	if system.Runtime.Docker == nil || !asContainer(system.Guardian, os.Getenv, fileExists) {
		return []engine.GuardStarter{process}
	}
	container := func(ctx context.Context, w engine.World, journals string) (guardian.Streams, error) {
		return w.(*docker.World).Guardian(ctx, journals)
	}
	return []engine.GuardStarter{process, container}
}

// asContainer chooses between the two kinds of guardian. A container costs half a second more, and survives what kills
// everything around the runner at once: a CI job's control group, the container that candor itself runs in.
func asContainer(wish string, getenv func(string) string, exists func(string) bool) bool {
	switch wish {
	case "container":
		return true
	case "process":
		return false
	}
	return getenv("CI") != "" || exists("/.dockerenv") || exists("/run/.containerenv")
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
