package docker_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/candor-chaos/candor/faults/accuracy"
	"github.com/candor-chaos/candor/faults/docker"
)

// TestAccuracy measures what faults really do to containers: a few of them once, and all of them ACCURACY times.
func TestAccuracy(t *testing.T) {
	p, w := upToMeasure(t)
	rounds, whole, err := accuracy.Rounds()
	if err != nil {
		t.Fatal(err)
	}
	all := accuracy.Short()
	if whole {
		all = accuracy.All()
	}
	inject(t, w, prepare(t, w, "interpose: {from: web, to: payments}"))
	from := p.inside(t)
	bench := &accuracy.Bench{World: w, Dial: from.dial, Rounds: rounds, Lookup: func(context.Context) error {
		a, err := p.ask("payments:8083", fmt.Sprint(time.Now().UnixNano()))
		if err == nil && !a.ok {
			err = errors.New(a.why)
		}
		return err
	}}
	rows, err := bench.Run(t.Context(), all)
	accuracy.Print(os.Stdout, "docker", rows)
	if err != nil {
		t.Error(err)
	}
	if len(rows) != len(all) {
		t.Errorf("%d of %d were measured", len(rows), len(all))
	}
}

// upToMeasure is up with a payments that the engine starts again when it dies.
func upToMeasure(t *testing.T) (project, *docker.World) {
	t.Helper()
	needDocker(t)
	p := project{name: fmt.Sprintf("candor-test-accuracy-%d", os.Getpid())}
	w := open(t, config(p.name), nil)
	ports, err := w.Up(t.Context(), docker.Stack{Project: p.name, Containers: []docker.StackContainer{
		{Service: "web", Command: []string{"serve"}, Publish: map[int]int{8080: 0}},
		{Service: "payments", Command: []string{"serve"}, Restart: "on-failure"},
		{Service: "orders", Command: []string{"serve"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Down(context.Background(), p.name); err != nil {
			t.Errorf("down: %v", err)
		}
	})
	p.web = fmt.Sprintf("http://127.0.0.1:%d", ports["web"][8080])
	eventually(t, "web answers", func() error { _, err := p.ask("payments:8083", "probe"); return err })
	return p, w
}

// inside is the network namespace of web.
type inside struct {
	own, other int    // namespaces
	payments   string // its last known address
}

func (p project) inside(t *testing.T) *inside {
	t.Helper()
	i := &inside{}
	for path, fd := range map[string]*int{"/proc/self/ns/net": &i.own, "/proc/" + dockerSays(t, "inspect", "-f", "{{.State.Pid}}", p.container("web")) + "/ns/net": &i.other} {
		var err error
		if *fd, err = unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
			t.Fatalf("enter the namespace of web (needs root): %v", err)
		}
		t.Cleanup(func() { unix.Close(*fd) })
	}
	return i
}

// connect makes a connection in the namespace: a socket belongs to where it was made.
func (i *inside) connect(ctx context.Context, network, address string) (net.Conn, error) {
	runtime.LockOSThread()
	if err := unix.Setns(i.other, unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		return nil, err
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, network, address)
	if back := unix.Setns(i.own, unix.CLONE_NEWNET); back != nil {
		return nil, errors.Join(err, back) // the thread stays locked, and ends with its goroutine
	}
	runtime.UnlockOSThread()
	return c, err
}

// dial connects to payments; where that fails its address may be another one by now.
func (i *inside) dial(ctx context.Context) (net.Conn, error) {
	if i.payments != "" {
		c, err := i.connect(ctx, "tcp", net.JoinHostPort(i.payments, "8083"))
		if err == nil {
			return c, nil
		}
		if now, lerr := i.lookup(); lerr != nil || now == i.payments {
			return nil, err
		}
	}
	var err error
	if i.payments, err = i.lookup(); err != nil {
		return nil, err
	}
	return i.connect(ctx, "tcp", net.JoinHostPort(i.payments, "8083"))
}

// lookup asks the engine's name server.
func (i *inside) lookup() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	r := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return i.connect(ctx, strings.TrimSuffix(network, "6"), "127.0.0.11:53")
	}}
	found, err := r.LookupIP(ctx, "ip4", "payments.")
	if err != nil {
		return "", err
	}
	return found[0].String(), nil
}
