package accuracy

import (
	"context"
	"errors"
	"sync"
	"time"
)

// asking asks again and again, and keeps when each began and what came of it.
type asking struct {
	stop  context.CancelFunc
	done  sync.WaitGroup
	mu    sync.Mutex
	begun []time.Time
	ended []time.Time
	felt  []bool
}

// Between two exchanges; and how many alike in a row say that it stays so.
const (
	askEvery = time.Millisecond
	askMany  = 10 * time.Millisecond
	inARow   = 5
)

func (b *Bench) ask(ctx context.Context, m Measure) *asking {
	ctx, stop := context.WithCancel(ctx)
	a := &asking{stop: stop}
	if m.Felt == nil {
		return a
	}
	pause := askEvery
	if m.Many {
		pause = askMany
	}
	a.done.Go(func() {
		for ctx.Err() == nil {
			if m.Many {
				a.done.Go(func() { a.one(ctx, m, b) })
			} else {
				a.one(ctx, m, b)
			}
			rest(ctx, pause)
		}
	})
	return a
}

func (a *asking) one(ctx context.Context, m Measure, b *Bench) {
	began := time.Now()
	felt := m.Felt(ctx, b)
	if ctx.Err() != nil {
		return // what was broken off says nothing
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.begun, a.ended, a.felt = append(a.begun, began), append(a.ended, time.Now()), append(a.felt, felt)
}

// until waits until so many in a row, all begun from now on, were felt or were not.
func (a *asking) until(ctx context.Context, felt bool) error {
	from, deadline := time.Now(), time.Now().Add(settleTime)
	for ctx.Err() == nil && time.Now().Before(deadline) {
		n := 0
		a.mu.Lock()
		for i := len(a.felt) - 1; i >= 0 && a.felt[i] == felt && a.begun[i].After(from); i-- {
			n++
		}
		a.mu.Unlock()
		if n >= inARow {
			return nil
		}
		rest(ctx, askEvery)
	}
	if felt {
		return errors.New("it was never felt")
	}
	return errors.New("it never ended")
}

// effect is how long after a moment an exchange still ended without having felt anything, 0 where none did; of a fault that
// is not felt all the time it is when the first began that felt it.
func (a *asking) effect(moment time.Time, alike bool) (last time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range a.felt {
		switch {
		case !alike && a.felt[i]:
			return a.begun[i].Sub(moment)
		case alike && !a.felt[i]:
			last = max(last, a.ended[i].Sub(moment))
		}
	}
	return last
}

// whole is how long after a moment the first exchange ended that did not feel it.
func (a *asking) whole(moment time.Time) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	first := settleTime
	for i := range a.felt {
		if !a.felt[i] {
			first = min(first, a.ended[i].Sub(moment))
		}
	}
	return first
}

// since counts those that began after a moment and were felt or were not.
func (a *asking) since(moment time.Time, felt bool) (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range a.felt {
		if a.felt[i] == felt && a.begun[i].After(moment) {
			n++
		}
	}
	return n
}

func (a *asking) end() {
	a.stop()
	a.done.Wait()
}

// rest waits for a time, or until ctx ends, which whoever waits looks at by itself.
func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
