package guardian

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/candor-chaos/candor/faults/journal"
)

// Healed is what became of one journal.
type Healed struct {
	Log     journal.Log
	Living  bool // its runner lives and has it: left alone
	Settled Settled
	Err     error
}

// heirTime is how long heal waits for another heir, a guardian or a second heal, that is at the same journal.
const heirTime = 20 * time.Second

// Heal settles journals that owe something, each on its own: one whose engine is down keeps none from the next.
func Heal(ctx context.Context, journals []journal.Status, open OpenWorld) []Healed {
	var all []Healed
	for _, s := range journals {
		h := Healed{Log: s.Log}
		switch {
		case s.Held && runs(s.Log.Header.Runner):
			h.Living = true
		case s.Err != nil:
			h.Err = unreadable(s.Err)
		default:
			h.Settled, h.Err = inherit(ctx, s.Log, open)
		}
		all = append(all, h)
	}
	return all
}

// unreadable says what a person can do about a journal that nobody may act on.
func unreadable(err error) error {
	var line *journal.LineError
	if !errors.As(err, &line) {
		return err
	}
	if errors.Is(err, journal.ErrNewer) {
		return fmt.Errorf("%w; nothing of it was touched: heal with the candor that wrote it", err)
	}
	return fmt.Errorf("%w; nothing of it was touched: look at what it says is in force, mend that by hand, and move the file out of its folder", err)
}

// inherit takes over one journal and settles it. Another heir that is at it is waited for: when it is done there is
// nothing left to do, and what it did is returned.
func inherit(ctx context.Context, l journal.Log, open OpenWorld) (s Settled, err error) {
	within, cancel := context.WithTimeout(ctx, heirTime)
	defer cancel()
	j, err := journal.Open(l.Path, "heal")
	for errors.Is(err, journal.ErrHeld) && rest(within, 100*time.Millisecond) {
		j, err = journal.Open(l.Path, "heal")
	}
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil // its guardian was quicker, and nothing was owed
	}
	if errors.Is(err, journal.ErrHeld) {
		return s, fmt.Errorf("run %s: its guardian, or another heal, is still at it: %w", l.Header.Run, err)
	}
	if err != nil {
		return s, err
	}
	defer func() {
		if err == nil {
			err = j.Close()
		} else { // not clean, or nobody could look: whoever heals next looks again
			err = errors.Join(err, j.Leave())
		}
	}()
	s, err = Settle(ctx, j, open, true)
	// What is there still may be a guardian that has just found that there is nothing left to do.
	for errors.Is(err, ErrNotClean) && rest(within, 200*time.Millisecond) {
		s, err = Settle(ctx, j, open, true)
	}
	s.Entries = now(j, l.Owed())
	return s, err
}

// runs reports whether a runner may be living: one on another host may.
func runs(r journal.Runner) bool {
	host, err := os.Hostname()
	if err != nil || host != r.Host {
		return true
	}
	err = syscall.Kill(r.PID, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}
