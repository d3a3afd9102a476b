package agent

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/candor-chaos/candor/faults"
)

// giver answers "give N" with N bytes, "bye" by closing, "count" with how many bytes came before the next newline, and
// everything else with itself.
func giver(t *testing.T) *dependency {
	return depend(t, "tcp4", here+":0", func(c net.Conn) {
		in := bufio.NewReader(c)
		for {
			line, err := in.ReadString('\n')
			var n int
			switch {
			case err != nil || line == "bye\n":
				return
			case strings.HasPrefix(line, "give "):
				fmt.Sscanf(line, "give %d", &n)
				c.Write(bytes.Repeat([]byte("x"), n))
			case line == "count\n":
				rest, _ := in.ReadString('\n')
				fmt.Fprintf(c, "%d\n", len(rest))
			default:
				io.WriteString(c, line)
			}
		}
	})
}

// take reads n bytes and says how long they took and in how many pieces they came.
func take(c net.Conn, n int) (took time.Duration, pieces int, err error) {
	began := time.Now()
	c.SetDeadline(began.Add(10 * time.Second))
	buffer := make([]byte, 64<<10)
	for n > 0 && err == nil {
		var m int
		m, err = c.Read(buffer[:min(n, len(buffer))])
		n -= m
		pieces++
	}
	return time.Since(began), pieces, err
}

// about holds a measured time to what was asked, within a tenth. Never may it be shorter; that it is longer may be the
// machine's doing, so it is measured again, up to five times.
func about(t *testing.T, what string, want time.Duration, measure func() time.Duration) {
	t.Helper()
	for try := 1; ; try++ {
		got := measure()
		t.Logf("%s took %s, asked %s", what, got.Round(time.Millisecond), want)
		off := float64(got-want) / float64(want)
		switch {
		case off < -0.1 || off > 0.1 && try == 5:
			t.Fatalf("%s took %s; want %s within 10 %%", what, got, want)
		case off <= 0.1:
			return
		}
	}
}

// impaired makes an impairment until undo.
func impaired(t *testing.T, c *Conn, path faults.Path, i faults.Impairment) (hits func() int64, undo func()) {
	t.Helper()
	r := Request{Op: Impair, Path: path, Name: t.Name(), Impairment: &i}
	ask(t, c, r)
	r.Op = Impaired
	if s := ask(t, c, r).State; s != faults.Present {
		t.Fatalf("it is %s; want present", s)
	}
	hits = func() int64 { r.Op = Impacts; return ask(t, c, r).Count }
	return hits, func() {
		t.Helper()
		r.Op = Unimpair
		ask(t, c, r)
		r.Op = Impaired
		if s := ask(t, c, r).State; s != faults.Absent {
			t.Errorf("afterwards it is %s; want absent", s)
		}
	}
}

func both(kind string, attributes map[string]any) faults.Impairment {
	return faults.Impairment{Toxics: []faults.Toxic{{Type: kind, Stream: "upstream", Attributes: attributes},
		{Type: kind, Stream: "downstream", Attributes: attributes}}}
}

func down(kind string, attributes map[string]any) faults.Impairment {
	return faults.Impairment{Toxics: []faults.Toxic{{Type: kind, Stream: "downstream", Attributes: attributes}}}
}

func dialled(t *testing.T, port int) net.Conn {
	t.Helper()
	conn, err := dial(t, port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// measure sets up a dependency behind an agent.
func measure(t *testing.T) (*Conn, *dependency, faults.Path) {
	t.Helper()
	namespace(t)
	d := giver(t)
	c, _ := serve(t, nil)
	return c, d, interposed(t, c, d.port, here)
}

func TestSlowKeepsItsRate(t *testing.T) {
	c, d, path := measure(t)
	open := dialled(t, d.port)
	if _, err := ping(open, time.Second); err != nil {
		t.Fatal(err)
	}
	for _, rate := range []int{64 << 10, 1 << 20} {
		hits, undo := impaired(t, c, path, both("bandwidth", map[string]any{"rate": rate / 1000, "bytes": rate}))
		for name, conn := range map[string]net.Conn{"an open connection": open, "a new connection": dialled(t, d.port)} {
			about(t, fmt.Sprintf("%d bytes on %s", rate, name), time.Second, func() time.Duration {
				conn.SetDeadline(time.Now().Add(10 * time.Second)) // that of the first ping may be over
				if _, err := fmt.Fprintf(conn, "give %d\n", rate); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				took, _, err := take(conn, rate)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				return took
			})
		}
		about(t, fmt.Sprintf("%d bytes up", rate/2), 500*time.Millisecond, func() time.Duration {
			began := time.Now()
			fmt.Fprintf(open, "count\n%s\n", strings.Repeat("y", rate/2))
			if line, err := bufio.NewReader(open).ReadString('\n'); err != nil || strings.TrimSpace(line) != fmt.Sprint(rate/2+1) {
				t.Fatalf("the dependency counted %q, %v", line, err)
			}
			return time.Since(began)
		})
		if n := hits(); n < 20 {
			t.Errorf("%d hits; want each piece", n)
		}
		undo()
		best := time.Hour
		for range 5 {
			fmt.Fprintf(open, "give %d\n", rate)
			took, _, err := take(open, rate)
			if err != nil {
				t.Fatal(err)
			}
			best = min(best, took)
		}
		if best > 500*time.Millisecond {
			t.Errorf("afterwards %d bytes took %s at best", rate, best)
		}
	}
}

// What a slow connection holds when the fault ends arrives, whole and in order.
func TestSlowLosesNothingWhenItEnds(t *testing.T) {
	c, d, path := measure(t)
	conn := dialled(t, d.port)
	_, undo := impaired(t, c, path, both("bandwidth", map[string]any{"rate": 10, "bytes": 10_000}))
	text := strings.Repeat("0123456789abcdef", 4096)
	go fmt.Fprintln(conn, text)
	time.Sleep(300 * time.Millisecond)
	undo()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || line != text+"\n" {
		t.Errorf("%d bytes came back, %v; want all %d unchanged", len(line), err, len(text)+1)
	}
}

func TestTrickleTearsIntoLatePieces(t *testing.T) {
	c, d, path := measure(t)
	conn := dialled(t, d.port)
	hits, undo := impaired(t, c, path, down("slicer", map[string]any{"average_size": 10, "size_variation": 0, "delay": 20_000}))
	rounds, most := 0, 0
	about(t, "50 pieces 20ms apart", 49*20*time.Millisecond, func() time.Duration {
		time.Sleep(30 * time.Millisecond) // the gap after the last piece
		fmt.Fprintln(conn, "give 500")
		took, pieces, err := take(conn, 500)
		if err != nil {
			t.Fatal(err)
		}
		rounds, most = rounds+1, max(most, pieces)
		return took
	})
	if most < 40 || most > 50 { // two pieces may lie in the buffer of a reader that is late
		t.Errorf("500 bytes came in %d pieces; want 50", most)
	}
	if n := hits(); n != int64(50*rounds) {
		t.Errorf("%d hits in %d rounds; want 50 pieces in each", n, rounds)
	}
	undo()
	quickly(t, conn)
}

func TestCutClosesAfterSoMuch(t *testing.T) {
	c, d, path := measure(t)
	open := dialled(t, d.port)
	if _, err := ping(open, time.Second); err != nil {
		t.Fatal(err)
	}
	hits, undo := impaired(t, c, path, down("limit_data", map[string]any{"bytes": 10 << 10}))
	for name, conn := range map[string]net.Conn{"open": open, "new": dialled(t, d.port)} {
		if _, err := ping(conn, time.Second); err != nil {
			t.Errorf("%s: the first bytes: %v", name, err)
		}
		fmt.Fprintln(conn, "give 20000")
		conn.SetDeadline(time.Now().Add(5 * time.Second))
		got, err := io.ReadAll(conn)
		if want := 10<<10 - len("hello\n"); len(got) != want || err != nil && !isReset(err) {
			t.Errorf("%s: %d bytes, then %v; want %d and the end", name, len(got), err, want)
		}
	}
	if n := hits(); n != 2 {
		t.Errorf("%d hits; want the two connections", n)
	}
	soon(t, "the dependency has no connection left", 3*time.Second, func() bool { return d.open.Load() == 0 })
	undo()
	conn := dialled(t, d.port)
	fmt.Fprintln(conn, "give 20000")
	if _, _, err := take(conn, 20000); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestLingerDelaysTheEnd(t *testing.T) {
	c, d, path := measure(t)
	const delay = 600 * time.Millisecond
	hits, undo := impaired(t, c, path, both("slow_close", map[string]any{"delay": delay.Milliseconds()}))
	about(t, "the dependency's end", delay, func() time.Duration {
		conn := dialled(t, d.port)
		if _, err := ping(conn, time.Second); err != nil {
			t.Fatalf("before the end: %v", err)
		}
		began := time.Now()
		fmt.Fprintln(conn, "bye")
		conn.SetDeadline(began.Add(5 * time.Second))
		if n, err := conn.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
			t.Errorf("the dependency's end arrived as %d, %v", n, err)
		}
		return time.Since(began)
	})
	about(t, "the application's end", delay, func() time.Duration {
		soon(t, "none is open", 3*time.Second, func() bool { return d.open.Load() == 0 })
		conn := dialled(t, d.port)
		if _, err := ping(conn, time.Second); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		conn.Close()
		soon(t, "the dependency learns of the end", 5*time.Second, func() bool { return d.open.Load() == 0 })
		return time.Since(began)
	})
	if n := hits(); n < 2 {
		t.Errorf("%d hits; want each end", n)
	}
	late := dialled(t, d.port)
	if _, err := ping(late, time.Second); err != nil {
		t.Fatal(err)
	}
	late.Close()
	time.Sleep(50 * time.Millisecond)
	undo()
	soon(t, "removing it lets go of what has ended", 300*time.Millisecond, func() bool { return d.open.Load() == 0 })
}

// shareOf opens connections one after the other and tells which of them a fault hit.
func shareOf(t *testing.T, d *dependency, n int, hit func(net.Conn) bool) (all []int) {
	t.Helper()
	inside(t, func() {
		for i := range n {
			conn, err := net.DialTimeout("tcp4", fmt.Sprintf("%s:%d", here, d.port), 3*time.Second)
			if err != nil {
				t.Error(err)
				return
			}
			if hit(conn) {
				all = append(all, i)
			}
			conn.Close()
		}
	})
	return all
}

// closes tells a connection that a cut ends from one that lives.
func closes(conn net.Conn) bool {
	_, err := ping(conn, 3*time.Second)
	return err != nil
}

func TestAShareOfConnectionsIsHitAsTheSeedSays(t *testing.T) {
	const n = 400
	var sequences [2][]int
	for round := range sequences {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			c, d, path := measure(t)
			i := both("limit_data", map[string]any{"bytes": 1})
			i.Share = 0.3
			hits, undo := impaired(t, c, path, i)
			hit := shareOf(t, d, n, closes)
			least, most := likely(n, 0.3)
			t.Logf("%d of %d connections are hit, asked 30 %%: %d to %d", len(hit), n, least, most)
			if len(hit) < least || len(hit) > most {
				t.Errorf("%d of %d connections are hit; want %d to %d", len(hit), n, least, most)
			}
			if counted := hits(); counted < int64(len(hit)) {
				t.Errorf("%d hits; want at least the %d connections", counted, len(hit))
			}
			undo()
			if after := shareOf(t, d, 20, closes); len(after) > 0 {
				t.Errorf("afterwards %v are hit", after)
			}
			sequences[round] = hit
		})
	}
	if len(sequences[0]) == 0 || !slices.Equal(sequences[0], sequences[1]) {
		t.Errorf("the same seed hit %v and then %v", sequences[0], sequences[1])
	}
}

func TestLatencyGrowsOverItsRamp(t *testing.T) {
	c, d, path := measure(t)
	conn := dialled(t, d.port)
	i := down("latency", map[string]any{"latency": 400, "jitter": 0})
	i.Ramp = 2000
	began := time.Now()
	_, undo := impaired(t, c, path, i)
	all, late := 0, 0
	for time.Since(began) < 2500*time.Millisecond {
		at := time.Since(began)
		took, err := ping(conn, time.Second)
		if err != nil {
			t.Fatal(err)
		}
		want := time.Duration(grown(at, 2*time.Second) * float64(400*time.Millisecond))
		if all++; took > want+100*time.Millisecond { // which may be the machine's doing
			late++
			t.Logf("%s after the beginning an answer took %s; want %s", at, took, want)
		}
		if took < want-5*time.Millisecond {
			t.Errorf("%s after the beginning an answer took only %s; want %s", at, took, want)
		}
	}
	if late > all/2 {
		t.Errorf("%d of %d answers took much longer than asked", late, all)
	}
	undo()
}
