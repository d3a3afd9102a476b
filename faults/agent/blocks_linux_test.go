package agent

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/candor-chaos/candor/faults"
)

// refused and its like say how a connection that is hit looks.
func refused(_ net.Conn, err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

func wasReset(conn net.Conn, err error) bool {
	if err != nil {
		return false
	}
	_, err = ping(conn, 3*time.Second)
	return isReset(err)
}

// some tries n connections, and tells which were hit; whoever was not must have been answered.
func some(t *testing.T, d *dependency, n int, within time.Duration, hit func(net.Conn, error) bool) (all []int) {
	t.Helper()
	inside(t, func() {
		for i := range n {
			conn, err := net.DialTimeout("tcp4", fmt.Sprintf("%s:%d", here, d.port), within)
			switch {
			case hit(conn, err):
				all = append(all, i)
			case err != nil:
				t.Errorf("connection %d: %v", i, err)
			default:
				if _, err := ping(conn, 3*time.Second); err != nil {
					t.Errorf("connection %d: %v", i, err)
				}
			}
			if conn != nil {
				conn.Close()
			}
		}
	})
	return all
}

func TestABlockHitsAShareAsTheSeedSays(t *testing.T) {
	for mode, hit := range map[string]func(net.Conn, error) bool{blockRefuse: refused, blockReset: wasReset} {
		const n = 400
		var sequences [2][]int
		for round := range sequences {
			t.Run(fmt.Sprint(mode, round), func(t *testing.T) {
				c, d, path := measure(t)
				hits, undo := impaired(t, c, path, faults.Impairment{Block: mode, Share: 0.3})
				sequences[round] = some(t, d, n, 3*time.Second, hit)
				k := len(sequences[round])
				least, most := likely(n, 0.3)
				t.Logf("%s: %d of %d connections are hit, asked 30 %%: %d to %d", mode, k, n, least, most)
				if k < least || k > most {
					t.Errorf("%d of %d connections are hit; want %d to %d", k, n, least, most)
				}
				if counted := hits(); counted < int64(k) {
					t.Errorf("%d hits; want at least the %d connections", counted, k)
				}
				soon(t, "the dependency has no connection left", 3*time.Second, func() bool { return d.open.Load() == 0 })
				undo()
				if after := some(t, d, 20, time.Second, hit); len(after) > 0 {
					t.Errorf("afterwards %v are hit", after)
				}
				if rules := ruleset(t); strings.Contains(rules, "numgen") || strings.Contains(rules, "set hit") {
					t.Errorf("afterwards there is left:\n%s", rules)
				}
			})
		}
		if len(sequences[0]) == 0 || !slices.Equal(sequences[0], sequences[1]) {
			t.Errorf("%s: the same seed hit %v and then %v", mode, sequences[0], sequences[1])
		}
	}
}

// An attempt to connect that a black hole hit is hit again each time the kernel repeats it.
func TestABlackHoleOfAShareKeepsWhatItSwallowed(t *testing.T) {
	c, d, path := measure(t)
	hits, undo := impaired(t, c, path, faults.Impairment{Block: blockHole, Share: 0.5})
	const n = 12
	hit := some(t, d, n, 1300*time.Millisecond, func(_ net.Conn, err error) bool { return errors.Is(err, syscall.ETIMEDOUT) || isDialTimeout(err) })
	if least, most := likely(n, 0.5); len(hit) < max(1, least) || len(hit) > most {
		t.Errorf("%v of %d are hit; want %d to %d", hit, n, least, most)
	}
	if counted := hits(); counted < 2*int64(len(hit)) {
		t.Errorf("%d hits; want both attempts of each of %d", counted, len(hit))
	}
	undo()
	if after := some(t, d, 20, time.Second, refused); len(after) > 0 {
		t.Errorf("afterwards %v are hit", after)
	}
}

func isDialTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// Connections that were open before are drawn too, and one that is let be stays so.
func TestABlockOfAShareDrawsOpenConnections(t *testing.T) {
	c, d, path := measure(t)
	var open []net.Conn
	for range 60 {
		conn := dialled(t, d.port)
		if _, err := ping(conn, time.Second); err != nil {
			t.Fatal(err)
		}
		open = append(open, conn)
	}
	_, undo := impaired(t, c, path, faults.Impairment{Block: blockRefuse, Share: 0.5})
	var lives []net.Conn
	for _, conn := range open {
		if _, err := ping(conn, time.Second); err == nil {
			lives = append(lives, conn)
		} else if !isReset(err) {
			t.Errorf("an open connection ended with %v", err)
		}
	}
	if least, most := likely(60, 0.5); len(lives) < least || len(lives) > most {
		t.Errorf("%d of 60 live; want %d to %d", len(lives), least, most)
	}
	for range 3 {
		for _, conn := range lives {
			if _, err := ping(conn, time.Second); err != nil {
				t.Errorf("one that was let be ended later: %v", err)
			}
		}
	}
	soon(t, "the others are gone at the dependency too", 3*time.Second, func() bool { return d.open.Load() == int64(len(lives)) })
	undo()
}

func TestAShareGrowsOverItsRamp(t *testing.T) {
	c, d, path := measure(t)
	began := time.Now()
	_, undo := impaired(t, c, path, faults.Impairment{Block: blockRefuse, Ramp: 3000})
	early := len(some(t, d, 100, time.Second, refused))
	if took := time.Since(began); took > time.Second {
		t.Logf("the machine is slow: %s", took)
	} else if early < 1 || early > 60 {
		t.Errorf("%d of 100 are hit within a third of the ramp; want few", early)
	}
	time.Sleep(3200*time.Millisecond - time.Since(began))
	if late := len(some(t, d, 100, time.Second, refused)); late != 100 {
		t.Errorf("%d of 100 are hit after the ramp; want all", late)
	}
	undo()
}

func TestFlapComesAndGoesByItself(t *testing.T) {
	for _, mode := range []string{blockRefuse, blockReset, blockHole} {
		t.Run(mode, func(t *testing.T) {
			c, d, path := measure(t)
			const down, up = 600 * time.Millisecond, 900 * time.Millisecond
			began := time.Now()
			r := Request{Path: path, Name: "flap", Impairment: &faults.Impairment{Block: mode, Flap: &faults.Flapping{Down: down.Milliseconds(), Up: up.Milliseconds()}}}
			with := func(op Op) Request { r.Op = op; return r }
			ask(t, c, with(Impair))
			var whole, broken time.Duration
			last := time.Now()
			for time.Since(began) < 2*(down+up) {
				good := false
				inside(t, func() {
					conn, err := net.DialTimeout("tcp4", fmt.Sprintf("%s:%d", here, d.port), 50*time.Millisecond)
					if err == nil {
						_, err = ping(conn, 50*time.Millisecond)
						conn.Close()
					}
					good = err == nil
				})
				now := time.Now()
				if good {
					whole += now.Sub(last)
				} else {
					broken += now.Sub(last)
				}
				last = now
				if s := ask(t, c, with(Impaired)).State; s != faults.Present {
					t.Errorf("%s after the beginning it is %s; want present in both halves", now.Sub(began), s)
				}
			}
			t.Logf("%s: broken for %s of %s, asked %s", mode, broken.Round(time.Millisecond), (broken + whole).Round(time.Millisecond), 2*down)
			if broken < down || broken > 2*down+up { // how exact it is make accuracy measures; a busy machine lets good answers come late
				t.Errorf("broken for %s of %s; want %s", broken, broken+whole, 2*down)
			}
			if n := ask(t, c, with(Impacts)).Count; n < 2 {
				t.Errorf("%d hits over both outages; want some", n)
			}
			ask(t, c, with(Unimpair))
			if s := ask(t, c, with(Impaired)).State; s != faults.Absent {
				t.Errorf("afterwards it is %s", s)
			}
			time.Sleep(up)
			if _, err := ping(dialled(t, d.port), time.Second); err != nil {
				t.Errorf("afterwards: %v", err)
			}
			soon(t, "the dependency has one connection", 4*time.Second, func() bool { return d.open.Load() <= 1 })
		})
	}
}
