package docker

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"
	"golang.org/x/sync/errgroup"

	"github.com/candor-chaos/candor/faults"
)

// Standing is how one container of the system stands.
type Standing struct {
	Service  string   `json:"service"`
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Running  bool     `json:"running"`
	Paused   bool     `json:"paused,omitempty"`
	Started  string   `json:"started"`         // of this incarnation, as the engine writes it
	Networks []string `json:"networks"`        // each with its aliases
	Limits   string   `json:"limits"`          // of processor and memory, as the engine has them
	Group    string   `json:"group,omitempty"` // the same as its control group has them, where that is in sight

	process    int
	ownNetwork bool // its network namespace is its own
}

// Remember keeps how the system stands before a run, so that Survey can say what is different after it. It reads only.
func (w *World) Remember(ctx context.Context) (err error) {
	w.config.Before, err = w.standing(ctx)
	return err
}

// Memo is what opens this world again, for a journal.
func (w *World) Memo() (json.RawMessage, error) { return json.Marshal(w.config) }

// standing looks at every container of the system.
func (w *World) standing(ctx context.Context) ([]Standing, error) {
	found, err := w.docker.ContainerList(ctx, container.ListOptions{All: true, Filters: w.selector()})
	if err != nil {
		return nil, translate(err, "look how the system stands")
	}
	all := make([]Standing, len(found))
	var together errgroup.Group
	together.SetLimit(8)
	for i, c := range found {
		together.Go(func() error {
			seen, id, err := w.inspect(ctx, c.ID)
			if isGone(err) {
				return nil
			}
			if err == nil {
				all[i] = stands(seen, id)
			}
			return err
		})
	}
	err = together.Wait()
	all = slices.DeleteFunc(all, func(s Standing) bool { return s.ID == "" })
	slices.SortFunc(all, func(a, b Standing) int { return strings.Compare(a.Name, b.Name) })
	return all, err
}

func stands(c container.InspectResponse, id faults.Identity) Standing {
	s := Standing{Service: id.Service, ID: id.ID, Name: id.Name, Running: c.State.Running, Paused: c.State.Paused,
		Started: c.State.StartedAt, process: id.Process, Networks: []string{}}
	mode := c.HostConfig.NetworkMode
	s.ownNetwork = !mode.IsHost() && !mode.IsContainer()
	for name, n := range c.NetworkSettings.Networks {
		aliases := slices.Clone(n.Aliases)
		slices.Sort(aliases)
		s.Networks = append(s.Networks, strings.TrimSpace(name+" "+strings.Join(aliases, " ")))
	}
	slices.Sort(s.Networks)
	r := c.HostConfig.Resources
	s.Limits = fmt.Sprintf("cpus %d quota %d memory %d", r.NanoCPUs, r.CPUQuota, r.Memory)
	s.Group = groupLimits(id.Process, id.ID)
	return s
}

// groupLimits reads the limits of a container's control group, versions 1 and 2, where the host's are in sight: what is
// written there past the engine is not in the engine's own record. It is empty elsewhere.
func groupLimits(process int, container string) string {
	if process == 0 {
		return ""
	}
	groups, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", process))
	if err != nil {
		return ""
	}
	var limits []string
	for line := range strings.Lines(string(groups)) {
		_, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, path, _ := strings.Cut(rest, ":")
		if !strings.Contains(path, container) {
			continue
		}
		folder := "/sys/fs/cgroup"
		if controllers != "" {
			folder = filepath.Join(folder, controllers)
		}
		for _, name := range []string{"cpu.max", "memory.max", "cpu.cfs_quota_us", "memory.limit_in_bytes"} {
			if value, err := os.ReadFile(filepath.Join(folder, path, name)); err == nil {
				limits = append(limits, name+" "+strings.TrimSpace(string(value)))
			}
		}
	}
	slices.Sort(limits)
	return strings.Join(limits, ", ")
}

// compare says what is not as it was. That a container was stopped, started again, replaced or removed meanwhile is
// somebody else's act or its own fate, because what candor kills it owes and starts again; that it stands frozen, or
// misses a network or a limit, would be candor's.
func (w *World) compare(now []Standing, after *faults.Aftermath) {
	if w.config.Before == nil {
		for _, s := range now {
			if s.Paused {
				after.Left = append(after.Left, fmt.Sprintf("container %s is paused", s.Name))
			}
		}
		return
	}
	for _, b := range w.config.Before {
		i := slices.IndexFunc(now, func(s Standing) bool { return s.ID == b.ID })
		if i < 0 {
			after.Changed = append(after.Changed, fmt.Sprintf("container %s is gone since the run began", b.Name))
			continue
		}
		w.memory.Lock()
		if w.raised[b.ID] {
			b.Started = now[i].Started
		}
		w.memory.Unlock()
		differ(b, now[i], after)
	}
	for _, s := range now {
		if !slices.ContainsFunc(w.config.Before, func(b Standing) bool { return b.ID == s.ID }) {
			after.Changed = append(after.Changed, fmt.Sprintf("container %s is new since the run began", s.Name))
		}
	}
}

func differ(b, now Standing, after *faults.Aftermath) {
	switch {
	case b.Running && !now.Running:
		after.Changed = append(after.Changed, fmt.Sprintf("container %s ran before the run and does not run now", b.Name))
		return
	case !b.Running && now.Running:
		after.Changed = append(after.Changed, fmt.Sprintf("container %s did not run before the run and runs now", b.Name))
		return
	case now.Paused && !b.Paused:
		after.Left = append(after.Left, fmt.Sprintf("container %s is paused", b.Name))
	case b.Paused && !now.Paused:
		after.Changed = append(after.Changed, fmt.Sprintf("container %s was paused before the run and is not now", b.Name))
	case b.Started != now.Started:
		after.Changed = append(after.Changed, fmt.Sprintf("container %s was started again during the run", b.Name))
	}
	if !slices.Equal(b.Networks, now.Networks) {
		after.Left = append(after.Left, fmt.Sprintf("container %s is in networks %v, and was in %v", b.Name, now.Networks, b.Networks))
	}
	if b.Running && b.Limits != now.Limits {
		after.Left = append(after.Left, fmt.Sprintf("container %s has limits %s, and had %s", b.Name, now.Limits, b.Limits))
	}
	if b.Group != "" && now.Group != "" && b.Group != now.Group {
		after.Left = append(after.Left, fmt.Sprintf("the control group of container %s has %s, and had %s", b.Name, now.Group, b.Group))
	}
}
