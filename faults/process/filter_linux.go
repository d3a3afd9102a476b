package process

import (
	"errors"
	"fmt"
	"net"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A black hole is a filter of one instruction that drops every packet before TCP sees it: of a listener the SYNs, of a
// connection all that comes, without an acknowledgement. It takes no rights, and the kernel counts what it drops. (A
// listener from which nobody accepts is none: its backlog still completes handshakes, hundreds of them.)

// control does something to a socket.
func control(s syscall.Conn, act func(fd int) error) error {
	raw, err := s.SyscallConn()
	if err != nil {
		return err
	}
	var done error
	return errors.Join(raw.Control(func(fd uintptr) { done = act(int(fd)) }), done)
}

// drop makes a black hole of a socket. One that is closed is none, and needs none.
func drop(socket any) error {
	s, ok := socket.(syscall.Conn)
	if !ok {
		return nil
	}
	nothing := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: 0}}
	err := control(s, func(fd int) error {
		return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &nothing[0]})
	})
	return open("drop packets", err)
}

// undrop ends it. A socket without a filter is as wanted.
func undrop(socket any) error {
	s, ok := socket.(syscall.Conn)
	if !ok {
		return nil
	}
	err := control(s, func(fd int) error { return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0) })
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	return open("let packets pass again", err)
}

// open forgives what fails because the socket has been closed meanwhile.
func open(what string, err error) error {
	if err == nil || errors.Is(err, syscall.EINVAL) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// The memory record of a socket: nine numbers, the last of which counts the packets that it dropped.
const (
	memoryNumbers = 9
	memoryDrops   = 8
)

// dropped is how many packets a socket has dropped, 0 when it is closed.
func dropped(socket any) int64 {
	s, ok := socket.(syscall.Conn)
	if !ok {
		return 0
	}
	var record [memoryNumbers]uint32
	size := uint32(unsafe.Sizeof(record))
	err := control(s, func(fd int) error {
		_, _, no := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
			uintptr(unsafe.Pointer(&record[0])), uintptr(unsafe.Pointer(&size)), 0)
		if no != 0 {
			return no
		}
		return nil
	})
	if err != nil {
		return 0
	}
	return int64(record[memoryDrops])
}
