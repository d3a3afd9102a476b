package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	osuser "os/user"
	"time"

	"github.com/spf13/cobra"

	"github.com/candor-chaos/candor/faults/halt"
	"github.com/candor-chaos/candor/faults/journal"
)

// haltTime is how long halt waits for what runs to stop.
const haltTime = 2 * time.Minute

func newHaltCommand(g *global) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "halt --reason TEXT",
		Short: "stop everything that runs, and let nothing start",
		Long: `Stop everything that runs in this installation, and let nothing start until candor resume. Each run mends what it
broke, judges what it saw and ends with status 4. What a dead run left is mended too. Halting again is no error: the
first reason stays.

It waits until everything has stopped and nothing is owed any more.` + exitHelpFor("nothing runs, and nothing is owed", exitInput, exitAborted, exitDirty, exitBroken),
		Example: `  candor halt --reason "checkout is down for real"`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if reason == "" {
				return inputError("say why: candor halt --reason TEXT")
			}
			dir, err := journal.StateDir(g.stateDir, os.Getenv)
			if err != nil {
				return inputError("%v", err)
			}
			if err := halt.Press(dir, halt.Halt{Reason: reason, By: whoAmI(), Since: time.Now().UTC()}); err != nil {
				return err
			}
			h, _ := halt.Read(dir)
			fmt.Fprintln(g.err, h)
			return stopAll(cmd.Context(), g, dir)
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for whoever finds that nothing starts")
	return cmd
}

func newResumeCommand(g *global) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:     "resume",
		Short:   "let runs start again after candor halt",
		Long:    "Let runs start again after candor halt. Nothing that was stopped begins by itself." + exitHelpFor("runs may start", exitInput, exitBroken),
		Example: `  candor resume --reason "checkout is back"`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			dir, err := journal.StateDir(g.stateDir, os.Getenv)
			if err != nil {
				return inputError("%v", err)
			}
			lifted, was, err := halt.Lift(dir)
			if err != nil {
				return err
			}
			if g.json {
				return json.NewEncoder(g.out).Encode(map[string]any{"was_halted": was, "halt": lifted, "reason": reason})
			}
			if !was {
				fmt.Fprintln(g.err, "nothing was halted")
				return nil
			}
			fmt.Fprintf(g.err, "resumed%s; it was %s\n", because(reason), lifted)
			return nil
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why it is safe again")
	return cmd
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return " (" + reason + ")"
}

func whoAmI() string {
	name := fmt.Sprintf("user %d", os.Getuid())
	if u, err := osuser.Current(); err == nil {
		name = u.Username
	}
	host, err := os.Hostname()
	if err != nil {
		return name
	}
	return name + "@" + host
}

// stopAll waits until no runner holds a journal any more, then mends what dead ones left.
func stopAll(ctx context.Context, g *global, dir string) error {
	within, cancel := context.WithTimeout(ctx, haltTime)
	defer cancel()
	told := map[string]bool{}
	for {
		living, err := journal.Living(dir)
		if err != nil {
			return err
		}
		if len(living) == 0 {
			break
		}
		for _, l := range living {
			if !told[l.Header.Run] {
				told[l.Header.Run] = true
				fmt.Fprintf(g.err, "run %s is stopping (process %d on %s)\n", l.Header.Run, l.Header.Runner.PID, l.Header.Runner.Host)
			}
		}
		select {
		case <-within.Done():
			if ctx.Err() != nil {
				return fmt.Errorf("the halt stands; not waited until all has stopped: %w", context.Cause(ctx))
			}
			return &statusError{status: exitDirty, text: fmt.Sprintf("after %s run %s has not stopped: see candor heal --list", haltTime, living[0].Header.Run)}
		case <-time.After(100 * time.Millisecond):
		}
	}
	if err := heal(ctx, g, dir); err != nil {
		return err
	}
	fmt.Fprintln(g.err, "nothing runs, and nothing starts until candor resume")
	return nil
}
