package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"github.com/candor-chaos/candor/faults"
)

// Line is one path's proxy with its toxics for a world that leads connections to it by itself: no namespace, no table.
// It is for one caller at a time.
type Line struct {
	lane *lane
}

// NewLine starts a proxy on a loopback port. tell hears what passes; it must not wait, and may be nil. Whoever makes a
// Line ends it.
func NewLine(ctx context.Context, p faults.Path, o Options, tell func(faults.Request)) (*Line, error) {
	ctx = context.WithoutCancel(ctx) // it lives until End
	registerToxics()
	if tell == nil {
		tell = func(faults.Request) {}
	}
	loopback := netip.AddrFrom4([4]byte{127, 0, 0, 1}).String()
	forward, err := newForwarder(ctx, loopback)
	if err != nil {
		return nil, err
	}
	l := &lane{path: p, forward: forward, seed: o.Seed, sweepers: map[string]*sweeper{}, toxic: map[string]bool{},
		fates: map[string]*fate{}, blocked: map[string]bool{}, cut: map[string]int{}}
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	l.proxy = toxiproxy.NewProxy(server, p.Key(), net.JoinHostPort(loopback, "0"), forward.address())
	err = l.listenAlong(o, tell)
	if err == nil {
		err = bounded(ctx, l.proxy.Start)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the proxy of %s: %w", p, err), forward.close())
	}
	if l.listener, err = netip.ParseAddrPort(l.proxy.Listen); err != nil {
		return nil, errors.Join(fmt.Errorf("start the proxy of %s: %w", p, err), l.end(ctx))
	}
	return &Line{lane: l}, nil
}

// Address is where the proxy listens.
func (l *Line) Address() netip.AddrPort { return l.lane.listener }

// Aim sets where the proxy connects to, as host:port.
func (l *Line) Aim(to string) { l.lane.forward.upstream.Store(&to) }

// Impair adds the toxics of an impairment, or its reply; connections that are open feel them too. Doing it again is no error.
func (l *Line) Impair(ctx context.Context, name string, i faults.Impairment) error {
	if err := check(i); err != nil {
		return err
	}
	if i.Reply != nil {
		l.lane.reply(name, i)
	}
	for n, toxic := range i.Toxics {
		if err := l.lane.addToxic(ctx, toxicName(name, n), toxic, i); err != nil {
			return err
		}
	}
	return nil
}

// Unimpair removes whatever carries the name. Nothing is no error.
func (l *Line) Unimpair(ctx context.Context, name string) error {
	l.lane.forward.repliers.remove(name)
	var errs []error
	for n := range mostToxics {
		errs = append(errs, l.lane.removeToxic(ctx, toxicName(name, n)))
	}
	return errors.Join(errs...)
}

// Impaired looks at the proxy's toxics, or for the reply.
func (l *Line) Impaired(ctx context.Context, name string, i faults.Impairment) (faults.State, error) {
	if i.Reply != nil {
		return l.lane.replying(name), nil
	}
	found := 0
	for n := range i.Toxics {
		there, err := l.lane.find(ctx, toxicName(name, n))
		if err != nil {
			return faults.Unknown, err
		}
		if there != nil {
			found++
		}
	}
	return amount(found, len(i.Toxics)), nil
}

// Impacts counts the chunks that the toxics of an impairment acted on, and what its reply answered.
func (l *Line) Impacts(ctx context.Context, name string) (total int64, err error) {
	total = l.lane.replied(name)
	for n := range mostToxics {
		found, err := l.lane.find(ctx, toxicName(name, n))
		if err != nil {
			return 0, err
		}
		if found == nil {
			continue
		}
		counted, ok := found.Toxic.(counting)
		if !ok {
			return 0, fmt.Errorf("a %s cannot say what it hit", found.Type)
		}
		total += counted.count()
	}
	return total, nil
}

// End ends the proxy with its connections.
func (l *Line) End(ctx context.Context) error { return l.lane.end(ctx) }
