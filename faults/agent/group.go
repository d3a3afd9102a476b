package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/candor-chaos/candor/faults"
)

// group is the control group of one container, of version 1 or 2, by its folders. Version 1 has one for each controller.
type group struct {
	cpu, cpuset, memory string
	second              bool // version 2
}

// GroupRoot is where a host has its control groups.
const GroupRoot = "/sys/fs/cgroup"

// unlimited is from where on version 1 means no limit: it writes the largest number of pages that it can count.
const unlimited = math.MaxInt64 / 2

// ErrNotHere: the control group is not in sight.
var ErrNotHere = errors.New("its control group is not in sight")

// GroupAllowance reads what the control group of a process allows and holds. The process has to belong to a container.
func GroupAllowance(root string, process int, container string) (faults.Allowance, error) {
	g, err := groupOf(root, process, container)
	if err != nil {
		return faults.Allowance{}, err
	}
	return g.allowance()
}

func groupOf(root string, process int, container string) (group, error) {
	groups, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", process))
	if err != nil {
		return group{}, fmt.Errorf("look at process %d: %w: %w", process, ErrNotHere, err)
	}
	g, err := newGroup(root, string(groups), container)
	if err != nil {
		return g, fmt.Errorf("process %d: %w", process, err)
	}
	return g, nil
}

// newGroup reads the lines of a process's cgroup file: "4:memory:/docker/ID" of version 1, "0::/docker/ID" of version 2.
// A controller that version 1 has is not in version 2.
func newGroup(root, lines, container string) (group, error) {
	var g group
	for line := range strings.Lines(lines) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 || container == "" || !strings.Contains(parts[2], container) || strings.Contains(parts[2], "..") {
			continue
		}
		for _, controller := range strings.Split(parts[1], ",") {
			folder := filepath.Join(root, controller, parts[2])
			if together := filepath.Join(root, parts[1], parts[2]); !exists(folder) && exists(together) {
				folder = together
			}
			switch {
			case controller == "cpu":
				g.cpu = folder
			case controller == "cpuset":
				g.cpuset = folder
			case controller == "memory":
				g.memory = folder
			case controller == "" && g.cpu == "" && g.memory == "" && exists(filepath.Join(folder, "cpu.max")):
				g = group{cpu: folder, cpuset: folder, memory: folder, second: true}
			}
		}
	}
	if g.cpu == "" || g.memory == "" || !exists(g.cpu) || !exists(g.memory) {
		return g, fmt.Errorf("container %s: %w", container[:min(12, len(container))], ErrNotHere)
	}
	return g, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func (g group) allowance() (a faults.Allowance, err error) {
	if a.Cores, err = g.cores(); err != nil {
		return a, err
	}
	if a.Held, err = g.held(); err != nil {
		return a, err
	}
	if g.second {
		return a, errors.Join(g.secondCPU(&a), g.secondMemory(&a))
	}
	quota, qerr := number(g.cpu, "cpu.cfs_quota_us")
	period, perr := number(g.cpu, "cpu.cfs_period_us")
	limit, lerr := number(g.memory, "memory.limit_in_bytes")
	a.Quota, a.Period = max(0, quota), period
	if limit < unlimited {
		a.Memory = limit
	}
	return a, errors.Join(qerr, perr, lerr)
}

func (g group) secondCPU(a *faults.Allowance) error {
	text, err := word(g.cpu, "cpu.max")
	if err != nil {
		return err
	}
	quota, period, _ := strings.Cut(text, " ")
	if quota != "max" {
		if a.Quota, err = strconv.ParseInt(quota, 10, 64); err != nil {
			return fmt.Errorf("read cpu.max: %w", err)
		}
	}
	if a.Period, err = strconv.ParseInt(period, 10, 64); err != nil {
		return fmt.Errorf("read cpu.max: %w", err)
	}
	return nil
}

func (g group) secondMemory(a *faults.Allowance) error {
	text, err := word(g.memory, "memory.max")
	if err == nil && text != "max" {
		a.Memory, err = number(g.memory, "memory.max")
	}
	return err
}

// cores counts the processors that the group may use: all of this machine where it does not say.
func (g group) cores() (float64, error) {
	for _, name := range []string{"cpuset.cpus.effective", "cpuset.effective_cpus"} {
		text, err := word(g.cpuset, name)
		if errors.Is(err, fs.ErrNotExist) || err == nil && text == "" {
			continue
		}
		if err != nil {
			return 0, err
		}
		n := 0
		for part := range strings.SplitSeq(text, ",") {
			from, to, ranged := strings.Cut(part, "-")
			first, ferr := strconv.Atoi(from)
			last, lerr := first, error(nil)
			if ranged {
				last, lerr = strconv.Atoi(to)
			}
			if err := errors.Join(ferr, lerr); err != nil || last < first {
				return 0, fmt.Errorf("read %s: %q", name, text)
			}
			n += last - first + 1
		}
		return float64(n), nil
	}
	return float64(runtime.NumCPU()), nil
}

// held is what the kernel cannot take back: what processes wrote, memory they share, and the kernel's own for them. Swap
// is not counted on: a service that lives in it is a fault of its own.
func (g group) held() (int64, error) {
	text, err := word(g.memory, "memory.stat")
	if err != nil {
		return 0, err
	}
	// Version 2 has anon, version 1 has the same with all below it as total_rss; its kernel memory is in a file of its own.
	wanted := []string{"total_rss", "total_shmem"}
	if g.second {
		wanted = []string{"anon", "shmem", "slab_unreclaimable", "kernel_stack", "pagetables", "percpu", "sock"}
	}
	var sum int64
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		for _, w := range wanted {
			if name != w {
				continue
			}
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				return 0, fmt.Errorf("read memory.stat: %w", err)
			}
			sum += n
		}
	}
	if g.second {
		return sum, nil
	}
	kernel, err := number(g.memory, "memory.kmem.usage_in_bytes")
	if errors.Is(err, fs.ErrNotExist) {
		return sum, nil
	}
	return sum + kernel, err
}

// limitCPU writes one file: the period of version 1 stays what it is.
func (g group) limitCPU(quota, period int64) error {
	if g.second {
		text := "max"
		if quota > 0 {
			text = strconv.FormatInt(quota, 10)
		}
		return write(g.cpu, "cpu.max", fmt.Sprintf("%s %d", text, period))
	}
	if quota <= 0 {
		quota = -1
	}
	return write(g.cpu, "cpu.cfs_quota_us", strconv.FormatInt(quota, 10))
}

// limitMemory refuses less than what cannot be taken back: version 1 would fail, and version 2 would kill at once.
func (g group) limitMemory(bytes int64) error {
	held, err := g.held()
	switch {
	case err != nil:
		return err
	case bytes > 0 && bytes <= held:
		return fmt.Errorf("a limit of %d bytes cannot be kept: %d are held that cannot be taken back", bytes, held)
	case g.second && bytes > 0:
		return write(g.memory, "memory.max", strconv.FormatInt(bytes, 10))
	case g.second:
		return write(g.memory, "memory.max", "max")
	case bytes > 0:
		return write(g.memory, "memory.limit_in_bytes", strconv.FormatInt(bytes, 10))
	}
	return write(g.memory, "memory.limit_in_bytes", "-1")
}

func word(folder, name string) (string, error) {
	data, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		return "", fmt.Errorf("read a control group: %w", err)
	}
	return strings.TrimSpace(string(data)), nil
}

func number(folder, name string) (int64, error) {
	text, err := word(folder, name)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", name, err)
	}
	return n, nil
}

// write never makes a file: one that is not there is a kernel without that limit.
func write(folder, name, value string) error {
	f, err := os.OpenFile(filepath.Join(folder, name), os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return fmt.Errorf("write a control group: %w", err)
	}
	_, err = f.WriteString(value)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s to %s: %w", value, name, err)
	}
	return nil
}
