package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/agent"
)

// A dependency outside is looked up beside each service that calls it: by its agent, which follows it while a path leads
// there, and before there is one by a short-lived look-up in the same namespace.

// outside is the identity of what is outside. Nothing acts on it, and no container can have that ID or name.
func outside(service string, o Outside) faults.Identity {
	return faults.Identity{Service: service, ID: "outside:" + o.Host}
}

// soughtFor is how long what was looked up before a run holds: a plan asks once for each fault.
const soughtFor = 10 * time.Second

// sought is what was looked up beside one incarnation of a service.
type sought struct {
	at    time.Time
	found map[string]agent.Found // by host
}

// Located says where a host outside is for one that calls it, and is empty for a container of the system. What cannot be
// told there from something else that the same service calls is refused.
func (w *World) Located(ctx context.Context, p faults.Path, from faults.Identity) (string, error) {
	to, is := w.config.Outside[p.To]
	if !is {
		return "", nil
	}
	ctx, leave, err := w.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	c, now, err := w.inspect(ctx, from.ID)
	if err != nil {
		return "", w.goneOrReplaced(ctx, from, err)
	}
	found, err := w.seek(ctx, p, c, now)
	if err != nil {
		return "", fmt.Errorf("look up where %s is for %s: %w", p.To, p.From, err)
	}
	here := found[to.Host]
	switch {
	case here.Missing:
		return "", fmt.Errorf("%s %w from %s: %s", p.To, faults.ErrNotFound, p.From, here.Error)
	case here.Error != "":
		return "", fmt.Errorf("%s cannot be looked up from %s: %s", p.To, p.From, here.Error)
	}
	if err := errors.Join(w.otherHost(p, found), w.ownContainer(ctx, p, c, here.Addresses)); err != nil {
		return "", err
	}
	return agent.Place(to.Host, here.Addresses), nil
}

// seek looks up all hosts that a service calls.
func (w *World) seek(ctx context.Context, p faults.Path, c container.InspectResponse, from faults.Identity) (map[string]agent.Found, error) {
	hosts := w.called(p.From, p.To)
	if err := ownNames(c, from, hosts); err != nil {
		return nil, err
	}
	if s := w.sidecars[from.ID]; s != nil && !s.gone() && s.from.Born.Equal(from.Born) {
		return s.seek(ctx, p, w.config.Outside[p.To].Host, hosts), nil
	}
	key := from.ID + from.Born.String()
	if known, is := w.sought[key]; is && time.Since(known.at) < soughtFor {
		return known.found, nil
	}
	if !c.State.Running {
		return nil, fmt.Errorf("container %s does not run", from.Name)
	}
	w.looked[p.From] = true
	out, err := w.job(ctx, own{name: "candor-lookup-" + w.config.Run + "-" + short(from.ID), role: roleLookup,
		args: append([]string{"agent", "lookup"}, hosts...), network: "container:" + from.ID, user: fmt.Sprintf("0:%d", agent.Group)})
	if err != nil {
		return nil, err
	}
	found := map[string]agent.Found{}
	if err := json.Unmarshal(out, &found); err != nil {
		return nil, fmt.Errorf("read what was looked up: %w", err)
	}
	w.sought[key] = sought{at: time.Now(), found: found}
	return found, nil
}

// called are the hosts that a service calls, that of one more dependency among them.
func (w *World) called(from, to string) []string {
	var hosts []string
	for name, o := range w.config.Outside {
		if name == to || slices.Contains(o.Callers, from) {
			hosts = append(hosts, o.Host)
		}
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// ownNames refuses a service that looks up names where candor cannot: in files that it brings along itself.
func ownNames(c container.InspectResponse, from faults.Identity, hosts []string) error {
	if !slices.ContainsFunc(hosts, func(h string) bool { _, err := netip.ParseAddr(h); return err != nil }) {
		return nil
	}
	for _, m := range c.Mounts {
		if m.Destination == "/etc/hosts" || m.Destination == "/etc/resolv.conf" {
			return fmt.Errorf("container %s has a %s of its own, which candor cannot read: give addresses instead of names", from.Name, m.Destination)
		}
	}
	return nil
}

// seek asks the agent: for its own path for what it knows, and for the others for a fresh look.
func (s *sidecar) seek(ctx context.Context, p faults.Path, own string, hosts []string) map[string]agent.Found {
	all, mu, going := map[string]agent.Found{}, sync.Mutex{}, sync.WaitGroup{}
	for _, host := range hosts {
		going.Go(func() {
			var f agent.Found
			var err error
			if v := s.ways[p.Key()]; v != nil && host == own {
				var a agent.Answer
				a, err = s.ask(ctx, agent.Request{Op: agent.Where, Path: p})
				f.Addresses = a.Found
			} else {
				f.Addresses, err = s.lookUp(ctx, host)
			}
			if err != nil {
				f.Error = err.Error()
			}
			mu.Lock()
			defer mu.Unlock()
			all[host] = f
		})
	}
	going.Wait()
	return all
}

func (s *sidecar) lookUp(ctx context.Context, host string) ([]netip.Addr, error) {
	a, err := s.ask(ctx, agent.Request{Op: agent.Lookup, Host: host})
	return a.Found, err
}

// otherHost refuses a host that is where another one is which the same service calls at the same port. Others that are
// not found now are not called now either.
func (w *World) otherHost(p faults.Path, found map[string]agent.Found) error {
	this := w.config.Outside[p.To].Host
	for name, other := range w.config.Outside {
		if name == p.To || !slices.Contains(other.Callers, p.From) || !has(w.config.Services[name], p.Port) {
			continue
		}
		for _, a := range found[other.Host].Addresses {
			if slices.Contains(found[this].Addresses, a) {
				return fmt.Errorf("%s (%s) and %s (%s) are both at %s for %s, port %d: what breaks one would break both, so make them one service",
					p.To, this, name, other.Host, a, p.From, p.Port)
			}
		}
	}
	return nil
}

func has(ports Ports, port int) bool {
	for _, p := range ports {
		if p == port {
			return true
		}
	}
	return false
}

// ownContainer refuses a host that is a container of the system: it has a service of its own, which is followed better.
func (w *World) ownContainer(ctx context.Context, p faults.Path, from container.InspectResponse, at []netip.Addr) error {
	ctx, done := brief(ctx)
	defer done()
	found, err := w.docker.ContainerList(ctx, container.ListOptions{Filters: w.selector()})
	if err != nil {
		return translate(err, "look for the system's containers")
	}
	for _, c := range found {
		for network, there := range c.NetworkSettings.Networks {
			if from.NetworkSettings.Networks[network] == nil || there == nil {
				continue
			}
			for _, text := range []string{there.IPAddress, there.GlobalIPv6Address} {
				if a, err := netip.ParseAddr(text); err == nil && slices.Contains(at, a) {
					return fmt.Errorf("%s (%s) is at %s, which is container %s of this system: name its service %s instead, which needs no host",
						p.To, w.config.Outside[p.To].Host, a, nameOf(c), c.Labels[labelService])
				}
			}
		}
	}
	return nil
}
