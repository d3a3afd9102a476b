// Command candor breaks an application's dependencies, keeps users busy meanwhile, and judges whether the product told
// them the truth.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

// version is stamped by the linker.
var version = "dev"

// memoryGoal is what the collector aims to stay under; what a target answers is bounded, and its garbage should be too.
// GOMEMLIMIT sets another.
const memoryGoal = 128 << 20

func main() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryGoal)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr})
	stop()
	os.Exit(code)
}

// streams are the process's own three, handed down so that nothing below main reaches for them.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// run is candor with its arguments; it returns the exit status.
func run(ctx context.Context, args []string, s streams) int {
	g := &global{streams: s}
	root := newRootCommand(g)
	root.SetArgs(args)
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	err := root.ExecuteContext(ctx)
	var outcome *statusError
	if err != nil && !g.started && !errors.As(err, &outcome) {
		err = inputError("%v\nsee candor --help", err)
	}
	return exitStatus(err, s.err)
}
