package process

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/agent"
)

// World is one system whose services this process starts; or, opened from a journal, what is left of one.
type World struct {
	config  Config
	options Options
	mends   bool // opened to mend: nothing is started, and what lives is found by its marks alone
	fronts  map[string]*front

	jobs chan func() // done by the one thread whose death the kernel tells the services of

	mu       sync.Mutex
	services map[string]*service
	up       bool
	ending   bool
	life     context.Context
	end      context.CancelFunc
	going    sync.WaitGroup
}

// Open makes the world. It starts nothing yet: Up does.
func Open(ctx context.Context, c Config, o Options) (w *World, err error) {
	if c.Boot.IsZero() {
		if c.Boot, err = bootTime(); err != nil {
			return nil, err
		}
	}
	w = &World{config: c, options: o, mends: o.Launch == nil, fronts: map[string]*front{}, services: map[string]*service{}, jobs: make(chan func())}
	w.life, w.end = context.WithCancel(context.WithoutCancel(ctx))
	if w.mends {
		return w, nil
	}
	for _, name := range slices.Sorted(maps.Keys(c.Services)) {
		if c.Services[name].Host == "" {
			w.services[name] = &service{name: name}
		}
		for _, need := range c.Services[name].Needs {
			for _, port := range c.Services[need].Ports {
				p := faults.Path{From: name, To: need, Port: port}
				f, err := newFront(p, cmp.Or(c.Services[need].Host, "127.0.0.1"))
				if err != nil {
					return nil, errors.Join(err, w.Close(ctx))
				}
				w.fronts[p.Key()] = f
			}
		}
	}
	go w.labour()
	return w, nil
}

// labour starts processes. A parent's death signal is sent when the thread ends that started the process, not the whole
// parent: so it is always this one thread, which lives as long as the world.
func (w *World) labour() {
	runtime.LockOSThread()
	for job := range w.jobs {
		job()
	}
}

// Name is process.
func (w *World) Name() string { return "process" }

// Config is what the world was opened with, complete.
func (w *World) Config() Config { return w.config }

// identity is what a service is called by: the same over all of its incarnations in one run.
func (w *World) identity(service string, p proc) faults.Identity {
	id := faults.Identity{Service: service, ID: w.config.Run + "/" + service}
	if p.pid != 0 {
		id.Process, id.Born = p.pid, w.config.Boot.Add(time.Duration(p.started)*tick)
	}
	return id
}

// leader is the first process of a service as it is now: with pid 0 when it does not run.
func (w *World) leader(service string) (proc, error) {
	w.mu.Lock()
	s := w.services[service]
	w.mu.Unlock()
	if s != nil {
		return w.own(s)
	}
	found, err := marked(func(p proc) bool { return p.run == w.config.Run && p.service == service && p.leads() })
	if err != nil || len(found) == 0 {
		return proc{}, err
	}
	return found[0], nil
}

// Find finds a service that this run starts. In a world that mends only what still lives is there.
func (w *World) Find(_ context.Context, service string) (faults.Identity, error) {
	if _, known := w.config.Services[service]; !known {
		return faults.Identity{}, fmt.Errorf("service %s is not in system %s: %w", service, w.config.System, faults.ErrNotFound)
	}
	p, err := w.leader(service)
	if err != nil {
		return faults.Identity{}, err
	}
	if p.pid == 0 && w.mends {
		return faults.Identity{}, fmt.Errorf("service %s went with its run: %w", service, faults.ErrNotFound)
	}
	return w.identity(service, p), nil
}

// Incarnation looks at the service as it is now. Before Up every service counts as running: whoever asks then wants to
// know what a run would do, and a run starts them all.
func (w *World) Incarnation(ctx context.Context, id faults.Identity) (faults.Identity, bool, error) {
	if id.ID != w.config.Run+"/"+id.Service {
		return faults.Identity{}, false, fmt.Errorf("service %s of another run: %w", id.Service, faults.ErrNotFound)
	}
	if host := w.config.Services[id.Service].Host; host != "" {
		return faults.Identity{}, false, fmt.Errorf("service %s is outside, at %s, and not candor's: %w", id.Service, host, faults.ErrNotFound)
	}
	now, err := w.Find(ctx, id.Service)
	if err != nil {
		return now, false, err
	}
	w.mu.Lock()
	planned := !w.mends && !w.up
	w.mu.Unlock()
	return now, now.Process != 0 || planned, nil
}

// exactly insists on the incarnation that was meant.
func (w *World) exactly(ctx context.Context, id faults.Identity) error {
	now, running, err := w.Incarnation(ctx, id)
	switch {
	case err != nil:
		return err
	case running && !now.Born.Equal(id.Born):
		return fmt.Errorf("%s was started again at %s: %w", id.Service, now.Born.Format(time.RFC3339), faults.ErrReplaced)
	}
	return nil
}

// Route finds the port of a path. The second end may name it: mail:143 or mail:imap.
func (w *World) Route(_ context.Context, from, to string) (faults.Path, error) {
	service, wanted, named := strings.Cut(to, ":")
	for _, name := range []string{from, service} {
		if _, known := w.config.Services[name]; !known {
			return faults.Path{}, fmt.Errorf("service %s is not in system %s: %w", name, w.config.System, faults.ErrNotFound)
		}
	}
	if !slices.Contains(w.config.Services[from].Needs, service) {
		return faults.Path{}, fmt.Errorf("%s does not need %s, so that no path leads there: %w", from, service, faults.ErrNotFound)
	}
	ports := w.config.Services[service].Ports
	for name, port := range ports {
		if named && (wanted == name || wanted == strconv.Itoa(port)) || !named && len(ports) == 1 {
			return faults.Path{From: from, To: service, Port: port}, nil
		}
	}
	switch {
	case named:
		return faults.Path{}, fmt.Errorf("service %s has no port %q: %w", service, wanted, faults.ErrNotFound)
	case len(ports) == 0:
		return faults.Path{}, fmt.Errorf("service %s has no port in the system's definition: %w", service, faults.ErrNotFound)
	}
	return faults.Path{}, fmt.Errorf("service %s has several ports, name one as %s:PORT: %w", service, service, faults.ErrAmbiguous)
}

// Located says where a host outside is, looked up on this host, and is empty for a service that candor starts.
func (w *World) Located(ctx context.Context, p faults.Path, _ faults.Identity) (string, error) {
	host := w.config.Services[p.To].Host
	if host == "" {
		return "", nil
	}
	found, err := agent.FindHost(ctx, host)
	switch {
	case agent.Missing(err):
		return "", fmt.Errorf("%s %w: %w", p.To, faults.ErrNotFound, err)
	case err != nil:
		return "", fmt.Errorf("%s cannot be looked up: %w", p.To, err)
	}
	return agent.Place(host, found), nil
}

// Status is what the docker probe sees: running, paused or exited; no health check of its own; how often it was started
// again.
func (w *World) Status(_ context.Context, name string) (state, health string, restarts int, err error) {
	p, err := w.leader(name)
	if err != nil {
		return "", "", 0, err
	}
	w.mu.Lock()
	if s := w.services[name]; s != nil {
		restarts = max(0, s.starts-1)
	}
	w.mu.Unlock()
	switch {
	case p.pid == 0:
		return "exited", "", restarts, nil
	case p.frozen():
		return "paused", "", restarts, nil
	}
	return "running", "", restarts, nil
}

// Close ends every service and every front, and makes sure that nothing of the run lives on.
func (w *World) Close(ctx context.Context) error {
	w.mu.Lock()
	if w.ending {
		w.mu.Unlock()
		return nil
	}
	w.ending = true
	w.mu.Unlock()
	var errs []error
	if !w.mends {
		errs = append(errs, w.endAll(ctx))
	}
	w.end()
	for _, f := range w.fronts {
		errs = append(errs, f.close(ctx))
	}
	w.going.Wait()
	close(w.jobs)
	if !w.mends && w.up {
		errs = append(errs, w.Sweep(ctx, w.config.Run, true))
	}
	return errors.Join(errs...)
}
