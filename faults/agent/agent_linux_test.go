package agent

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/candor-chaos/candor/faults"
)

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
			quickly(t, after)
		})
	}
}

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
	ask(t, c, Request{Op: Readdress, Path: path, Addresses: []netip.Addr{netip.MustParseAddr(net3 + "9")}})
	if rules := ruleset(t); !strings.Contains(rules, net3+"9") || strings.Contains(rules, here+" }") {
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
