package agent

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/userdata"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// table is the run's one nftables table in this namespace. Its rules are told apart by their comments, so that every
// question is answered by the kernel and none from memory.
type table struct {
	conn   *nftables.Conn
	table  *nftables.Table
	chains map[string]*nftables.Chain
	owned  bool
	fates  int // sets of numbers made so far: their names are never used twice
}

// The chains. before sees a connection's real destination also when it is led through the proxy, since it comes before
// address translation; redirect stands before the engine's own at −100; direct sees only what was not redirected.
const (
	chainBefore   = "before"
	chainRedirect = "redirect"
	chainDirect   = "direct"
)

// ownRule marks the agent's own connections, so that no other rule touches them.
const ownRule = "own"

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
	if err := t.add(rule{name: ownRule, chain: chainBefore, exprs: markOwn()}); err != nil {
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

// addSet makes an empty set for a path's addresses in one family.
func (t *table) addSet(name string, f family) (*nftables.Set, error) {
	set := &nftables.Set{Table: t.table, Name: name, KeyType: f.key}
	if err := t.conn.AddSet(set, nil); err != nil {
		return nil, fmt.Errorf("make set %s: %w", name, err)
	}
	return set, t.flush("make set " + name)
}

// replace changes a set's addresses and the rules of a name in one step: no packet meets a part of it.
func (t *table) replace(set *nftables.Set, f family, addresses []netip.Addr, name string, rules []rule) error {
	old, err := t.find(name)
	if err != nil {
		return err
	}
	t.conn.FlushSet(set)
	if wanted := elements(f, addresses); len(wanted) > 0 {
		err = t.conn.SetAddElements(set, wanted)
	}
	for _, r := range old {
		err = errors.Join(err, t.conn.DelRule(r))
	}
	return errors.Join(err, t.add(rules...))
}

// removeSet removes a set, and whatever still uses it with all that has the same name: a set that is in use cannot go.
func (t *table) removeSet(set *nftables.Set) error {
	all, err := t.find("")
	if err != nil {
		return err
	}
	var names []string
	for _, r := range all {
		if uses(r, set) {
			names = append(names, nameOf(r))
		}
	}
	for _, r := range all {
		if slices.Contains(names, nameOf(r)) {
			if err := t.conn.DelRule(r); err != nil {
				return fmt.Errorf("remove a rule of set %s: %w", set.Name, err)
			}
		}
	}
	t.conn.DelSet(set)
	return t.flush("remove set " + set.Name)
}

func uses(r *nftables.Rule, set *nftables.Set) bool {
	return slices.ContainsFunc(r.Exprs, func(e expr.Any) bool {
		lookup, is := e.(*expr.Lookup)
		return is && lookup.SetName == set.Name
	})
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
		t.conn.AddRule(&nftables.Rule{Table: t.table, Chain: t.chains[r.chain], Exprs: r.exprs,
			UserData: userdata.AppendString(nil, userdata.TypeComment, comment(r.name))})
	}
	return t.flush("add rules")
}

// nameOf reads what comment wrote; empty for a rule of somebody else.
func nameOf(r *nftables.Rule) string {
	said, _ := userdata.GetString(r.UserData, userdata.TypeComment)
	return said
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
			if name == "" || nameOf(r) == comment(name) {
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
