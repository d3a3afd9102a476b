package agent

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"
)

// Look tells whether a table of a run is in this network namespace, or of any when run is empty, and which rules it has.
func Look(run string) (Sight, error) {
	conn, err := nftables.New()
	if err != nil {
		return Sight{}, fmt.Errorf("open nftables: %w", err)
	}
	return look(conn, run)
}

// LookBeside is Look into the network namespace of a process of this host, which takes the right to enter it.
func LookBeside(process int, run string) (Sight, error) {
	namespace, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", process))
	if err != nil {
		return Sight{}, fmt.Errorf("find the namespace of process %d: %w", process, err)
	}
	defer namespace.Close()
	conn, err := nftables.New(nftables.WithNetNSFd(int(namespace.Fd())))
	if err != nil {
		return Sight{}, fmt.Errorf("open nftables beside process %d: %w", process, err)
	}
	return look(conn, run)
}

func look(conn *nftables.Conn, run string) (Sight, error) {
	sight := Sight{Rules: []string{}}
	tables, err := conn.ListTablesOfFamily(nftables.TableFamilyINet)
	if err != nil {
		return sight, fmt.Errorf("list tables: %w", err)
	}
	for _, t := range tables {
		if t.Name != tableName(run) && (run != "" || !strings.HasPrefix(t.Name, tableName(run))) {
			continue
		}
		sight.Table = true
		chains, err := conn.ListChainsOfTableFamily(nftables.TableFamilyINet)
		if err != nil {
			return sight, fmt.Errorf("list chains: %w", err)
		}
		for _, c := range chains {
			if c.Table.Name != t.Name {
				continue
			}
			rules, err := conn.GetRules(t, c)
			if err != nil {
				return sight, fmt.Errorf("list rules of %s: %w", c.Name, err)
			}
			for _, r := range rules {
				sight.Rules = append(sight.Rules, nameOf(r))
			}
		}
	}
	return sight, nil
}

// ErrAnother means that the process is not the one that was meant.
var ErrAnother = errors.New("another process has that number")

// Signal sends a signal to a process of this PID namespace if it belongs to a container, as its control group says. It
// holds on to the process by a descriptor, so that its number cannot be taken by another in between.
func Signal(pid int, container, name string) error {
	number := unix.SignalNum("SIG" + strings.TrimPrefix(strings.ToUpper(name), "SIG"))
	if number == 0 {
		return fmt.Errorf("unknown signal %q", name)
	}
	held, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return fmt.Errorf("find process %d: %w", pid, err)
	}
	defer unix.Close(held)
	groups, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		return fmt.Errorf("look at process %d: %w", pid, err)
	}
	if container == "" || !strings.Contains(string(groups), container) {
		return fmt.Errorf("process %d: %w", pid, ErrAnother)
	}
	if err := unix.PidfdSendSignal(held, number, nil, 0); err != nil {
		return fmt.Errorf("send %s to process %d: %w", name, pid, err)
	}
	return nil
}
