package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// dialTimeout bounds a connection to the dependency.
const dialTimeout = 10 * time.Second

// forwarder stands between Toxiproxy and the dependency. Toxiproxy dials its upstream one client at a time and without
// a limit, so that a dependency that swallows SYNs would stop it from accepting and from stopping; and a change of the
// upstream restarts it. The forwarder accepts at once, dials for each client by itself, and knows the latest address.
type forwarder struct {
	listener net.Listener
	upstream atomic.Pointer[string] // host:port; a name is looked up for each client
	stop     context.CancelFunc
	conns    errgroup.Group
	repliers repliers

	mu     sync.Mutex
	shuts  int           // how many have shut it
	opened chan struct{} // closed when nobody has any more; nil while it is open
}

// newForwarder listens on a loopback port.
func newForwarder(ctx context.Context, loopback string) (*forwarder, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", net.JoinHostPort(loopback, "0"))
	if err != nil {
		return nil, fmt.Errorf("listen for the forwarder: %w", err)
	}
	ctx, stop := context.WithCancel(ctx)
	f := &forwarder{listener: l, stop: stop}
	f.conns.Go(func() error { return f.accept(ctx) })
	return f, nil
}

func (f *forwarder) address() string { return f.listener.Addr().String() }

// accept ends when the listener is closed.
func (f *forwarder) accept(ctx context.Context) error {
	for {
		client, err := f.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("accept from the proxy: %w", err)
		}
		f.conns.Go(func() error {
			f.carry(ctx, client)
			return nil
		})
	}
}

// carry passes bytes both ways, but for what a reply answers. A dependency that cannot be reached looks to the proxy as it would have without us: the
// connection is reset.
func (f *forwarder) carry(ctx context.Context, client net.Conn) {
	defer client.Close()
	done := context.AfterFunc(ctx, func() { client.Close() })
	defer done()
	if opened := f.untilOpen(); opened != nil {
		hold(client, opened)
		return
	}
	to := f.upstream.Load()
	if to == nil {
		abort(client)
		return
	}
	dialer := net.Dialer{Timeout: dialTimeout}
	server, err := dialer.DialContext(ctx, "tcp", *to)
	if err != nil {
		abort(client)
		return
	}
	defer server.Close()
	served := context.AfterFunc(ctx, func() { server.Close() })
	defer served()
	(&talk{client: client, server: server, repliers: &f.repliers}).carryBoth()
}

// shut keeps new clients from the dependency until open.
func (f *forwarder) shut() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.shuts++; f.shuts == 1 {
		f.opened = make(chan struct{})
	}
}

// open ends one shut. The clients that were held are reset when it was the last.
func (f *forwarder) open() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.shuts--; f.shuts == 0 {
		close(f.opened)
		f.opened = nil
	}
}

func (f *forwarder) untilOpen() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.opened
}

// hold keeps a client, unheard, until it leaves or the forwarder is open again.
func hold(client net.Conn, opened <-chan struct{}) {
	left := make(chan struct{})
	go func() {
		defer close(left)
		_, _ = io.Copy(io.Discard, client) // how it ends does not matter
	}()
	select {
	case <-left:
	case <-opened:
		abort(client)
		<-left
	}
}

// pass copies one direction and hands its end on, as a reset when it was one.
func pass(to, from net.Conn) {
	if _, err := io.Copy(to, from); err != nil {
		abort(to)
		abort(from)
		return
	}
	closeWrite(to)
}

// abort closes with a reset.
func abort(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // fails only when the connection has ended already
	}
	c.Close()
}

// close ends the listener and every connection.
func (f *forwarder) close() error {
	err := f.listener.Close()
	f.stop()
	return errors.Join(err, f.conns.Wait())
}
