package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/pkg/stdcopy"

	"github.com/candor-chaos/candor/faults"
)

// errorLimit bounds what is kept of a helper's standard error.
const errorLimit = 4 << 10

// own is a container of candor's own that runs its own binary: no capability but those named, nothing writable, no port.
type own struct {
	name         string
	role         string // what it is for: agent, look, signal, limit, lock or guardian
	args         []string
	labels       map[string]string // beside those that all of ours carry
	mounts       []mount.Mount
	alone        bool     // its name is exclusive: one that is there already is not ours to remove
	network      string   // network mode
	pid          string   // PID mode
	groups       string   // mode of the namespace of control groups; the engine's own choice when empty
	capabilities []string // beside none
	user         string
	input        bool // keep standard input open, and let its end be the container's, which then removes itself
}

// create makes the container and attaches to it before it starts, so that nothing that it says is missed.
func (w *World) create(ctx context.Context, o own) (id string, streams types.HijackedResponse, err error) {
	image, err := w.ownImage(ctx)
	if err != nil {
		return "", streams, err
	}
	config := &container.Config{Image: image, Cmd: o.args, User: o.user, OpenStdin: o.input, StdinOnce: o.input,
		AttachStdin: o.input, AttachStdout: true, AttachStderr: true,
		Labels: map[string]string{labelRun: w.config.Run, labelSystem: w.config.System, labelRole: o.role}}
	maps.Copy(config.Labels, o.labels)
	host := &container.HostConfig{NetworkMode: container.NetworkMode(o.network), PidMode: container.PidMode(o.pid), CgroupnsMode: container.CgroupnsMode(o.groups),
		CapDrop: []string{"ALL"}, CapAdd: o.capabilities, ReadonlyRootfs: true, SecurityOpt: []string{"no-new-privileges"},
		AutoRemove: o.input, Mounts: o.mounts, LogConfig: container.LogConfig{Type: "none"}}
	if ctx.Err() != nil {
		return "", streams, context.Cause(ctx)
	}
	// Once asked for it is finished, whatever ends the caller meanwhile: an engine goes on making what nobody waits for.
	whole, done := context.WithTimeout(context.WithoutCancel(ctx), createTime)
	defer done()
	if id, streams, err = w.made(whole, config, host, o); err == nil && ctx.Err() != nil {
		streams.Close()
		return "", streams, errors.Join(context.Cause(ctx), w.remove(context.WithoutCancel(ctx), id))
	}
	return id, streams, err
}

// createTime bounds the making of one container of ours.
const createTime = 45 * time.Second

// made makes, attaches and starts.
func (w *World) made(ctx context.Context, config *container.Config, host *container.HostConfig, o own) (id string, streams types.HijackedResponse, err error) {
	made, err := w.place(ctx, config, host, o)
	if err != nil {
		return "", streams, translate(err, "make container "+o.name)
	}
	streams, err = w.docker.ContainerAttach(ctx, made.ID, container.AttachOptions{Stream: true, Stdin: o.input, Stdout: true, Stderr: true})
	if err == nil {
		if err = w.docker.ContainerStart(ctx, made.ID, container.StartOptions{}); err == nil {
			return made.ID, streams, nil
		}
		streams.Close()
	}
	return "", streams, errors.Join(translate(err, "start container "+o.name), w.remove(context.WithoutCancel(ctx), made.ID))
}

// place makes a container, over two things that can be in its way: one of the same name from before a restart of its
// target, and that somebody has removed the image since it was made.
func (w *World) place(ctx context.Context, c *container.Config, h *container.HostConfig, o own) (container.CreateResponse, error) {
	made, err := w.docker.ContainerCreate(ctx, c, h, nil, nil, o.name)
	switch {
	case errdefs.IsConflict(err) && !o.alone:
		err = w.removeOurs(ctx, o.name)
	case errdefs.IsNotFound(err):
		w.image = ""
		_, err = w.ownImage(ctx)
	default:
		return made, err
	}
	if err != nil {
		return made, err
	}
	return w.docker.ContainerCreate(ctx, c, h, nil, nil, o.name)
}

// remove removes a container of ours, running or not. None is no error.
func (w *World) remove(ctx context.Context, id string) error {
	err := w.docker.ContainerRemove(ctx, id, container.RemoveOptions{Force: true, RemoveVolumes: true})
	if err == nil || errdefs.IsNotFound(err) || errdefs.IsConflict(err) { // conflict: its removal is under way
		return w.untilGone(ctx, id)
	}
	return translate(err, "remove container "+short(id))
}

// removeOurs removes a container of this run by its name. None is no error; one that is not the run's is left alone.
func (w *World) removeOurs(ctx context.Context, name string) error {
	c, _, err := w.inspect(ctx, name)
	switch {
	case errors.Is(err, faults.ErrNotFound):
		return nil
	case err != nil:
		return err
	case c.Config.Labels[labelRun] != w.config.Run:
		return fmt.Errorf("container %s is not of run %s: %w", name, w.config.Run, faults.ErrReplaced)
	}
	return w.remove(ctx, c.ID)
}

// untilGone waits until the engine no longer knows a container.
func (w *World) untilGone(ctx context.Context, id string) error {
	for {
		_, err := w.docker.ContainerInspect(ctx, id)
		if errdefs.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return translate(err, "wait for the removal of container "+short(id))
		}
		if err := rest(ctx, pollEvery); err != nil {
			return fmt.Errorf("wait for the removal of container %s: %w", short(id), err)
		}
	}
}

// job runs a short-lived container to its end and returns what it printed.
func (w *World) job(ctx context.Context, o own) ([]byte, error) {
	id, streams, err := w.create(ctx, o)
	if err != nil {
		return nil, err
	}
	defer streams.Close()
	out, complaint := &capped{limit: 1 << 20}, &capped{limit: errorLimit}
	read := make(chan error, 1)
	go func() {
		_, err := stdcopy.StdCopy(out, complaint, streams.Reader)
		read <- err
	}()
	ended, failed := w.docker.ContainerWait(ctx, id, container.WaitConditionNotRunning)
	var status int64
	select {
	case e := <-ended:
		status = e.StatusCode
		err = <-read
	case err = <-failed:
	}
	err = errors.Join(err, w.remove(context.WithoutCancel(ctx), id))
	if err == nil && status != 0 {
		err = fmt.Errorf("%s: %s", o.name, bytes.TrimSpace(complaint.bytes()))
	}
	return out.bytes(), err
}

// capped keeps the beginning of what is written.
type capped struct {
	limit int

	mu   sync.Mutex
	kept bytes.Buffer
}

func (c *capped) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept.Write(p[:min(len(p), max(0, c.limit-c.kept.Len()))])
	return len(p), nil
}

func (c *capped) bytes() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Clone(c.kept.Bytes())
}

// readLogs reads a multiplexed stream of logs, both outputs together.
func readLogs(stream io.Reader) (string, error) {
	out := &capped{limit: 64 << 10}
	if _, err := stdcopy.StdCopy(out, out, stream); err != nil {
		return "", fmt.Errorf("read logs: %w", err)
	}
	return string(out.bytes()), nil
}
