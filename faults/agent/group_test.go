package agent

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-chaos/candor/faults"
)

const groupID = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// tree makes folders and files as a kernel shows them.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func firstVersion(t *testing.T) (root, lines string) {
	at := "docker/" + groupID + "/"
	return tree(t, map[string]string{
		"cpu,cpuacct/" + at + "cpu.cfs_quota_us":      "-1",
		"cpu,cpuacct/" + at + "cpu.cfs_period_us":     "100000",
		"cpuset/" + at + "cpuset.effective_cpus":      "0-1,4",
		"memory/" + at + "memory.limit_in_bytes":      "9223372036854771712",
		"memory/" + at + "memory.kmem.usage_in_bytes": "1000",
		"memory/" + at + "memory.stat":                "cache 5\nrss 7\ntotal_cache 900\ntotal_rss 30000\ntotal_shmem 200",
		"unified/docker/" + groupID + "/cgroup.procs": "1",
		"memory/docker/memory.limit_in_bytes":         "5",
	}), "9:name=systemd:/docker/" + groupID + "\n4:memory:/docker/" + groupID + "\n3:cpuset:/docker/" + groupID + "\n1:cpu,cpuacct:/docker/" + groupID + "\n0::/docker/" + groupID + "\n"
}

func secondVersion(t *testing.T) (root, lines string) {
	at := "system.slice/docker-" + groupID + ".scope/"
	return tree(t, map[string]string{
		at + "cpu.max":               "max 100000",
		at + "cpuset.cpus.effective": "0-3",
		at + "memory.max":            "max",
		at + "memory.stat":           "anon 30000\nfile 900\nkernel_stack 300\npagetables 400\nsock 0\nshmem 500\nslab_reclaimable 9000\nslab_unreclaimable 600\nanon_thp 77",
	}), "0::/system.slice/docker-" + groupID + ".scope\n"
}

func TestGroupsOfBothVersions(t *testing.T) {
	for name, c := range map[string]struct {
		make  func(*testing.T) (root, lines string)
		fresh faults.Allowance
	}{
		"version 1": {firstVersion, faults.Allowance{Period: 100_000, Held: 31_200, Cores: 3}},
		"version 2": {secondVersion, faults.Allowance{Period: 100_000, Held: 31_800, Cores: 4}},
	} {
		t.Run(name, func(t *testing.T) {
			root, lines := c.make(t)
			g, err := newGroup(root, lines, groupID)
			if err != nil {
				t.Fatal(err)
			}
			before := dump(t, root)
			want := c.fresh
			allows(t, g, want)
			if err := errors.Join(g.limitCPU(20_000, 100_000), g.limitMemory(64<<20)); err != nil {
				t.Fatal(err)
			}
			want.Quota, want.Memory = 20_000, 64<<20
			allows(t, g, want)
			if err := errors.Join(g.limitCPU(0, 100_000), g.limitMemory(0)); err != nil {
				t.Fatal(err)
			}
			// On version 1 the kernel reads -1 and writes its largest number.
			after := strings.ReplaceAll(dump(t, root), "memory.limit_in_bytes -1", "memory.limit_in_bytes 9223372036854771712")
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("not as it was (-before +after):\n%s", diff)
			}
			if err := g.limitMemory(c.fresh.Held); err == nil || !strings.Contains(err.Error(), "cannot be kept") {
				t.Errorf("a limit below what is held = %v; want a refusal", err)
			}
		})
	}
}

func allows(t *testing.T, g group, want faults.Allowance) {
	t.Helper()
	got, err := g.allowance()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("allowance (-want +got):\n%s", diff)
	}
}

func dump(t *testing.T, root string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		all.WriteString(filepath.Base(path) + " " + strings.TrimSpace(string(text)) + "\n")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// Nothing but the container that is meant is ever found, and nothing is made where there is no such limit.
func TestGroupsOfOthersAreNotFound(t *testing.T) {
	root, lines := secondVersion(t)
	for what, c := range map[string]struct{ lines, container string }{
		"another container":   {lines, strings.Repeat("f", 64)},
		"no container":        {lines, ""},
		"a way out":           {"0::/../" + groupID + "\n", groupID},
		"no lines":            {"", groupID},
		"a group without it":  {"0::/system.slice/other-" + groupID + "\n", groupID},
		"version 1, not here": {"4:memory:/docker/" + groupID + "\n1:cpu:/docker/" + groupID + "\n", groupID},
	} {
		if g, err := newGroup(root, c.lines, c.container); !errors.Is(err, ErrNotHere) {
			t.Errorf("%s: %+v, %v; want ErrNotHere", what, g, err)
		}
	}
	if err := (group{cpu: root, memory: root}).limitCPU(1000, 100_000); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("writing where there is no file = %v", err)
	}
	if _, err := GroupAllowance(root, os.Getpid(), groupID); !errors.Is(err, ErrNotHere) {
		t.Errorf("a process of no container = %v; want ErrNotHere", err)
	}
}
