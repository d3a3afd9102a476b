package journeys

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
)

// shop is a small product with a login, a basket, and orders that are placed, refused, queued or lost.
type shop struct {
	mu     sync.Mutex
	mode   string // "", refuse, queue, lie, hang, break, nonsense
	logins int
	orders map[string]int // by note
	hang   chan struct{}
}

func newShop() *shop { return &shop{orders: map[string]int{}, hang: make(chan struct{})} }

func (s *shop) set(mode string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mode = mode
}

func (s *shop) count(note string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.orders[note]
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.URL.Path == "/login" {
		s.logins++
		http.SetCookie(w, &http.Cookie{Name: "sid", Value: fmt.Sprint(s.logins), Path: "/"})
		respond(w, 200, map[string]any{"user": s.logins, "token": fmt.Sprintf("t-%d", s.logins)})
		return
	}
	sid, err := r.Cookie("sid")
	switch {
	case err != nil || r.Header.Get("X-Token") != "t-"+sid.Value:
		respond(w, 401, map[string]any{"error": "who are you?"})
	case r.URL.Path == "/basket":
		respond(w, 200, map[string]any{"price": 1200})
	case r.URL.Path == "/orders":
		s.order(w, r)
	default:
		respond(w, 404, map[string]any{})
	}
}

// order runs with the lock held.
func (s *shop) order(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Note  string `json:"note"`
		Price int    `json:"price"`
	}
	if json.NewDecoder(r.Body).Decode(&asked) != nil || asked.Price != 1200 {
		respond(w, 400, map[string]any{"error": "bad order"})
		return
	}
	switch s.mode {
	case "refuse":
		respond(w, 503, map[string]any{"error": "not ordered, nothing was charged"})
	case "queue":
		s.orders[asked.Note]++
		w.Header().Set("Retry-After", "30")
		respond(w, 202, map[string]any{"state": "queued"})
	case "lie":
		respond(w, 201, map[string]any{"id": 1})
	case "hang":
		s.orders[asked.Note]++
		hang := s.hang
		s.mu.Unlock()
		select {
		case <-hang:
		case <-r.Context().Done():
		}
		s.mu.Lock()
		respond(w, 201, map[string]any{"id": 1})
	case "break":
		s.orders[asked.Note]++
		panic(http.ErrAbortHandler)
	case "nonsense":
		w.WriteHeader(201)
	default:
		s.orders[asked.Note]++
		respond(w, 201, map[string]any{"id": len(s.orders)})
	}
}

func respond(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
