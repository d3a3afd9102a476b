package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/google/nftables"
)

// standing is how one container stands, by every witness.
type standing struct {
	ID, Name        string
	Running, Paused bool
	Networks        map[string]string // aliases by network
	Cgroup          map[string]string // value by file
	Tables          []string          // nftables in its network namespace
}

// look looks at every container of a project, all at once.
func look(ctx context.Context, e *engine, project string) ([]standing, error) {
	all, err := e.containers(ctx, "com.docker.compose.project="+project)
	if err != nil {
		return nil, err
	}
	stand := make([]standing, len(all))
	failed := make([]error, len(all))
	var together sync.WaitGroup
	for i, c := range all {
		together.Go(func() { stand[i], failed[i] = lookAt(ctx, e, c.ID) })
	}
	together.Wait()
	stand = slices.DeleteFunc(stand, func(s standing) bool { return s.ID == "" }) // gone between the two questions
	return stand, errors.Join(failed...)
}

func lookAt(ctx context.Context, e *engine, id string) (standing, error) {
	var c inspected
	if found, err := e.get(ctx, "/containers/"+id+"/json", &c); err != nil || !found {
		return standing{}, err
	}
	s := standing{ID: c.ID, Name: strings.TrimPrefix(c.Name, "/"), Running: c.State.Running, Paused: c.State.Paused,
		Networks: map[string]string{}}
	for name, n := range c.NetworkSettings.Networks {
		slices.Sort(n.Aliases)
		s.Networks[name] = strings.Join(slices.Compact(n.Aliases), " ")
	}
	if c.State.Pid == 0 {
		return s, nil
	}
	var err error
	if s.Cgroup, err = cgroup(c.State.Pid); err == nil {
		s.Tables, err = tables(c.State.Pid)
	}
	if err != nil && ended(c.State.Pid) {
		return s, nil // it ended while it was looked at, and took all of this with it
	}
	if err != nil {
		return s, fmt.Errorf("look at %s: %w", s.Name, err)
	}
	return s, nil
}

func ended(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(stat), ") Z ")
}

// limits are the files that hold what a fault may have changed, by controller; "" is the one hierarchy of version 2.
var limits = map[string][]string{
	"cpu":     {"cpu.cfs_quota_us"},
	"memory":  {"memory.limit_in_bytes"},
	"pids":    {"pids.max"},
	"freezer": {"freezer.state"},
	"":        {"cpu.max", "memory.max", "memory.high", "pids.max", "cgroup.freeze"},
}

// cgroup reads the limits that are in force on a process. A file that is not there is no limit.
func cgroup(pid int) (map[string]string, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	for line := range strings.Lines(string(data)) {
		part := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(part) != 3 {
			return nil, fmt.Errorf("cgroup line %q", line)
		}
		for _, controller := range strings.Split(part[1], ",") {
			for _, file := range limits[controller] {
				value, err := os.ReadFile(filepath.Join("/sys/fs/cgroup", controller, part[2], file))
				if errors.Is(err, fs.ErrNotExist) {
					continue
				}
				if err != nil {
					return nil, err
				}
				values[file] = strings.TrimSpace(string(value))
			}
		}
	}
	return values, nil
}

// tables lists the nftables tables in the network namespace of a process.
func tables(pid int) ([]string, error) {
	space, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", pid))
	if err != nil {
		return nil, err
	}
	defer space.Close()
	conn, err := nftables.New(nftables.WithNetNSFd(int(space.Fd())))
	if err != nil {
		return nil, err
	}
	all, err := conn.ListTables()
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	names := map[string]bool{}
	for _, t := range all {
		names[t.Name] = true
	}
	return slices.Sorted(maps.Keys(names)), nil
}

// compare says in sentences how a system stands worse or otherwise than before.
func compare(before, now []standing) []string {
	var left []string
	for _, n := range now {
		i := slices.IndexFunc(before, func(b standing) bool { return b.ID == n.ID })
		known := i >= 0
		var b standing
		if known {
			b = before[i]
		}
		if n.Paused && !b.Paused {
			left = append(left, n.Name+" is paused")
		}
		if known && b.Running && !n.Running {
			left = append(left, n.Name+" does not run, and did before")
		}
		for _, table := range n.Tables {
			if strings.HasPrefix(table, "candor") || known && n.Running && !slices.Contains(b.Tables, table) {
				left = append(left, fmt.Sprintf("nftables table %s is in the namespace of %s", table, n.Name))
			}
		}
		if known {
			left = append(left, differ(n.Name, "network", b.Networks, n.Networks)...)
		}
		if known && n.Cgroup != nil {
			left = append(left, differ(n.Name, "cgroup file", b.Cgroup, n.Cgroup)...)
		}
	}
	return left
}

// differ names what is not as it was in two maps of the same meaning.
func differ(name, what string, before, now map[string]string) []string {
	keys := maps.Clone(before)
	if keys == nil {
		keys = map[string]string{}
	}
	maps.Copy(keys, now)
	var left []string
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		was, had := before[key]
		is, has := now[key]
		if had != has || was != is {
			left = append(left, fmt.Sprintf("%s: %s %s is %q, was %q", name, what, key, is, was))
		}
	}
	return left
}
