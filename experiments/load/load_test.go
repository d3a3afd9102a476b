package load

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// visits remembers who walked when. It fails the test when a user is on two visits at once.
type visits struct {
	t  *testing.T
	mu sync.Mutex

	busy   map[int]bool
	starts []time.Time
	byUser map[int][]time.Time
	dues   []time.Time
	ended  int
	most   int // visits at once
}

func newVisits(t *testing.T) *visits {
	return &visits{t: t, busy: map[int]bool{}, byUser: map[int][]time.Time{}}
}

func (v *visits) walk(lasts time.Duration) Walk {
	return func(ctx context.Context, user int, due time.Time) error {
		v.mu.Lock()
		if v.busy[user] {
			v.t.Errorf("user %d is on two visits", user)
		}
		v.busy[user] = true
		v.starts = append(v.starts, time.Now())
		v.byUser[user] = append(v.byUser[user], time.Now())
		v.dues = append(v.dues, due)
		v.most = max(v.most, len(v.starts)-v.ended)
		v.mu.Unlock()
		time.Sleep(lasts)
		v.mu.Lock()
		defer v.mu.Unlock()
		v.busy[user] = false
		v.ended++
		return nil
	}
}

func TestLoopIsFromStartToStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVisits(t)
		ctx, cancel := context.WithTimeout(t.Context(), 9900*time.Millisecond)
		defer cancel()
		began := time.Now()
		offered, err := Run(ctx, Traffic{Users: 4, Every: time.Second}, v.walk(300*time.Millisecond))
		if err != nil {
			t.Fatal(err)
		}
		if offered.Started != 40 || offered.Due != 40 || offered.Late != 0 {
			t.Errorf("4 users every second for 10 s = %+v; want 40 visits", offered)
		}
		for user, starts := range v.byUser {
			for i, at := range starts {
				if want := time.Duration(user)*250*time.Millisecond + time.Duration(i)*time.Second; at.Sub(began) != want {
					t.Errorf("visit %d of user %d began after %s; want %s", i, user, at.Sub(began), want)
				}
			}
		}
	})
}

func TestLoopGoesOnAtOnceAfterALongVisit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVisits(t)
		ctx, cancel := context.WithTimeout(t.Context(), 9900*time.Millisecond)
		defer cancel()
		offered, err := Run(ctx, Traffic{Users: 1, Every: time.Second}, v.walk(2500*time.Millisecond))
		if err != nil || offered.Started != 4 {
			t.Errorf("visits of 2.5 s in 10 s = %+v, %v; want 4", offered, err)
		}
	})
}

func TestRunDrains(t *testing.T) {
	for name, traffic := range map[string]Traffic{"loop": {Users: 3}, "arrivals": {Rate: 10}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newVisits(t)
				ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
				defer cancel()
				began := time.Now()
				offered, err := Run(ctx, traffic, v.walk(20*time.Second))
				if err != nil || int64(v.ended) != offered.Started || offered.Started == 0 {
					t.Errorf("Run returned %+v, %v with %d visits ended", offered, err, v.ended)
				}
				if took := time.Since(began); took < 20*time.Second {
					t.Errorf("Run returned after %s, before its visits ended", took)
				}
			})
		})
	}
}

func TestArrivalsKeepTheirRate(t *testing.T) {
	for _, rate := range []float64{0.5, 3, 7.5, 50, 300} {
		synctest.Test(t, func(t *testing.T) {
			v := newVisits(t)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second+time.Millisecond)
			defer cancel()
			offered, err := Run(ctx, Traffic{Rate: rate}, v.walk(100*time.Millisecond))
			want := int64(rate * 20)
			if err != nil || offered.Due != want || offered.Started != want || offered.Late != 0 {
				t.Errorf("%v/s for 20 s = %+v, %v; want %d, none late", rate, offered, err, want)
			}
			for i, due := range v.dues {
				if gap := v.starts[i].Sub(due); gap < 0 || gap > time.Millisecond {
					t.Fatalf("visit %d was due %s before it began", i, gap)
				}
			}
		})
	}
}

func TestArrivalsDoNotWaitForAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVisits(t)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second+time.Millisecond)
		defer cancel()
		offered, err := Run(ctx, Traffic{Rate: 20, Workers: 200}, v.walk(5*time.Second))
		if err != nil || offered.Started != 200 || offered.Late != 0 {
			t.Errorf("20/s with answers after 5 s = %+v, %v; want 200 on time", offered, err)
		}
		if v.most < 99 || len(v.byUser) > 101 {
			t.Errorf("%d visits at once by %d users; want 100, and users used again", v.most, len(v.byUser))
		}
	})
}

func TestArrivalsSayThatTheyFellBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVisits(t)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second+time.Millisecond)
		defer cancel()
		// Two workers make two visits a second; ten are due.
		offered, err := Run(ctx, Traffic{Rate: 10, Workers: 2}, v.walk(time.Second))
		if err != nil {
			t.Fatal(err)
		}
		if offered.Due != 100 || offered.Started < 18 || offered.Started > 22 || offered.Late < offered.Started-3 {
			t.Errorf("2 workers at 10/s with visits of 1 s = %+v; want 100 due, about 20 started, nearly all late", offered)
		}
		if v.most > 2 {
			t.Errorf("%d visits at once; want at most 2", v.most)
		}
		for i := 1; i < len(v.dues); i++ {
			if gap := v.dues[i].Sub(v.dues[i-1]); gap != 100*time.Millisecond {
				t.Fatalf("visits %d and %d were due %s apart; a late one keeps its moment", i-1, i, gap)
			}
		}
	})
}

func TestRunStopsAtTheFirstError(t *testing.T) {
	broken := errors.New("recorder is gone")
	for name, traffic := range map[string]Traffic{"loop": {Users: 3}, "arrivals": {Rate: 50}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				_, err := Run(t.Context(), traffic, func(context.Context, int, time.Time) error { return broken })
				if !errors.Is(err, broken) || time.Since(began) > 2*time.Second {
					t.Errorf("Run = %v after %s; want the error of the walk at once", err, time.Since(began))
				}
			})
		})
	}
}
