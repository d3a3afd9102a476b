package load

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// crowded runs a source for a time and lets a crowd in for a part of it.
func crowded(t *testing.T, s *Source, lasts, from, to time.Duration, times float64, ramp time.Duration) Offered {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), lasts+time.Millisecond)
	defer cancel()
	time.AfterFunc(from, func() {
		if err := s.Join("rush", times, ramp); err != nil {
			t.Error(err)
		}
		if err := s.Join("rush", times, ramp); err != nil { // there already
			t.Error(err)
		}
		if there, _ := s.Joined("rush"); !there {
			t.Error("nobody joined")
		}
	})
	time.AfterFunc(to, func() {
		s.Leave("rush")
		if there, _ := s.Joined("rush"); there {
			t.Error("the crowd is there after it was told to leave")
		}
	})
	offered, err := s.Run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return offered
}

func TestACrowdComesAtItsRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVisits(t)
		s := New(Traffic{Rate: 10}, v.walk(300*time.Millisecond))
		began := time.Now()
		offered := crowded(t, s, 20*time.Second, 5*time.Second, 10*time.Second+time.Millisecond, 10, 0)
		// 90 a second for 5 s beside 10 a second for 20 s
		_, visits := s.Joined("rush")
		if visits != 450 || offered.Started != 200+450 || offered.Due != offered.Started || offered.Late != 0 {
			t.Errorf("10/s with ten times as many for 5 s = %+v, %d of a crowd; want 200 and 450, none late", offered, visits)
		}
		var usual []time.Time
		for user, starts := range v.byUser {
			if user < defaultWorkers {
				usual = append(usual, starts...)
				continue
			}
			for _, at := range starts {
				if since := at.Sub(began); since < 5*time.Second || since > 10*time.Second {
					t.Fatalf("user %d of the crowd came after %s", user, since)
				}
			}
		}
		if len(usual) != 200 {
			t.Errorf("%d visits were made by the usual users; want 200: a crowd takes nothing from them", len(usual))
		}
	})
}

func TestACrowdGrowsOverItsRamp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVisits(t)
		s := New(Traffic{Rate: 10}, v.walk(time.Millisecond))
		began := time.Now()
		crowded(t, s, 12*time.Second, 0, 10*time.Second+time.Millisecond, 11, 4*time.Second)
		// 100 a second in the end: 50 in the first 2 s, 200 in 4 s, then 100 each second
		for second, want := range map[time.Duration]int{2: 50, 4: 200, 6: 400, 10: 800} {
			n := 0
			for user, starts := range v.byUser {
				for _, at := range starts {
					if user >= defaultWorkers && at.Sub(began) < second*time.Second {
						n++
					}
				}
			}
			if n < want-2 || n > want+2 {
				t.Errorf("%d of the crowd came in the first %d s; want %d", n, second, want)
			}
		}
	})
}

func TestACrowdThatIsTooMuchIsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVisits(t)
		s := New(Traffic{Rate: 2, Workers: 2}, v.walk(500*time.Millisecond))
		// 18 a second more, and 18 workers more, of which each visit takes 0.5 s: all on time.
		if offered := crowded(t, s, 10*time.Second, time.Second, 9*time.Second, 10, 0); offered.Late != 0 {
			t.Errorf("offered %+v; want none late", offered)
		}
		v = newVisits(t)
		s = New(Traffic{Rate: 2, Workers: 5}, v.walk(4*time.Second))
		offered := crowded(t, s, 10*time.Second, time.Second, 9*time.Second, 10, 0)
		if offered.Late < 10 || offered.Due <= offered.Started {
			t.Errorf("offered %+v; want many late, and more due than begun", offered)
		}
	})
}

func TestACrowdOfUsersLeaves(t *testing.T) {
	for name, tt := range map[string]struct {
		ramp time.Duration
		want int64
	}{"at once": {0, 8 * 5}, "over a ramp": {4 * time.Second, 8 + 2*(4+3+2+1)}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newVisits(t)
				s := New(Traffic{Users: 2, Every: time.Second}, v.walk(700*time.Millisecond))
				began := time.Now()
				offered := crowded(t, s, 9900*time.Millisecond, time.Second, 5999*time.Millisecond, 5, tt.ramp)
				_, visits := s.Joined("rush")
				if visits != tt.want || offered.Started != 20+visits || len(v.byUser) != 10 {
					t.Errorf("%d visits of a crowd, %+v in all, %d users; want %d of 8 users beside 20", visits, offered, len(v.byUser), tt.want)
				}
				for user, starts := range v.byUser {
					if last := starts[len(starts)-1].Sub(began); user >= 2 && last > 6*time.Second {
						t.Errorf("user %d of the crowd came again after %s", user, last)
					}
				}
				if int64(v.ended) != offered.Started {
					t.Errorf("%d of %d visits ended", v.ended, offered.Started)
				}
			})
		})
	}
}

func TestACrowdComesTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVisits(t)
		s := New(Traffic{Users: 1, Every: time.Second}, v.walk(5*time.Second))
		time.AfterFunc(8*time.Second+time.Millisecond, func() {
			if err := s.Join("rush", 4, 0); err != nil {
				t.Error(err)
			}
		})
		crowded(t, s, 20*time.Second, time.Second, 3*time.Second, 4, 0)
		if len(v.byUser) != 4 {
			t.Errorf("%d users walked; want 1 and the same 3 twice", len(v.byUser))
		}
	})
}

func TestNobodyToJoin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVisits(t)
		s := New(Traffic{Users: 1}, v.walk(time.Second))
		if err := s.Join("early", 2, 0); !errors.Is(err, ErrNobody) {
			t.Errorf("Join before Run = %v", err)
		}
		s.Leave("early")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		time.AfterFunc(500*time.Millisecond, func() {
			if err := s.Join("too many", 1e6, 0); err == nil {
				t.Error("a million users may join")
			}
		})
		if _, err := s.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if err := s.Join("late", 2, 0); !errors.Is(err, ErrNobody) {
			t.Errorf("Join after Run = %v", err)
		}
	})
}

func TestTheErrorOfACrowdEndsAll(t *testing.T) {
	for name, traffic := range map[string]Traffic{"loop": {Users: 2}, "arrivals": {Rate: 5}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				broken := errors.New("recorder is gone")
				s := New(traffic, func(_ context.Context, user int, _ time.Time) error {
					if user >= 2 && traffic.Rate == 0 || user >= defaultWorkers {
						return broken
					}
					return nil
				})
				began := time.Now()
				time.AfterFunc(3*time.Second, func() {
					if err := s.Join("rush", 3, 0); err != nil {
						t.Error(err)
					}
				})
				if _, err := s.Run(t.Context()); !errors.Is(err, broken) || time.Since(began) > 5*time.Second {
					t.Errorf("Run = %v after %s; want the error of the crowd at once", err, time.Since(began))
				}
			})
		})
	}
}
