package process

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// What candor's own processes carry in their environment, and what they start inherits.
const (
	markRun     = "CANDOR_RUN"
	markSystem  = "CANDOR_SYSTEM"
	markService = "CANDOR_SERVICE"
)

// proc is a process as the kernel shows it.
type proc struct {
	pid, group           int
	started              uint64 // in ticks since the host's start: together with pid it is never another process
	state                byte
	run, system, service string // what its environment says
}

// leads reports whether it is the first process of a service.
func (p proc) leads() bool { return p.pid == p.group }

// lives is false for one that is dead and not yet taken note of.
func (p proc) lives() bool { return p.state != 'Z' && p.state != 'X' }

func (p proc) frozen() bool { return p.state == 'T' }

// read looks at one process; fs.ErrNotExist when there is none.
func read(pid int) (p proc, err error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if errors.Is(err, unix.ESRCH) {
		err = fs.ErrNotExist
	}
	if err != nil {
		return p, fmt.Errorf("look at process %d: %w", pid, err)
	}
	// The name stands in brackets and may hold anything, brackets too.
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	const state, group, started = 0, 2, 19
	if len(fields) <= started {
		return p, fmt.Errorf("look at process %d: its record is too short", pid)
	}
	p.pid, p.state = pid, fields[state][0]
	if p.group, err = strconv.Atoi(fields[group]); err == nil {
		p.started, err = strconv.ParseUint(fields[started], 10, 64)
	}
	if err != nil {
		return p, fmt.Errorf("look at process %d: %w", pid, err)
	}
	return p, nil
}

// marked finds every living process that candor started, directly or not, and that wanted wants.
func marked(wanted func(proc) bool) ([]proc, error) {
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		return nil, fmt.Errorf("look for processes: %w", err)
	}
	var all []proc
	for _, file := range files {
		environ, err := os.ReadFile(file)
		if err != nil || !bytes.Contains(environ, []byte(markRun+"=")) {
			continue // gone meanwhile, or somebody else's
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			continue
		}
		p, err := read(pid)
		if err != nil {
			continue
		}
		for pair := range bytes.SplitSeq(environ, []byte{0}) {
			name, value, _ := strings.Cut(string(pair), "=")
			switch name {
			case markRun:
				p.run = value
			case markSystem:
				p.system = value
			case markService:
				p.service = value
			}
		}
		if p.lives() && wanted(p) {
			all = append(all, p)
		}
	}
	return all, nil
}

// signal sends a signal to exactly this process and never to another one that took its number: the descriptor is held
// before the look. One that is gone is no error.
func (p proc) signal(sig unix.Signal) error {
	held, err := unix.PidfdOpen(p.pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find process %d: %w", p.pid, err)
	}
	defer unix.Close(held)
	now, err := read(p.pid)
	if errors.Is(err, fs.ErrNotExist) || err == nil && now.started != p.started {
		return nil
	}
	if err != nil {
		return err
	}
	if err := unix.PidfdSendSignal(held, sig, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("send %s to process %d: %w", unix.SignalName(sig), p.pid, err)
	}
	return nil
}

// bootTime is when this host started, to the second.
func bootTime() (time.Time, error) {
	data, err := os.ReadFile("/proc/stat")
	if err != nil {
		return time.Time{}, fmt.Errorf("learn when this host started: %w", err)
	}
	for line := range strings.Lines(string(data)) {
		if text, is := strings.CutPrefix(line, "btime "); is {
			seconds, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
			return time.Unix(seconds, 0).UTC(), err
		}
	}
	return time.Time{}, errors.New("learn when this host started: /proc/stat does not say")
}

// tick is the unit of a process's start time, which the kernel gives in hundredths of a second whatever its own clock.
const tick = 10 * time.Millisecond
