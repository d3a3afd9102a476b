package docker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"

	"github.com/candor-chaos/candor/faults"
)

// Leftovers looks for everything of a run that is still there: containers of ours, tables in the namespaces in which this
// world worked, and services of the system that stand frozen.
func (w *World) Leftovers(ctx context.Context, run string) ([]string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := filters.NewArgs(filters.Arg("label", labelRun+"="+run))
	ours, err := w.docker.ContainerList(ctx, container.ListOptions{All: true, Filters: f})
	if err != nil {
		return nil, translate(err, "look for what is left")
	}
	var left []string
	for _, c := range ours {
		left = append(left, fmt.Sprintf("container %s (%s)", strings.TrimPrefix(c.Names[0], "/"), c.State))
	}
	f = w.selector()
	f.Add("status", "paused")
	frozen, err := w.docker.ContainerList(ctx, container.ListOptions{All: true, Filters: f})
	if err != nil {
		return left, translate(err, "look for paused containers")
	}
	for _, c := range frozen {
		left = append(left, fmt.Sprintf("container %s is paused", strings.TrimPrefix(c.Names[0], "/")))
	}
	for _, service := range slices.Sorted(maps.Keys(w.looked)) {
		id, err := w.Find(ctx, service)
		if errors.Is(err, faults.ErrNotFound) {
			continue
		}
		if err != nil {
			return left, err
		}
		sight, err := w.look(ctx, id)
		if err != nil {
			return left, err
		}
		if sight.Table {
			left = append(left, fmt.Sprintf("an nftables table in the namespace of %s, with %d rules", service, len(sight.Rules)))
		}
	}
	return left, nil
}
