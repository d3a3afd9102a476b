package demo

import (
	"context"
	"sync"
	"time"
)

// flights lets one thing be done once, however often people press: who presses while it is under way waits for the same
// answer, and who presses again after it was promised or done is told the same.
type flights struct {
	keep time.Duration

	mu  sync.Mutex
	all map[string]*flight
}

type flight struct {
	done    chan struct{}
	outcome outcome
	ended   time.Time
}

func newFlights(keep time.Duration) *flights { return &flights{keep: keep, all: map[string]*flight{}} }

// once does what the key stands for, or waits for whoever does it. A refusal is not kept: it may be tried again.
func (f *flights) once(ctx context.Context, key string, do func(context.Context) outcome) (outcome, error) {
	f.mu.Lock()
	one, under := f.all[key]
	if !under {
		one = &flight{done: make(chan struct{})}
		f.all[key] = one
		go func() {
			// What has begun is brought to its end, also when whoever began it has gone.
			one.outcome = do(context.WithoutCancel(ctx))
			f.land(key, one)
		}()
	}
	f.mu.Unlock()
	select {
	case <-one.done:
		return one.outcome, nil
	case <-ctx.Done():
		return outcome{}, ctx.Err()
	}
}

func (f *flights) land(key string, one *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	one.ended = time.Now()
	if one.outcome.Claim == "failed" {
		delete(f.all, key)
	}
	for old, other := range f.all {
		if !other.ended.IsZero() && time.Since(other.ended) > f.keep {
			delete(f.all, old)
		}
	}
	close(one.done)
}
