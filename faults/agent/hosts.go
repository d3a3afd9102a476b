package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/candor-chaos/candor/faults"
)

// A dependency outside is known by its host. It is looked up here, beside the application: a container that shares another
// one's network namespace has that one's resolv.conf and hosts file too, so that both find the same.

const (
	seekEvery     = time.Second
	lookUpTime    = 5 * time.Second
	rememberFor   = 30 * time.Second // a name server that gives out some of many addresses in turn
	mostAddresses = 64               // of one host that are led at once
)

// Found is where a host is, or why that cannot be told.
type Found struct {
	Addresses []netip.Addr `json:"addresses,omitempty"`
	Error     string       `json:"error,omitempty"`
	Missing   bool         `json:"missing,omitempty"` // there is no such host, as whoever should know says
}

// Missing reports whether a look-up failed because there is no such host, or none that has an address.
func Missing(err error) bool {
	var failed *net.DNSError
	var bare *net.AddrError
	return errors.As(err, &failed) && failed.IsNotFound || errors.As(err, &bare)
}

// FindHost finds the addresses of a host, in order. One that is an address already is its own.
func FindHost(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a.Unmap()}, nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, lookUpTime, fmt.Errorf("look up %s: no answer in %s", host, lookUpTime))
	defer cancel()
	names := net.Resolver{PreferGo: true}
	answer, err := names.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err // it says what was looked up, and where
	}
	var all []netip.Addr
	for _, a := range answer {
		if a = a.Unmap(); !a.IsUnspecified() && !a.IsMulticast() {
			all = append(all, a)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("look up %s: none of its addresses can be connected to", host)
	}
	slices.SortFunc(all, netip.Addr.Compare)
	all = slices.Compact(all)
	return all[:min(len(all), mostAddresses)], nil
}

// findHosts looks up several hosts at once.
func findHosts(ctx context.Context, hosts []string) map[string]Found {
	all, mu, going := map[string]Found{}, sync.Mutex{}, sync.WaitGroup{}
	for _, host := range hosts {
		going.Go(func() {
			var f Found
			var err error
			if f.Addresses, err = FindHost(ctx, host); err != nil {
				f.Error, f.Missing = err.Error(), Missing(err)
			}
			mu.Lock()
			defer mu.Unlock()
			all[host] = f
		})
	}
	going.Wait()
	return all
}

// lookedUp answers one request for a look-up.
func lookedUp(ctx context.Context, r Request) Answer {
	a := Answer{ID: r.ID}
	var err error
	if a.Found, err = FindHost(ctx, r.Host); err != nil {
		a.Error = err.Error()
	}
	return a
}

// seeker follows a host: it looks again each second and keeps the last good answer, and beside it the addresses that
// others gave a short while before. Connections are open to those, or will be: caches are older than this one.
type seeker struct {
	path faults.Path
	stop context.CancelFunc
	done chan struct{}
	laid []netip.Addr // what the rules are about by now

	mu     sync.Mutex
	seen   map[netip.Addr]time.Time // when an answer last had it
	latest time.Time                // when the last good answer came
}

// seek begins with what is known already.
func seek(ctx context.Context, p faults.Path, host string, known []netip.Addr) *seeker {
	ctx, stop := context.WithCancel(ctx)
	k := &seeker{path: p, stop: stop, done: make(chan struct{}), laid: known, seen: map[netip.Addr]time.Time{}}
	if len(known) > 0 {
		k.found(known, time.Now())
	}
	go k.look(ctx, host)
	return k
}

func (k *seeker) look(ctx context.Context, host string) {
	defer close(k.done)
	tick := time.NewTicker(seekEvery)
	defer tick.Stop()
	for {
		if now, err := FindHost(ctx, host); err == nil { // else what is known stays so
			k.found(now, time.Now())
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// found takes note of a good answer, and forgets what has been in none for a while.
func (k *seeker) found(now []netip.Addr, at time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.latest = at
	for _, a := range now {
		k.seen[a] = at
	}
	for a, seen := range k.seen {
		if at.Sub(seen) > rememberFor {
			delete(k.seen, a)
		}
	}
}

// addresses are those of the last answer first: new connections are made there.
func (k *seeker) addresses() []netip.Addr {
	k.mu.Lock()
	defer k.mu.Unlock()
	var all []netip.Addr
	for a := range k.seen {
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b netip.Addr) int {
		if later := k.seen[b].Compare(k.seen[a]); later != 0 {
			return later
		}
		return a.Compare(b)
	})
	return all[:min(len(all), mostAddresses)]
}

// end returns when nothing is looked up any more.
func (k *seeker) end() {
	k.stop()
	<-k.done
}

// Place says in words where a host is.
func Place(host string, at []netip.Addr) string {
	if a, err := netip.ParseAddr(host); err == nil {
		return a.String()
	}
	const most = 4
	var some []string
	for _, a := range at[:min(most, len(at))] {
		some = append(some, a.String())
	}
	if more := len(at) - most; more > 0 {
		some = append(some, fmt.Sprintf("%d more", more))
	}
	last := len(some) - 1
	if last < 1 {
		return host + ", now " + strings.Join(some, "")
	}
	return host + ", now " + strings.Join(some[:last], ", ") + " and " + some[last]
}
