package agent

import (
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// family is one version of IP.
type family struct {
	name           string
	protocol       byte
	key            nftables.SetDatatype
	offset, length uint32 // of the destination address in the header; the source stands just before it
	loopback       netip.Addr
}

var families = [...]family{
	{name: "v4", protocol: unix.NFPROTO_IPV4, key: nftables.TypeIPAddr, offset: 16, length: 4,
		loopback: netip.AddrFrom4([4]byte{127, 0, 0, 1})},
	{name: "v6", protocol: unix.NFPROTO_IPV6, key: nftables.TypeIP6Addr, offset: 24, length: 16,
		loopback: netip.IPv6Loopback()},
}

// familyOf tells the version of an address; one mapped into IPv6 counts as IPv4.
func familyOf(a netip.Addr) family {
	if a.Unmap().Is4() {
		return families[0]
	}
	return families[1]
}

// The marks that the agent puts on connections in the kernel's tracking of them. A packet is known by its connection and
// not by its socket, because a socket that has been closed belongs to no group any more and still sends what it holds:
// the application's would come out of a black hole, the agent's would be cut short.
const (
	markAgent = Group   // the agent's own, and above every number
	markAside = 1 << 16 // made past the proxy while the redirect was lifted
)

// markOwn marks what the agent itself opens.
func markOwn() []expr.Any {
	return append([]expr.Any{
		&expr.Meta{Key: expr.MetaKeySKGID, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: binaryutil.NativeEndian.PutUint32(Group)},
	}, marked(markAgent)...)
}

// marked marks a connection with its first packet.
func marked(mark uint32) []expr.Any {
	return []expr.Any{
		&expr.Ct{Key: expr.CtKeySTATE, Register: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4,
			Mask: binaryutil.NativeEndian.PutUint32(expr.CtStateBitNEW), Xor: make([]byte, 4)},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: make([]byte, 4)},
		&expr.Immediate{Register: 1, Data: binaryutil.NativeEndian.PutUint32(mark)},
		&expr.Ct{Key: expr.CtKeyMARK, Register: 1, SourceRegister: true},
	}
}

// notMarked goes on with connections that do not have a mark.
func notMarked(mark uint32) []expr.Any {
	return []expr.Any{
		&expr.Ct{Key: expr.CtKeyMARK, Register: 1},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: binaryutil.NativeEndian.PutUint32(mark)},
	}
}

// notAside goes on with connections that were not made past the proxy, numbered or not.
func notAside() []expr.Any {
	return []expr.Any{
		&expr.Ct{Key: expr.CtKeyMARK, Register: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: binaryutil.NativeEndian.PutUint32(markAside), Xor: make([]byte, 4)},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: make([]byte, 4)},
	}
}

// toward matches the application's TCP packets to one of a set's addresses at a port.
func toward(f family, set *nftables.Set, port int) []expr.Any {
	return append(notMarked(markAgent),
		&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{f.protocol}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: f.offset, Len: f.length},
		&expr.Lookup{SourceRegister: 1, SetName: set.Name, SetID: set.ID},
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{unix.IPPROTO_TCP}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: binaryutil.BigEndian.PutUint16(uint16(port))},
	)
}

// fromProxy matches what the proxy sends back to the application.
func fromProxy(f family, listener uint16) []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{f.protocol}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: f.offset - f.length, Len: f.length},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: f.loopback.AsSlice()},
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{unix.IPPROTO_TCP}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 0, Len: 2},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: binaryutil.BigEndian.PutUint16(listener)},
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

// notOpening goes on with packets that are not the first of a connection.
func notOpening() []expr.Any {
	const tcpFlags, synchronise = 13, 0x02
	return []expr.Any{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: tcpFlags, Len: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 1, Mask: []byte{synchronise}, Xor: []byte{0}},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{0}},
	}
}

// redirectTo leads to a port of the loopback interface.
func redirectTo(port uint16) []expr.Any {
	return []expr.Any{
		&expr.Immediate{Register: 1, Data: binaryutil.BigEndian.PutUint16(port)},
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
