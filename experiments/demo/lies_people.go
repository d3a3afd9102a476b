package demo

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// cache is what a lying web keeps of what it showed. By what it is keyed makes the lie.
type cache struct {
	mu  sync.Mutex
	all map[string]cached
}

type cached struct {
	owner string
	value any
}

// keep remembers what one visitor was shown. Two views are kept of each thing: the last of all, which is keyed by the
// address alone, and the last of each visitor.
func (c *cache) keep(address, owner string, value any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil {
		c.all = map[string]cached{}
	}
	c.all[address], c.all[address+" "+owner] = cached{owner, value}, cached{owner, value}
}

func (c *cache) find(key string) (cached, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, is := c.all[key]
	return found, is
}

// cachedOrders shows a signed-in visitor the orders of whoever came last (LK-07): the cache is keyed by the address alone.
func (s *web) cachedOrders(w http.ResponseWriter, r *http.Request, name string) bool {
	if !s.told.lies("LK-07") || s.pulse.identity() != accountsDown {
		return false
	}
	last, is := s.cache.find(r.URL.Path)
	if !is {
		return false
	}
	if mine, listed := last.value.([]order); last.owner != name && listed && len(mine) > 0 {
		s.told.note("LK-07", "")
	}
	writeJSON(w, http.StatusOK, map[string]any{"orders": last.value})
	return true
}

// cachedAccount shows a visitor what their account was before (RC-06).
func (s *web) cachedAccount(w http.ResponseWriter, name string) bool {
	if !s.told.lies("RC-06") || s.pulse.identity() != accountsBack {
		return false
	}
	last, is := s.cache.find("account " + name)
	if is {
		writeJSON(w, http.StatusOK, last.value)
	}
	return is
}

// savedUnseen notes an address that was saved and will not be shown for longer than anybody is patient.
func (s *web) savedUnseen(address string) {
	if s.pulse != nil && s.told.lies("RC-06") && s.pulse.identity() == accountsBack && s.pulse.hidesFor() > s.options.paced(8*time.Second) {
		s.told.note("RC-06", address)
	}
}

// guard is for how long a shop that trusts in it takes a second press for a double click.
const guard = time.Second

// guards remembers when something was pressed that is still guarded, and what was ordered twice already.
type guards struct {
	mu      sync.Mutex
	pressed map[string]guarded
	twice   map[string]bool
}

type guarded struct {
	at   time.Time
	done chan struct{} // closed when its order is through
}

// take begins a guard, unless one is on: then it returns that. again: there was one before, and nobody noted it yet.
func (g *guards) take(note string, lasts time.Duration) (under *guarded, mine guarded, again bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.pressed == nil {
		g.pressed, g.twice = map[string]guarded{}, map[string]bool{}
	}
	last, before := g.pressed[note]
	if before && time.Since(last.at) < lasts {
		return &last, mine, false
	}
	mine = guarded{at: time.Now(), done: make(chan struct{})}
	g.pressed[note] = mine
	again = before && !g.twice[note]
	g.twice[note] = g.twice[note] || before
	return nil, mine, again
}

// guardAlone takes what is pressed again after a second for another order (IN-05): nothing says that it is the same.
// Whoever presses within that second waits for the order that is under way.
func guardAlone(s *web, w http.ResponseWriter, r *http.Request, b basket, title string, pence int) {
	under, mine, again := s.guards.take(b.Note, s.options.paced(guard))
	if under != nil {
		select {
		case <-under.done:
		case <-r.Context().Done():
		}
	} else {
		if again {
			s.told.note("IN-05", b.Note)
		}
		s.orderLoose(context.WithoutCancel(r.Context()), b, pence)
		close(mine.done)
	}
	s.answer(w, r, placed(b, title))
}

// orderLoose orders without a key, with all the patience in the world.
func (s *web) orderLoose(ctx context.Context, b basket, pence int) {
	_ = s.slow.call(ctx, http.MethodPost, "/orders", "", held{order: order{Note: b.Note, Book: b.Book, Copies: b.Copies}}, nil)
	_ = s.payments.call(ctx, http.MethodPost, "/charges", "charge "+b.Note, charge{Reference: b.Note, Pence: pence}, nil)
	_ = s.slow.call(ctx, http.MethodPost, "/orders/"+b.Note+"/place", "place "+b.Note, nil, nil)
}
