package agent

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/candor-chaos/candor/faults"
)

// dependency serves each connection with serve and counts those that are open.
type dependency struct {
	port int
	open atomic.Int64
	all  atomic.Int64
}

func depend(t *testing.T, network, address string, serve func(net.Conn)) *dependency {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	d := &dependency{port: l.Addr().(*net.TCPAddr).Port}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			d.open.Add(1)
			d.all.Add(1)
			go func() {
				defer d.open.Add(-1)
				defer c.Close()
				serve(c)
			}()
		}
	}()
	return d
}

func mirror(c net.Conn) { io.Copy(c, c) }

// soon waits for a fact.
func soon(t *testing.T, what string, within time.Duration, fact func() bool) {
	t.Helper()
	for end := time.Now().Add(within); !fact(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never within %s: %s", within, what)
		}
	}
}

func interposed(t *testing.T, c *Conn, port int, address string) faults.Path {
	t.Helper()
	path := faults.Path{From: "app", To: "dep", Port: port}
	ask(t, c, Request{Op: Interpose, Path: path, Addresses: []netip.Addr{netip.MustParseAddr(address)}})
	return path
}

// What a client said into a black hole must not come out of it when the client gives up: the kernel goes on sending what
// a closed socket still holds, and such packets no longer belong to any process.
func TestABlackHoleHoldsWhatAClosedSocketStillSends(t *testing.T) {
	namespace(t)
	got := make(chan string, 10)
	d := depend(t, "tcp4", here+":0", func(c net.Conn) {
		for lines := bufio.NewScanner(c); lines.Scan(); {
			got <- lines.Text()
			fmt.Fprintln(c, lines.Text())
		}
	})
	c, _ := serve(t, nil)
	path := interposed(t, c, d.port, here)
	conn, err := dial(t, d.port)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ping(conn, time.Second); err != nil {
		t.Fatal(err)
	}
	<-got
	ask(t, c, Request{Op: Impair, Path: path, Name: "hole", Impairment: &faults.Impairment{Block: "blackhole"}})
	fmt.Fprintln(conn, "pay")
	conn.Close()
	select {
	case said := <-got:
		t.Errorf("out of the black hole came %q", said)
	case <-time.After(4 * time.Second):
	}
}

// A connection that was reset towards the application must not live on towards the dependency: it would hold one of the
// dependency's few for nobody.
func TestWhatIsResetIsGoneAtTheDependencyToo(t *testing.T) {
	for _, mode := range []string{"refuse", "reset"} {
		t.Run(mode, func(t *testing.T) {
			namespace(t)
			d := depend(t, "tcp4", here+":0", mirror)
			c, _ := serve(t, nil)
			path := interposed(t, c, d.port, here)
			idle, err := dial(t, d.port)
			if err != nil {
				t.Fatal(err)
			}
			defer idle.Close()
			if _, err := ping(idle, time.Second); err != nil {
				t.Fatal(err)
			}
			ask(t, c, Request{Op: Impair, Path: path, Name: "cut", Impairment: &faults.Impairment{Block: mode}})
			idle.SetReadDeadline(time.Now().Add(2 * time.Second))
			if _, err := idle.Read(make([]byte, 1)); !isReset(err) {
				t.Errorf("an idle connection met %v; want a reset", err)
			}
			if n := ask(t, c, Request{Op: Impacts, Path: path, Name: "cut"}).Count; n != 1 {
				t.Errorf("%d hits; want the idle connection", n)
			}
			for range 5 {
				if conn, err := dial(t, d.port); err == nil {
					if _, err := ping(conn, time.Second); !isReset(err) {
						t.Errorf("a new connection met %v; want a reset", err)
					}
					conn.Close()
				}
			}
			soon(t, "the dependency has no connection left", 2*time.Second, func() bool { return d.open.Load() == 0 })
			ask(t, c, Request{Op: Unimpair, Path: path, Name: "cut"})
			fresh, err := dial(t, d.port)
			if err != nil {
				t.Fatal(err)
			}
			defer fresh.Close()
			if _, err := ping(fresh, time.Second); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

// One client that does not read must not keep a fault from the others, nor from ending.
func TestAClientThatDoesNotReadHoldsUpNobody(t *testing.T) {
	namespace(t)
	d := depend(t, "tcp4", here+":0", func(c net.Conn) {
		line, _ := bufio.NewReader(c).ReadString('\n')
		if line == "flood\n" {
			for {
				if _, err := c.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		}
		io.WriteString(c, line)
		io.Copy(c, c)
	})
	c, _ := serve(t, nil)
	path := interposed(t, c, d.port, here)
	stuck, err := dial(t, d.port)
	if err != nil {
		t.Fatal(err)
	}
	defer stuck.Close()
	io.WriteString(stuck, "flood\n")
	other, err := dial(t, d.port)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := ping(other, time.Second); err != nil {
		t.Fatal(err)
	}
	time.Sleep(500 * time.Millisecond) // until every buffer on the way is full
	for _, toxic := range []faults.Toxic{
		{Type: "latency", Stream: "downstream", Attributes: map[string]any{"latency": 300, "jitter": 0}},
		{Type: "latency", Stream: "downstream", Attributes: map[string]any{"latency": 10, "jitter": 0}},
		{Type: "timeout", Stream: "downstream", Attributes: map[string]any{"timeout": 0}},
	} {
		r := Request{Path: path, Name: "x", Impairment: &faults.Impairment{Toxics: []faults.Toxic{toxic}}}
		for _, op := range []Op{Impair, Unimpair} {
			r.Op = op
			began := time.Now()
			ask(t, c, r)
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("%s of %s took %s", op, toxic.Type, took)
			}
			r.Op = Impaired
			want := map[Op]faults.State{Impair: faults.Present, Unimpair: faults.Absent}[op]
			if s := ask(t, c, r).State; s != want {
				t.Errorf("after %s %s is %s", op, toxic.Type, s)
			}
			if op == Impair && toxic.Attributes["latency"] == 300 {
				if took, err := ping(other, 2*time.Second); !slow(took, err) {
					t.Errorf("the other connection: %v, %v", took, err)
				}
			}
		}
	}
	fresh, err := dial(t, d.port)
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close()
	quickly(t, fresh)
}

func TestAgentCarriesIPv6(t *testing.T) {
	namespace(t)
	for _, args := range [][]string{{"addr", "add", "fd77::1/64", "dev", ends[0], "nodad"},
		{"-n", space, "addr", "add", "fd77::2/64", "dev", ends[1], "nodad"}} {
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			t.Fatalf("ip %v: %v\n%s", args, err, out)
		}
	}
	d := depend(t, "tcp6", "[fd77::1]:0", mirror)
	c, _ := serve(t, nil)
	path := interposed(t, c, d.port, "fd77::1")
	dial := func() (conn net.Conn, err error) {
		inside(t, func() { conn, err = net.DialTimeout("tcp6", fmt.Sprintf("[fd77::1]:%d", d.port), 2*time.Second) })
		return conn, err
	}
	conn, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := ping(conn, time.Second); err != nil {
		t.Fatal(err)
	}
	r := Request{Op: Impair, Path: path, Name: "slow", Impairment: &faults.Impairment{Toxics: []faults.Toxic{
		{Type: "latency", Stream: "downstream", Attributes: map[string]any{"latency": 300, "jitter": 0}}}}}
	ask(t, c, r)
	if took, err := ping(conn, time.Second); !slow(took, err) {
		t.Errorf("latency over IPv6: %v, %v", took, err)
	}
	r.Op = Unimpair
	ask(t, c, r)
	ask(t, c, Request{Op: Impair, Path: path, Name: "no", Impairment: &faults.Impairment{Block: "refuse"}})
	if _, err := ping(conn, time.Second); !isReset(err) {
		t.Errorf("refuse over IPv6 on an open connection: %v", err)
	}
	if _, err := dial(); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("refuse over IPv6 on a new connection: %v", err)
	}
}

// What an application says and does not wait for arrives, also when it closes at once.
func TestTheProxyKeepsWhatAClosingClientSaid(t *testing.T) {
	namespace(t)
	const size = 8 << 20
	got := make(chan int64, 1)
	d := depend(t, "tcp4", here+":0", func(c net.Conn) {
		time.Sleep(300 * time.Millisecond) // so that most of it is still under way when the client has gone
		n, _ := io.Copy(io.Discard, c)
		got <- n
	})
	c, _ := serve(t, nil)
	interposed(t, c, d.port, here)
	conn, err := dial(t, d.port)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	select {
	case n := <-got:
		if n != size {
			t.Errorf("%d bytes arrived; want %d", n, size)
		}
	case <-time.After(10 * time.Second):
		t.Error("it never ended")
	}
}

// Who connected past the proxy while the dependency was frozen still gets its answer when it thaws. A toxic ends that,
// because it would not be felt there.
func TestWhatWentPastALiftedProxyIsLetBe(t *testing.T) {
	namespace(t)
	d := depend(t, "tcp4", here+":0", mirror)
	c, _ := serve(t, nil)
	path := interposed(t, c, d.port, here)
	addresses := []netip.Addr{netip.MustParseAddr(here)}
	ask(t, c, Request{Op: Readdress, Path: path, Addresses: addresses, Lifted: true})
	past, err := dial(t, d.port)
	if err != nil {
		t.Fatal(err)
	}
	defer past.Close()
	if _, err := ping(past, time.Second); err != nil {
		t.Fatalf("past a lifted proxy: %v", err)
	}
	ask(t, c, Request{Op: Readdress, Path: path, Addresses: addresses})
	if _, err := ping(past, time.Second); err != nil {
		t.Errorf("after the redirect is back: %v", err)
	}
	r := Request{Op: Impair, Path: path, Name: strings.Repeat("a very long name of a fault ", 20), Impairment: &faults.Impairment{Block: "refuse"}}
	ask(t, c, r)
	if _, err := ping(past, time.Second); !isReset(err) {
		t.Errorf("a block on a connection past the proxy: %v; want a reset", err)
	}
	r.Op = Unimpair
	ask(t, c, r)
	ask(t, c, Request{Op: Readdress, Path: path, Addresses: addresses, Lifted: true})
	past, err = dial(t, d.port)
	if err != nil {
		t.Fatal(err)
	}
	defer past.Close()
	ask(t, c, Request{Op: Readdress, Path: path, Addresses: addresses})
	ask(t, c, Request{Op: Impair, Path: path, Name: "slow", Impairment: &faults.Impairment{Toxics: []faults.Toxic{
		{Type: "latency", Stream: "downstream", Attributes: map[string]any{"latency": 300, "jitter": 0}}}}})
	if _, err := ping(past, time.Second); !isReset(err) {
		t.Errorf("a toxic while a connection goes past the proxy: %v; want a reset, so that it comes back through it", err)
	}
}
