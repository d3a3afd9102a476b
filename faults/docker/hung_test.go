package docker_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/docker"
)

// tap is a way to the real engine that can be stopped: what is said then waits, as before an engine that hangs.
type tap struct {
	mu     sync.Mutex
	host   string
	real   string
	frozen bool
}

func newTap(t *testing.T, real string) *tap {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "engine.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	p := &tap{host: "unix://" + socket, real: real}
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns.Go(func() { p.carry(c) })
		}
	})
	t.Cleanup(func() { l.Close() })
	return p
}

func (p *tap) freeze(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.frozen = on
}

func (p *tap) carry(c net.Conn) {
	defer c.Close()
	engine, err := net.Dial("unix", p.real)
	if err != nil {
		return
	}
	defer engine.Close()
	go func() {
		io.Copy(engine, thaw{p, c})
		engine.(*net.UnixConn).CloseWrite()
	}()
	io.Copy(c, engine)
}

// thaw reads when the tap is not frozen.
type thaw struct {
	tap  *tap
	from io.Reader
}

func (f thaw) Read(p []byte) (int, error) {
	n, err := f.from.Read(p)
	for {
		f.tap.mu.Lock()
		frozen := f.tap.frozen
		f.tap.mu.Unlock()
		if !frozen {
			return n, err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestAnEngineThatHangsHangsNobody(t *testing.T) {
	_, real := up(t, nil)
	c := config(real.Config().Project)
	socket := filepath.Clean("/var/run/docker.sock")
	if _, err := os.Stat(socket); err != nil {
		t.Fatal(err)
	}
	tap := newTap(t, socket)
	c.Host = tap.host
	w := open(t, c, nil)
	from := find(t, w, "web")
	if err := w.Interpose(t.Context(), path(), from); err != nil {
		t.Fatal(err)
	}
	tap.freeze(true)
	time.Sleep(1500 * time.Millisecond) // until the world's own look at the engine hangs
	for name, call := range map[string]func(context.Context) error{
		"Find":       func(ctx context.Context) error { _, err := w.Find(ctx, "web"); return err },
		"Interposed": func(ctx context.Context) error { _, err := w.Interposed(ctx, path(), from); return err },
		"Withdraw":   func(ctx context.Context) error { return w.Withdraw(ctx, path(), from) },
		"Pause":      func(ctx context.Context) error { return w.Pause(ctx, from) },
		"Open":       func(ctx context.Context) error { _, err := docker.Open(ctx, c, docker.Options{}); return err },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		began := time.Now()
		err := call(ctx)
		cancel()
		if took := time.Since(began); err == nil || took > 3*time.Second {
			t.Errorf("%s = %v after %s; want an error at the end of its time", name, err, took)
		}
		if name != "Interposed" && name != "Withdraw" && !errors.Is(err, faults.ErrUnreachable) {
			t.Errorf("%s = %v; want ErrUnreachable", name, err)
		}
	}
	tap.freeze(false)
	eventually(t, "it works again", func() error { return w.Withdraw(t.Context(), path(), from) })
	clean(t, w, c.Run)
}
