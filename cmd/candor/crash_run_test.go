package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/candor-chaos/candor/faults/journal"
)

// crashRun is one `candor run` that something happens to.
type crashRun struct {
	trial crashTrial
	state string // its state directory
	cmd   *exec.Cmd
	done  chan struct{} // closed when it has ended, at
	ended time.Time
	said  string // file with what it said
}

// start starts a run in a process group of its own. What it says goes to a file: a guardian that outlives it would hold a
// pipe open.
func (s *crashSystem) start(ctx context.Context, trial crashTrial, state string) (*crashRun, error) {
	r := &crashRun{trial: trial, state: state, done: make(chan struct{}), said: filepath.Join(s.folder, "said")}
	said, err := os.Create(r.said)
	if err != nil {
		return nil, err
	}
	defer said.Close()
	r.cmd = s.command(ctx, "run", "--state-dir", state, "--seed", strconv.Itoa(trial.number+1), trial.kind.Name+".yaml")
	r.cmd.Stdout, r.cmd.Stderr = said, said
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := r.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start a run: %w", err)
	}
	go func() {
		_ = r.cmd.Wait() // how it ended is in its state
		r.ended = time.Now()
		close(r.done)
	}()
	return r, nil
}

// command is candor as the system's own user runs it.
func (s *crashSystem) command(ctx context.Context, args ...string) *exec.Cmd {
	all := append(slices.Clone(s.inside), append([]string{s.campaign.candor}, args...)...)
	cmd := exec.CommandContext(ctx, all[0], all[1:]...)
	cmd.Dir = s.folder
	cmd.Env = append(os.Environ(), "DOCKER_HOST="+s.host, "TMPDIR="+filepath.Join(s.folder, "tmp"), "NO_COLOR=1")
	return cmd
}

// lives says whether the run has not ended.
func (r *crashRun) lives() bool {
	select {
	case <-r.done:
		return false
	default:
		return true
	}
}

// signal kills the runner, or its group when the number is negative.
func (r *crashRun) signal(pid int) error {
	if !r.lives() {
		return errNothing
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill the runner: %w", err)
	}
	<-r.done
	return nil
}

// finish waits for the run's end, and ends it when it does not come.
func (r *crashRun) finish(within time.Duration) (byItself bool) {
	select {
	case <-r.done:
		return true
	case <-time.After(within):
		_ = syscall.Kill(-r.cmd.Process.Pid, syscall.SIGKILL)
		<-r.done
		return false
	}
}

// owed counts what the journals in a state directory owe.
func owedIn(state string) (n int) {
	files, _ := filepath.Glob(filepath.Join(state, "journals", "*.jsonl")) // the pattern is right
	for _, f := range files {
		if l, err := journal.Read(f); err == nil {
			n += len(l.Owed())
		}
	}
	return n
}

// broken says whether a fault that users wrote is in force.
func broken(state string) bool {
	files, _ := filepath.Glob(filepath.Join(state, "journals", "*.jsonl"))
	for _, f := range files {
		if l, err := journal.Read(f); err == nil && slices.ContainsFunc(l.Owed(), func(e journal.Entry) bool { return e.Kind != "interpose" }) {
			return true
		}
	}
	return false
}

// await waits for the moment that was drawn. A run that ends earlier is not waited for.
func (r *crashRun) await(typical time.Duration) {
	rest := time.Duration(r.trial.moment * float64(typical))
	if r.trial.inForce {
		for r.lives() && !broken(r.state) {
			time.Sleep(5 * time.Millisecond)
		}
		rest = time.Duration(r.trial.moment * float64(crashFor))
	}
	select {
	case <-r.done:
	case <-time.After(rest):
	}
}

// left asks the looker what is left.
func (s *crashSystem) left(ctx context.Context, state string) ([]string, error) {
	var left []string
	out, err := s.looker(ctx, "-system", s.name, "-state", state, "-before", s.before())
	if err == nil {
		err = json.Unmarshal(out, &left)
	}
	return left, err
}

func (s *crashSystem) looker(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, s.campaign.left, append([]string{"-host", s.host, "-project", s.name}, args...)...)
	cmd.Env = append(os.Environ(), "TMPDIR="+filepath.Join(s.folder, "tmp"))
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("%w: %s", err, bytes.TrimSpace(exit.Stderr))
	}
	return out, err
}

func (s *crashSystem) before() string { return filepath.Join(s.folder, "before.json") }

// snapshot remembers how all stands now.
func (s *crashSystem) snapshot(ctx context.Context) error {
	out, err := s.looker(ctx, "-snapshot")
	if err != nil {
		return err
	}
	return os.WriteFile(s.before(), out, 0o600)
}

// processes finds what candor runs for this system in one role, without asking the engine.
func (s *crashSystem) processes(role string) (found []int) {
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range lines {
		folder := filepath.Dir(path)
		data, err := os.ReadFile(path)
		if err != nil || len(data) == 0 { // it ended, or is the kernel's
			continue
		}
		args := strings.Split(strings.TrimRight(string(data), "\x00"), "\x00")
		exe, err := os.Readlink(filepath.Join(folder, "exe"))
		if err != nil || filepath.Base(exe) != "candor" || !slices.Contains(args[1:], role) {
			continue
		}
		environ, _ := os.ReadFile(filepath.Join(folder, "environ")) // empty when it ended
		if pid, err := strconv.Atoi(filepath.Base(folder)); err == nil && strings.Contains(string(data)+string(environ), s.name) {
			found = append(found, pid)
		}
	}
	return found
}
