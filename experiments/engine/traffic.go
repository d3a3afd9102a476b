package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/journeys"
	"github.com/candor-chaos/candor/experiments/load"
)

// traffic is the users of a run while they are busy.
type traffic struct {
	walkers []*journeys.Walker
	group   errgroup.Group
	stop    context.CancelFunc
	done    bool

	mu      sync.Mutex
	visits  int      // since the last restart
	failed  int      // of these
	example string   // how the first of them failed
	behind  []string // journeys whose arrivals fell behind
}

// letUsersIn starts every journey of the plan.
func (r *run) letUsersIn(ctx context.Context) (*traffic, error) {
	busy := &traffic{}
	visits := new(atomic.Int64)
	var walked []int
	for i := range r.plan.Exec.Experiment.Journeys {
		kind, err := r.surface(ctx, r.plan.Journeys[i].Surface)
		if errors.Is(err, experiments.ErrSurfaceGone) {
			if err := r.unwalked(r.plan.Journeys[i].Name, err); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		walker, err := journeys.NewWalker(journeys.WalkerConfig{Plan: r.plan, Journey: i, Surface: kind, Recorder: r,
			Markers: r.markers, Inspect: r.config.Inspect, Lexicon: r.config.Lexicon, Visits: visits, Pass: r.gates.pass, Over: r.gates.over})
		if err != nil {
			return nil, err
		}
		busy.walkers, walked = append(busy.walkers, walker), append(walked, i)
	}
	walking, stop := context.WithCancel(ctx)
	busy.stop = stop
	for n, i := range walked {
		use := r.plan.Exec.Experiment.Journeys[i]
		t := load.Traffic{Users: use.Users, Every: use.Every, Rate: float64(use.Rate)}
		source := load.New(t, busy.walk(busy.walkers[n]))
		r.loads.open(r.plan.Journeys[i].Name, source)
		busy.group.Go(func() error {
			offered, err := source.Run(walking)
			busy.judge(r.plan.Journeys[i].Name, offered)
			if errors.Is(err, experiments.ErrSurfaceGone) {
				err = r.unwalked(r.plan.Journeys[i].Name, err)
			}
			return r.orAbort(err)
		})
	}
	return busy, nil
}

func (t *traffic) walk(w *journeys.Walker) load.Walk {
	return func(ctx context.Context, user int, due time.Time) error {
		visit, err := w.Walk(ctx, user, due)
		if err != nil {
			return err
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		t.visits++
		if !visit.OK && ctx.Err() == nil {
			if t.failed == 0 {
				t.example = fmt.Sprintf("%s: %s", visit.Journey, visit.Stopped)
			}
			t.failed++
		}
		return nil
	}
}

// judge keeps whether arrivals kept their rate: users who wait for a free worker are no open model any more.
func (t *traffic) judge(journey string, o load.Offered) {
	if o.Due == 0 || (o.Started-o.Late)*100 >= o.Due*95 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.behind = append(t.behind, fmt.Sprintf("%s: of %d arrivals %d began, %d of them late", journey, o.Due, o.Started, o.Late))
}

// restart forgets the visits so far.
func (t *traffic) restart() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.visits, t.failed, t.example = 0, 0, ""
}

// sick says what was wrong since the last restart, and is empty when all was well.
func (t *traffic) sick() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.visits == 0:
		return "no user finished a single visit"
	case t.failed > 0:
		return fmt.Sprintf("%d of %d visits failed, such as %s", t.failed, t.visits, t.example)
	}
	return ""
}

// stopUsers lets every visit end that has begun, and none begin.
func (r *run) stopUsers() error {
	if r.busy == nil || r.busy.done {
		return nil
	}
	r.busy.done = true
	r.busy.stop()
	err := r.busy.group.Wait()
	for _, w := range r.busy.walkers {
		err = errors.Join(err, w.Close())
	}
	err = errors.Join(err, r.closeStages())
	for _, text := range r.busy.behind {
		err = errors.Join(err, r.trouble(experiments.ReasonLoadBehind, text))
	}
	return err
}
