package demo

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// status is the public status page: it asks every service how it is, from outside.
type status struct {
	parts map[string]string // URL by name
	names []string
	http  *http.Client
	told  *told
	lied  atomic.Bool
	watch time.Duration
	late  time.Duration
	lates atomic.Int64 // answers of the shop that were late, in a row

	mu   sync.Mutex
	last map[string]time.Time // when a part was last seen down
}

const (
	// watchTime is how long the page goes on to call a part shaky after it was last seen down: what fails now and then has
	// not recovered each time that it answers.
	watchTime = 40 * time.Second
	// lateTime is when an answer of the shop is late. It asks all the others before it answers, so it is late when one of them
	// is. When two in a row are, it is called shaky.
	lateTime = time.Second
)

func newStatus(o Options) *status {
	return &status{told: newTold(o), names: []string{"Shop", "Books", "Orders", "Payments", "Accounts"}, http: &http.Client{Timeout: time.Second},
		watch: o.paced(watchTime), late: o.paced(lateTime), last: map[string]time.Time{},
		parts: map[string]string{"Shop": o.Web, "Books": o.Catalog, "Orders": o.Orders, "Payments": o.Payments, "Accounts": o.Accounts}}
}

// part is one line of the page.
type part struct {
	Name  string `json:"name"`
	State string `json:"state"` // operational, degraded_performance or major_outage
}

func (s *status) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status.json", func(w http.ResponseWriter, r *http.Request) {
		parts, show := s.lieOnStatus(s.look(r.Context()))
		if !show {
			panic(http.ErrAbortHandler) // it dies with what it tells of: the connection breaks
		}
		answer := map[string]any{"updated_at": time.Now().UTC(), "parts": parts}
		if message := s.message(parts); message != "" {
			answer["message"] = message
		}
		writeJSON(w, http.StatusOK, answer)
	})
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		parts, show := s.lieOnStatus(s.look(r.Context()))
		if !show {
			panic(http.ErrAbortHandler)
		}
		page(w, http.StatusOK, "status", map[string]any{"Parts": parts, "Message": s.message(parts), "At": time.Now()})
	})
	mux.HandleFunc("GET /healthz", ok)
	mux.HandleFunc("GET /readyz", ok)
	return mux
}

// look asks all at once.
func (s *status) look(ctx context.Context) []part {
	parts := make([]part, len(s.names))
	var all sync.WaitGroup
	for i, name := range s.names {
		all.Go(func() { parts[i] = part{Name: name, State: s.ask(ctx, name)} })
	}
	all.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, p := range parts {
		switch {
		case p.State == "major_outage":
			s.last[p.Name] = time.Now()
		case time.Since(s.last[p.Name]) < s.watch:
			parts[i].State = "degraded_performance"
		}
	}
	return parts
}

// ask asks one part how it is.
func (s *status) ask(ctx context.Context, name string) (state string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.parts[name]+"/readyz", nil)
	if err != nil {
		return "major_outage"
	}
	began := time.Now()
	answer, err := s.http.Do(request)
	if err != nil {
		return "major_outage"
	}
	answer.Body.Close()
	switch {
	case answer.StatusCode >= 300:
		return "major_outage"
	case name != "Shop":
		return "operational"
	case time.Since(began) < s.late:
		s.lates.Store(0)
		return "operational"
	case s.lates.Add(1) > 1:
		return "degraded_performance"
	}
	return "operational"
}
