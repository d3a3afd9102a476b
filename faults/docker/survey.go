package docker

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/agent"
)

// Survey looks at what is there after a run, or of any run of the system when run is empty: containers of candor's own,
// tables in the namespaces of the system (where candor cannot enter them itself, in those in which this world worked),
// services that stand frozen, have lost a network or a limit, and temporary files. With a memory of how the system stood
// (Remember) it also says what is not candor's doing and yet not as before.
func (w *World) Survey(ctx context.Context, run string) (faults.Aftermath, error) {
	ctx, leave, err := w.enter(ctx)
	if err != nil {
		return faults.Aftermath{}, err
	}
	defer leave()
	var after faults.Aftermath
	ours, err := w.ours(ctx, run)
	if err != nil {
		return after, err
	}
	for _, c := range ours {
		role := c.Labels[labelRole]
		own := run == "" && c.Labels[labelRun] == w.config.Run // what this very run has is none of another's
		if !own && role != roleLock && !(role == roleGuardian && w.options.Guardian) {
			after.Left = append(after.Left, fmt.Sprintf("container %s (%s)", nameOf(c), c.State))
		}
	}
	standing, err := w.standing(ctx)
	if err != nil {
		return after, err
	}
	w.compare(standing, &after)
	for _, s := range standing {
		table, err := w.tableBeside(ctx, s, run)
		if err != nil {
			return after, err
		}
		if table != "" {
			after.Left = append(after.Left, table)
		}
	}
	files, err := filepath.Glob(filepath.Join(os.TempDir(), "candor-"+w.config.Run+"*"))
	if err != nil {
		return after, fmt.Errorf("look for temporary files: %w", err)
	}
	for _, f := range files {
		after.Left = append(after.Left, "temporary file "+f)
	}
	return after, nil
}

// ours lists candor's own containers of a run, or of every run of the system.
func (w *World) ours(ctx context.Context, run string) ([]container.Summary, error) {
	f := filters.NewArgs(filters.Arg("label", labelSystem+"="+w.config.System), filters.Arg("label", labelRun))
	if run != "" {
		f = filters.NewArgs(filters.Arg("label", labelRun+"="+run))
	}
	found, err := w.docker.ContainerList(ctx, container.ListOptions{All: true, Filters: f})
	return found, translate(err, "look for what is left")
}

// Sweep removes what a dead run left half asked for: helpers that were made and perhaps not started yet. A guardian that
// lives is at this very work; the lock keeps others away until the end.
func (w *World) Sweep(ctx context.Context, run string, end bool) error {
	ctx, leave, err := w.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	found, err := w.ours(ctx, run)
	for _, c := range found {
		role := c.Labels[labelRole]
		if c.State == container.StateRunning && (role == roleGuardian || role == roleLock && !end) {
			continue
		}
		if rerr := w.remove(ctx, c.ID); rerr != nil && err == nil {
			err = rerr
		}
	}
	return err
}

// tableBeside looks for a run's table in the namespace of one of the system's containers, where one could be.
func (w *World) tableBeside(ctx context.Context, s Standing, run string) (string, error) {
	if !s.Running || !s.ownNetwork {
		return "", nil
	}
	at := faults.Identity{Service: s.Service, ID: s.ID, Process: s.process}
	sight, looked := inPlace(at, run)
	if !looked && !w.looked[s.Service] {
		return "", nil // a table goes with its agent, which would be listed; a container for each service is too much
	}
	if !looked {
		var err error
		if sight, err = w.look(ctx, at, run); err != nil {
			return "", err
		}
	}
	if !sight.Table {
		return "", nil
	}
	return fmt.Sprintf("an nftables table in the namespace of %s, with %d rules", s.Name, len(sight.Rules)), nil
}

func nameOf(c container.Summary) string { return strings.TrimPrefix(c.Names[0], "/") }

// inPlace looks into a namespace without a container in between, which is possible where candor runs on the engine's own
// host and may enter it.
func inPlace(at faults.Identity, run string) (agent.Sight, bool) {
	groups, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", at.Process))
	if err != nil || at.Process == 0 || !strings.Contains(string(groups), at.ID) {
		return agent.Sight{}, false
	}
	sight, err := agent.LookBeside(at.Process, run)
	return sight, err == nil
}
