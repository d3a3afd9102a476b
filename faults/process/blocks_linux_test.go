package process

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/candor-chaos/candor/faults"
)

// A block of a share hits the same connections, in the order in which they are made, for the same seed: those that are
// open and those that come.
func TestAShareOfTheConnectionsIsBlocked(t *testing.T) {
	for mode, want := range map[string]error{"reset": syscall.ECONNRESET, "blackhole": os.ErrDeadlineExceeded} {
		t.Run(mode, func(t *testing.T) {
			var first string
			for range 2 {
				w, p, address := interposed(t)
				long := make([]held, 20)
				for i := range long {
					long[i] = hold(t, address)
					if err := long[i].ask(5 * time.Second); err != nil {
						t.Fatal(err)
					}
				}
				mend := impair(t, w, p, faults.Impairment{Block: mode, Share: 0.5})
				var drawn strings.Builder
				for i := range 40 {
					c := held{}
					if i < len(long) {
						c = long[i]
					} else {
						c = hold(t, address)
					}
					err := c.ask(time.Second)
					switch {
					case err == nil:
						drawn.WriteByte('.')
					case errors.Is(err, want), mode == "reset" && i < len(long): // whoever speaks first may meet the end in another way
						drawn.WriteByte('x')
					default:
						t.Errorf("connection %d: %v; want %v", i, err, want)
					}
				}
				if hit := strings.Count(drawn.String(), "x"); hit < 8 || hit > 32 {
					t.Errorf("%d of 40 were hit", hit)
				}
				if n, err := w.Impacts(t.Context(), p, "x"); err != nil || n < int64(strings.Count(drawn.String(), "x")) {
					t.Errorf("Impacts = %d, %v; hit were %s", n, err, drawn.String())
				}
				if first == "" {
					first = drawn.String()
				} else if drawn.String() != first {
					t.Errorf("drawn from one seed:\n%s\n%s", first, drawn.String())
				}
				mend()
				if _, err := ask(address, 5*time.Second); err != nil {
					t.Errorf("afterwards: %v", err)
				}
			}
		})
	}
}

// A share that grows ends as everybody, also for a connection that was spared at first.
func TestAShareGrows(t *testing.T) {
	w, p, address := interposed(t)
	mend := impair(t, w, p, faults.Impairment{Block: "reset", Ramp: 3000})
	began, spared := time.Now(), false
	for time.Since(began) < time.Second {
		if _, err := ask(address, time.Second); err == nil {
			spared = true
		}
	}
	if !spared {
		t.Error("nobody was spared in the first third of the ramp")
	}
	time.Sleep(3*time.Second - time.Since(began))
	for range 10 {
		if _, err := ask(address, time.Second); err == nil {
			t.Error("somebody is spared after the ramp")
		}
	}
	mend()
}

func TestABlockFlaps(t *testing.T) {
	for _, mode := range []string{"refuse", "reset", "blackhole"} {
		t.Run(mode, func(t *testing.T) {
			w, p, address := interposed(t)
			i := faults.Impairment{Block: mode, Flap: &faults.Flapping{Down: 400, Up: 600}}
			mend := impair(t, w, p, i)
			if _, err := ask(address, 100*time.Millisecond); err == nil {
				t.Error("it does not begin with an outage")
			}
			turns, is := 0, false
			for deadline := time.Now().Add(20 * time.Second); turns < 4 && time.Now().Before(deadline); {
				if _, err := ask(address, 100*time.Millisecond); (err == nil) != is {
					turns, is = turns+1, err == nil
				}
				if s, err := w.Impaired(t.Context(), p, "x", i); s != faults.Present || err != nil {
					t.Fatalf("after %d turns it is %s, %v", turns, s, err)
				}
			}
			if turns < 4 {
				t.Errorf("it turned %d times", turns)
			}
			mend()
			for n := range 10 {
				if _, err := ask(address, 5*time.Second); err != nil {
					t.Errorf("afterwards, %d: %v", n, err)
				}
				time.Sleep(100 * time.Millisecond)
			}
			if s, err := w.Impaired(t.Context(), p, "x", i); s != faults.Absent || err != nil {
				t.Errorf("afterwards it is %s, %v", s, fmt.Sprint(err))
			}
		})
	}
}
