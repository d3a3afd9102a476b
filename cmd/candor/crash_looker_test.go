package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/nftables"
)

// TestCrashLooker: the one who looks must not be blind where candor is.
func TestCrashLooker(t *testing.T) {
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "./testdata/crash/left")
	list.Dir = filepath.Join("..", "..")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if name := strings.TrimSpace(line); strings.HasPrefix(name, module) && name != module+"/testdata/crash/left" {
			t.Errorf("the looker imports %s; it shares nothing with candor", name)
		}
	}
}

// TestCrashLookerSees plants each thing that the looker is there for, alone, and takes it away again: one that sees nothing
// would make every campaign a success.
func TestCrashLookerSees(t *testing.T) {
	if !dockerWanted(t) {
		t.Skip("LEFT OUT: needs Docker")
	}
	c := newCampaign(t)
	s, err := c.newSystem(t.Context(), "looker", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.down(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	if err := s.whole(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.snapshot(t.Context()); err != nil {
		t.Fatal(err)
	}
	web, catalog := s.container("web"), s.container("catalog")
	engine := func(args ...string) func() error {
		return func() error { _, err := s.docker(t.Context(), args...); return err }
	}
	fake := exec.CommandContext(t.Context(), filepath.Join(c.work, "candor"), "guardian", s.folder)
	for _, p := range []struct {
		sees       string
		plant, end func() error
	}{
		{"is paused", engine("pause", web), engine("unpause", web)},
		{"does not run", engine("stop", web), engine("start", web)},
		{"network " + s.name + " is", engine("network", "disconnect", s.name, web), engine("network", "connect", "--alias", "web", s.name, web)},
		{"memory", engine("update", "--memory", "64m", "--memory-swap", "64m", catalog), engine("rm", "-f", catalog)},
		{"cpu", engine("update", "--cpu-quota", "50000", web), engine("update", "--cpu-quota", "-1", web)},
		{"candor's container", engine("run", "-d", "--network", "none", "--name", s.name+"-lock", "--label", "candor.system="+s.name, s.tag()), engine("rm", "-f", s.name+"-lock")},
		{"nftables table candor_planted", s.table(t.Context(), (*nftables.Conn).AddTable), s.table(t.Context(), func(c *nftables.Conn, n *nftables.Table) *nftables.Table {
			c.DelTable(n)
			return n
		})},
		{"temporary file", func() error { return os.WriteFile(filepath.Join(s.folder, "tmp", "candor-1"), nil, 0o600) },
			func() error { return os.Remove(filepath.Join(s.folder, "tmp", "candor-1")) }},
		{"guardian " + s.folder, func() error {
			if err := os.Link(c.target, fake.Path); err != nil { // the target, under another name
				return err
			}
			return fake.Start()
		}, func() error { _ = fake.Process.Kill(); _ = fake.Wait(); return nil }},
	} {
		if err := p.plant(); err != nil {
			t.Fatalf("plant %q: %v", p.sees, err)
		}
		left, err := s.left(t.Context(), s.folder)
		if err != nil || !strings.Contains(strings.Join(left, "; "), p.sees) {
			t.Errorf("the looker sees %q, %v; want %q", left, err, p.sees)
		}
		if err := p.end(); err != nil {
			t.Fatalf("take %q away: %v", p.sees, err)
		}
		if left, err := s.left(t.Context(), s.folder); err != nil || len(left) > 0 {
			t.Errorf("after %q was taken away the looker sees %q, %v", p.sees, left, err)
		}
	}
}

// table does something to a table of candor's name in the namespace of web.
func (s *crashSystem) table(ctx context.Context, do func(*nftables.Conn, *nftables.Table) *nftables.Table) func() error {
	return func() error {
		pid, err := s.docker(ctx, "inspect", "--format", "{{.State.Pid}}", s.container("web"))
		if err != nil {
			return err
		}
		number, err := strconv.Atoi(strings.TrimSpace(pid))
		if err != nil {
			return err
		}
		space, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", number))
		if err != nil {
			return err
		}
		defer space.Close()
		conn, err := nftables.New(nftables.WithNetNSFd(int(space.Fd())))
		if err != nil {
			return err
		}
		do(conn, &nftables.Table{Name: "candor_planted", Family: nftables.TableFamilyINet})
		return conn.Flush()
	}
}
