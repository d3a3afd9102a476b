package probes

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/wire"
	"github.com/candor-chaos/candor/faults"
)

// Command runs a program, without a shell.
type Command struct {
	Run     []experiments.Template `yaml:"run" json:"run" env:"always" required:"true" doc:"the program and its arguments"`
	Timeout time.Duration          `yaml:"timeout" json:"timeout,omitempty" doc:"3s when absent; then it is killed with all that it started"`
}

const (
	maxOutput   = 64 << 10 // kept of each stream; the rest is thrown away
	pipesLinger = time.Second
)

// Validate wants a program, and a time that is not below zero.
func (p *Command) Validate() error {
	var program error
	if len(p.Run) == 0 || p.Run[0].IsZero() {
		program = &faults.FieldError{Field: "run", Msg: "is missing", Hint: "such as [pg_isready, -h, 127.0.0.1]"}
	}
	return errors.Join(program, positive("timeout", p.Timeout))
}

// Observe runs the program. One that ran too long was seen not to end: its exit is -1. One that cannot be started has
// not looked.
func (p *Command) Observe(ctx context.Context, in experiments.Surroundings) (experiments.Observation, error) {
	if len(p.Run) == 0 {
		return experiments.Observation{}, errors.New("no program is given")
	}
	argv := make([]string, len(p.Run))
	for i, arg := range p.Run {
		text, err := arg.Expand(in.Vars)
		if err != nil {
			return experiments.Observation{}, fmt.Errorf("argument %d: %w", i, err)
		}
		argv[i] = text
	}
	ctx, cancel := within(ctx, p.Timeout)
	defer cancel()
	began := time.Now()
	stdout, stderr, err := run(ctx, argv)
	elapsed := time.Since(began)
	if cause := stopped(ctx); cause != nil {
		return experiments.Observation{}, fmt.Errorf("run %s: %w", argv[0], cause)
	}
	exit, how := 0, "exit 0"
	var ended *exec.ExitError
	switch {
	case ctx.Err() != nil:
		exit, how = -1, fmt.Sprintf("killed after %s", elapsed.Round(time.Millisecond))
	case errors.As(err, &ended):
		exit = ended.ExitCode()
		how = ended.ProcessState.String()
	case errors.Is(err, exec.ErrWaitDelay):
		how = "exit 0, and left something running"
	case err != nil:
		return experiments.Observation{}, fmt.Errorf("run %s: %w", argv[0], err)
	}
	seen := experiments.Observation{OK: exit == 0, Vars: experiments.Vars{"exit": int64(exit), "stdout": wire.Printable(stdout.text),
		"stderr": wire.Printable(stderr.text), "elapsed": elapsed}}
	seen.Summary = filepath.Base(argv[0]) + ": " + how
	if said := wire.Line(string(stderr.text)+" "+string(stdout.text), 160); said != "" && exit != 0 {
		seen.Summary += ": " + said
	}
	return seen, nil
}

// run runs a program in a process group of its own, which is killed as a whole.
func run(ctx context.Context, argv []string) (stdout, stderr *head, err error) {
	stdout, stderr = &head{}, &head{}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = pipesLinger
	return stdout, stderr, cmd.Run()
}

// head keeps the start of a stream.
type head struct{ text []byte }

func (h *head) Write(p []byte) (int, error) {
	h.text = append(h.text, p[:min(len(p), maxOutput-len(h.text))]...)
	return len(p), nil
}
