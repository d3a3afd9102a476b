package agent

import (
	"context"
	"sync"
	"time"

	"github.com/candor-chaos/candor/faults"
)

// A block that resets answers the application's packets. Two things are left to do: a connection that says nothing is
// reset all the same, and none lives on between the proxy and the dependency, where it would take a place from everybody
// who comes afterwards.

// sweepEvery is how long a connection that says nothing lives while connections are accepted and then reset.
const sweepEvery = 100 * time.Millisecond

// sweeper resets again and again what the proxy accepts.
type sweeper struct {
	stop context.CancelFunc
	done sync.WaitGroup
}

// cutOff makes a block, and ends the connections that it finds open where the block is one that resets.
func (l *lane) cutOff(ctx context.Context, t *table, name string, i faults.Impairment) error {
	l.blocked[name] = true
	mode := i.Block
	if partial(i) {
		f, err := l.beginFate(t, name, i)
		if err != nil {
			return err
		}
		return l.blockSome(t, name, mode, f)
	}
	if mode == blockReset {
		l.beginSweep(ctx, name)
	}
	if err := l.block(t, name, mode); err != nil {
		return err
	}
	if mode == blockHole {
		return nil
	}
	n, err := resetAccepted(l.listener)
	l.cut[name] += n
	return err
}

// beginSweep keeps connections from reaching the dependency until endSweep.
func (l *lane) beginSweep(ctx context.Context, name string) {
	l.endSweep(name)
	ctx, stop := context.WithCancel(ctx)
	s := &sweeper{stop: stop}
	l.sweepers[name] = s
	l.forward.shut()
	s.done.Go(func() {
		tick := time.NewTicker(sweepEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				// A connection that could not be reset now is met by the next sweep, or by the rule when it speaks.
				_, _ = resetAccepted(l.listener)
			}
		}
	})
}

// endSweep ends it, once more with what has been accepted until now. None is no error.
func (l *lane) endSweep(name string) error {
	s := l.sweepers[name]
	if s == nil {
		return nil
	}
	delete(l.sweepers, name)
	s.stop()
	s.done.Wait()
	_, err := resetAccepted(l.listener)
	l.forward.open()
	return err
}
