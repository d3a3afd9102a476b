package docker

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"

	"github.com/candor-chaos/candor/faults"
)

// Leftovers looks for everything of a run that is still there, or of all runs when run is empty: containers of ours,
// tables in the namespaces in which this world worked (in every namespace of the system when it has not worked in any),
// and services of the system that stand frozen.
func (w *World) Leftovers(ctx context.Context, run string) ([]string, error) {
	ctx, leave, err := w.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	f := filters.NewArgs(filters.Arg("label", labelRun))
	if run != "" {
		f = filters.NewArgs(filters.Arg("label", labelRun+"="+run))
	}
	ours, err := w.docker.ContainerList(ctx, container.ListOptions{All: true, Filters: f})
	if err != nil {
		return nil, translate(err, "look for what is left")
	}
	var left []string
	for _, c := range ours {
		left = append(left, fmt.Sprintf("container %s (%s)", nameOf(c), c.State))
	}
	theirs, err := w.docker.ContainerList(ctx, container.ListOptions{All: true, Filters: w.selector()})
	if err != nil {
		return left, translate(err, "look for what is left in the system")
	}
	for _, c := range theirs {
		if c.State == container.StatePaused {
			left = append(left, fmt.Sprintf("container %s is paused", nameOf(c)))
		}
		table, err := w.tableBeside(ctx, c, run)
		if err != nil {
			return left, err
		}
		if table != "" {
			left = append(left, table)
		}
	}
	return left, nil
}

// tableBeside looks for a run's table in the namespace of one of the system's containers, where one could be.
func (w *World) tableBeside(ctx context.Context, c container.Summary, run string) (string, error) {
	service := c.Labels[labelService]
	elsewhere := len(w.looked) > 0 && !slices.Contains(slices.Collect(maps.Keys(w.looked)), service)
	alive := c.State == container.StateRunning || c.State == container.StatePaused
	mode := container.NetworkMode(c.HostConfig.NetworkMode)
	if elsewhere || !alive || mode.IsHost() || mode.IsContainer() {
		return "", nil
	}
	sight, err := w.look(ctx, faults.Identity{Service: service, ID: c.ID}, run)
	if err != nil || !sight.Table {
		return "", err
	}
	return fmt.Sprintf("an nftables table in the namespace of %s, with %d rules", nameOf(c), len(sight.Rules)), nil
}

func nameOf(c container.Summary) string { return strings.TrimPrefix(c.Names[0], "/") }
