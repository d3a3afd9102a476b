package agent

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// table is the run's one nftables table in this namespace. Its rules are told apart by names in their user data, so that
// every question is answered by the kernel and none from memory.
type table struct {
	conn   *nftables.Conn
	table  *nftables.Table
	chains map[string]*nftables.Chain
	owned  bool
}

// The chains. before sees a connection's real destination also when it is led through the proxy, since it comes before
// address translation; redirect stands before the engine's own at −100; direct sees only what was not redirected.
const (
	chainBefore   = "before"
	chainRedirect = "redirect"
	chainDirect   = "direct"
)

// ownerFlag is NFT_TABLE_F_OWNER of the kernel's nf_tables.h.
const ownerFlag = 2

// newTable makes the table over one lasting socket, whose end is the table's.
func newTable(run string) (*table, error) {
	var socket *netlink.Conn
	conn, err := nftables.New(nftables.AsLasting(), nftables.WithSockOptions(func(c *netlink.Conn) error { socket = c; return nil }))
	if err != nil {
		return nil, fmt.Errorf("open nftables: %w", err)
	}
	t := &table{conn: conn, owned: true, chains: map[string]*nftables.Chain{},
		table: &nftables.Table{Name: tableName(run), Family: nftables.TableFamilyINet}}
	err = sendTable(socket, t.table.Name, ownerFlag)
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EINVAL) {
		t.owned = false // an older kernel: the table outlives a killed agent, and the next one removes it first
		conn.AddTable(t.table)
		conn.DelTable(t.table)
		err = errors.Join(conn.Flush(), sendTable(socket, t.table.Name, 0))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make table %s: %w", t.table.Name, err), conn.CloseLasting())
	}
	t.addChain(chainBefore, nftables.ChainTypeFilter, -120)
	t.addChain(chainRedirect, nftables.ChainTypeNAT, -110)
	t.addChain(chainDirect, nftables.ChainTypeFilter, 0)
	if err := conn.Flush(); err != nil {
		return nil, errors.Join(fmt.Errorf("make chains: %w", err), conn.CloseLasting())
	}
	return t, nil
}

// sendTable creates a table with flags, which the library does not send.
func sendTable(socket *netlink.Conn, name string, flags uint32) error {
	attributes := netlink.NewAttributeEncoder()
	attributes.ByteOrder = binary.BigEndian
	attributes.String(unix.NFTA_TABLE_NAME, name)
	attributes.Uint32(unix.NFTA_TABLE_FLAGS, flags)
	data, err := attributes.Encode()
	if err != nil {
		return fmt.Errorf("encode table: %w", err)
	}
	message := func(kind uint16, flags netlink.HeaderFlags, body ...byte) netlink.Message {
		return netlink.Message{Header: netlink.Header{Type: netlink.HeaderType(kind), Flags: netlink.Request | flags}, Data: body}
	}
	const subsystem = unix.NFNL_SUBSYS_NFTABLES
	_, err = socket.SendMessages([]netlink.Message{
		message(unix.NFNL_MSG_BATCH_BEGIN, 0, 0, 0, 0, subsystem),
		message(subsystem<<8|unix.NFT_MSG_NEWTABLE, netlink.Acknowledge|netlink.Create|netlink.Excl,
			append([]byte{unix.NFPROTO_INET, 0, 0, 0}, data...)...),
		message(unix.NFNL_MSG_BATCH_END, 0, 0, 0, 0, subsystem),
	})
	if err == nil {
		_, err = socket.Receive()
	}
	return err
}

func (t *table) addChain(name string, kind nftables.ChainType, priority nftables.ChainPriority) {
	t.chains[name] = t.conn.AddChain(&nftables.Chain{Name: name, Table: t.table, Type: kind,
		Hooknum: nftables.ChainHookOutput, Priority: &priority})
}

// close removes the table.
func (t *table) close() error {
	var err error
	if !t.owned {
		t.conn.DelTable(t.table)
		err = t.conn.Flush()
	}
	return errors.Join(err, t.conn.CloseLasting())
}

// family is one version of IP.
type family struct {
	name           string
	protocol       byte
	key            nftables.SetDatatype
	offset, length uint32 // of the destination address in the header
}

var families = [...]family{
	{name: "v4", protocol: unix.NFPROTO_IPV4, key: nftables.TypeIPAddr, offset: 16, length: 4},
	{name: "v6", protocol: unix.NFPROTO_IPV6, key: nftables.TypeIP6Addr, offset: 24, length: 16},
}

// familyOf tells the version of an address; one mapped into IPv6 counts as IPv4.
func familyOf(a netip.Addr) family {
	if a.Unmap().Is4() {
		return families[0]
	}
	return families[1]
}

// addSet makes the set of a path's addresses in one family.
func (t *table) addSet(name string, f family, addresses []netip.Addr) (*nftables.Set, error) {
	set := &nftables.Set{Table: t.table, Name: name, KeyType: f.key}
	if err := t.conn.AddSet(set, elements(f, addresses)); err != nil {
		return nil, fmt.Errorf("make set %s: %w", name, err)
	}
	return set, t.flush("make set " + name)
}

// replaceSet changes a set's addresses in one step: no packet meets an empty set.
func (t *table) replaceSet(set *nftables.Set, f family, addresses []netip.Addr) error {
	t.conn.FlushSet(set)
	if wanted := elements(f, addresses); len(wanted) > 0 {
		if err := t.conn.SetAddElements(set, wanted); err != nil {
			return fmt.Errorf("change set %s: %w", set.Name, err)
		}
	}
	return t.flush("change set " + set.Name)
}

func (t *table) removeSet(set *nftables.Set) error {
	t.conn.DelSet(set)
	return t.flush("remove set " + set.Name)
}

func elements(f family, addresses []netip.Addr) []nftables.SetElement {
	var all []nftables.SetElement
	for _, a := range addresses {
		if familyOf(a).name == f.name {
			all = append(all, nftables.SetElement{Key: a.Unmap().AsSlice()})
		}
	}
	return all
}

func (t *table) flush(what string) error {
	if err := t.conn.Flush(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// rule is a named rule that is to be.
type rule struct {
	name, chain string
	exprs       []expr.Any
}

// add adds rules in one step.
func (t *table) add(rules ...rule) error {
	for _, r := range rules {
		t.conn.AddRule(&nftables.Rule{Table: t.table, Chain: t.chains[r.chain], Exprs: r.exprs, UserData: []byte(r.name)})
	}
	return t.flush("add rules")
}

// remove removes all rules of a name, in one step. None is no error.
func (t *table) remove(name string) error {
	found, err := t.find(name)
	if err != nil {
		return err
	}
	for _, r := range found {
		if err := t.conn.DelRule(r); err != nil {
			return fmt.Errorf("remove rule %s: %w", name, err)
		}
	}
	return t.flush("remove rule " + name)
}

// find asks the kernel for the rules of a name; all of them when it is empty.
func (t *table) find(name string) ([]*nftables.Rule, error) {
	var found []*nftables.Rule
	for _, chain := range t.chains {
		rules, err := t.conn.GetRules(t.table, chain)
		if err != nil {
			return nil, fmt.Errorf("list rules of %s: %w", chain.Name, err)
		}
		for _, r := range rules {
			if name == "" || string(r.UserData) == name {
				found = append(found, r)
			}
		}
	}
	return found, nil
}

// packets adds up the counters of a name's rules.
func (t *table) packets(name string) (int64, error) {
	found, err := t.find(name)
	if err != nil {
		return 0, err
	}
	var n int64
	for _, r := range found {
		for _, e := range r.Exprs {
			if c, ok := e.(*expr.Counter); ok {
				n += int64(c.Packets)
			}
		}
	}
	return n, nil
}

// toward matches the application's TCP packets to one of a set's addresses at a port.
func toward(f family, set *nftables.Set, port int) []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeySKGID, Register: 1},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: binaryutil.NativeEndian.PutUint32(Group)},
		&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{f.protocol}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: f.offset, Len: f.length},
		&expr.Lookup{SourceRegister: 1, SetName: set.Name, SetID: set.ID},
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{unix.IPPROTO_TCP}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: binaryutil.BigEndian.PutUint16(uint16(port))},
	}
}

// fromProxy matches what the proxy sends back to the application.
func fromProxy(f family, listener int) []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeySKGID, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: binaryutil.NativeEndian.PutUint32(Group)},
		&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{f.protocol}},
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{unix.IPPROTO_TCP}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 0, Len: 2},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: binaryutil.BigEndian.PutUint16(uint16(listener))},
	}
}

// speaking goes on with packets that say something on a connection, and lets pass those that only open it: the
// handshake succeeds, and the first thing said is met by a reset.
func speaking() []expr.Any {
	const tcpFlags, pushOrFinish = 13, 0x08 | 0x01
	return []expr.Any{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: tcpFlags, Len: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 1, Mask: []byte{pushOrFinish}, Xor: []byte{0}},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: []byte{0}},
	}
}

// redirectTo leads to a port of the loopback interface.
func redirectTo(port int) []expr.Any {
	return []expr.Any{
		&expr.Immediate{Register: 1, Data: binaryutil.BigEndian.PutUint16(uint16(port))},
		&expr.Redir{RegisterProtoMin: 1, RegisterProtoMax: 1},
	}
}

// reset counts and answers with a TCP reset.
func reset() []expr.Any {
	return []expr.Any{&expr.Counter{}, &expr.Reject{Type: unix.NFT_REJECT_TCP_RST}}
}

// drop counts and drops.
func drop() []expr.Any {
	return []expr.Any{&expr.Counter{}, &expr.Verdict{Kind: expr.VerdictDrop}}
}
