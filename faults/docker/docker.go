// Package docker is the world in which services are containers of one Docker Engine.
//
// Network faults are carried out by candor's own binary as a container in the network namespace of the service that
// connects (package agent); killing, pausing and starting go through the engine, except that a crash is a signal from
// outside, which the engine cannot tell from a real one. Everything made here carries the run's ID in its name and in its
// labels, and nothing else is ever removed.
//
//	interpose ─▶ agent container ─┬─ each second, and on every event of the engine ─▶ reconcile
//	                              │     the dependency is down or paused   → redirect lifted
//	                              │     it has another address             → the set is replaced
//	                              └──── the connecting service restarted   → a new agent, with all that was in force
package docker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/docker/docker/client"
	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"github.com/candor-chaos/candor/faults"
)

// Config is what a world is opened with. It is saved in the journal, so that heal opens the same world again.
type Config struct {
	Host     string             `json:"host,omitempty"` // of the engine; DOCKER_HOST, or the default socket, when empty
	Run      string             `json:"run"`
	System   string             `json:"system"`
	Project  string             `json:"project,omitempty"` // label com.docker.compose.project of the system's containers
	Labels   map[string]string  `json:"labels,omitempty"`  // or the labels that they carry
	Services map[string]Ports   `json:"services,omitempty"`
	Outside  map[string]Outside `json:"outside,omitempty"` // those of the services that are no containers
	Prefix   string             `json:"prefix,omitempty"`  // of the run's markers
	Keys     []string           `json:"keys,omitempty"`    // what counts as an idempotency key: header NAME, or json.FIELD
	Seed     uint64             `json:"seed,omitempty"`
	Expiry   time.Duration      `json:"expiry,omitempty"` // after which agents end by themselves; an hour when zero
	Before   []Standing         `json:"before,omitempty"` // how the system stood before the run (Remember)
}

// Ports are a service's ports by name; a single one has the name "".
type Ports map[string]int

// Outside is a dependency that is no container of the system: somebody else's, or on another machine.
type Outside struct {
	Host    string   `json:"host"`              // a name, looked up as its callers do, or an address
	Callers []string `json:"callers,omitempty"` // the services that need it
}

// Options are what this process alone needs.
type Options struct {
	Binary    string               // candor's own executable, from which the agents' image is made
	OnRequest func(faults.Request) // told what passes on interposed paths; must not wait; may be nil
	Guardian  bool                 // this process is the run's guardian, and not left over while it works
	Log       zerolog.Logger
}

// The labels that candor's own things carry, and the one that keeps it away.
const (
	labelRun     = "candor.run"
	labelSystem  = "candor.system"
	labelRole    = "candor.role"
	labelBeside  = "candor.beside" // of an agent: the service in whose namespace it is
	labelHolder  = "candor.holder" // of a lock: who has it, for a person
	labelImage   = "candor.image"
	labelStack   = "candor.stack"
	labelProtect = "candor.protect"

	labelProject = "com.docker.compose.project"
	labelService = "com.docker.compose.service"
	labelNumber  = "com.docker.compose.container-number"

	roleAgent    = "agent"
	roleLook     = "look"
	roleLookup   = "lookup"
	roleSignal   = "signal"
	roleLimit    = "limit"
	roleLock     = "lock"
	roleGuardian = "guardian"
)

// World is one engine and one system in it.
type World struct {
	config  Config
	options Options
	opened  time.Time
	docker  *client.Client

	busy     chan struct{}       // holds one while something is done to agents
	image    string              // of the agents, once it is there
	sidecars map[string]*sidecar // by the ID of the container that each is beside
	sought   map[string]sought   // what was looked up beside a container without an agent, by its incarnation
	looked   map[string]bool     // services in whose namespaces something was done, to be verified at the end

	memory sync.Mutex
	ending map[string]bool // containers that this world is stopping
	raised map[string]bool // containers that this world killed or started: that they were started again is no surprise

	frozen   atomic.Bool // nothing is put in force again by itself
	watch    sync.Once
	watching errgroup.Group
	stop     context.CancelFunc
	lost     chan error
}

// Open reaches the engine. It fails with faults.ErrUnreachable when none answers.
func Open(ctx context.Context, c Config, o Options) (*World, error) {
	opts := []client.Opt{client.FromEnv, client.WithAPIVersionNegotiation()}
	if c.Host != "" {
		opts = append(opts, client.WithHost(c.Host))
	}
	docker, err := client.NewClientWithOpts(opts...)
	if err != nil {
		return nil, fmt.Errorf("docker engine: %w: %w", faults.ErrUnreachable, err)
	}
	within, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if _, err := docker.Ping(within); err != nil {
		return nil, errors.Join(fmt.Errorf("docker engine at %s %w: %w", docker.DaemonHost(), faults.ErrUnreachable, err), docker.Close())
	}
	c.Host = docker.DaemonHost()
	if c.Expiry == 0 {
		c.Expiry = time.Hour
	}
	return &World{config: c, options: o, opened: time.Now(), docker: docker, sidecars: map[string]*sidecar{}, sought: map[string]sought{}, looked: map[string]bool{},
		raised: map[string]bool{}, ending: map[string]bool{},
		lost: make(chan error, lostLimit), busy: make(chan struct{}, 1)}, nil
}

// briefTime bounds one question to the engine, or one thing that it does by itself.
const briefTime = 30 * time.Second

func brief(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, briefTime)
}

// enterTime bounds one thing that is done to agents, with all that the engine has to do for it.
const enterTime = time.Minute

// enter lets one caller at a time do something to agents. What is done afterwards ends with the context that comes back:
// an engine that hangs must hang nobody for good.
func (w *World) enter(ctx context.Context) (context.Context, func(), error) {
	within, cancel := context.WithTimeoutCause(ctx, enterTime, fmt.Errorf("docker engine %w within %s", faults.ErrUnreachable, enterTime))
	select {
	case w.busy <- struct{}{}:
		return within, func() { <-w.busy; cancel() }, nil
	case <-within.Done():
		defer cancel()
		return nil, nil, fmt.Errorf("wait for what is being done to agents: %w", context.Cause(within))
	}
}

// lostLimit is how many losses wait to be heard; more are not kept.
const lostLimit = 16

// Lost tells of each agent that ended by itself while it was needed, and why. It is replaced at once, with everything that
// was in force; what happened in between was not seen, and not under its faults. The channel is never closed.
func (w *World) Lost() <-chan error { return w.lost }

// Freeze keeps the world from putting back by itself what is gone: whoever took it away knew why. Reverting goes on.
func (w *World) Freeze() { w.frozen.Store(true) }

// Name is docker.
func (w *World) Name() string { return "docker" }

// Config is what the world was opened with, complete.
func (w *World) Config() Config { return w.config }

// Close ends the agents that this world holds, which takes their redirects along, and lets go of the engine.
func (w *World) Close(ctx context.Context) error {
	if w.stop != nil {
		w.stop()
	}
	err := w.watching.Wait()
	ctx, leave, eerr := w.enter(ctx)
	if eerr != nil {
		return errors.Join(err, eerr, w.docker.Close())
	}
	defer leave()
	for id, s := range w.sidecars {
		err = errors.Join(err, s.end(ctx))
		delete(w.sidecars, id)
	}
	return errors.Join(err, w.docker.Close())
}

// translate gives an engine's error the meaning that callers branch on.
func translate(err error, what string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled): // the caller's wish, and not the engine's fault
		return fmt.Errorf("%s: %w", what, err)
	case client.IsErrConnectionFailed(err), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: docker engine %w: %w", what, faults.ErrUnreachable, err)
	case isNotFound(err):
		return fmt.Errorf("%s: %w: %w", what, faults.ErrNotFound, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}
