package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/Shopify/toxiproxy/v2/toxics"
	"github.com/google/nftables"

	"github.com/candor-chaos/candor/faults"
)

// libraryTime bounds every call into Toxiproxy: a client that does not read can hold one up for ever.
const libraryTime = 5 * time.Second

// errSlow means that Toxiproxy did not come back. A look at its toxics tells what became of the call.
var errSlow = errors.New("toxiproxy did not answer in time")

// lane is one path in one version of IP: the set of the dependency's addresses, a proxy, and the rules between.
type lane struct {
	path     faults.Path
	family   family
	set      *nftables.Set
	proxy    *toxiproxy.Proxy
	forward  *forwarder
	listener netip.AddrPort // the proxy's
	seed     uint64
	sweepers map[string]*sweeper // by the name of their impairment

	addresses             []netip.Addr
	lifted                bool
	toxic                 map[string]bool // the toxics that are in force, by name
	fates                 map[string]*fate
	blocked               map[string]bool // the blocks in force, by name
	sweepUntil, sweepNext time.Time       // for what blocks leave behind
	missed                map[int]bool    // ports whose end was not there at the last look
	cut                   map[string]int  // how many open connections an impairment ended, by its name
}

// newLane starts a proxy and makes the set. No rule leads to it yet.
func (s *server) newLane(ctx context.Context, path faults.Path, f family) (*lane, error) {
	l := &lane{path: path, family: f, seed: s.options.Seed, sweepers: map[string]*sweeper{}, toxic: map[string]bool{},
		fates: map[string]*fate{}, blocked: map[string]bool{}, cut: map[string]int{}}
	loopback := f.loopback.String()
	forward, err := newForwarder(ctx, loopback)
	if err != nil {
		return nil, err
	}
	l.forward = forward
	l.proxy = toxiproxy.NewProxy(s.toxiproxy, path.Key()+" "+f.name, net.JoinHostPort(loopback, "0"), forward.address())
	if err := l.listenAlong(s.options, s.overheard); err != nil {
		return nil, errors.Join(err, l.forward.close())
	}
	if err := bounded(ctx, l.proxy.Start); err != nil {
		return nil, errors.Join(fmt.Errorf("start the proxy of %s: %w", path, err), l.forward.close())
	}
	if l.listener, err = netip.ParseAddrPort(l.proxy.Listen); err == nil {
		s.sets++
		l.set, err = s.table.addSet(fmt.Sprintf("path%d_%s", s.sets, f.name), f)
	}
	if err != nil {
		return nil, errors.Join(err, l.end(ctx))
	}
	return l, nil
}

// listenAlong puts the tap first, before any connection, and the gate in the other direction.
func (l *lane) listenAlong(o Options, tell func(faults.Request)) error {
	added, err := l.proxy.Toxics.AddToxicJson(bytes.NewReader([]byte(`{"name":"tap","type":"` + tapType + `","stream":"upstream"}`)))
	if err == nil {
		_, err = l.proxy.Toxics.AddToxicJson(bytes.NewReader([]byte(`{"name":"gate","type":"` + gateType + `","stream":"downstream"}`)))
	}
	if err != nil {
		return fmt.Errorf("listen along on %s: %w", l.path, err)
	}
	tap, ok := added.Toxic.(*tapToxic)
	if !ok {
		return fmt.Errorf("listen along on %s: the tap is a %T", l.path, added.Toxic)
	}
	tap.listen = newHearing(l.path, o, tell).listen
	return nil
}

// aim sets where the forwarder connects to: the first address of the lane's version.
func (l *lane) aim() {
	for _, a := range l.addresses {
		if familyOf(a).name == l.family.name {
			to := netip.AddrPortFrom(a.Unmap(), uint16(l.path.Port)).String()
			l.forward.upstream.Store(&to)
			return
		}
	}
	l.forward.upstream.Store(nil)
}

func (l *lane) ruleName() string { return wayName(l.path, l.family.name) }

// lay lays the lane's rules and addresses as they are wanted now, in one step.
func (l *lane) lay(t *table) error {
	l.aim()
	return t.replace(l.set, l.family, l.addresses, l.ruleName(), l.rules())
}

// rules lead the application's connections through the proxy. Those that were open before are reset, so that they come
// back through it. While the redirect is lifted connections are made past the proxy, and are let be afterwards: somebody
// may wait on one of them for the answer of a dependency that was frozen. Only while there is a toxic, which they would
// not feel, they are reset too.
func (l *lane) rules() []rule {
	toward := toward(l.family, l.set, l.path.Port)
	if l.lifted {
		return []rule{{name: l.ruleName(), chain: chainBefore, exprs: slices.Concat(toward, marked(markAside))}}
	}
	past := toward
	if len(l.toxic) == 0 {
		past = slices.Concat(notAside(), toward)
	}
	return []rule{
		{name: l.ruleName(), chain: chainRedirect, exprs: slices.Concat(toward, redirectTo(l.listener.Port()))},
		{name: l.ruleName(), chain: chainDirect, exprs: slices.Concat(past, reset())},
	}
}

// led reports whether the lane's rules are there.
func (l *lane) led(t *table) (faults.State, error) {
	found, err := t.find(l.ruleName())
	if err != nil {
		return faults.Unknown, err
	}
	return amount(len(found), len(l.rules())), nil
}

func amount(found, whole int) faults.State {
	switch {
	case found == 0:
		return faults.Absent
	case found < whole:
		return faults.Partial
	}
	return faults.Present
}

// The blocks: what the table does by itself.
const (
	blockRefuse = "refuse"
	blockReset  = "reset"
	blockHole   = "blackhole"
)

// block makes the rules of a block.
func (l *lane) block(t *table, name, mode string) error {
	all := toward(l.family, l.set, l.path.Port)
	switch mode {
	case blockRefuse:
		return t.add(rule{name: name, chain: chainBefore, exprs: slices.Concat(all, reset())})
	case blockReset:
		return t.add(rule{name: name, chain: chainBefore, exprs: slices.Concat(all, speaking(), reset())})
	case blockHole:
		return t.add(
			rule{name: name, chain: chainBefore, exprs: slices.Concat(all, drop())},
			rule{name: name, chain: chainBefore, exprs: slices.Concat(fromProxy(l.family, l.listener.Port()), drop())})
	}
	return fmt.Errorf("unknown block %q (refuse · reset · blackhole)", mode)
}

// blockRules is how many rules a block has in one lane.
func blockRules(i faults.Impairment) int {
	n := 1
	if i.Block == blockHole {
		n = 2
	}
	if partial(i) {
		n += 2 // those that number
	}
	return n
}

// toxicName is the name of the nth toxic of an impairment.
func toxicName(name string, n int) string { return fmt.Sprintf("%s#%d", name, n) }

// find finds a toxic by its name; nil when there is none.
func (l *lane) find(ctx context.Context, name string) (found *toxics.ToxicWrapper, err error) {
	answer := make(chan *toxics.ToxicWrapper, 1)
	err = bounded(ctx, func() error { answer <- l.proxy.Toxics.GetToxic(name); return nil })
	if err != nil {
		return nil, fmt.Errorf("look at the toxics of %s: %w", l.path, err)
	}
	return <-answer, nil
}

// addToxic adds one toxic; also connections that are open feel it. One that is there is no error.
func (l *lane) addToxic(ctx context.Context, name string, toxic faults.Toxic, i faults.Impairment) error {
	if found, err := l.find(ctx, name); err != nil || found != nil {
		return err
	}
	attributes := map[string]any{"seed": l.seed, "salt": l.salt(toxic.Type), "share": i.Share, "ramp": i.Ramp, "since": time.Now().UnixMilli()}
	for k, v := range toxic.Attributes {
		attributes[k] = v
	}
	data, err := json.Marshal(map[string]any{"name": name, "type": toxic.Type, "stream": toxic.Stream, "toxicity": 1, "attributes": attributes})
	if err != nil {
		return fmt.Errorf("encode toxic %s: %w", toxic.Type, err)
	}
	err = bounded(ctx, func() error {
		_, err := l.proxy.Toxics.AddToxicJson(bytes.NewReader(data))
		return err
	})
	if err != nil {
		return fmt.Errorf("add toxic %s to %s: %w", toxic.Type, l.path, err)
	}
	return nil
}

// salt is what the draws of a kind of impairment on a path are told from all others by. Both versions of IP share it.
func (l *lane) salt(kind string) string { return l.path.String() + " " + kind }

// removeToxic removes one toxic. One that is not there is no error.
func (l *lane) removeToxic(ctx context.Context, name string) error {
	delete(l.toxic, name)
	err := bounded(ctx, func() error { return l.proxy.Toxics.RemoveToxic(ctx, name) })
	if errors.Is(err, toxiproxy.ErrToxicNotFound) {
		return nil
	}
	return err
}

// end ends the proxy with its connections. The rules have to be gone.
func (l *lane) end(ctx context.Context) error {
	var errs []error
	for name := range l.sweepers {
		errs = append(errs, l.endSweep(name))
	}
	errs = append(errs, bounded(ctx, func() error { l.proxy.Stop(); return nil }), l.forward.close())
	return errors.Join(errs...)
}

// bounded runs a call that takes no context, and leaves it behind when it does not come back: it lives at most as long
// as the agent.
func bounded(ctx context.Context, call func() error) error {
	done := make(chan error, 1)
	go func() { done <- call() }()
	timer := time.NewTimer(libraryTime)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		return errSlow
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
