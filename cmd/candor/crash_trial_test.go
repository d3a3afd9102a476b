package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	crashHelp  = 5 * time.Second         // how long candor has to be clean without a person's help
	crashEvery = 50 * time.Millisecond   // between two looks
	crashQuiet = time.Second             // what stays clean so long is clean: an engine may still be at work for the dead
	crashLate  = 60 * time.Second        // after its planned end a run hangs
	crashFor   = 2000 * time.Millisecond // how long each fault is in force
)

// crashResult is what came of a trial.
type crashResult struct {
	accident accident
	kind     string
	owed     int           // obligations at that moment
	nothing  bool          // there was nothing to hit
	helpless []string      // left over when time was up
	unhealed []string      // left over after heal
	clean    time.Duration // until clean, when it became so without help
	failures []string
	evidence string
}

func (r *crashResult) fail(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

// try does one trial. An error is the campaign's own trouble; candor's is in the result.
func (s *crashSystem) try(ctx context.Context, trial crashTrial) (res crashResult, err error) {
	res = crashResult{accident: trial.accident, kind: trial.kind.Name}
	typical, err := trial.kind.typical(ctx, s)
	if err != nil {
		return res, err
	}
	state, tidy, err := s.ready(ctx, trial)
	if err != nil {
		return res, err
	}
	defer func() { err = errors.Join(err, tidy(len(res.failures) > 0)) }()
	r, err := s.start(ctx, trial, state)
	if err != nil {
		return res, err
	}
	defer r.finish(0)
	planned := time.Now().Add(typical)
	r.await(typical)
	undo, at, err := s.happen(ctx, r, &res)
	if err != nil {
		return res, err
	}
	if !trial.accident.dies || res.nothing || s.stillGuarded(ctx, r) {
		if !r.finish(time.Until(planned) + crashLate) {
			res.fail("the run hangs: it has not ended %s after its time", crashLate)
		}
		if r.ended.After(at) {
			at = r.ended
		}
	}
	s.untilClean(ctx, state, at, &res)
	if undo != nil {
		if err := undo(); err != nil {
			return res, fmt.Errorf("undo the accident: %w", err)
		}
	}
	s.heal(ctx, state, &res)
	if len(res.failures) > 0 {
		res.evidence = r.evidence()
	}
	return res, nil
}

// stillGuarded reports whether the run rightly goes on after a guardian was killed: a process guards while the container
// that takes over from it is made, and either of them is enough.
func (s *crashSystem) stillGuarded(ctx context.Context, r *crashRun) bool {
	if r.trial.accident.name != "guardian killed" {
		return false
	}
	select {
	case <-r.done:
		return false
	case <-time.After(crashHelp / 2):
	}
	contained, err := s.contained(ctx, "guardian")
	return r.lives() && (len(s.processes("guardian")) > 0 || err == nil && len(contained) > 0)
}

// ready makes everything whole for a trial, in a state directory of its own.
func (s *crashSystem) ready(ctx context.Context, trial crashTrial) (state string, tidy func(failed bool) error, err error) {
	if err := errors.Join(s.whole(ctx), s.guard(trial.guardian)); err != nil {
		return "", nil, err
	}
	state = filepath.Join(s.folder, fmt.Sprintf("state-%d", trial.number))
	if err := errors.Join(os.MkdirAll(state, 0o700), os.RemoveAll(filepath.Join(s.folder, ".candor"))); err != nil {
		return "", nil, err
	}
	mounted := trial.accident.disk
	if mounted {
		if err := unix.Mount("candor-crash", state, "tmpfs", 0, "size=512k"); err != nil {
			return "", nil, fmt.Errorf("mount a small disk: %w", err)
		}
	}
	tidy = func(failed bool) error {
		if failed {
			s.sweep(ctx)
		}
		if mounted {
			if err := unix.Unmount(state, unix.MNT_DETACH); err != nil {
				return fmt.Errorf("unmount the small disk: %w", err)
			}
		}
		return os.RemoveAll(state)
	}
	return state, tidy, s.snapshot(ctx)
}

// happen lets the accident happen. Where there is nothing to hit it is tried again until the run has ended.
func (s *crashSystem) happen(ctx context.Context, r *crashRun, res *crashResult) (undo func() error, at time.Time, err error) {
	for {
		res.owed = owedIn(r.state)
		undo, err = r.trial.accident.do(ctx, s, r)
		switch {
		case errors.Is(err, errNothing) && r.lives():
			time.Sleep(crashEvery / 5)
		case errors.Is(err, errNothing):
			res.nothing, res.owed = true, 0
			return nil, time.Now(), nil
		default:
			return undo, time.Now(), err
		}
	}
}

// untilClean looks again and again, until nothing is left for a while or the time without help is up.
func (s *crashSystem) untilClean(ctx context.Context, state string, from time.Time, res *crashResult) {
	var since time.Time
	for {
		left, err := s.left(ctx, state)
		if err != nil {
			left = []string{"cannot look: " + err.Error()}
		}
		now := time.Now()
		switch {
		case len(left) > 0:
			since = time.Time{}
		case since.IsZero():
			since = now
		case now.Sub(since) >= crashQuiet:
			res.clean = since.Sub(from)
			return
		}
		if since.IsZero() && now.Sub(from) > crashHelp {
			res.helpless, res.clean = left, crashHelp
			if !res.accident.alone {
				res.fail("left over after %s without help: %s", crashHelp, strings.Join(left, "; "))
			}
			return
		}
		time.Sleep(crashEvery)
	}
}

// heal does what a person would do, as often as it says that somebody is still at it.
func (s *crashSystem) heal(ctx context.Context, state string, res *crashResult) {
	var said []byte
	var err error
	for range 80 {
		said, err = s.command(ctx, "heal", "--state-dir", state).CombinedOutput()
		if !strings.Contains(string(said), "left alone") {
			break
		}
		time.Sleep(crashEvery * 5)
	}
	if err != nil {
		res.fail("heal fails: %v: %s", err, said)
	}
	left, lerr := s.left(ctx, state)
	if lerr != nil {
		left = []string{"cannot look: " + lerr.Error()}
	}
	if res.unhealed = left; len(left) > 0 {
		res.fail("left over after heal: %s; it said: %s", strings.Join(left, "; "), said)
	}
	if owed := owedIn(state); owed > 0 && err == nil {
		res.fail("heal is content, and the journal owes %d: %s", owed, said)
	}
}

// sweep takes away what candor left, so that one failure does not become many.
func (s *crashSystem) sweep(ctx context.Context) {
	for _, role := range []string{"run", "guardian", "agent"} {
		for _, pid := range s.processes(role) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	if ours, err := s.lines(ctx, "ps", "-aq", "--filter", "label=candor.system="+s.name); err == nil && len(ours) > 0 {
		_, _ = s.docker(ctx, append([]string{"rm", "-f"}, ours...)...)
	}
	if files, err := filepath.Glob(filepath.Join(s.folder, "tmp", "*")); err == nil {
		for _, f := range files {
			_ = os.RemoveAll(f)
		}
	}
	s.soiled = true
}

// evidence is what the run said and what its journal holds.
func (r *crashRun) evidence() string {
	return fmt.Sprintf("── %s\n── it said\n%s── journal\n%s", r.cmd.ProcessState, readAll(r.said), readAll(filepath.Join(r.state, "journals")))
}
