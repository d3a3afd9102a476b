package agent

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	passTime   = 10 * time.Second // for a name server to answer what was passed on; applications give up before
	mostPasses = 256              // look-ups on their way at once; of more, some get lost, as on any network
	idleTime   = 2 * time.Minute  // for an application that holds a TCP connection and asks nothing
)

// resolver is the agent's own name server in one version of IP. It answers what is lied about, and passes everything else
// on to where it was going, unread.
type resolver struct {
	family  family
	lies    *lies
	packets *net.UDPConn
	streams net.Listener
	passes  chan struct{} // one for each on its way
	end     context.CancelFunc
	work    sync.WaitGroup
}

func listenForNames(ctx context.Context, f family, l *lies) (*resolver, error) {
	packets, err := net.ListenUDP("udp"+f.name[1:], net.UDPAddrFromAddrPort(netip.AddrPortFrom(f.loopback, 0)))
	if err != nil {
		return nil, fmt.Errorf("listen for look-ups: %w", err)
	}
	var config net.ListenConfig
	streams, err := config.Listen(ctx, "tcp"+f.name[1:], netip.AddrPortFrom(f.loopback, 0).String())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listen for look-ups: %w", err), packets.Close())
	}
	ctx, end := context.WithCancel(context.WithoutCancel(ctx))
	r := &resolver{family: f, lies: l, packets: packets, streams: streams, passes: make(chan struct{}, mostPasses), end: end}
	r.work.Go(func() { r.servePackets(ctx) })
	r.work.Go(func() { r.serveStreams(ctx) })
	return r, nil
}

func (r *resolver) udpPort() uint16 { return portOf(r.packets.LocalAddr().String()) }
func (r *resolver) tcpPort() uint16 { return portOf(r.streams.Addr().String()) }

// close ends it with all that is on its way.
func (r *resolver) close() error {
	r.end()
	err := errors.Join(r.packets.Close(), r.streams.Close())
	r.work.Wait()
	return err
}

func (r *resolver) servePackets(ctx context.Context) {
	buffer := make([]byte, 64<<10)
	for {
		n, from, err := r.packets.ReadFromUDPAddrPort(buffer)
		if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // an application that is gone already, as its host says
			continue
		}
		if reply, met := r.lies.meet(buffer[:n]); met {
			if reply != nil {
				_, _ = r.packets.WriteToUDPAddrPort(reply, from) // whoever does not listen any more asks again
			}
			continue
		}
		select {
		case r.passes <- struct{}{}:
			message := append([]byte(nil), buffer[:n]...)
			r.work.Go(func() {
				defer func() { <-r.passes }()
				r.passPacket(ctx, message, from)
			})
		default:
		}
	}
}

// passPacket asks the name server that was meant. What fails gets no answer, as it would have without the agent.
func (r *resolver) passPacket(ctx context.Context, message []byte, from netip.AddrPort) {
	to, err := meant(unix.IPPROTO_UDP, from, netip.AddrPortFrom(r.family.loopback, r.udpPort()))
	if err != nil {
		return
	}
	server, done, err := connect(ctx, "udp", to)
	if err != nil {
		return
	}
	defer done()
	if server.SetDeadline(time.Now().Add(passTime)) != nil {
		return
	}
	if _, err := server.Write(message); err != nil {
		return
	}
	answer := make([]byte, 64<<10)
	if n, err := server.Read(answer); err == nil {
		_, _ = r.packets.WriteToUDPAddrPort(answer[:n], from)
	}
}

// connect opens a connection that ends with its context.
func connect(ctx context.Context, network string, to netip.AddrPort) (net.Conn, func(), error) {
	d := net.Dialer{Timeout: passTime}
	c, err := d.DialContext(ctx, network, to.String())
	if err != nil {
		return nil, nil, err
	}
	stop := context.AfterFunc(ctx, func() { c.Close() })
	return c, func() { stop(); c.Close() }, nil
}

func (r *resolver) serveStreams(ctx context.Context) {
	for {
		c, err := r.streams.Accept()
		if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		select {
		case r.passes <- struct{}{}:
			r.work.Go(func() {
				defer func() { <-r.passes }()
				r.passStream(ctx, c)
			})
		default:
			c.Close()
		}
	}
}

// passStream joins an application's connection with one to the name server that was meant, and answers in between what is
// lied about.
func (r *resolver) passStream(ctx context.Context, c net.Conn) {
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	defer c.Close()
	from, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return
	}
	to, err := meant(unix.IPPROTO_TCP, from, netip.AddrPortFrom(r.family.loopback, r.tcpPort()))
	if err != nil {
		return
	}
	var server net.Conn // connected when it is needed: a lie needs none
	var write sync.Mutex
	var answers sync.WaitGroup
	defer answers.Wait()
	for {
		message, err := frame(c)
		if err != nil {
			return
		}
		if reply, met := r.lies.meet(message); met {
			if reply != nil && put(c, &write, reply) != nil {
				return
			}
			continue
		}
		if server == nil {
			var done func()
			if server, done, err = connect(ctx, "tcp", to); err != nil {
				return
			}
			defer done()
			answers.Go(func() {
				defer c.Close()
				for {
					answer, err := frame(server)
					if err != nil || put(c, &write, answer) != nil {
						return
					}
				}
			})
		}
		var alone sync.Mutex
		if put(server, &alone, message) != nil {
			return
		}
	}
}

// frame reads one message with its length before it.
func frame(c net.Conn) ([]byte, error) {
	if err := c.SetReadDeadline(time.Now().Add(idleTime)); err != nil {
		return nil, err
	}
	var length [2]byte
	if _, err := io.ReadFull(c, length[:]); err != nil {
		return nil, err
	}
	message := make([]byte, binary.BigEndian.Uint16(length[:]))
	_, err := io.ReadFull(c, message)
	return message, err
}

func put(c net.Conn, one *sync.Mutex, message []byte) error {
	one.Lock()
	defer one.Unlock()
	if err := c.SetWriteDeadline(time.Now().Add(passTime)); err != nil {
		return err
	}
	_, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(message))), message...))
	return err
}
