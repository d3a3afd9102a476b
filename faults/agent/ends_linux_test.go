package agent

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/candor-chaos/candor/faults"
)

// The end of the input ends the agent, also while it is busy.
func TestTheEndOfTheInputEndsABusyAgent(t *testing.T) {
	namespace(t)
	d := depend(t, "tcp4", here+":0", func(c net.Conn) {
		for {
			if _, err := c.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	})
	c, cmd := serve(t, nil)
	path := interposed(t, c, d.port, here)
	stuck, err := dial(t, d.port)
	if err != nil {
		t.Fatal(err)
	}
	defer stuck.Close()
	time.Sleep(500 * time.Millisecond)
	go func() {
		for i := range 5 {
			_ = c.send(Request{ID: int64(100 + i), Op: Impair, Path: path, Name: fmt.Sprint(i), Impairment: &faults.Impairment{Toxics: []faults.Toxic{
				{Type: "timeout", Stream: "downstream", Attributes: map[string]any{"timeout": 0}}}}})
		}
		c.stream.Close()
	}()
	began := time.Now()
	select {
	case <-c.Gone():
	case <-time.After(20 * time.Second):
		t.Fatal("it never ended")
	}
	_ = cmd
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("it took %s", took)
	}
	if rules := ruleset(t); strings.Contains(rules, "candor_") {
		t.Errorf("left:\n%s", rules)
	}
}

// A path can be withdrawn with its faults still in force, and nothing of it stays in the table.
func TestWithdrawTakesBlocksAlong(t *testing.T) {
	namespace(t)
	d := depend(t, "tcp4", here+":0", mirror)
	c, _ := serve(t, nil)
	path := interposed(t, c, d.port, here)
	for _, mode := range []string{"refuse", "reset", "blackhole"} {
		ask(t, c, Request{Op: Impair, Path: path, Name: mode, Impairment: &faults.Impairment{Block: mode}})
	}
	ask(t, c, Request{Op: Withdraw, Path: path})
	if rules := ruleset(t); strings.Contains(rules, path.Key()) || strings.Contains(rules, "@path") {
		t.Errorf("left:\n%s", rules)
	}
	conn, err := dial(t, d.port)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := ping(conn, time.Second); err != nil {
		t.Errorf("after withdraw: %v", err)
	}
}

// A runner that lives but does not read any more must not keep its agent past the time of silence.
func TestARunnerThatStandsStillLosesItsAgent(t *testing.T) {
	in, _ := io.Pipe()
	_, out := io.Pipe() // nobody reads
	s := &server{options: Options{Silence: 200 * time.Millisecond}, out: make(chan Answer)}
	go func() {
		for range 5 {
			s.overheard(faults.Request{})
		}
	}()
	done := make(chan error, 1)
	go func() { done <- s.listen(t.Context(), in, out) }()
	select {
	case err := <-done:
		if err == nil {
			t.Error("it ended without a reason")
		}
	case <-time.After(5 * time.Second):
		t.Error("it did not end")
	}
}

func TestImpairmentsThatMakeNoSenseAreRefused(t *testing.T) {
	number := func(kind, name string, n any) faults.Impairment {
		return faults.Impairment{Toxics: []faults.Toxic{{Type: kind, Stream: "upstream", Attributes: map[string]any{name: n}}}}
	}
	for _, i := range []faults.Impairment{
		{},
		number("latency", "latency", -50),
		number("latency", "latency", 1.5),
		number("latency", "latency", "50"),
		number("latency", "delay", 50),
		number("latency", "jitter", longest+1),
		number("teleport", "latency", 1),
		{Toxics: []faults.Toxic{{Type: "latency", Stream: "sideways"}}},
		{Toxics: make([]faults.Toxic, mostToxics+1)},
	} {
		if check(i) == nil {
			t.Errorf("check(%+v) = nil; want an error", i)
		}
	}
	if err := check(number("latency", "latency", 50)); err != nil {
		t.Errorf("check of a plain latency = %v", err)
	}
}
