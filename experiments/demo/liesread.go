package demo

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
)

// What a lying shop tells those who only read: its list of orders, its status page, its health checks.

// listed is the last list of orders that web had, and the last refusal: what a careless cache would go on serving.
type listed struct {
	mu      sync.Mutex
	body    []byte
	made    time.Time
	refused time.Time // when the refusal that is kept was made; zero when none is
}

// Times of real life.
const (
	keepsError  = 10 * time.Minute  // how long the careless cache keeps a refusal
	wellAgain   = 120 * time.Second // after orders is back everybody may expect it to work
	noCopyAfter = 2 * time.Second   // of the machine: an age that whole seconds can tell
)

// lists reports whether a lie answered the list of orders, with what orders said just now.
func (s *web) lists(w http.ResponseWriter, all any, err error) bool {
	if s.pulse == nil {
		return false
	}
	switch {
	case s.told.lies("HT-07"):
		return s.stale(w, all, err)
	case s.told.lies("HT-08") && err != nil:
		s.told.note("HT-08", "")
		w.Header().Set("Cache-Control", "public, max-age=600")
		s.refuseList(w)
		return true
	case s.told.lies("RC-08"):
		return s.cachedRefusal(w, err)
	}
	return false
}

// stale goes on with a copy that must be asked for anew once it is old.
func (s *web) stale(w http.ResponseWriter, all any, err error) bool {
	s.list.mu.Lock()
	defer s.list.mu.Unlock()
	now := time.Now()
	if err == nil {
		s.list.body, _ = json.Marshal(all) // it was decoded from JSON
		s.list.made = now
	}
	if s.list.body == nil {
		return false
	}
	age := now.Sub(s.list.made)
	if age > noCopyAfter {
		s.told.note("HT-07", "")
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "max-age=0, must-revalidate")
	w.Header().Set("Age", fmt.Sprint(int(age.Seconds())))
	w.Header().Set("Date", s.list.made.UTC().Format(http.TimeFormat))
	_, _ = w.Write(s.list.body) // a reader that has gone cannot be told
	return true
}

// cachedRefusal keeps the first refusal of an outage, and serves it long after.
func (s *web) cachedRefusal(w http.ResponseWriter, err error) bool {
	s.list.mu.Lock()
	defer s.list.mu.Unlock()
	now := time.Now()
	if s.list.refused.IsZero() || now.Sub(s.list.refused) > s.options.paced(keepsError) {
		s.list.refused = time.Time{}
		if err == nil {
			return false
		}
		s.list.refused = now
	}
	if since := s.pulse.ordersBackFor(); since > s.options.paced(wellAgain) {
		s.told.note("RC-08", "")
	}
	w.Header().Set("Age", fmt.Sprint(int(now.Sub(s.list.refused).Seconds())))
	s.refuseList(w)
	return true
}

func (s *web) refuseList(w http.ResponseWriter) {
	s.retryHeader(w)
	kept := w.Header().Get("Cache-Control")
	if kept == "" {
		kept = "no-store"
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", kept)
	w.WriteHeader(http.StatusServiceUnavailable)
	_ = json.NewEncoder(w).Encode(problem{Title: "Your orders cannot be shown right now", Status: http.StatusServiceUnavailable,
		Detail: "This is our fault, and nothing of yours was changed."})
}

// ordersBackFor is how long ago orders came back; 0 when it never went, or is away.
func (p *pulse) ordersBackFor() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.back.IsZero() || !p.orders {
		return 0
	}
	return time.Since(p.back)
}

// lieOnStatus bends what the status page found. It reports whether the page is to be shown at all.
func (s *status) lieOnStatus(parts []part) (shown []part, show bool) {
	down := 0
	for _, p := range parts {
		if p.State != "operational" {
			down++
		}
	}
	if down == 0 {
		return parts, true
	}
	switch {
	case s.told.lies("SP-01"):
		s.once("SP-01")
		shown = make([]part, len(parts))
		for i, p := range parts {
			shown[i] = part{Name: p.Name, State: "operational"}
		}
		return shown, true
	case s.told.lies("SP-03"):
		s.once("SP-03")
		return nil, false
	}
	return parts, true
}

// once notes a lie that is told to everybody at the same time.
func (s *status) once(id string) {
	if s.lied.CompareAndSwap(false, true) {
		s.told.note(id, "")
	}
}

// message is what a lying status page says of orders, whatever the pages say (TX-10).
func (s *status) message(parts []part) string {
	if !s.told.lies("TX-10") || !slices.ContainsFunc(parts, func(p part) bool { return p.State == "major_outage" }) {
		return ""
	}
	return "All orders are being delayed by an hour, and none is refused."
}
