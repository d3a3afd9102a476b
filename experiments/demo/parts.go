package demo

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// The parts of pages that look after themselves: a page in a browser asks for each again and again, so that it shows what is
// so now, and recovers by itself.

// stock is what catalog says of all books at once.
type stock struct {
	No    int64     `json:"no"` // counts the changes
	At    time.Time `json:"at"` // when the last one was
	Books []book    `json:"books"`
}

// kept is the last stock that web had. It is shown with its age while catalog does not answer.
type kept struct {
	mu    sync.Mutex
	stock stock
	at    time.Time
}

// keptFor is how old prices and stock may be to be shown at all.
const keptFor = 10 * time.Minute

// shelf is what the front page shows. Without Books there is nothing to show.
type shelf struct {
	stock
	Asked time.Time
	Old   bool
	Trick string // of a lying shop
	err   error
}

// shelfNow asks catalog, and falls back to what it said last.
func (s *web) shelfNow(ctx context.Context) shelf {
	var now stock
	err := s.catalog.call(ctx, http.MethodGet, "/stock", "", nil, &now)
	s.kept.mu.Lock()
	defer s.kept.mu.Unlock()
	if err == nil {
		s.kept.stock, s.kept.at = now, time.Now()
		return shelf{stock: now, Asked: s.kept.at}
	}
	if s.kept.stock.Books == nil || time.Since(s.kept.at) > s.options.paced(keptFor) {
		return shelf{err: err}
	}
	return shelf{stock: s.kept.stock, Asked: s.kept.at, Old: true, err: err}
}

// offer is one book with its price and stock.
type offer struct {
	shelf
	Book book
}

// offerNow is one book as it is now, or was of late. known: false when there is none of that number.
func (s *web) offerNow(ctx context.Context, number string) (o offer, known bool) {
	id, err := strconv.Atoi(number)
	if err != nil {
		return o, false
	}
	o.shelf = s.shelfNow(ctx)
	for _, b := range o.Books {
		if b.ID == id {
			o.Book = b
			return o, true
		}
	}
	return o, o.Books == nil
}

func (s *web) shelfPart(w http.ResponseWriter, r *http.Request) {
	now := s.shelfNow(r.Context())
	if s.pulse != nil && now.err != nil && s.bendShelf(w, "shelfpart", &now) {
		return
	}
	if now.Books == nil {
		fragment(w, http.StatusServiceUnavailable, "unable", s.faulty(w, r, "Our books", now.err))
		return
	}
	fragment(w, http.StatusOK, "shelfpart", now)
}

func (s *web) offerPart(w http.ResponseWriter, r *http.Request) {
	now, known := s.offerNow(r.Context(), r.FormValue("book"))
	switch {
	case !known:
		fragment(w, http.StatusNotFound, "unable", fault{What: "This book"})
	case s.pulse != nil && now.err != nil && s.bendOffer(w, &now):
	case now.Book.ID == 0:
		fragment(w, http.StatusServiceUnavailable, "unable", s.faulty(w, r, "Price and stock", now.err))
	default:
		fragment(w, http.StatusOK, "offerpart", now)
	}
}

// purchases are what somebody has ordered, and what it costs at today's prices.
type purchases struct {
	Name   string
	Orders []order
	Total  int
	Priced bool // every book that was ordered has a price now
	Trick  string
}

// purchasesOf asks orders for the orders and catalog for the prices. Without prices the orders are shown all the same.
func (s *web) purchasesOf(r *http.Request, name string) (p purchases, err error) {
	p.Name, p.Priced = name, true
	if p.Orders, err = s.ordersOf(r, name); err != nil || len(p.Orders) == 0 {
		return p, err
	}
	now := s.shelfNow(r.Context())
	p.Priced = !now.Old && now.Books != nil
	for i, o := range p.Orders {
		for _, b := range now.Books {
			if b.ID == o.Book && (p.Priced || i < len(p.Orders)-1) {
				p.Total += b.Pence * o.Copies
			}
		}
	}
	return p, nil
}

func (s *web) ordersPart(w http.ResponseWriter, r *http.Request) {
	name, in := s.whoseParts(w, r)
	if !in {
		return
	}
	p, err := s.purchasesOf(r, name)
	if s.pulse != nil && s.bendOrders(w, &p, err) {
		return
	}
	if err != nil {
		fragment(w, http.StatusServiceUnavailable, "unable", s.faulty(w, r, "Your orders", err))
		return
	}
	fragment(w, http.StatusOK, "orderspart", p)
}

// whoseParts is who is signed in; to whoever is not, the answer is 401, and their browser goes to the sign-in page.
func (s *web) whoseParts(w http.ResponseWriter, r *http.Request) (string, bool) {
	name := s.visitor(r)
	if s.pulse != nil && s.throwsOut(w) {
		name = ""
	}
	if name == "" {
		fragment(w, http.StatusUnauthorized, "leave", nil)
	}
	return name, name != ""
}

// myOrdersPage shows the frame at once, and the orders when they are there. Without scripts it shows them with ?plain=1.
func (s *web) myOrdersPage(w http.ResponseWriter, r *http.Request) {
	name := s.visitor(r)
	switch {
	case name == "" || s.pulse != nil && s.throwsOut(w):
		http.Redirect(w, r, "/sign-in?next=/orders", http.StatusSeeOther)
	case r.FormValue("plain") == "":
		s.show(w, r, http.StatusOK, "orders", "Your orders", nil)
	default:
		p, err := s.purchasesOf(r, name)
		if err != nil {
			s.trouble(w, r, "Your orders", err)
			return
		}
		s.show(w, r, http.StatusOK, "orders", "Your orders", &p)
	}
}

// accountForm is the address as it was typed.
type accountForm struct {
	Address string
	Said    *outcome
}

func (s *web) accountPage(w http.ResponseWriter, r *http.Request) {
	if s.visitor(r) == "" || s.pulse != nil && s.throwsOut(w) {
		http.Redirect(w, r, "/sign-in?next=/account", http.StatusSeeOther)
		return
	}
	s.show(w, r, http.StatusOK, "account", "Your account", accountForm{})
}

func (s *web) accountPart(w http.ResponseWriter, r *http.Request) {
	name, in := s.whoseParts(w, r)
	if !in || s.pulse != nil && s.cachedAccountPart(w, name) {
		return
	}
	var mine account
	if err := s.accounts.call(r.Context(), http.MethodGet, "/accounts/"+url.PathEscape(name), "", nil, &mine); err != nil {
		fragment(w, http.StatusServiceUnavailable, "unable", s.faulty(w, r, "Your address", err))
		return
	}
	if s.pulse != nil {
		s.cache.keep("account", name, mine)
	}
	fragment(w, http.StatusOK, "accountpart", mine)
}

// movePage saves the address of a form.
func (s *web) movePage(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	name := s.visitor(r)
	if name == "" {
		s.answer(w, r, outcome{Status: http.StatusUnauthorized, Claim: "failed", Title: "Your address was not saved", Detail: "You are not signed in any more. What you wrote is kept in this browser."})
		return
	}
	s.answer(w, r, s.move(r, name, r.PostFormValue("address")))
}

// move saves an address. Saving it twice is no harm, so who does not know may try again.
func (s *web) move(r *http.Request, name, address string) outcome {
	if address == "" || len(address) > 200 {
		return outcome{Status: http.StatusUnprocessableEntity, Claim: "failed", Title: "Nothing was saved", Detail: "An address has 1 to 200 letters."}
	}
	err := s.accounts.call(r.Context(), http.MethodPut, "/accounts/"+url.PathEscape(name)+"/address", "", account{Address: address}, nil)
	switch {
	case err == nil:
		s.savedUnseen(address)
		return outcome{Status: http.StatusOK, Claim: "success", Title: "Your address is saved", Detail: "Your next books go there."}
	case neverDone(err):
		return outcome{Status: http.StatusServiceUnavailable, Claim: "failed", Title: "Your address was not saved", Retry: s.options.paced(retryAfter),
			Detail: "This is our fault. The old one stands.", cause: err}
	}
	return outcome{Status: http.StatusGatewayTimeout, Claim: "unknown", Title: "We do not know whether your address was saved",
		Detail: "Look at your account before you try again.", cause: err}
}
