package load

import (
	"context"
	"math"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
	"golang.org/x/sync/errgroup"
)

const defaultWorkers = 256

// pace is a constant pacer for rates that need not be whole numbers.
func pace(rate float64) vegeta.Pacer {
	const per = 10000 * time.Second
	return vegeta.ConstantPacer{Freq: max(1, int(math.Round(rate*per.Seconds()))), Per: per}
}

// arrivals hands out users that are free, at most so many.
type arrivals struct {
	free chan int // users that are free again
	next int      // users that were made
	max  int
}

// user returns a free user, a new one while there may be more, or waits for one; false when ctx ends.
func (a *arrivals) user(ctx context.Context) (int, bool) {
	select {
	case user := <-a.free:
		return user, true
	default:
	}
	if a.next < a.max {
		a.next++
		return a.next - 1, true
	}
	select {
	case user := <-a.free:
		return user, true
	case <-ctx.Done():
		return 0, false
	}
}

// arrive starts a visit at every moment that the pacer names. A visit that finds no free user waits for one and keeps
// the moment at which it was due.
func arrive(ctx context.Context, t Traffic, walk Walk) (Offered, error) {
	pacer := pace(t.Rate)
	a := &arrivals{max: t.Workers}
	if a.max <= 0 {
		a.max = defaultWorkers
	}
	a.free = make(chan int, a.max)
	together, ctx := errgroup.WithContext(ctx)
	began := time.Now()
	due := func(n int64) time.Time {
		// A pacer is pure: asked at the start it says how far away arrival n is.
		wait, _ := pacer.Pace(0, uint64(n))
		return began.Add(wait)
	}
	var offered Offered
	for until(ctx, due(offered.Started)) {
		user, alive := a.user(ctx)
		if !alive {
			break
		}
		at := due(offered.Started)
		offered.Started++
		if time.Since(at) > lateAfter {
			offered.Late++
		}
		together.Go(func() error {
			defer func() { a.free <- user }()
			return walk(ctx, user, at)
		})
	}
	ended := time.Now()
	for offered.Due = offered.Started; due(offered.Due).Before(ended); {
		offered.Due++
	}
	return offered, together.Wait()
}
