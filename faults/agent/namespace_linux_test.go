package agent

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
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

// Every test process has a namespace, interfaces and addresses of its own: several may run at once on a machine.
var (
	net3  = fmt.Sprintf("10.%d.%d.", 192+os.Getpid()>>8%32, os.Getpid()%256)
	here  = net3 + "1"
	there = net3 + "2"
	space = fmt.Sprintf("candor-agent-test-%d", os.Getpid())
	ends  = [2]string{fmt.Sprintf("cndr%da", os.Getpid()), fmt.Sprintf("cndr%db", os.Getpid())}
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
	t.Cleanup(func() { do(false, "link", "del", ends[0]); do(true, "netns", "del", space) })
	do(true, "link", "add", ends[0], "type", "veth", "peer", "name", ends[1], "netns", space)
	do(true, "addr", "add", here+"/24", "dev", ends[0])
	do(true, "link", "set", ends[0], "up")
	do(true, "-n", space, "addr", "add", there+"/24", "dev", ends[1])
	do(true, "-n", space, "link", "set", ends[1], "up")
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

func failed(how func(error) bool) func(time.Duration, error) bool {
	return func(_ time.Duration, err error) bool { return err != nil && how(err) }
}

func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// quickly wants answers that nothing delays. A busy machine delays some, and a fault all of them: the best of five tells.
func quickly(t *testing.T, conn net.Conn) {
	t.Helper()
	best := time.Hour
	for range 5 {
		took, err := ping(conn, 5*time.Second)
		if err != nil {
			t.Errorf("afterwards: %v", err)
			return
		}
		best = min(best, took)
	}
	if best > 100*time.Millisecond {
		t.Errorf("afterwards the best of five answers took %s", best)
	}
}

func slow(took time.Duration, err error) bool { return err == nil && took >= 290*time.Millisecond }
