package demo

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// The checkout in steps: open it, give an address, pay, confirm. Each is a request of its own, so that it can be interrupted
// between any two.

// opened is a checkout that was opened and is not confirmed yet.
type opened struct {
	basket  basket
	title   string
	pence   int
	address string
	paid    bool
}

// desk keeps the open checkouts by their note.
type desk struct {
	mu   sync.Mutex
	open map[string]*opened
}

// with does something to an open checkout; false when there is none.
func (d *desk) with(note string, do func(*opened)) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	o := d.open[note]
	if o != nil {
		do(o)
	}
	return o != nil
}

func (d *desk) put(o *opened) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open == nil {
		d.open = map[string]*opened{}
	}
	d.open[o.basket.Note] = o
}

// openCheckout holds the books.
func (s *web) openCheckout(w http.ResponseWriter, r *http.Request) {
	var b basket
	if !readBody(w, r, &b) {
		return
	}
	b.Copies = max(1, min(b.Copies, 20))
	found, known, err := s.find(r.Context(), b.Book)
	if err != nil || !known || b.Note == "" || len(b.Note) > 100 {
		s.answer(w, r, s.refused("Books cannot be looked up right now", err))
		return
	}
	hold := held{order: order{Note: b.Note, Book: b.Book, Copies: b.Copies}}
	if err := s.orders.call(r.Context(), http.MethodPost, "/orders", "hold "+b.Note, hold, nil); err != nil {
		s.answer(w, r, s.refused("Orders cannot be taken right now", err))
		return
	}
	s.desk.put(&opened{basket: b, title: found.Title, pence: found.Pence * b.Copies})
	writeJSON(w, http.StatusCreated, map[string]string{"number": b.Note, "state": "opened"})
}

// addressCheckout only writes down where the books go.
func (s *web) addressCheckout(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Street string `json:"street"`
	}
	if !readBody(w, r, &body) {
		return
	}
	if !s.desk.with(r.PathValue("note"), func(o *opened) { o.address = body.Street }) {
		s.noCheckout(w)
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"number": r.PathValue("note"), "state": "addressed"})
}

// payCheckout charges once, whatever is repeated.
func (s *web) payCheckout(w http.ResponseWriter, r *http.Request) {
	note, pence := r.PathValue("note"), 0
	if !s.desk.with(note, func(o *opened) { pence = o.pence }) {
		s.noCheckout(w)
		return
	}
	err := s.payments.call(r.Context(), http.MethodPost, "/charges", "charge "+note, charge{Reference: note, Pence: pence}, nil)
	switch {
	case err != nil && neverDone(err):
		s.answer(w, r, s.refused("Payments are not available right now", err))
		return
	case err != nil:
		var b basket
		s.desk.with(note, func(o *opened) { b = o.basket })
		s.answer(w, r, s.pending(b, pence))
		return
	}
	s.desk.with(note, func(o *opened) { o.paid = true })
	writeJSON(w, http.StatusOK, map[string]string{"number": note, "state": "paid"})
}

// confirmCheckout places the order that was paid.
func (s *web) confirmCheckout(w http.ResponseWriter, r *http.Request) {
	note := r.PathValue("note")
	var o opened
	if !s.desk.with(note, func(found *opened) { o = *found }) || !o.paid {
		s.noCheckout(w)
		return
	}
	if s.pulse != nil && s.told.lies(chargesAgain) {
		s.chargeAgain(r.Context(), o)
	}
	if err := s.orders.call(r.Context(), http.MethodPost, "/orders/"+note+"/place", "place "+note, nil, nil); err != nil {
		s.answer(w, r, s.pending(o.basket, o.pence))
		return
	}
	s.answer(w, r, placed(o.basket, o.title))
}

func (s *web) noCheckout(w http.ResponseWriter) {
	writeProblem(w, http.StatusNotFound, problem{Title: "No such checkout", Status: http.StatusNotFound, Detail: "Nothing was ordered and your card was not charged."})
}

// chargesAgain is the lie of a shop that does not trust what it knows: it makes sure of the payment once more before it
// confirms, and when it cannot, it charges again later, without a key.
const chargesAgain = "CL-04-steps"

func (s *web) chargeAgain(ctx context.Context, o opened) {
	if s.payments.call(ctx, http.MethodGet, "/readyz", "", nil, nil) == nil {
		return
	}
	s.told.note(chargesAgain, o.basket.Note)
	go func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.options.paced(10*time.Minute))
		defer cancel()
		for ctx.Err() == nil {
			if s.payments.call(ctx, http.MethodPost, "/charges", "", charge{Reference: o.basket.Note, Pence: o.pence}, nil) == nil {
				return
			}
			select {
			case <-ctx.Done():
			case <-time.After(s.options.paced(2 * time.Second)):
			}
		}
	}()
}
