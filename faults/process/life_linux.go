package process

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/candor-chaos/candor/faults"
)

// service is one service over all of its incarnations. Its fields want the world's mutex.
type service struct {
	name   string
	output *output
	cmd    *exec.Cmd
	pid    int           // of its first process, and of its group; 0 while it does not run
	gone   chan struct{} // closed when this incarnation has ended and is taken note of
	how    string        // how the last one ended
	starts int
}

const (
	upTime     = time.Minute            // for all services to become healthy
	graceTime  = 5 * time.Second        // between asking a service to end and killing it
	deadWithin = 2 * time.Second        // for a killed process to be gone
	pollEvery  = 20 * time.Millisecond  // how often a service is asked whether it is there
	aloneTime  = 300 * time.Millisecond // that one without a port has to live to count as started
)

// own looks at the present incarnation of a service of this world.
func (w *World) own(s *service) (proc, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s.pid == 0 {
		return proc{}, nil
	}
	p, err := read(s.pid)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !p.lives() {
		return proc{}, nil
	}
	return p, err
}

// Up starts every service and waits until all are healthy.
func (w *World) Up(ctx context.Context) error {
	names := slices.Sorted(maps.Keys(w.services))
	for _, name := range names {
		for _, port := range w.config.Services[name].Ports {
			if err := free(ctx, name, port); err != nil {
				return err
			}
		}
	}
	w.mu.Lock()
	w.up = true
	w.mu.Unlock()
	for _, f := range w.fronts { // who is outside is there already
		if w.config.Services[f.path.To].Host == "" {
			continue
		}
		if err := f.arrive(ctx, nil); err != nil {
			return err
		}
	}
	for _, name := range names {
		if err := w.start(ctx, name); err != nil {
			return err
		}
	}
	within, cancel := context.WithTimeoutCause(ctx, upTime, fmt.Errorf("not healthy within %s", upTime))
	defer cancel()
	together, within := errgroup.WithContext(within)
	for _, name := range names {
		together.Go(func() error { return w.healthy(within, name) })
	}
	return together.Wait()
}

// free makes sure that a port is nobody else's, so that nobody else is taken for the service.
func free(ctx context.Context, service string, port int) error {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("port %d of %s is taken by another process: address already in use", port, service)
	}
	if err != nil {
		return fmt.Errorf("port %d of %s: %w", port, service, err)
	}
	return l.Close()
}

// start begins an incarnation of a service that does not run.
func (w *World) start(ctx context.Context, name string) error {
	launch, err := w.options.Launch(name, w.needs(name))
	if err != nil {
		return err
	}
	if len(launch.Args) == 0 {
		return fmt.Errorf("start %s: it has no command", name)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.services[name]
	if s.pid != 0 || w.ending {
		return nil
	}
	if s.output == nil {
		if s.output, err = newOutput(w.options.Logs, name); err != nil {
			return err
		}
	}
	cmd := exec.Command(launch.Args[0], launch.Args[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = launch.Dir, s.output, s.output, time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Env = os.Environ()
	for name, value := range launch.Env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	cmd.Env = append(cmd.Env, markRun+"="+w.config.Run, markSystem+"="+w.config.System, markService+"="+name)
	started := make(chan error, 1)
	w.jobs <- func() { started <- cmd.Start() }
	if err := <-started; err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	pid, gone := cmd.Process.Pid, make(chan struct{})
	s.cmd, s.pid, s.gone = cmd, pid, gone
	s.starts++
	w.going.Go(func() { w.await(s, pid) })
	w.going.Go(func() { w.welcome(ctx, s.name, gone) })
	return nil
}

// await takes note of the end of an incarnation. What is left of its group goes with it: the group's number is its own for
// as long as the first process is not yet taken note of.
func (w *World) await(s *service, pid int) {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break // it has ended; Wait below says how
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.fronts {
		if f.path.To == s.name {
			f.depart(w.life)
		}
	}
	_ = unix.Kill(-pid, unix.SIGKILL) // nobody left in the group is as wanted
	_ = s.cmd.Wait()                  // how it ended is in the process's state
	s.how, s.pid = s.cmd.ProcessState.String(), 0
	close(s.gone)
}

// welcome opens the ways to a service when it listens, so that whoever connects before is refused, as without candor.
func (w *World) welcome(ctx context.Context, name string, gone <-chan struct{}) {
	for _, port := range w.config.Services[name].Ports {
		for !listens(w.life, port) {
			select {
			case <-gone:
				return
			case <-w.life.Done():
				return
			case <-time.After(pollEvery):
			}
		}
		for _, f := range w.fronts {
			if f.path.To != name || f.path.Port != port {
				continue
			}
			if err := f.arrive(ctx, gone); err != nil {
				w.options.Log.Error().Err(err).Str("service", name).Msg("the way to a service stays closed")
			}
		}
	}
}

// listens reports whether something accepts on a port.
func listens(ctx context.Context, port int) bool {
	dialer := net.Dialer{Timeout: time.Second}
	c, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// needs are where a service finds its dependencies.
func (w *World) needs(name string) map[string]Need {
	all := map[string]Need{}
	for _, need := range w.config.Services[name].Needs {
		n := Need{Host: "127.0.0.1", Ports: Ports{}}
		for called, port := range w.config.Services[need].Ports {
			n.Ports[called] = int(w.fronts[faults.Path{From: name, To: need, Port: port}.Key()].address.Port())
		}
		all[need] = n
	}
	return all
}

// healthy waits until a service can serve. One that ends instead says why in the last of its log, which is somebody
// else's text.
func (w *World) healthy(ctx context.Context, name string) error {
	c := w.config.Services[name]
	w.mu.Lock()
	s := w.services[name]
	gone, began := s.gone, time.Now()
	w.mu.Unlock()
	for {
		well := time.Since(began) > aloneTime
		switch {
		case c.Ready != "":
			well = answers(ctx, c.Ready)
		case len(c.Ports) > 0:
			well = true
			for _, port := range c.Ports {
				well = well && listens(ctx, port)
			}
		}
		if well && w.reached(name) {
			return nil
		}
		select {
		case <-gone:
			w.mu.Lock()
			defer w.mu.Unlock()
			return fmt.Errorf("%s ended before it was ready (%s): it printed %q", name, s.how, s.output.last())
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w: it printed %q", name, context.Cause(ctx), s.output.last())
		case <-time.After(pollEvery):
		}
	}
}

// reached reports whether every way to a service is open.
func (w *World) reached(name string) bool {
	for _, f := range w.fronts {
		if f.path.To == name && f.isAway() {
			return false
		}
	}
	return true
}

// Kill sends a signal to the first process of exactly this incarnation. What it leaves of its group goes with it.
func (w *World) Kill(ctx context.Context, id faults.Identity, signal string, _ bool) error {
	if err := w.exactly(ctx, id); err != nil {
		return err
	}
	number := unix.SignalNum("SIG" + strings.TrimPrefix(strings.ToUpper(signal), "SIG"))
	if number == 0 {
		return fmt.Errorf("unknown signal %q", signal)
	}
	p, err := w.leader(id.Service)
	if err != nil || p.pid == 0 {
		return err
	}
	if err := p.signal(number); err != nil || number != unix.SIGKILL {
		return err
	}
	w.mu.Lock()
	s := w.services[id.Service]
	w.mu.Unlock()
	if s == nil {
		return nil
	}
	return w.until(ctx, s, deadWithin)
}

// until waits until the present incarnation has ended. A longer wait ends without an error: a look tells.
func (w *World) until(ctx context.Context, s *service, longest time.Duration) error {
	w.mu.Lock()
	gone := s.gone
	w.mu.Unlock()
	if gone == nil {
		return nil // it was never started
	}
	timer := time.NewTimer(longest)
	defer timer.Stop()
	select {
	case <-gone:
		return nil
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Start starts a service that does not run. Where its run is gone there is nothing to start it for.
func (w *World) Start(ctx context.Context, id faults.Identity) error {
	_, running, err := w.Incarnation(ctx, id)
	if err != nil || running {
		return err
	}
	w.mu.Lock()
	s := w.services[id.Service]
	w.mu.Unlock()
	if err := w.until(ctx, s, deadWithin); err != nil { // its death may not have been taken note of yet
		return err
	}
	return w.start(ctx, id.Service)
}

// endAll asks every service to end, and kills what does not.
func (w *World) endAll(ctx context.Context) error {
	var errs []error
	var going []*service
	w.mu.Lock()
	for _, s := range w.services {
		if s.pid != 0 {
			going = append(going, s)
			_ = unix.Kill(-s.pid, unix.SIGTERM) // one that has just ended needs no signal
			_ = unix.Kill(-s.pid, unix.SIGCONT)
		}
	}
	w.mu.Unlock()
	ends := time.Now().Add(graceTime)
	for _, s := range going {
		_ = w.until(ctx, s, time.Until(ends)) // what is not gone then is killed
		w.mu.Lock()
		if s.pid != 0 {
			_ = unix.Kill(-s.pid, unix.SIGKILL)
		}
		w.mu.Unlock()
		_ = w.until(ctx, s, deadWithin)
		w.mu.Lock()
		if s.pid != 0 {
			errs = append(errs, fmt.Errorf("%s (process %d) cannot be ended", s.name, s.pid))
		}
		w.mu.Unlock()
	}
	for _, s := range w.services {
		if s.output != nil {
			errs = append(errs, s.output.close())
		}
	}
	return errors.Join(errs...)
}
