package agent

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// resetAccepted ends every connection that this process has accepted at an address, with a reset to its other end. The
// library keeps its connections to itself, and closes them in good order or not at all. They are reached through the
// process's own descriptors: each is duplicated before it is looked at, so that it cannot become another one meanwhile.
// How many there were comes back.
func resetAccepted(at netip.AddrPort) (n int, err error) {
	return eachAccepted(at, func([]int) ([]int, error) { return nil, nil })
}

// eachAccepted resets them but those that spare names. It is asked when all are held, so that what it finds out is newer
// than they are.
func eachAccepted(at netip.AddrPort, spare func(all []int) ([]int, error)) (n int, err error) {
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0, fmt.Errorf("list open connections: %w", err)
	}
	var all []int
	var errs []error
	for _, entry := range open {
		number, err := strconv.Atoi(entry.Name())
		if err != nil || slices.Contains(all, number) {
			continue // one of those held has taken the number
		}
		held, err := unix.FcntlInt(uintptr(number), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			continue // closed since it was listed
		}
		if local(held) == at && connected(held) {
			all = append(all, held)
		} else {
			errs = append(errs, unix.Close(held))
		}
	}
	spared, err := spare(all)
	for _, held := range all {
		if err == nil && !slices.Contains(spared, held) {
			n++
			errs = append(errs, disconnect(held))
		}
		errs = append(errs, unix.Close(held))
	}
	return n, errors.Join(append(errs, err)...)
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
