// Command candor breaks an application's dependencies, keeps users busy meanwhile, and judges whether the product told
// them the truth.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/candor-chaos/candor/experiments/engine"
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
	ctx, cancel := context.WithCancelCause(context.Background())
	g := &global{streams: streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go g.heed(signals, cancel)
	code := run(ctx, os.Args[1:], g)
	cancel(nil)
	os.Exit(code)
}

// heed ends the command in good order at the first interrupt. No later one skips the mending: each says what is still in
// force and what mends it, should this process not manage.
func (g *global) heed(signals <-chan os.Signal, cancel context.CancelCauseFunc) {
	for first := true; ; first = false {
		s := <-signals
		if first {
			cancel(fmt.Errorf("%w: this process was told to end (%s)", engine.ErrAborted, s))
			continue
		}
		g.sayInForce()
	}
}

// streams are the process's own three, handed down so that nothing below main reaches for them.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// run is candor with its arguments; it returns the exit status.
func run(ctx context.Context, args []string, g *global) int {
	root := newRootCommand(g)
	root.SetArgs(args)
	root.SetIn(g.in)
	root.SetOut(g.out)
	root.SetErr(g.err)
	err := root.ExecuteContext(ctx)
	var outcome *statusError
	if err != nil && !g.started && !errors.As(err, &outcome) {
		err = inputError("%v\nsee candor --help", err)
	}
	return exitStatus(err, g.err)
}
