package agent

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/candor-chaos/candor/faults"
)

// The agent is tested in a network namespace of its own, between a dependency on this side of a pair of virtual
// interfaces and an application on the other.

// TestMain is the agent itself when the test starts it in the namespace.
func TestMain(m *testing.M) {
	if os.Getenv("CANDOR_TEST_AGENT") != "" {
		if err := Main(context.Background(), os.Args[1:], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const (
	here  = "10.231.77.1"
	there = "10.231.77.2"
	space = "candor-agent-test"
)

// namespace makes the namespace and the pair, and removes both at the end.
func namespace(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Fatal("network namespaces need root")
	}
	do := func(fatal bool, args ...string) {
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil && fatal {
			t.Fatalf("ip %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	do(false, "netns", "del", space)
	do(true, "netns", "add", space)
	t.Cleanup(func() { do(false, "link", "del", "candor-t0"); do(true, "netns", "del", space) })
	do(true, "link", "add", "candor-t0", "type", "veth", "peer", "name", "candor-t1", "netns", space)
	do(true, "addr", "add", here+"/24", "dev", "candor-t0")
	do(true, "link", "set", "candor-t0", "up")
	do(true, "-n", space, "addr", "add", there+"/24", "dev", "candor-t1")
	do(true, "-n", space, "link", "set", "candor-t1", "up")
	do(true, "-n", space, "link", "set", "lo", "up")
}

// inside runs f on a thread that lives in the namespace and is thrown away afterwards.
func inside(t *testing.T, f func()) {
	t.Helper()
	var done sync.WaitGroup
	done.Go(func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		ns, err := os.Open("/var/run/netns/" + space)
		if err != nil {
			t.Error(err)
			return
		}
		defer ns.Close()
		if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
			t.Errorf("enter the namespace: %v", err)
			return
		}
		f()
	})
	done.Wait()
}

// dial connects from inside the namespace to the dependency.
func dial(t *testing.T, port int) (c net.Conn, err error) {
	t.Helper()
	inside(t, func() {
		c, err = net.DialTimeout("tcp4", fmt.Sprintf("%s:%d", here, port), 3*time.Second)
	})
	return c, err
}

// echo is a dependency that answers each line with itself.
func echo(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp4", here+":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				io.Copy(c, c)
			}()
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}

// ping sends a line and waits for it to come back.
func ping(c net.Conn, within time.Duration) (time.Duration, error) {
	began := time.Now()
	c.SetDeadline(began.Add(within))
	if _, err := io.WriteString(c, "hello\n"); err != nil {
		return 0, err
	}
	if _, err := bufio.NewReaderSize(c, 16).ReadString('\n'); err != nil {
		return 0, err
	}
	return time.Since(began), nil
}

// serve starts an agent in the namespace.
func serve(t *testing.T, seen func(faults.Request)) (*Conn, *exec.Cmd) {
	t.Helper()
	cmd := exec.Command("ip", "netns", "exec", space, os.Args[0], "serve", "-run", "test", "-prefix", "cabc-", "-seed", "7")
	cmd.Env = append(os.Environ(), "CANDOR_TEST_AGENT=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 0, Gid: Group}}
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := NewConn(in, out, in, seen)
	t.Cleanup(func() {
		c.Close(context.Background())
		cmd.Wait()
	})
	ask(t, c, Request{Op: Hello})
	return c, cmd
}

func ask(t *testing.T, c *Conn, r Request) Answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	a, err := c.Do(ctx, r)
	if err != nil {
		t.Fatalf("%s: %v", r.Op, err)
	}
	return a
}

func ruleset(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("ip", "netns", "exec", space, "nft", "list", "ruleset").CombinedOutput()
	if err != nil {
		t.Fatalf("nft: %v\n%s", err, out)
	}
	return string(out)
}

func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

func TestAgentLeadsOldAndNewConnectionsThroughTheProxy(t *testing.T) {
	namespace(t)
	port := echo(t)
	old, err := dial(t, port)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	if _, err := ping(old, time.Second); err != nil {
		t.Fatal(err)
	}
	c, _ := serve(t, nil)
	path := faults.Path{From: "app", To: "dep", Port: port}
	addresses := []netip.Addr{netip.MustParseAddr(here)}
	ask(t, c, Request{Op: Interpose, Path: path, Addresses: addresses})
	if s := ask(t, c, Request{Op: Sighted, Path: path}).State; s != faults.Present {
		t.Errorf("after interpose the redirect is %s", s)
	}
	if _, err := ping(old, time.Second); !isReset(err) {
		t.Errorf("a connection that was open before ended with %v; want a reset", err)
	}
	through, err := dial(t, port)
	if err != nil {
		t.Fatal(err)
	}
	defer through.Close()
	if _, err := ping(through, time.Second); err != nil {
		t.Errorf("through the proxy: %v", err)
	}
	ask(t, c, Request{Op: Withdraw, Path: path})
	if s := ask(t, c, Request{Op: Sighted, Path: path}).State; s != faults.Absent {
		t.Errorf("after withdraw the redirect is %s", s)
	}
	if rules := ruleset(t); strings.Contains(rules, "daddr") {
		t.Errorf("after withdraw there are still rules:\n%s", rules)
	}
}

func TestAgentImpairsOldAndNewConnections(t *testing.T) {
	namespace(t)
	port := echo(t)
	c, _ := serve(t, nil)
	path := faults.Path{From: "app", To: "dep", Port: port}
	ask(t, c, Request{Op: Interpose, Path: path, Addresses: []netip.Addr{netip.MustParseAddr(here)}})
	for _, k := range []struct {
		name       string
		impairment faults.Impairment
		oldFails   func(time.Duration, error) bool
		newFails   func(time.Duration, error) bool
		dialFails  bool
		survives   bool // the old connection goes on afterwards
	}{
		{"refuse", faults.Impairment{Block: "refuse"}, failed(isReset), nil, true, false},
		{"reset", faults.Impairment{Block: "reset"}, failed(isReset), failed(isReset), false, false},
		{"blackhole", faults.Impairment{Block: "blackhole"}, failed(isTimeout), nil, true, true},
		{"hang", faults.Impairment{Toxics: []faults.Toxic{{Type: "timeout", Stream: "upstream", Attributes: map[string]any{"timeout": 0}}}},
			failed(isTimeout), failed(isTimeout), false, false},
		{"latency", faults.Impairment{Toxics: []faults.Toxic{{Type: "latency", Stream: "downstream", Attributes: map[string]any{"latency": 300, "jitter": 0}}}},
			slow, slow, false, true},
	} {
		t.Run(k.name, func(t *testing.T) {
			old, err := dial(t, port)
			if err != nil {
				t.Fatal(err)
			}
			defer old.Close()
			if _, err := ping(old, time.Second); err != nil {
				t.Fatal(err)
			}
			r := Request{Path: path, Name: k.name, Impairment: &k.impairment}
			with := func(op Op) Request { r.Op = op; return r }
			ask(t, c, with(Impair))
			ask(t, c, with(Impair)) // again is no error
			if s := ask(t, c, with(Impaired)).State; s != faults.Present {
				t.Errorf("state %s; want present", s)
			}
			if took, err := ping(old, time.Second); !k.oldFails(took, err) {
				t.Errorf("open connection: %v, %v", took, err)
			}
			fresh, err := dial(t, port)
			if k.dialFails != (err != nil) {
				t.Errorf("dial: %v; want failure %v", err, k.dialFails)
			}
			if err == nil {
				defer fresh.Close()
				if took, err := ping(fresh, time.Second); !k.newFails(took, err) {
					t.Errorf("new connection: %v, %v", took, err)
				}
			}
			if n := ask(t, c, with(Impacts)).Count; n < 1 {
				t.Errorf("hits %d; want some", n)
			}
			ask(t, c, with(Unimpair))
			if s := ask(t, c, with(Impaired)).State; s != faults.Absent {
				t.Errorf("after unimpair %s; want absent", s)
			}
			if k.survives {
				// what was swallowed is sent again by TCP, at intervals that grow
				if _, err := ping(old, 5*time.Second); err != nil {
					t.Errorf("the connection that was open did not come back: %v", err)
				}
			}
			after, err := dial(t, port)
			if err != nil {
				t.Fatalf("after unimpair: %v", err)
			}
			defer after.Close()
			if took, err := ping(after, time.Second); err != nil || took > 200*time.Millisecond {
				t.Errorf("after unimpair: %v, %v", took, err)
			}
		})
	}
}

func failed(how func(error) bool) func(time.Duration, error) bool {
	return func(_ time.Duration, err error) bool { return err != nil && how(err) }
}

func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

func slow(took time.Duration, err error) bool { return err == nil && took >= 290*time.Millisecond }

func TestAgentLiftsAndRestores(t *testing.T) {
	namespace(t)
	port := echo(t)
	c, _ := serve(t, nil)
	path := faults.Path{From: "app", To: "dep", Port: port}
	ask(t, c, Request{Op: Interpose, Path: path, Addresses: []netip.Addr{netip.MustParseAddr(here)}})
	for _, lifted := range []bool{true, true, false, false, true, false} {
		ask(t, c, Request{Op: Readdress, Path: path, Addresses: []netip.Addr{netip.MustParseAddr(here)}, Lifted: lifted})
		if rules := ruleset(t); strings.Contains(rules, "redirect to") == lifted {
			t.Errorf("lifted %v:\n%s", lifted, rules)
		}
		if s := ask(t, c, Request{Op: Sighted, Path: path}).State; s != faults.Present {
			t.Errorf("lifted %v: the path is %s; want present either way", lifted, s)
		}
	}
	ask(t, c, Request{Op: Readdress, Path: path, Addresses: []netip.Addr{netip.MustParseAddr("10.231.77.9")}})
	if rules := ruleset(t); !strings.Contains(rules, "10.231.77.9") || strings.Contains(rules, here+" }") {
		t.Errorf("the set was not replaced:\n%s", rules)
	}
}

func TestAgentLeavesNothingWhenItIsKilled(t *testing.T) {
	namespace(t)
	port := echo(t)
	c, cmd := serve(t, nil)
	if !ask(t, c, Request{Op: Hello}).Owned {
		t.Skip("this kernel has no owner flag (5.12): the table of a killed agent is removed by the next one")
	}
	ask(t, c, Request{Op: Interpose, Path: faults.Path{From: "app", To: "dep", Port: port}, Addresses: []netip.Addr{netip.MustParseAddr(here)}})
	if !strings.Contains(ruleset(t), "candor_test") {
		t.Fatal("there is no table to lose")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-c.Gone()
	deadline := time.Now().Add(5 * time.Second)
	for strings.Contains(ruleset(t), "candor_test") {
		if time.Now().After(deadline) {
			t.Fatalf("the table outlived its agent:\n%s", ruleset(t))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestAgentHearsRequestsThatPass(t *testing.T) {
	namespace(t)
	l, err := net.Listen("tcp4", here+":0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) })}
	go server.Serve(l)
	defer server.Close()
	port := l.Addr().(*net.TCPAddr).Port
	seen := make(chan faults.Request, 10)
	c, _ := serve(t, func(r faults.Request) { seen <- r })
	ask(t, c, Request{Op: Interpose, Path: faults.Path{From: "app", To: "dep", Port: port}, Addresses: []netip.Addr{netip.MustParseAddr(here)}})
	conn, err := dial(t, port)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	body := `{"note":"cabc-12"}`
	fmt.Fprintf(conn, "POST /orders HTTP/1.1\r\nHost: dep\r\nIdempotency-Key: k1\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	fmt.Fprintf(conn, "GET /orders/cabc-13 HTTP/1.1\r\nHost: dep\r\n\r\n")
	for _, want := range []struct {
		method, marker string
		keyed          bool
	}{{"POST", "cabc-12", true}, {"GET", "cabc-13", false}} {
		select {
		case r := <-seen:
			if r.Method != want.method || r.Marker != want.marker || (r.Key != "") != want.keyed {
				t.Errorf("heard %+v; want %+v", r, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("never heard %+v", want)
		}
	}
}

func TestSignalRefusesAnotherProcess(t *testing.T) {
	sleeper := exec.Command("sleep", "60")
	if err := sleeper.Start(); err != nil {
		t.Fatal(err)
	}
	defer sleeper.Process.Kill()
	for _, other := range []string{"", "5f0c1e"} {
		if err := Signal(sleeper.Process.Pid, other, "KILL"); !errors.Is(err, ErrAnother) {
			t.Errorf("Signal to a process that is not in container %q = %v; want ErrAnother", other, err)
		}
	}
	if err := Signal(sleeper.Process.Pid, "5f0c1e", "BOGUS"); err == nil {
		t.Error("an unknown signal was sent")
	}
}
