package docker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/go-connections/nat"
	"golang.org/x/sync/errgroup"

	"github.com/candor-chaos/candor/faults"
)

// Stack is a system to practise on: containers on a network of their own, labelled as compose labels them. The demo and
// the tests bring it up and take it down.
type Stack struct {
	Project    string
	Containers []StackContainer
}

// StackContainer is one service of a stack.
type StackContainer struct {
	Service string
	Number  int    // which of its replicas; 1 when 0
	Image   string // the image of candor's own binary when empty
	Command []string
	Env     []string          // NAME=value
	Publish map[int]int       // port inside → port on the loopback interface of this machine; 0: any free one
	Binds   map[string]string // folder on this machine → folder inside
	Labels  map[string]string
	User    string
	Restart string // restart policy; none when empty
	Stdin   bool
}

// Up makes the stack and starts it. The ports that were published come back by service and port inside. What was made
// before a failure is taken down again.
func (w *World) Up(ctx context.Context, s Stack) (map[string]map[int]int, error) {
	if err := w.Down(ctx, s.Project); err != nil {
		return nil, err
	}
	ports, err := w.up(ctx, s)
	if err != nil {
		return nil, errors.Join(err, w.Down(context.WithoutCancel(ctx), s.Project))
	}
	return ports, nil
}

func (w *World) up(ctx context.Context, s Stack) (map[string]map[int]int, error) {
	labels := map[string]string{labelStack: s.Project}
	if _, err := w.docker.NetworkCreate(ctx, s.Project, network.CreateOptions{Labels: labels}); err != nil {
		return nil, translate(err, "make network "+s.Project)
	}
	own, err := w.Image(ctx)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(s.Containers))
	var together errgroup.Group
	together.SetLimit(4)
	for i, c := range s.Containers {
		if c.Image == "" {
			c.Image = own
		}
		together.Go(func() (err error) {
			// Between choosing a free port and listening on it somebody else may take it: choose again.
			for range startTries {
				if ids[i], err = w.addTo(ctx, s.Project, c); err == nil || ctx.Err() != nil || !c.choosesPorts() {
					return err
				}
				if rerr := w.remove(ctx, c.name(s.Project)); rerr != nil {
					return errors.Join(err, rerr)
				}
			}
			return err
		})
	}
	if err := together.Wait(); err != nil {
		return nil, err
	}
	ports := map[string]map[int]int{}
	for i, c := range s.Containers {
		published, err := w.published(ctx, ids[i])
		if err != nil {
			return nil, err
		}
		if ports[c.Service] == nil { // of replicas the first
			ports[c.Service] = published
		}
	}
	return ports, nil
}

// startTries is how often a container is started whose ports are of our own choice.
const startTries = 5

func (c StackContainer) number() string { return strconv.Itoa(max(1, c.Number)) }

func (c StackContainer) name(project string) string {
	return project + "-" + c.Service + "-" + c.number()
}

func (c StackContainer) choosesPorts() bool {
	for _, outside := range c.Publish {
		if outside == 0 {
			return true
		}
	}
	return false
}

// addTo makes and starts one container.
func (w *World) addTo(ctx context.Context, project string, c StackContainer) (string, error) {
	labels := map[string]string{labelStack: project, labelProject: project, labelService: c.Service, labelNumber: c.number()}
	for name, value := range c.Labels {
		labels[name] = value
	}
	exposed, bound := nat.PortSet{}, nat.PortMap{}
	for inside, outside := range c.Publish {
		if outside == 0 {
			var err error
			if outside, err = freePort(ctx); err != nil {
				return "", err
			}
		}
		port := nat.Port(strconv.Itoa(inside) + "/tcp")
		exposed[port] = struct{}{}
		bound[port] = []nat.PortBinding{{HostIP: "127.0.0.1", HostPort: strconv.Itoa(outside)}}
	}
	host := &container.HostConfig{NetworkMode: container.NetworkMode(project), PortBindings: bound,
		RestartPolicy: container.RestartPolicy{Name: container.RestartPolicyMode(c.Restart)}}
	for outside, inside := range c.Binds {
		host.Mounts = append(host.Mounts, mount.Mount{Type: mount.TypeBind, Source: outside, Target: inside})
	}
	name := c.name(project)
	made, err := w.docker.ContainerCreate(ctx, &container.Config{Image: c.Image, Cmd: c.Command, Env: c.Env, User: c.User,
		Labels: labels, ExposedPorts: exposed, OpenStdin: c.Stdin}, host, &network.NetworkingConfig{
		EndpointsConfig: map[string]*network.EndpointSettings{project: {Aliases: []string{c.Service}}}}, nil, name)
	if err != nil {
		return "", translate(err, "make container "+name)
	}
	return made.ID, translate(w.docker.ContainerStart(ctx, made.ID, container.StartOptions{}), "start container "+name)
}

// freePort finds a port that nobody listens on. The engine's own choice would change each time the container starts.
func freePort(ctx context.Context) (int, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err = errors.Join(err, l.Close()); err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	return strconv.Atoi(port)
}

// published reads which ports of this machine lead to a container.
func (w *World) published(ctx context.Context, id string) (map[int]int, error) {
	c, _, err := w.inspect(ctx, id)
	if err != nil {
		return nil, err
	}
	if !c.State.Running {
		return nil, fmt.Errorf("container %s ended at once with status %d", strings.TrimPrefix(c.Name, "/"), c.State.ExitCode)
	}
	ports := map[int]int{}
	for port, bindings := range c.NetworkSettings.Ports {
		for _, b := range bindings {
			if ports[port.Int()], err = strconv.Atoi(b.HostPort); err != nil {
				return nil, fmt.Errorf("read the ports of container %s: %w", c.Name, err)
			}
		}
	}
	return ports, nil
}

// Down removes the containers and the network of a stack, and nothing else. None is no error.
func (w *World) Down(ctx context.Context, project string) error {
	f := filters.NewArgs(filters.Arg("label", labelStack+"="+project))
	found, err := w.docker.ContainerList(ctx, container.ListOptions{All: true, Filters: f})
	if err != nil {
		return translate(err, "look for the stack")
	}
	var together errgroup.Group
	for _, c := range found {
		together.Go(func() error { return w.remove(ctx, c.ID) })
	}
	err = together.Wait()
	networks, nerr := w.docker.NetworkList(ctx, network.ListOptions{Filters: f})
	err = errors.Join(err, translate(nerr, "look for the stack's network"))
	for _, n := range networks {
		if nerr := w.docker.NetworkRemove(ctx, n.ID); nerr != nil && !errdefs.IsNotFound(nerr) {
			err = errors.Join(err, translate(nerr, "remove network "+n.Name))
		}
	}
	return err
}

// Logs returns the last lines that a service wrote, bounded to 64 KiB, to explain why a stack does not come up.
func (w *World) Logs(ctx context.Context, id faults.Identity) (string, error) {
	stream, err := w.docker.ContainerLogs(ctx, id.ID, container.LogsOptions{ShowStdout: true, ShowStderr: true, Tail: "50"})
	if err != nil {
		return "", translate(err, "read the logs of "+id.Name)
	}
	defer stream.Close()
	return readLogs(stream)
}
