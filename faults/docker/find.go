package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"

	"github.com/candor-chaos/candor/faults"
)

func isNotFound(err error) bool { return errdefs.IsNotFound(err) }

// isGone is isNotFound after translate.
func isGone(err error) bool { return errors.Is(err, faults.ErrNotFound) }

// selector picks the system's containers, and none where nothing says which they are: a filter of nothing would be all.
func (w *World) selector() filters.Args {
	f := filters.NewArgs()
	if w.config.Project == "" && len(w.config.Labels) == 0 {
		f.Add("label", labelProject+"=")
	}
	if w.config.Project != "" {
		f.Add("label", labelProject+"="+w.config.Project)
	}
	for name, value := range w.config.Labels {
		f.Add("label", name+"="+value)
	}
	return f
}

// Find finds the one container of a service, running or not; or one of several, as in orders/2, by its number in compose
// or its name. One outside has none, and is what its host is.
func (w *World) Find(ctx context.Context, service string) (faults.Identity, error) {
	if o, is := w.config.Outside[service]; is {
		return outside(service, o), nil
	}
	of, replica, one := strings.Cut(service, "/")
	found, err := w.containersOf(ctx, of)
	if err != nil {
		return faults.Identity{}, err
	}
	if one {
		found = slices.DeleteFunc(found, func(c container.Summary) bool {
			return replicaOf(c.Labels, nameOf(c)) != replica && nameOf(c) != replica
		})
	}
	switch len(found) {
	case 0:
		return faults.Identity{}, fmt.Errorf("service %s: no container of %s: %w", service, w.whose(), faults.ErrNotFound)
	case 1:
		_, id, err := w.inspect(ctx, found[0].ID)
		return id, err
	}
	var names []string
	for _, c := range found {
		names = append(names, nameOf(c))
	}
	slices.Sort(names)
	return faults.Identity{}, fmt.Errorf("service %s: %d containers (%s): %w", service, len(found), strings.Join(names, ", "), faults.ErrAmbiguous)
}

// containersOf lists the containers of a service, running or not, in the order of their numbers.
func (w *World) containersOf(ctx context.Context, service string) ([]container.Summary, error) {
	ctx, done := brief(ctx)
	defer done()
	f := w.selector()
	f.Add("label", labelService+"="+service)
	found, err := w.docker.ContainerList(ctx, container.ListOptions{All: true, Filters: f})
	slices.SortFunc(found, func(a, b container.Summary) int {
		x, y := replicaOf(a.Labels, nameOf(a)), replicaOf(b.Labels, nameOf(b))
		return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y)) // 2 before 10
	})
	return found, translate(err, "find service "+service)
}

// Replicas are the numbers in compose (or the names) of the containers of a service that run, or of all where none does.
func (w *World) Replicas(ctx context.Context, service string) (names []string, err error) {
	found, err := w.containersOf(ctx, service)
	if err != nil {
		return nil, err
	}
	if running := slices.DeleteFunc(slices.Clone(found), func(c container.Summary) bool { return !isUp(c.State) }); len(running) > 0 {
		found = running
	}
	for _, c := range found {
		names = append(names, replicaOf(c.Labels, nameOf(c)))
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("service %s: no container of %s: %w", service, w.whose(), faults.ErrNotFound)
	}
	return names, nil
}

func isUp(state string) bool { return state == "running" || state == "paused" || state == "restarting" }

// replicaOf is what tells a container from the others of its service: its number in compose, else its name.
func replicaOf(labels map[string]string, name string) string {
	if number := labels[labelNumber]; number != "" {
		return number
	}
	return name
}

// seen is a container as the engine sees it now.
type seen struct {
	container.InspectResponse
	id faults.Identity
}

// all looks at every container of a service.
func (w *World) all(ctx context.Context, service string) (all []seen, err error) {
	found, err := w.containersOf(ctx, service)
	if err != nil {
		return nil, err
	}
	for _, one := range found {
		c, id, err := w.inspect(ctx, one.ID)
		switch {
		case isGone(err):
		case err != nil:
			return nil, err
		default:
			all = append(all, seen{c, id})
		}
	}
	return all, nil
}

func (w *World) whose() string {
	if w.config.Project != "" {
		return "project " + w.config.Project
	}
	return fmt.Sprintf("labels %v", w.config.Labels)
}

// inspect looks at a container by its ID or name.
func (w *World) inspect(ctx context.Context, id string) (container.InspectResponse, faults.Identity, error) {
	ctx, done := brief(ctx)
	defer done()
	c, err := w.docker.ContainerInspect(ctx, id)
	if err != nil {
		return c, faults.Identity{}, translate(err, "look at container "+short(id))
	}
	born, err := time.Parse(time.RFC3339Nano, c.State.StartedAt)
	if err != nil {
		return c, faults.Identity{}, fmt.Errorf("look at container %s: read its start time: %w", short(id), err)
	}
	protect, is := c.Config.Labels[labelProtect]
	return c, faults.Identity{Service: c.Config.Labels[labelService], ID: c.ID, Born: born, Process: c.State.Pid,
		Name: strings.TrimPrefix(c.Name, "/"), Protected: is && protect != "false"}, nil
}

func short(id string) string { return id[:min(12, len(id))] }

// Incarnation looks at exactly this container. A paused one is running.
func (w *World) Incarnation(ctx context.Context, id faults.Identity) (faults.Identity, bool, error) {
	c, now, err := w.inspect(ctx, id.ID)
	if err != nil {
		return faults.Identity{}, false, w.goneOrReplaced(ctx, id, err)
	}
	return now, c.State.Running, nil
}

// goneOrReplaced tells a container that is gone from one whose name something else has now.
func (w *World) goneOrReplaced(ctx context.Context, id faults.Identity, err error) error {
	if !errors.Is(err, faults.ErrNotFound) || id.Name == "" {
		return err
	}
	if _, other, oerr := w.inspect(ctx, id.Name); oerr == nil && other.ID != id.ID {
		return fmt.Errorf("container %s (%s): %w: %w", id.Name, short(id.ID), faults.ErrReplaced, err) // the one that was meant is gone
	}
	return err
}

// exactly looks at a container and insists on the incarnation that was meant.
func (w *World) exactly(ctx context.Context, id faults.Identity) (container.InspectResponse, error) {
	c, now, err := w.inspect(ctx, id.ID)
	if err != nil {
		return c, w.goneOrReplaced(ctx, id, err)
	}
	if !now.Born.Equal(id.Born) {
		return c, fmt.Errorf("container %s was started again at %s: %w", id.Name, now.Born.Format(time.RFC3339), faults.ErrReplaced)
	}
	if now.Protected {
		return c, fmt.Errorf("container %s: %w", id.Name, faults.ErrProtected)
	}
	return c, nil
}

// Route finds the port of a path. The second end may name it: mail:143 or mail:imap. A from whose network namespace is not
// its own is refused here already, before anything is touched.
func (w *World) Route(ctx context.Context, from, to string) (faults.Path, error) {
	p, err := w.route(from, to)
	if err != nil {
		return p, err
	}
	if o, is := w.config.Outside[from]; is {
		return p, fmt.Errorf("service %s is outside, at %s, where candor cannot go", from, o.Host)
	}
	ends, err := w.all(ctx, from)
	if err != nil {
		return p, err
	}
	for _, c := range ends {
		if err := ownNamespace(c.InspectResponse, c.id); err != nil {
			return p, err
		}
	}
	return p, nil
}

func (w *World) route(from, to string) (faults.Path, error) {
	service, wanted, named := strings.Cut(to, ":")
	for _, name := range []string{from, service} {
		if _, known := w.config.Services[name]; !known {
			return faults.Path{}, fmt.Errorf("service %s is not in system %s: %w", name, w.config.System, faults.ErrNotFound)
		}
	}
	ports := w.config.Services[service]
	p := faults.Path{From: from, To: service}
	if named {
		number, err := strconv.Atoi(wanted)
		if err != nil {
			number = ports[wanted]
		}
		if number <= 0 || number > 65535 {
			return p, fmt.Errorf("service %s has no port %q: %w", service, wanted, faults.ErrNotFound)
		}
		p.Port = number
		return p, nil
	}
	switch len(ports) {
	case 0:
		return p, fmt.Errorf("service %s has no port in the system's definition: %w", service, faults.ErrNotFound)
	case 1:
		for _, p.Port = range ports {
		}
		return p, nil
	}
	return p, fmt.Errorf("service %s has several ports (%s), name one as %s:PORT: %w", service,
		strings.Join(slices.Sorted(maps.Keys(ports)), ", "), service, faults.ErrAmbiguous)
}

// Status is what the docker probe sees: the engine's word for the state, the health check's (empty without one), and how
// often the engine restarted it. Of several replicas it is the word for the first that is not as the others ought to be
// (not running, not healthy), and all restarts together.
func (w *World) Status(ctx context.Context, service string) (state, health string, restarts int, err error) {
	all, err := w.all(ctx, service)
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("service %s: no container of %s: %w", service, w.whose(), faults.ErrNotFound)
	}
	if err != nil {
		return "", "", 0, err
	}
	for _, c := range all {
		if state == "" || state == "running" {
			state = c.State.Status
		}
		if c.State.Health != nil && (health == "" || health == "healthy") {
			health = c.State.Health.Status
		}
		restarts += c.RestartCount
	}
	return state, health, restarts, nil
}

// everywhere are the addresses of a container in all of its networks.
func everywhere(c container.InspectResponse) (all []netip.Addr) {
	for _, there := range c.NetworkSettings.Networks {
		if there != nil {
			all = append(all, addressesOf(there)...)
		}
	}
	return all
}

func addressesOf(e *network.EndpointSettings) (all []netip.Addr) {
	for _, text := range []string{e.IPAddress, e.GlobalIPv6Address} {
		if a, err := netip.ParseAddr(text); err == nil {
			all = append(all, a)
		}
	}
	return all
}

// reachable are the addresses at which one container sees another: those in the networks that they share. None while the
// other does not run.
func reachable(from, to container.InspectResponse) []netip.Addr {
	if !to.State.Running {
		return nil
	}
	var all []netip.Addr
	for name, there := range to.NetworkSettings.Networks {
		if here, shared := from.NetworkSettings.Networks[name]; !shared || here == nil || there == nil {
			continue
		}
		all = append(all, addressesOf(there)...)
	}
	slices.SortFunc(all, netip.Addr.Compare)
	return all
}
