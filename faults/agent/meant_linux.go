package agent

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// From linux/netfilter/nfnetlink_conntrack.h, which the library for it does not have.
const (
	ctGet         = 1 // IPCTNL_MSG_CT_GET
	ctNew         = 0 // IPCTNL_MSG_CT_NEW: what the kernel answers with
	ctaTupleOrig  = 1
	ctaTupleReply = 2
	ctaTupleIP    = 1
	ctaTupleProto = 2
	ctaV4Source   = 1
	ctaV4Dest     = 2
	ctaV6Source   = 3
	ctaV6Dest     = 4
	ctaProtoNum   = 1
	ctaSourcePort = 2
	ctaDestPort   = 3
)

// errNotTracked: the kernel does not know where it was going.
var errNotTracked = errors.New("the kernel tracks no such connection")

// meant asks the kernel's connection tracking where something was going that came to us instead. For UDP no socket can
// tell.
func meant(protocol byte, from, us netip.AddrPort) (netip.AddrPort, error) {
	conn, err := netlink.Dial(unix.NETLINK_NETFILTER, nil)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("ask where a look-up was going: %w", err)
	}
	defer conn.Close()
	from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	source, dest, family := uint16(ctaV4Source), uint16(ctaV4Dest), byte(unix.AF_INET)
	if us.Addr().Is6() {
		source, dest, family = ctaV6Source, ctaV6Dest, unix.AF_INET6
	}
	e := netlink.NewAttributeEncoder()
	e.ByteOrder = binary.BigEndian
	// As the answers to it look: from us, to whoever asked.
	e.Nested(ctaTupleReply, func(e *netlink.AttributeEncoder) error {
		e.Nested(ctaTupleIP, func(e *netlink.AttributeEncoder) error {
			e.Bytes(source, us.Addr().AsSlice())
			e.Bytes(dest, from.Addr().AsSlice())
			return nil
		})
		e.Nested(ctaTupleProto, func(e *netlink.AttributeEncoder) error {
			e.Uint8(ctaProtoNum, protocol)
			e.Uint16(ctaSourcePort, us.Port())
			e.Uint16(ctaDestPort, from.Port())
			return nil
		})
		return nil
	})
	attributes, err := e.Encode()
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("ask where a look-up was going: %w", err)
	}
	answers, err := conn.Execute(netlink.Message{
		Header: netlink.Header{Type: unix.NFNL_SUBSYS_CTNETLINK<<8 | ctGet, Flags: netlink.Request | netlink.Acknowledge},
		Data:   append([]byte{family, unix.NFNETLINK_V0, 0, 0}, attributes...)})
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("ask where a look-up was going: %w", err)
	}
	for _, a := range answers {
		if a.Header.Type == unix.NFNL_SUBSYS_CTNETLINK<<8|ctNew && len(a.Data) > 4 {
			return original(a.Data[4:], dest)
		}
	}
	return netip.AddrPort{}, errNotTracked
}

// original reads the destination as the application meant it.
func original(attributes []byte, dest uint16) (to netip.AddrPort, err error) {
	var address netip.Addr
	var port uint16
	d, err := netlink.NewAttributeDecoder(attributes)
	if err != nil {
		return to, fmt.Errorf("read where a look-up was going: %w", err)
	}
	d.ByteOrder = binary.BigEndian
	for d.Next() {
		if d.Type() != ctaTupleOrig {
			continue
		}
		d.Nested(func(d *netlink.AttributeDecoder) error {
			for d.Next() {
				d.Nested(func(part *netlink.AttributeDecoder) error {
					for part.Next() {
						switch {
						case d.Type() == ctaTupleIP && part.Type() == dest:
							address, _ = netip.AddrFromSlice(part.Bytes())
						case d.Type() == ctaTupleProto && part.Type() == ctaDestPort:
							port = part.Uint16()
						}
					}
					return nil
				})
			}
			return nil
		})
	}
	if err := d.Err(); err != nil {
		return to, fmt.Errorf("read where a look-up was going: %w", err)
	}
	if !address.IsValid() || port == 0 {
		return to, errNotTracked
	}
	return netip.AddrPortFrom(address, port), nil
}
