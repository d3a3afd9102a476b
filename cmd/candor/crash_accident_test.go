package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// accident is what happens to a run.
type accident struct {
	name   string
	agent  bool // it needs an agent
	daemon bool // it needs an engine of its own
	disk   bool // it needs a state directory on a small disk of its own
	dies   bool // the run ends by it, so that the clock starts at once and not when the run has ended as planned
	alone  bool // nobody is left who could help: only heal can
	do     func(context.Context, *crashSystem, *crashRun) (undo func() error, err error)
}

// errNothing: what the accident would hit is not there.
var errNothing = errors.New("nothing there to hit")

func accidents() []accident {
	return []accident{
		{name: "runner killed", dies: true, do: killRunner},
		{name: "runner killed with its process group", dies: true, do: killGroup},
		{name: "runner interrupted", do: interruptRunner},
		{name: "guardian killed", dies: true, do: killGuardian},
		{name: "runner and guardian killed", dies: true, alone: true, do: killBoth},
		{name: "agent killed", agent: true, do: killAgent},
		{name: "agent removed", agent: true, do: removeAgent},
		{name: "target restarted", do: restartTarget},
		{name: "target removed", do: removeTarget},
		{name: "state directory read-only", disk: true, do: makeReadOnly},
		{name: "state directory full", disk: true, do: fillDisk},
		{name: "Docker daemon restarted", daemon: true, do: restartDaemon},
	}
}

func killRunner(_ context.Context, _ *crashSystem, r *crashRun) (func() error, error) {
	return nil, r.signal(r.cmd.Process.Pid)
}

// interruptRunner is what a person does with ^C: it may come while something is being made.
func interruptRunner(_ context.Context, _ *crashSystem, r *crashRun) (func() error, error) {
	if err := syscall.Kill(r.cmd.Process.Pid, syscall.SIGINT); err != nil && !errors.Is(err, syscall.ESRCH) {
		return nil, fmt.Errorf("interrupt the runner: %w", err)
	}
	return nil, nil
}

func killGroup(_ context.Context, _ *crashSystem, r *crashRun) (func() error, error) {
	return nil, r.signal(-r.cmd.Process.Pid)
}

func killGuardian(ctx context.Context, s *crashSystem, _ *crashRun) (func() error, error) {
	return nil, s.killAll(ctx, "guardian")
}

// killBoth kills the guardian first: the other way round it would have a moment to begin.
func killBoth(ctx context.Context, s *crashSystem, r *crashRun) (func() error, error) {
	if err := s.killAll(ctx, "guardian"); err != nil {
		return nil, err
	}
	return nil, r.signal(r.cmd.Process.Pid)
}

func killAgent(ctx context.Context, s *crashSystem, _ *crashRun) (func() error, error) {
	return nil, s.killAll(ctx, "agent")
}

// killAll kills what is there of one of candor's roles for this system.
func (s *crashSystem) killAll(ctx context.Context, role string) error {
	found := s.processes(role)
	if len(found) == 0 {
		var err error
		if found, err = s.contained(ctx, role); err != nil {
			return err
		}
	}
	if len(found) == 0 {
		return errNothing
	}
	for _, pid := range found {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("kill the %s: %w", role, err)
		}
	}
	return nil
}

// contained finds the first processes of candor's containers of one role.
func (s *crashSystem) contained(ctx context.Context, role string) (pids []int, err error) {
	ids, err := s.lines(ctx, "ps", "-q", "--filter", "label=candor.system="+s.name, "--filter", "name=candor-"+role+"-")
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	found, err := s.lines(ctx, append([]string{"inspect", "--format", "{{.State.Pid}}"}, ids...)...)
	if errors.Is(err, errUnknown) { // it went by itself meanwhile
		return nil, nil
	}
	for _, text := range found {
		if pid, err := strconv.Atoi(text); err == nil && pid > 0 {
			pids = append(pids, pid)
		}
	}
	return pids, err
}

func removeAgent(ctx context.Context, s *crashSystem, _ *crashRun) (func() error, error) {
	found, err := s.lines(ctx, "ps", "-q", "--filter", "label=candor.system="+s.name, "--filter", "name=candor-agent-")
	if err == nil && len(found) == 0 {
		return nil, errNothing
	}
	if err == nil {
		_, err = s.docker(ctx, append([]string{"rm", "-f"}, found...)...)
	}
	if errors.Is(err, errUnknown) { // it went by itself meanwhile
		err = errNothing
	}
	return nil, err
}

func restartTarget(ctx context.Context, s *crashSystem, r *crashRun) (func() error, error) {
	_, err := s.docker(ctx, "restart", "-t", "1", s.container(r.trial.target))
	return nil, err
}

func removeTarget(ctx context.Context, s *crashSystem, r *crashRun) (func() error, error) {
	_, err := s.docker(ctx, "rm", "-f", s.container(r.trial.target))
	return nil, err
}

// makeReadOnly makes the disk read-only. The kernel refuses that while a file is open for writing, such as a journal: then
// every way to it is made read-only by a second mount on top, and what is open already can still be written.
func makeReadOnly(_ context.Context, _ *crashSystem, r *crashRun) (func() error, error) {
	err := unix.Mount("", r.state, "", unix.MS_REMOUNT|unix.MS_RDONLY, "")
	if err == nil {
		return func() error { return unix.Mount("", r.state, "", unix.MS_REMOUNT, "") }, nil
	}
	if !errors.Is(err, unix.EBUSY) {
		return nil, fmt.Errorf("make the state directory read-only: %w", err)
	}
	if err := unix.Mount(r.state, r.state, "", unix.MS_BIND, ""); err != nil {
		return nil, fmt.Errorf("mount the state directory over itself: %w", err)
	}
	undo := func() error { return unix.Unmount(r.state, unix.MNT_DETACH) }
	if err := unix.Mount("", r.state, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, ""); err != nil {
		return nil, errors.Join(fmt.Errorf("make the second mount read-only: %w", err), undo())
	}
	return undo, nil
}

// fillDisk leaves no page free.
func fillDisk(_ context.Context, _ *crashSystem, r *crashRun) (func() error, error) {
	path := filepath.Join(r.state, "filler")
	f, err := os.Create(path)
	for page := make([]byte, 4096); err == nil; {
		_, err = f.Write(page)
	}
	if !errors.Is(err, unix.ENOSPC) {
		return nil, fmt.Errorf("fill the state directory: %w", err)
	}
	if f == nil { // not even a name fits
		return nil, nil
	}
	return func() error { return os.Remove(path) }, f.Close()
}

func restartDaemon(ctx context.Context, s *crashSystem, _ *crashRun) (func() error, error) {
	return nil, s.daemon.restart(ctx)
}
