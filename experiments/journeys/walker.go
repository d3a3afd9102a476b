package journeys

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// Markers hands out the marks that intents leave in the world.
type Markers interface {
	// Next returns a marker that nobody else gets. The line that reserves it is on disk before it returns.
	Next(ctx context.Context) (string, error)
}

// WalkerConfig is how one journey of a plan is walked.
type WalkerConfig struct {
	Plan     *experiments.Plan // with Exec, resolved
	Journey  int               // its place in Plan.Journeys
	Surface  experiments.SurfaceKind
	Recorder experiments.Recorder
	Markers  Markers
	Inspect  func(piece []byte) []experiments.PatternHit // leak patterns; may be nil
	Lexicon  Lexicon                                     // may be nil: then words make no claim
	Visits   *atomic.Int64                               // counts visits of all journeys of a run; nil: of this one alone
	// Pass is called before each step, with its number, and after the last: a visit goes on when it returns. May be nil.
	Pass func(ctx context.Context, journey string, visit int64, step int, marker string)
	// Over is called when a visit has ended. May be nil.
	Over func(visit int64)
}

// Walker walks one journey as any number of users.
type Walker struct {
	config  WalkerConfig
	planned *experiments.PlannedJourney
	journey *experiments.Journey
	claims  bool // one of its steps declares claims
	base    string
	origins map[string]string // service by scheme and host

	mu    sync.Mutex
	users map[int]*user
}

// user is one user of the journey: a surface of their own, and what setup brought.
type user struct {
	surface experiments.Surface
	login   experiments.Login // of the visitor that the user is; empty where the journey has none
	steps   map[string]any
	settled bool // setup is done
}

// NewWalker binds a journey. Nothing is sent before the first Walk.
func NewWalker(c WalkerConfig) (*Walker, error) {
	if c.Plan.Exec == nil || c.Journey < 0 || c.Journey >= len(c.Plan.Journeys) || c.Journey >= len(c.Plan.Exec.Journeys) {
		return nil, fmt.Errorf("journey %d is not in the plan, or the plan was read back", c.Journey)
	}
	if c.Visits == nil {
		c.Visits = new(atomic.Int64)
	}
	w := &Walker{config: c, planned: &c.Plan.Journeys[c.Journey], journey: c.Plan.Exec.Journeys[c.Journey],
		users: map[int]*user{}}
	w.claims = slices.ContainsFunc(w.journey.Steps, func(s experiments.Step) bool { return s.Claims != nil })
	w.base, w.origins = addresses(c.Plan.Exec.Vars, w.planned.Service)
	return w, nil
}

// Walk makes one visit as a user, who must not be on another visit meanwhile. due is when the visit should have begun, in
// the open model; zero otherwise. When ctx ends the visit takes no further step, but the one that it is at ends as it
// ends, within its timeout: what was sent is never left without its answer. An error means that candor itself could not
// go on; what the product did wrong is in the Visit, which has been recorded.
func (w *Walker) Walk(ctx context.Context, number int, due time.Time) (experiments.Visit, error) {
	u, err := w.user(number)
	if err != nil {
		return experiments.Visit{}, err
	}
	v := &visit{walker: w, user: u, due: due, steps: map[string]any{}, record: experiments.Visit{
		ID: w.config.Visits.Add(1), Journey: w.planned.Name, User: number, Due: due, Started: time.Now()}}
	v.record.Stopped, err = v.walk(ctx)
	if w.config.Over != nil {
		w.config.Over(v.record.ID)
	}
	v.record.OK = err == nil && v.record.Stopped == ""
	if errors.Is(err, experiments.ErrSurfaceGone) {
		return v.record, err // it was not the product that ended this visit
	}
	if err != nil {
		v.record.Stopped = err.Error()
	}
	record := v.record
	_, rerr := w.config.Recorder.Append(experiments.Record{At: time.Now(), Visit: &record})
	return v.record, errors.Join(err, rerr)
}

// Close lets all users go. No Walk may be under way.
func (w *Walker) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var errs []error
	for number, u := range w.users {
		errs = append(errs, u.surface.Close())
		delete(w.users, number)
	}
	return errors.Join(errs...)
}

func (w *Walker) user(number int) (*user, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if u, known := w.users[number]; known {
		return u, nil
	}
	u := &user{steps: map[string]any{}}
	if all := w.config.Plan.Exec.Visitors; w.config.Journey < len(all) && len(all[w.config.Journey]) > 0 {
		u.login = all[w.config.Journey][number%len(all[w.config.Journey])]
	}
	var err error
	u.surface, err = w.config.Surface.Open(experiments.SurfaceConfig{Base: w.base, Inspect: w.config.Inspect, Canaries: w.config.Plan.Canaries,
		Journey: w.planned.Name, User: number, Visitor: u.login.Name, Service: w.service, Regions: w.journey.Regions})
	if err != nil {
		return nil, fmt.Errorf("open surface %s for user %d: %w", w.config.Surface.Name, number, err)
	}
	w.users[number] = u
	return u, nil
}

// service names the service that an address belongs to.
func (w *Walker) service(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return w.origins[origin(u)]
}

// addresses reads from what expressions see where the journey's service is, and which service answers where.
func addresses(vars experiments.Vars, own string) (base string, origins map[string]string) {
	origins = map[string]string{}
	services, _ := vars["services"].(map[string]any)
	for name, facts := range services {
		known, _ := facts.(map[string]any)
		for _, value := range known {
			text, _ := value.(string)
			u, err := url.Parse(text)
			if err != nil || u.Host == "" {
				continue
			}
			if other, taken := origins[origin(u)]; !taken || name == own || other != own && name < other {
				origins[origin(u)] = name
			}
		}
		if name == own {
			base, _ = known["url"].(string)
		}
	}
	return base, origins
}

func origin(u *url.URL) string { return strings.ToLower(u.Scheme + "://" + u.Host) }
