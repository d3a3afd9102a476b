package docker

import (
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

// Find finds the one container of a service, running or not.
func (w *World) Find(ctx context.Context, service string) (faults.Identity, error) {
	ctx, done := brief(ctx)
	defer done()
	f := w.selector()
	f.Add("label", labelService+"="+service)
	found, err := w.docker.ContainerList(ctx, container.ListOptions{All: true, Filters: f})
	if err != nil {
		return faults.Identity{}, translate(err, "find service "+service)
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
		names = append(names, strings.TrimPrefix(c.Names[0], "/"))
	}
	slices.Sort(names)
	return faults.Identity{}, fmt.Errorf("service %s: %d containers (%s): %w", service, len(found), strings.Join(names, ", "), faults.ErrAmbiguous)
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
		return fmt.Errorf("container %s (%s): %w", id.Name, short(id.ID), faults.ErrReplaced)
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
	id, err := w.Find(ctx, from)
	if err != nil {
		return p, err
	}
	c, _, err := w.inspect(ctx, id.ID)
	if err != nil {
		return p, err
	}
	return p, ownNamespace(c, id)
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
// often the engine restarted it.
func (w *World) Status(ctx context.Context, service string) (state, health string, restarts int, err error) {
	id, err := w.Find(ctx, service)
	if err != nil {
		return "", "", 0, err
	}
	c, _, err := w.inspect(ctx, id.ID)
	if err != nil {
		return "", "", 0, err
	}
	if c.State.Health != nil {
		health = c.State.Health.Status
	}
	return c.State.Status, health, c.RestartCount, nil
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
		for _, text := range []string{there.IPAddress, there.GlobalIPv6Address} {
			if a, err := netip.ParseAddr(text); err == nil {
				all = append(all, a)
			}
		}
	}
	slices.SortFunc(all, netip.Addr.Compare)
	return all
}
