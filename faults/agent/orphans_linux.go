package agent

import (
	"bufio"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A block answers the application with a reset, and the proxy's end of that connection hears nothing of it. It would live
// on, and take one of the dependency's few places for nobody. The two ends are in the same namespace, so the kernel can be
// asked whether the other one is still there.

// The states of a TCP connection that matter here.
const (
	established = 1
	timeWait    = "06"
)

// resetOrphans ends what this process has accepted at an address and whose other end has gone without a word. The kernel
// lists connections while they change and may leave one out, so an orphan has to be missed twice: suspects are the ports of
// those that the last look missed, and those of this one come back.
func resetOrphans(at netip.AddrPort, port int, suspects map[int]bool) (missed map[int]bool, err error) {
	missed = map[int]bool{}
	_, err = eachAccepted(at, func(all []int) (spared []int, err error) {
		there, err := callers(port)
		for _, fd := range all {
			info, failed := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
			peer := peerPort(fd)
			if orphan := failed == nil && info.State == established && !there[peer]; orphan {
				missed[peer] = true
			}
			if !missed[peer] || !suspects[peer] {
				spared = append(spared, fd)
			}
		}
		return spared, err
	})
	return missed, err
}

// callers are the ports from which somebody in this namespace is connected to a port, whoever it is.
func callers(port int) (map[int]bool, error) {
	there := map[int]bool{}
	for _, path := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		if err := readCallers(path, port, there); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("list connections: %w", err)
		}
	}
	return there, nil
}

func readCallers(path string, port int, there map[int]bool) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Fields(lines.Text()) // number, local address, remote address, state, …
		if len(fields) < 4 || fields[3] == timeWait || hexPort(fields[2]) != port {
			continue
		}
		there[hexPort(fields[1])] = true
	}
	return lines.Err()
}

// hexPort is the port of an address as the kernel lists it; -1 for a heading.
func hexPort(address string) int {
	_, port, _ := strings.Cut(address, ":")
	n, err := strconv.ParseUint(port, 16, 16)
	if err != nil {
		return -1
	}
	return int(n)
}

func peerPort(fd int) int {
	address, err := unix.Getpeername(fd)
	if err != nil {
		return -1
	}
	switch a := address.(type) {
	case *unix.SockaddrInet4:
		return a.Port
	case *unix.SockaddrInet6:
		return a.Port
	}
	return -1
}
