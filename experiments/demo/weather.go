package demo

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// weather is what web last knew of its dependencies, for the notice on its pages. Asking never waits: whoever asks gets what
// is known, and what is older than a moment is found out for whoever asks next. So a page is not slow because something
// that it does not need is.
type weather struct {
	mu      sync.Mutex
	down    map[string]time.Time // since when, by service
	asked   time.Time
	looking bool
}

// weatherAge is how old what is known may be.
const weatherAge = 4 * time.Second

// warning is one line of the notice: what is affected, and what people can do meanwhile.
type warning struct {
	Service string
	What    string
	Still   string
	Since   time.Time
}

var warnings = [...]warning{
	{Service: "payments", What: "Payments are not working right now.", Still: "No order can be placed until they work again, but you can look at books."},
	{Service: "orders", What: "Orders can be neither taken nor shown right now.", Still: "The orders that you have are safe, and you can look at books."},
	{Service: "catalog", What: "Prices and stock cannot be looked up right now.", Still: "No order can be placed until they can, but those that you have placed are not affected."},
	{Service: "accounts", What: "Signing in is not working right now.", Still: "You can still buy without it."},
}

// forecast lists what is down, as far as web knows.
func (s *web) forecast(ctx context.Context) []warning {
	s.weather.mu.Lock()
	defer s.weather.mu.Unlock()
	if !s.weather.looking && time.Since(s.weather.asked) > s.options.paced(weatherAge) {
		s.weather.looking = true
		go s.lookOut(context.WithoutCancel(ctx))
	}
	var all []warning
	for _, w := range warnings {
		if since, is := s.weather.down[w.Service]; is {
			w.Since = since
			all = append(all, w)
		}
	}
	return all
}

// lookOut asks every dependency once.
func (s *web) lookOut(ctx context.Context) {
	services := map[string]*dependency{"payments": s.payments, "orders": s.orders, "catalog": s.catalog, "accounts": s.accounts}
	down := map[string]bool{}
	var all sync.WaitGroup
	var mu sync.Mutex
	for name, d := range services {
		all.Go(func() {
			err := d.call(ctx, http.MethodGet, "/readyz", "", nil, nil)
			mu.Lock()
			defer mu.Unlock()
			down[name] = err != nil
		})
	}
	all.Wait()
	s.weather.mu.Lock()
	defer s.weather.mu.Unlock()
	s.weather.looking, s.weather.asked = false, time.Now()
	if s.weather.down == nil {
		s.weather.down = map[string]time.Time{}
	}
	for name, is := range down {
		if _, known := s.weather.down[name]; is && !known {
			s.weather.down[name] = time.Now()
		} else if !is {
			delete(s.weather.down, name)
		}
	}
}

// noticePart is the notice of what does not work; nothing when all does.
func (s *web) noticePart(w http.ResponseWriter, r *http.Request) {
	all := s.forecast(r.Context())
	if s.pulse != nil {
		all = s.bendNotice(w, all)
	}
	fragment(w, http.StatusOK, "notice", all)
}
