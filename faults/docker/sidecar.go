package docker

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/pkg/stdcopy"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/agent"
)

const (
	pollEvery = 20 * time.Millisecond
	agentTime = 20 * time.Second // for one request to an agent
	closeTime = 5 * time.Second  // for an agent to clean up and leave
)

// sidecar is an agent in the namespace of one service, and what has to be in force there.
type sidecar struct {
	world     *World
	from      faults.Identity
	container string
	conn      *agent.Conn
	complaint *capped
	ways      map[string]*way       // by the path's key
	misnamed  map[string]*misnaming // by label
	mourned   bool                  // that it ended by itself has been told
}

// way is one path that is interposed on.
type way struct {
	path      faults.Path
	host      string // outside: the agent itself follows it
	addresses []netip.Addr
	lifted    bool
	impaired  map[string]*impairment // by name
}

// impairment is one that is in force. A new agent begins to count anew, so what the one before counted is kept.
type impairment struct {
	faults.Impairment
	before, last int64
}

// agentName names the agent's container after its run, and the service or replica that it is beside.
func (w *World) agentName(beside container.InspectResponse, id faults.Identity) string {
	name := "candor-agent-" + w.config.Run + "-" + id.Service
	if replica := replicaOf(beside.Config.Labels, id.Name); replica != "1" {
		name += "-" + replica
	}
	return name
}

// besides are the agents beside a service's containers.
func (w *World) besides(service string) (all []*sidecar) {
	for _, s := range w.sidecars {
		if s.from.Service == service {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b *sidecar) int { return cmp.Compare(a.from.Name, b.from.Name) })
	return all
}

// removeAgents removes the agents of this run beside a service that another process has left.
func (w *World) removeAgents(ctx context.Context, service string) error {
	within, done := brief(ctx)
	defer done()
	f := filters.NewArgs(filters.Arg("label", labelRun+"="+w.config.Run), filters.Arg("label", labelRole+"="+roleAgent),
		filters.Arg("label", labelBeside+"="+service))
	found, err := w.docker.ContainerList(within, container.ListOptions{All: true, Filters: f})
	if err != nil {
		return translate(err, "find agents beside "+service)
	}
	var errs []error
	for _, c := range found {
		errs = append(errs, w.remove(ctx, c.ID))
	}
	return errors.Join(errs...)
}

// errShared: a rule in a namespace that others share would touch them too.
var errShared = errors.New("refused")

// ownNamespace refuses a service whose network namespace is not its own.
func ownNamespace(c container.InspectResponse, id faults.Identity) error {
	switch mode := c.HostConfig.NetworkMode; {
	case mode.IsHost():
		return fmt.Errorf("service %s is in the host's own network namespace, where a rule would touch everything: %w", id.Service, errShared)
	case mode.IsContainer():
		return fmt.Errorf("service %s shares the network namespace of another container, which a rule would touch too: %w", id.Service, errShared)
	}
	return nil
}

// start starts an agent in the namespace of from.
func (w *World) start(ctx context.Context, from container.InspectResponse, id faults.Identity) (*sidecar, error) {
	if err := ownNamespace(from, id); err != nil {
		return nil, err
	}
	keys, err := json.Marshal(append([]string{}, w.config.Keys...))
	if err != nil {
		return nil, fmt.Errorf("start an agent: %w", err)
	}
	made, streams, err := w.create(ctx, own{
		name: w.agentName(from, id), role: roleAgent, labels: map[string]string{labelBeside: id.Service},
		args: []string{"agent", "serve", "-run", w.config.Run, "-prefix", w.config.Prefix, "-keys", string(keys),
			"-seed", fmt.Sprint(w.config.Seed), "-expiry", max(time.Second, w.config.Expiry-time.Since(w.opened)).String()},
		network: "container:" + id.ID, user: fmt.Sprintf("0:%d", agent.Group), capabilities: []string{"NET_ADMIN"}, input: true,
	})
	if err != nil {
		return nil, fmt.Errorf("start an agent beside %s: %w", id.Service, err)
	}
	s := &sidecar{world: w, from: id, container: made, complaint: &capped{limit: errorLimit}, ways: map[string]*way{}, misnamed: map[string]*misnaming{}}
	out, answers := io.Pipe()
	go func() {
		_, err := stdcopy.StdCopy(answers, s.complaint, streams.Reader)
		streams.Close()
		answers.CloseWithError(err) // nil is the end of the stream
	}()
	s.conn = agent.NewConn(streams.Conn, out, closerFunc(streams.CloseWrite), w.options.OnRequest)
	if _, err := s.ask(ctx, agent.Request{Op: agent.Hello}); err != nil {
		return nil, errors.Join(fmt.Errorf("start an agent beside %s: %w", id.Service, err), s.end(context.WithoutCancel(ctx)))
	}
	return s, nil
}

type closerFunc func() error

func (f closerFunc) Close() error { return f() }

// ask asks the agent, and says what it complained of when it is gone.
func (s *sidecar) ask(ctx context.Context, r agent.Request) (agent.Answer, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, agentTime, fmt.Errorf("the agent beside %s did not answer in %s", s.from.Service, agentTime))
	defer cancel()
	a, err := s.conn.Do(ctx, r)
	if errors.Is(err, agent.ErrGone) {
		err = fmt.Errorf("agent beside %s: %w: %s", s.from.Service, err, s.complaint.bytes())
	}
	return a, err
}

// gone reports whether the agent has ended.
func (s *sidecar) gone() bool {
	select {
	case <-s.conn.Gone():
		return true
	default:
		return false
	}
}

// end closes the agent's input, which makes it clean up and leave, and removes its container.
func (s *sidecar) end(ctx context.Context) error {
	within, cancel := context.WithTimeout(ctx, closeTime)
	defer cancel()
	// An agent that is gone already has nothing to close, and one that does not listen is removed all the same.
	_ = s.conn.Close(within)
	within, cancel = context.WithTimeout(ctx, agentTime)
	defer cancel()
	return s.world.remove(within, s.container)
}

// lead interposes on one path, with everything that has to be in force on it.
func (s *sidecar) lead(ctx context.Context, v *way) error {
	if _, err := s.ask(ctx, agent.Request{Op: agent.Interpose, Path: v.path, Host: v.host, Addresses: v.addresses, Lifted: v.lifted}); err != nil {
		return err
	}
	for name, i := range v.impaired {
		i.before += i.last
		i.last = 0
		if _, err := s.ask(ctx, agent.Request{Op: agent.Impair, Path: v.path, Name: name, Impairment: &i.Impairment}); err != nil {
			return err
		}
	}
	return nil
}

// rest waits, and returns why it could not.
func rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
