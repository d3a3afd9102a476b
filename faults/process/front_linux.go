package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/agent"
)

// The blocks: what a front does by itself.
const (
	blockRefuse = "refuse"
	blockReset  = "reset"
	blockHole   = "blackhole"
)

// front is where one service finds one port of another: it accepts there and carries to the dependency, through Toxiproxy
// while the path is interposed. While the dependency is down it refuses, as the dependency itself would.
type front struct {
	path     faults.Path
	held     int            // a socket that keeps the port for the front while nothing listens there
	address  netip.AddrPort // where it listens
	upstream string         // where the dependency listens, as host:port

	work sync.Mutex  // one caller at a time changes or asks the line
	line *agent.Line // Toxiproxy; nil while the path is not interposed

	mu       sync.Mutex
	listener *net.TCPListener
	target   string // the line's address, or upstream
	away     bool   // the dependency does not listen
	closed   bool
	blocks   map[string]*block
	pairs    map[*pair]bool
	accepted uint64        // connections, ever: each has a number
	before   int64         // what the listener had dropped at the last count
	hole     chan struct{} // closed when the black hole ends; nil while there is none
	going    sync.WaitGroup
}

// pair is one connection that is carried. Its packets are counted from before: what was dropped until it was holed.
type pair struct {
	client, server net.Conn
	number         uint64
	hole           chan struct{} // its own, closed when that ends: a black hole that hits a share
	before         int64
	ended          chan struct{}
}

// newFront takes a loopback port for good, on the way to a host. Nothing listens there until the dependency does.
func newFront(p faults.Path, host string) (*front, error) {
	loopback := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	upstream := net.JoinHostPort(host, strconv.Itoa(p.Port))
	f := &front{path: p, upstream: upstream, target: upstream, away: true, blocks: map[string]*block{}, pairs: map[*pair]bool{}}
	held, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("take a port for %s: %w", p, err)
	}
	var address unix.Sockaddr
	if err = share(held); err == nil {
		err = unix.Bind(held, &unix.SockaddrInet4{Addr: loopback.As4()})
	}
	if err == nil {
		address, err = unix.Getsockname(held)
	}
	four, ok := address.(*unix.SockaddrInet4)
	if err != nil || !ok {
		return nil, errors.Join(fmt.Errorf("take a port for %s: %w", p, err), unix.Close(held))
	}
	f.held, f.address = held, netip.AddrPortFrom(loopback, uint16(four.Port))
	return f, nil
}

// share lets the sockets of one user, and of nobody else, have the same port: one that listens beside one that holds it.
func share(fd int) error { return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) }

// mode is the strongest of what is in force. It wants the mutex.
func (f *front) mode() string {
	strongest := ""
	if f.away || f.closed {
		return blockRefuse
	}
	for _, b := range f.blocks {
		switch {
		case !b.all():
		case b.mode == blockRefuse:
			return blockRefuse
		case b.mode == blockHole, strongest == "":
			strongest = b.mode
		}
	}
	return strongest
}

// settle makes the sockets what the mode wants. It wants the mutex.
func (f *front) settle(ctx context.Context) error {
	mode := f.mode()
	if mode == blockRefuse && f.listener != nil {
		f.listener.Close()
		f.listener = nil
	}
	var err error
	if mode != blockRefuse && f.listener == nil {
		err = f.listen(ctx)
	}
	switch holed := f.holed(); {
	case holed && f.hole == nil:
		f.hole = make(chan struct{})
		for p := range f.pairs {
			p.before = dropped(p.client)
			err = errors.Join(err, drop(p.client))
		}
	case !holed && f.hole != nil:
		f.count()
		close(f.hole)
		f.hole = nil
		for p := range f.pairs {
			err = errors.Join(err, undrop(p.client))
		}
	}
	err = errors.Join(err, f.settleShares())
	if f.listener != nil {
		if f.hole != nil {
			return errors.Join(err, drop(f.listener))
		}
		return errors.Join(err, undrop(f.listener))
	}
	return err
}

func (f *front) holed() bool {
	for _, b := range f.blocks {
		if b.mode == blockHole && b.all() {
			return true
		}
	}
	return false
}

// listen begins to accept. It wants the mutex.
func (f *front) listen(ctx context.Context) error {
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		return errors.Join(c.Control(func(fd uintptr) { err = share(int(fd)) }), err)
	}}
	config.SetMultipathTCP(false) // such a socket takes no filter
	l, err := config.Listen(context.WithoutCancel(ctx), "tcp4", f.address.String())
	if err != nil {
		return fmt.Errorf("listen on the path %s: %w", f.path, err)
	}
	f.listener, f.before = l.(*net.TCPListener), 0
	f.going.Go(func() { f.accept(l) })
	return nil
}

func (f *front) accept(l net.Listener) {
	for {
		client, err := l.Accept()
		if err != nil {
			return // closed, which is how a front refuses and how it ends
		}
		f.mu.Lock()
		f.accepted++
		p := &pair{client: client, number: f.accepted, ended: make(chan struct{})}
		switch mode := f.mode(); {
		case mode == blockRefuse:
			abort(client)
		case mode == blockReset, f.shares(p, blockReset) != nil:
			f.going.Go(func() { f.spurn(p) })
		default:
			f.pairs[p] = true
			_ = f.settleShare(p) // fails only when the connection has ended already
			f.going.Go(func() { f.carry(p, f.targetNow()) })
		}
		f.mu.Unlock()
	}
}

func (f *front) targetNow() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.target
}

// spurnAfter is how long a connection that says nothing lives while connections are accepted and then reset.
const spurnAfter = 100 * time.Millisecond

// spurn resets a connection as soon as it says something.
func (f *front) spurn(p *pair) {
	_ = p.client.SetReadDeadline(time.Now().Add(spurnAfter))
	_, _ = p.client.Read(make([]byte, 1)) // it is reset whatever comes
	f.mu.Lock()
	for _, b := range f.blocks {
		if b.mode == blockReset && b.meets(p) {
			b.hits++
		}
	}
	f.mu.Unlock()
	abort(p.client)
}

const dialTimeout = 10 * time.Second

// carry passes bytes both ways until one end has gone.
func (f *front) carry(p *pair, to string) {
	defer f.forget(p)
	defer p.client.Close()
	server, err := net.DialTimeout("tcp", to, dialTimeout)
	if err != nil {
		abort(p.client)
		return
	}
	defer server.Close()
	f.mu.Lock()
	p.server = server
	gone := !f.pairs[p]
	f.mu.Unlock()
	if gone {
		abort(p.client)
		return
	}
	var both sync.WaitGroup
	both.Go(func() { f.pump(p, server, p.client) })
	both.Go(func() { f.pump(p, p.client, server) })
	both.Wait()
}

// pump copies one direction, except into a black hole, and hands its end on, as a reset when it was one.
func (f *front) pump(p *pair, to, from net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			f.wait(p)
			if _, werr := to.Write(buffer[:n]); werr != nil {
				err = werr
			}
		}
		if err == nil {
			continue
		}
		if half, ok := to.(*net.TCPConn); ok && errors.Is(err, io.EOF) {
			f.wait(p)
			_ = half.CloseWrite() // fails only when the connection has ended already
			return
		}
		abort(to)
		abort(from)
		return
	}
}

// wait waits while nothing may pass.
func (f *front) wait(p *pair) {
	f.mu.Lock()
	hole := f.hole
	if hole == nil {
		hole = p.hole
	}
	f.mu.Unlock()
	if hole == nil {
		return
	}
	select {
	case <-hole:
	case <-p.ended:
	}
}

func (f *front) forget(p *pair) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.pairs[p] {
		delete(f.pairs, p)
		close(p.ended)
	}
}

// cut resets every connection that is carried, and says how many there were. It wants the mutex.
func (f *front) cut() int {
	n := len(f.pairs)
	for p := range f.pairs {
		f.cutOne(p)
	}
	return n
}

func (f *front) cutOne(p *pair) {
	delete(f.pairs, p)
	close(p.ended)
	abort(p.client)
	if p.server != nil {
		abort(p.server)
	}
}

// count adds what the kernel has dropped since the last count to every black hole. It wants the mutex.
func (f *front) count() {
	var n int64
	for p := range f.pairs {
		now := dropped(p.client)
		n += now - p.before
		p.before = now
	}
	if f.listener != nil {
		now := dropped(f.listener)
		n += now - f.before
		f.before = now
	}
	for _, b := range f.blocks {
		if b.mode == blockHole {
			b.hits += n
		}
	}
}

// abort closes with a reset.
func abort(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // fails only when the connection has ended already
	}
	c.Close()
}
