package agent

import (
	"context"
	"errors"
	"net/netip"
	"slices"

	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/candor-chaos/candor/faults"
)

// What the application asks of any name server, at port 53 over UDP and TCP, is led to the agent's own. Of the engine's
// server at 127.0.0.11 too: its address translation comes after ours.

const nameServerPort = 53

// markAsked marks what was led to the agent's own name server, from its first packet on.
const markAsked = Group + 2

// nameRules is how many rules lead one protocol of one version of IP.
const nameRules = 3

// mislead makes look-ups fail, and starts the name server with the first. Doing it again is no error.
func (s *server) mislead(ctx context.Context, r Request) error {
	if r.Misnaming == nil || r.Name == "" {
		return errors.New("mislead needs a name and what to mislead about")
	}
	if err := checkMisnaming(*r.Misnaming); err != nil {
		return err
	}
	if len(s.resolvers) == 0 {
		if err := s.answerNames(ctx); err != nil {
			return errors.Join(err, s.quietNames())
		}
	}
	s.lies.tell(r.Name, *r.Misnaming)
	state, err := s.misled(r.Name)
	if err != nil || state == faults.Present {
		return err
	}
	var rules []rule
	for _, own := range s.resolvers {
		rules = append(rules, own.rules(misledName(r.Name))...)
	}
	return errors.Join(s.table.remove(misledName(r.Name)), s.table.add(rules...))
}

// answerNames starts a resolver for each version of IP that the namespace has.
func (s *server) answerNames(ctx context.Context) error {
	for _, f := range families {
		if f.name == "v6" && !haveIPv6(ctx) {
			continue
		}
		own, err := listenForNames(ctx, f, &s.lies)
		if err != nil {
			return err
		}
		s.resolvers = append(s.resolvers, own)
	}
	return nil
}

// quietNames ends the resolvers.
func (s *server) quietNames() error {
	var errs []error
	for _, own := range s.resolvers {
		errs = append(errs, own.close())
	}
	s.resolvers = nil
	return errors.Join(errs...)
}

// unmislead ends it, and with the last the name server. None is no error.
func (s *server) unmislead(r Request) error {
	err := s.table.remove(misledName(r.Name))
	if err == nil && s.lies.forget(r.Name) {
		err = s.quietNames()
	}
	return err
}

// misled looks at the rules in the kernel.
func (s *server) misled(label string) (faults.State, error) {
	found, err := s.table.find(misledName(label))
	if err != nil {
		return faults.Unknown, err
	}
	return amount(len(found), max(1, len(s.resolvers)*2*nameRules)), nil
}

// rules lead what is asked to the resolver. A socket that asked before is refused, so that its owner
// asks through another one: it would go on unmisled, because the kernel translates no connection twice.
func (r *resolver) rules(name string) []rule {
	var all []rule
	for _, p := range []struct {
		protocol byte
		port     uint16
		refuse   expr.Any
	}{
		{unix.IPPROTO_UDP, r.udpPort(), &expr.Reject{Type: unix.NFT_REJECT_ICMPX_UNREACH, Code: unix.NFT_REJECT_ICMPX_PORT_UNREACH}},
		{unix.IPPROTO_TCP, r.tcpPort(), &expr.Reject{Type: unix.NFT_REJECT_TCP_RST}},
	} {
		asks := asking(r.family, p.protocol)
		all = append(all,
			rule{name: name, chain: chainBefore, exprs: slices.Concat(asks, marked(markAsked))},
			rule{name: name, chain: chainBefore, exprs: append(slices.Concat(notMarked(markAsked), asks), &expr.Counter{}, p.refuse)},
			rule{name: name, chain: chainRedirect, exprs: slices.Concat(asks, redirectTo(p.port))})
	}
	return all
}

// asking matches the application's packets to any name server.
func asking(f family, protocol byte) []expr.Any {
	return append(notMarked(markAgent),
		&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{f.protocol}},
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{protocol}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: binaryutil.BigEndian.PutUint16(nameServerPort)},
	)
}

func portOf(address string) uint16 {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return 0 // a listener's own address is always one
	}
	return a.Port()
}
