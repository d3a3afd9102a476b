package agent

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// resetAccepted ends every connection that this process has accepted at an address, with a reset to its other end. The
// library keeps its connections to itself, and closes them in good order or not at all. They are reached through the
// process's own descriptors: each is duplicated before it is looked at, so that it cannot become another one meanwhile.
// How many there were comes back.
func resetAccepted(at netip.AddrPort) (n int, err error) {
	return eachAccepted(at, func() (func(int) bool, error) { return func(int) bool { return true }, nil })
}

// eachAccepted resets those for which chosen says so; it is asked when all that are open have been listed.
func eachAccepted(at netip.AddrPort, chosen func() (func(fd int) bool, error)) (n int, err error) {
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0, fmt.Errorf("list open connections: %w", err)
	}
	choose, err := chosen()
	if err != nil {
		return 0, err
	}
	var errs []error
	for _, entry := range open {
		number, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		held, err := unix.FcntlInt(uintptr(number), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			continue // closed since it was listed
		}
		if local(held) == at && connected(held) && choose(held) {
			n++
			errs = append(errs, disconnect(held))
		}
		errs = append(errs, unix.Close(held))
	}
	return n, errors.Join(errs...)
}

// local is where a TCP socket is bound; nowhere for whatever is none.
func local(fd int) netip.AddrPort {
	if kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL); err != nil || kind != unix.IPPROTO_TCP {
		return netip.AddrPort{}
	}
	address, err := unix.Getsockname(fd)
	if err != nil {
		return netip.AddrPort{}
	}
	switch a := address.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr), uint16(a.Port))
	}
	return netip.AddrPort{}
}

// connected tells a connection from the listener it came from.
func connected(fd int) bool {
	_, err := unix.Getpeername(fd)
	return err == nil
}

// disconnect ends a connection with a reset: connecting a socket to no family dissolves its association.
func disconnect(fd int) error {
	nowhere := unix.RawSockaddr{Family: unix.AF_UNSPEC}
	if _, _, errno := unix.Syscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&nowhere)), unsafe.Sizeof(nowhere)); errno != 0 {
		return fmt.Errorf("reset a connection: %w", errno)
	}
	return nil
}
