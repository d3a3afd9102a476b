package load

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// mostExtra is how many users all crowds of a source have together: each is a goroutine and a surface of its own.
const mostExtra = 4096

// ErrNobody: there is no traffic that a crowd could join.
var ErrNobody = errors.New("no user is there yet, or all have gone")

// crowd is those who joined under one label.
type crowd struct {
	open   context.Context // begins no visit after its end
	leave  context.CancelFunc
	visits atomic.Int64 // that began
}

// Join makes the traffic so many times as much as it was before anybody joined, growing evenly over ramp. The others go on
// as before: nothing of what is due to them is lost. A crowd that is there under the label already stays as it is.
func (s *Source) Join(label string, times float64, ramp time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running == nil || s.running.Err() != nil {
		return ErrNobody
	}
	if users := s.extraUsers(times); s.traffic.Rate == 0 && users > mostExtra {
		return fmt.Errorf("%d more users are more than candor can be (%d)", users, mostExtra)
	}
	c := s.crowds[label]
	if c != nil && c.open.Err() == nil {
		return nil
	}
	if c == nil {
		c = &crowd{}
		s.crowds[label] = c
	}
	ctx := s.running
	c.open, c.leave = context.WithCancel(ctx)
	open := c.open
	s.group.Go(func() error {
		offered, err := s.join(open, ctx, c, times, ramp)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.offered.Due, s.offered.Started, s.offered.Late = s.offered.Due+offered.Due, s.offered.Started+offered.Started, s.offered.Late+offered.Late
		return err
	})
	return nil
}

// Leave lets those go who joined under the label: they begin no further visit, and end those that they are on. Nobody
// there is success.
func (s *Source) Leave(label string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.crowds[label]; c != nil {
		c.leave()
	}
}

// Joined says whether a crowd is there under the label, and how many visits it began.
func (s *Source) Joined(label string) (there bool, visits int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.crowds[label]
	if c == nil {
		return false, 0
	}
	return c.open.Err() == nil, c.visits.Load()
}

// join is a crowd while it is there, and until its last visit has ended.
func (s *Source) join(open, ctx context.Context, c *crowd, times float64, ramp time.Duration) (Offered, error) {
	if s.traffic.Rate > 0 {
		s.room(int(math.Ceil((times - 1) * float64(s.traffic.Workers))))
		began := func() { c.visits.Add(1) }
		return stream{due: growing((times-1)*s.traffic.Rate, ramp), users: s.extra, began: began}.arrive(open, ctx, s.walk)
	}
	users := s.extraUsers(times)
	s.room(users)
	before, spread := c.visits.Load(), s.traffic.Every
	if ramp > 0 {
		spread = ramp
	}
	together, ctx := errgroup.WithContext(ctx)
	for n := range users {
		together.Go(func() error {
			user, found := 0, false
			first := spread * time.Duration(n) / time.Duration(users)
			if !until(open, time.Now().Add(first)) {
				return nil
			}
			if user, found = s.extra.user(open); !found {
				return nil
			}
			defer func() { s.extra.free <- user }()
			return again(open, ctx, 0, s.traffic.Every, func(ctx context.Context) error {
				c.visits.Add(1)
				return s.walk(ctx, user, time.Time{})
			})
		})
	}
	err := together.Wait()
	n := c.visits.Load() - before
	return Offered{Due: n, Started: n}, err
}

// extraUsers is how many users a crowd has who walk in a loop.
func (s *Source) extraUsers(times float64) int {
	return max(1, int(math.Round((times-1)*float64(s.traffic.Users))))
}

// room makes room for a crowd beside those that are there.
func (s *Source) room(users int) {
	s.extra.mu.Lock()
	defer s.extra.mu.Unlock()
	s.extra.max = min(mostExtra, max(s.extra.max, users+s.extra.next-len(s.extra.free)))
}
