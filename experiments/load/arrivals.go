package load

import (
	"context"
	"math"
	"sync"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
	"golang.org/x/sync/errgroup"
)

const defaultWorkers = 256

// pace says how long after the start arrival n is due, at a rate that need not be a whole number.
func pace(rate float64) func(n int64) time.Duration {
	const per = 10000 * time.Second
	pacer := vegeta.ConstantPacer{Freq: max(1, int(math.Round(rate*per.Seconds()))), Per: per}
	return func(n int64) time.Duration {
		// A pacer is pure: asked at the start it says how far away arrival n is.
		wait, _ := pacer.Pace(0, uint64(n))
		return wait
	}
}

// growing is pace for a rate that grows evenly from nothing over a ramp.
func growing(rate float64, ramp time.Duration) func(n int64) time.Duration {
	if ramp <= 0 {
		return pace(rate)
	}
	meanwhile := rate * ramp.Seconds() / 2 // arrivals until the rate is whole
	return func(n int64) time.Duration {
		nth := float64(n + 1) // the first comes when one is due, as with a pacer
		t := ramp.Seconds() + (nth-meanwhile)/rate
		if nth < meanwhile {
			t = math.Sqrt(2 * nth * ramp.Seconds() / rate)
		}
		return time.Duration(t * float64(time.Second))
	}
}

// arrivals hands out users that are free, at most so many.
type arrivals struct {
	free chan int // users that are free again; it never blocks
	from int      // the number of the first

	mu   sync.Mutex
	next int // users that were made
	max  int
}

// user returns a free user, a new one while there may be more, or waits for one; false when ctx ends.
func (a *arrivals) user(ctx context.Context) (int, bool) {
	select {
	case user := <-a.free:
		return user, true
	default:
	}
	if user, made := a.another(); made {
		return user, true
	}
	select {
	case user := <-a.free:
		return user, true
	case <-ctx.Done():
		return 0, false
	}
}

func (a *arrivals) another() (user int, made bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.next >= a.max {
		return 0, false
	}
	a.next++
	return a.from + a.next - 1, true
}

// stream is arrivals that keep coming.
type stream struct {
	due   func(n int64) time.Duration // how long after the start arrival n is due
	users *arrivals
	began func() // called for each visit that begins; may be nil
}

// arrive starts a visit at every moment that is due, until open ends. A visit that finds no free user waits for one and
// keeps the moment at which it was due. The visits themselves go on until ctx ends.
func (s stream) arrive(open, ctx context.Context, walk Walk) (Offered, error) {
	together, failed := errgroup.WithContext(ctx)
	open, stop := context.WithCancel(open)
	defer stop()
	defer context.AfterFunc(failed, stop)()
	began := time.Now()
	due := func(n int64) time.Time { return began.Add(s.due(n)) }
	var offered Offered
	for until(open, due(offered.Started)) {
		user, alive := s.users.user(open)
		if !alive {
			break
		}
		at := due(offered.Started)
		offered.Started++
		if s.began != nil {
			s.began()
		}
		if time.Since(at) > lateAfter {
			offered.Late++
		}
		together.Go(func() error {
			defer func() { s.users.free <- user }()
			return walk(failed, user, at)
		})
	}
	ended := time.Now()
	for offered.Due = offered.Started; due(offered.Due).Before(ended); {
		offered.Due++
	}
	return offered, together.Wait()
}
