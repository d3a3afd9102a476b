// Package load keeps users busy: users who come back in a loop, or arrivals at a rate whatever the answers. While they are
// busy a crowd may join them, and leave again.
//
// At a rate the model is open: an arrival does not wait for the answers of others, and what starts late is late from
// when it was due. When all workers are busy the model has silently closed; Offered tells, and the run is not a pass.
package load

import (
	"context"
	"sync"
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

// Source is traffic that others can join while it runs.
type Source struct {
	traffic Traffic
	walk    Walk
	extra   *arrivals // the users of crowds: their numbers come after those of the others

	mu      sync.Mutex
	running context.Context // nil while no visit may begin
	group   *errgroup.Group // of crowds, while it runs
	crowds  map[string]*crowd
	offered Offered // to crowds that have left
}

// New makes traffic that does not run yet.
func New(t Traffic, walk Walk) *Source {
	t.Users = max(1, t.Users)
	if t.Every <= 0 {
		t.Every = time.Second
	}
	if t.Workers <= 0 {
		t.Workers = defaultWorkers
	}
	from := t.Users
	if t.Rate > 0 {
		from = t.Workers
	}
	return &Source{traffic: t, walk: walk, crowds: map[string]*crowd{},
		extra: &arrivals{from: from, free: make(chan int, mostExtra)}}
}

// Run keeps users busy until ctx ends or a walk fails, then waits for every visit that has begun. It returns the error
// of the walk; that ctx ended is no error.
func Run(ctx context.Context, t Traffic, walk Walk) (Offered, error) {
	return New(t, walk).Run(ctx)
}

// Run is Run for a source, once.
func (s *Source) Run(ctx context.Context) (Offered, error) {
	together, ctx := errgroup.WithContext(ctx)
	s.mu.Lock()
	s.running, s.group = ctx, together
	s.mu.Unlock()
	var offered Offered
	together.Go(func() (err error) {
		// While this runs the group is not empty, so that a crowd may join it.
		defer s.close()
		if s.traffic.Rate > 0 {
			users := &arrivals{max: s.traffic.Workers, free: make(chan int, s.traffic.Workers)}
			offered, err = stream{due: pace(s.traffic.Rate), users: users}.arrive(ctx, ctx, s.walk)
			return err
		}
		offered, err = s.loop(ctx)
		return err
	})
	err := together.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	offered.Due, offered.Started, offered.Late = offered.Due+s.offered.Due, offered.Started+s.offered.Started, offered.Late+s.offered.Late
	return offered, err
}

// close lets nobody join any more.
func (s *Source) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = nil
}

// loop lets each user walk again and again. Their starts are spread, so that they are not all at the same step.
func (s *Source) loop(ctx context.Context) (Offered, error) {
	users, every := s.traffic.Users, s.traffic.Every
	together, ctx := errgroup.WithContext(ctx)
	started := make([]int64, users)
	for user := range users {
		together.Go(func() error {
			return again(ctx, ctx, every*time.Duration(user)/time.Duration(users), every, func(ctx context.Context) error {
				started[user]++
				return s.walk(ctx, user, time.Time{})
			})
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

// again visits from start to start until open ends; a visit that has begun goes on until ctx ends.
func again(open, ctx context.Context, first, every time.Duration, visit func(context.Context) error) error {
	for next := time.Now().Add(first); until(open, next); {
		began := time.Now()
		if err := visit(ctx); err != nil {
			return err
		}
		next = began.Add(every)
	}
	return nil
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
