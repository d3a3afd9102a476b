package demo

import (
	"errors"
	"net/http"
	"sync"
	"time"
)

// The lies of pages: what a lying shop shows people in a browser. What it answers to a form is told to one marker; what it
// bends on a page is told to whoever looks, and by the page itself (lies.js) where the page has to do it.

// errLied stands in the log where a lying shop refuses for no reason.
var errLied = errors.New("nothing is wrong")

// bends is what a lying web remembers of its pages.
type bends struct {
	mu    sync.Mutex
	once  map[string]bool
	stuck []warning
}

// bent reports whether a lie is on and fits what is broken now.
func (s *web) bent(id string) bool {
	return s.pulse != nil && s.told.lies(id) && s.pulse.has(lieByID(id).fits)
}

// noteOnce notes a lie that is told to everybody at the same time.
func (s *web) noteOnce(id string) {
	s.bends.mu.Lock()
	defer s.bends.mu.Unlock()
	if s.bends.once == nil {
		s.bends.once = map[string]bool{}
	}
	if !s.bends.once[id] {
		s.bends.once[id] = true
		s.told.note(id, "")
	}
}

// toldInPage is where a page says that it told a lie by itself.
func (s *web) toldInPage(w http.ResponseWriter, r *http.Request) {
	if id := r.FormValue("lie"); s.pulse != nil && s.told.lies(id) && lieByID(id).page {
		s.told.note(id, r.FormValue("note"))
	}
	w.WriteHeader(http.StatusNoContent)
}

// instead answers a form with other words than the truth. It refuses, and does nothing.
func instead(title, detail string) func(*web, http.ResponseWriter, *http.Request, basket, string, int) {
	return func(s *web, w http.ResponseWriter, r *http.Request, _ basket, _ string, _ int) {
		o := s.refused(title, errLied)
		o.Detail, o.Bare = detail, true
		s.answer(w, r, o)
	}
}

// bending answers a form honestly, and has the page spoil how it is shown.
func bending(id string) func(*web, http.ResponseWriter, *http.Request, basket, string, int) {
	return func(s *web, w http.ResponseWriter, r *http.Request, _ basket, _ string, _ int) {
		w.Header().Set("Bend", id)
		s.answer(w, r, s.refused("Payments are not available right now", errLied))
	}
}

const notOrdered = "Your card was not charged and nothing was ordered."

func offerRetry(s *web, w http.ResponseWriter, r *http.Request, _ basket, _ string, _ int) {
	s.answer(w, r, outcome{Status: http.StatusServiceUnavailable, Claim: "failed", Title: "Orders cannot be taken right now", Detail: notOrdered + " Try again.", Bare: true, cause: errLied})
}

// acceptAndDeny tells the page's script that the order was accepted, and the page says that it was not placed (TX-10).
func acceptAndDeny(_ *web, w http.ResponseWriter, _ *http.Request, _ basket, _ string, _ int) {
	w.Header().Set("Bend", "TX-10")
	w.Header().Set("Claim", "failed")
	writeJSON(w, http.StatusAccepted, map[string]string{"state": "accepted", "message": "Your order was accepted."})
}

func untraceable(s *web, w http.ResponseWriter, r *http.Request, _ basket, _ string, _ int) {
	o := s.refused("Payments are not available right now", nil)
	o.Reference = "000000"
	s.answer(w, r, o)
}

// sayBoth says two things of one order (ST-12).
func sayBoth(s *web, w http.ResponseWriter, r *http.Request, b basket, title string, _ int) {
	w.Header().Set("Claim", "failed")
	name, data := "both", any(map[string]any{"Placed": placed(b, title), "Refused": s.refused("We could not place your order", errLied)})
	if r.Header.Get("Part") != "" {
		fragment(w, http.StatusServiceUnavailable, name, data)
		return
	}
	s.show(w, r, http.StatusServiceUnavailable, "bothpage", "Your order", data)
}

// inPage are the lies that a page tells by itself once it heard that they fit; it hears so whenever it asks for its notice.
var inPage = [...]string{"CL-07", "CL-08", "ST-09", "ST-11", "IN-05", "IN-06"}

// bendNotice bends what a page is told of what does not work, and tells it which lie to tell by itself.
func (s *web) bendNotice(w http.ResponseWriter, all []warning) []warning {
	for _, id := range inPage {
		if s.bent(id) {
			w.Header().Add("Bend", id)
		}
	}
	for _, id := range []string{"AX-06", "IN-04"} {
		if s.told.lies(id) {
			w.Header().Add("Bend", id)
		}
	}
	switch {
	case s.told.lies("ST-10"):
		if len(all) > 0 {
			s.noteOnce("ST-10")
		}
		return nil
	case s.told.lies("ST-09"):
		return nil
	case s.told.lies("RC-01"):
		return s.stick(all)
	}
	return all
}

// stick goes on with the notice that was there once (RC-01).
func (s *web) stick(all []warning) []warning {
	s.bends.mu.Lock()
	if len(all) > 0 {
		s.bends.stuck = all
	}
	stuck := s.bends.stuck
	s.bends.mu.Unlock()
	if len(all) == 0 && len(stuck) > 0 {
		s.noteOnce("RC-01")
	}
	return stuck
}

// locks reports whether the button is grey, and nobody says why (ST-09).
func (s *web) locks() bool {
	if !s.bent("ST-09") {
		return false
	}
	s.noteOnce("ST-09")
	return true
}

// bendHome fails for a reason that is none of its own (ST-13).
func (s *web) bendHome(w http.ResponseWriter, r *http.Request) bool {
	if !s.bent("ST-13") {
		return false
	}
	s.noteOnce("ST-13")
	s.show(w, r, http.StatusInternalServerError, "trouble", "Not available", s.faulty(w, r, "This page", errLied))
	return true
}

// bendPrices bends what is shown of an old price. It reports which lie it told.
func (s *web) bendPrices(now *shelf) string {
	if now.Books == nil {
		return ""
	}
	for id, trick := range map[string]string{"LK-04": "NaN", "ST-03": "unmarked", "ST-04": "just now", "ST-05": "live", "ST-08": "gone"} {
		if s.bent(id) {
			now.Trick, now.Old = trick, false
			s.noteOnce(id)
			return id
		}
	}
	return ""
}

func (s *web) bendShelf(w http.ResponseWriter, name string, now *shelf) bool {
	if s.bent("ST-07") {
		s.noteOnce("ST-07")
		w.Header().Set("Bend", "ST-07")
		writeJSON(w, http.StatusOK, map[string]any{"books": nil})
		return true
	}
	switch s.bendPrices(now) {
	case "":
		return false
	case "ST-05":
		fragment(w, http.StatusServiceUnavailable, name, now)
	case "ST-08":
		fragment(w, http.StatusOK, "nothing", nil)
	default:
		fragment(w, http.StatusOK, name, now)
	}
	return true
}

func (s *web) bendOffer(w http.ResponseWriter, now *offer) bool {
	switch s.bendPrices(&now.shelf) {
	case "":
		return false
	case "ST-05":
		fragment(w, http.StatusServiceUnavailable, "offerpart", now)
	case "ST-08":
		fragment(w, http.StatusOK, "nothing", nil)
	default:
		fragment(w, http.StatusOK, "offerpart", now)
	}
	return true
}

// bendOrders bends the list of orders. It reports whether it answered.
func (s *web) bendOrders(w http.ResponseWriter, p *purchases, err error) bool {
	switch {
	case err != nil && s.bent("ST-01"):
		s.noteOnce("ST-01")
		fragment(w, http.StatusOK, "noorders", nil)
	case err != nil && s.bent("ST-06"):
		s.noteOnce("ST-06")
		fragment(w, http.StatusInternalServerError, "loading", "orders")
	case err == nil && !p.Priced && len(p.Orders) > 1 && s.bent("ST-02"):
		s.noteOnce("ST-02")
		p.Trick = "sum"
		fragment(w, http.StatusPartialContent, "orderspart", p)
	default:
		for _, id := range []string{"AX-03", "RC-02"} {
			if err != nil && s.bent(id) {
				s.noteOnce(id)
				w.Header().Set("Bend", id)
			}
		}
		return false
	}
	return true
}

// throwsOut reports whether somebody is to sign in again for no reason (IN-03).
func (s *web) throwsOut(w http.ResponseWriter) bool {
	if !s.bent("IN-03") {
		return false
	}
	s.noteOnce("IN-03")
	s.forget(w)
	return true
}

// bendNext leads to the front page, wherever somebody came from (IN-04).
func (s *web) bendNext(next string) string {
	if !s.told.lies("IN-04") || next == "/orders" {
		return next
	}
	s.noteOnce("IN-04")
	return "/"
}

// cachedAccountPart is the page's form of RC-06.
func (s *web) cachedAccountPart(w http.ResponseWriter, name string) bool {
	last, is := s.cache.find("account " + name)
	if !is || !s.told.lies("RC-06") || s.pulse.identity() != accountsBack {
		return false
	}
	fragment(w, http.StatusOK, "accountpart", last.value)
	return true
}

// has reports whether something is broken, whatever else is.
func (p *pulse) has(what symptom) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch what {
	case paymentsDown:
		return !p.payments
	case ordersDown:
		return !p.orders
	case booksDown:
		return !p.books
	case ordersSlow:
		return p.orders && min(p.last[0], p.last[1], p.last[2]) > slowPulse
	case ordersBack:
		return p.orders && !p.back.IsZero() && time.Since(p.back) < p.settle
	}
	return what == anytime
}
