package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/docker/docker/api/types/mount"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/agent"
)

// groupsInside is where a helper finds the control groups of its host.
const groupsInside = "/cgroup"

// Allowance reads the control group of exactly this incarnation: in place where candor runs on the engine's own host, else
// by a helper.
func (w *World) Allowance(ctx context.Context, id faults.Identity) (faults.Allowance, error) {
	c, err := w.exactly(ctx, id)
	if errors.Is(err, faults.ErrProtected) {
		err = nil // a look touches nothing
	}
	if err != nil {
		return faults.Allowance{}, err
	}
	if allowed, err := agent.GroupAllowance(agent.GroupRoot, c.State.Pid, id.ID); err == nil {
		return allowed, nil
	}
	ctx, leave, err := w.enter(ctx)
	if err != nil {
		return faults.Allowance{}, err
	}
	defer leave()
	return w.limit(ctx, id)
}

// LimitCPU writes into the control group of exactly this incarnation.
func (w *World) LimitCPU(ctx context.Context, id faults.Identity, quota, period int64) error {
	return w.limits(ctx, id, "-quota", strconv.FormatInt(quota, 10), "-period", strconv.FormatInt(period, 10))
}

// LimitMemory writes into the control group of exactly this incarnation.
func (w *World) LimitMemory(ctx context.Context, id faults.Identity, bytes int64) error {
	return w.limits(ctx, id, "-memory", strconv.FormatInt(bytes, 10))
}

func (w *World) limits(ctx context.Context, id faults.Identity, what ...string) error {
	ctx, leave, err := w.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if _, err := w.exactly(ctx, id); err != nil {
		return err
	}
	_, err = w.limit(ctx, id, what...)
	if _, now := w.exactly(ctx, id); err != nil && now != nil {
		err = now // it was another one already when the limit came
	}
	return err
}

// limit runs the helper. It shares the host's process and control group namespaces, because a container's own show it
// neither; that it writes needs no capability, since the files are root's.
func (w *World) limit(ctx context.Context, id faults.Identity, what ...string) (allowed faults.Allowance, err error) {
	c, err := w.exactly(ctx, id)
	if err != nil && !errors.Is(err, faults.ErrProtected) {
		return allowed, err
	}
	out, err := w.job(ctx, own{name: "candor-limit-" + w.config.Run + "-" + id.Service, role: roleLimit, network: "none",
		pid: "host", groups: "host", user: "0:0",
		args:   append([]string{"agent", "limit", "-pid", strconv.Itoa(c.State.Pid), "-in", id.ID, "-root", groupsInside}, what...),
		mounts: []mount.Mount{{Type: mount.TypeBind, Source: agent.GroupRoot, Target: groupsInside, ReadOnly: len(what) == 0}}})
	if err == nil {
		err = json.Unmarshal(out, &allowed)
	}
	if err != nil {
		return allowed, fmt.Errorf("limits of container %s: %w", id.Name, err)
	}
	return allowed, nil
}
