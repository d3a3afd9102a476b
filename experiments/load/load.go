// Package load keeps users busy: users who come back in a loop, or arrivals at a rate whatever the answers.
//
// At a rate the model is open: an arrival does not wait for the answers of others, and what starts late is late from
// when it was due. When all workers are busy the model has silently closed; Offered tells, and the run is not a pass.
package load

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"
)

// Traffic is either Users or Rate.
type Traffic struct {
	Users   int           // in a loop; 1 when neither is given
	Every   time.Duration // from start to start of one user; 1s when zero
	Rate    float64       // arrivals a second
	Workers int           // at most so many visits at once, at a rate; 256 when zero
}

// Offered is what was to be done and what was.
type Offered struct {
	Due     int64 // visits that should have begun
	Started int64
	Late    int64 // began more than lateAfter after they were due, of those started
}

// lateAfter is what scheduling on a busy machine may cost.
const lateAfter = 100 * time.Millisecond

// Walk is one visit as a user, who is on no other visit. due is zero for users in a loop.
type Walk func(ctx context.Context, user int, due time.Time) error

// Run keeps users busy until ctx ends or a walk fails, then waits for every visit that has begun. It returns the error
// of the walk; that ctx ended is no error.
func Run(ctx context.Context, t Traffic, walk Walk) (Offered, error) {
	if t.Rate > 0 {
		return arrive(ctx, t, walk)
	}
	return loop(ctx, t, walk)
}

// loop lets each user walk again and again. Their starts are spread, so that they are not all at the same step.
func loop(ctx context.Context, t Traffic, walk Walk) (Offered, error) {
	users, every := max(1, t.Users), t.Every
	if every <= 0 {
		every = time.Second
	}
	together, ctx := errgroup.WithContext(ctx)
	started := make([]int64, users)
	for user := range users {
		together.Go(func() error {
			next := time.Now().Add(every * time.Duration(user) / time.Duration(users))
			for until(ctx, next) {
				began := time.Now()
				started[user]++
				if err := walk(ctx, user, time.Time{}); err != nil {
					return err
				}
				next = began.Add(every)
			}
			return nil
		})
	}
	err := together.Wait()
	var offered Offered
	for _, n := range started {
		offered.Started += n
	}
	offered.Due = offered.Started
	return offered, err
}

// until waits for a moment and reports whether ctx is still alive then.
func until(ctx context.Context, at time.Time) bool {
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return ctx.Err() == nil
	}
}
