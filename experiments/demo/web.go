package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// web is the shop's front: pages for people, and an API for programs, with the same checkout behind both.
type web struct {
	options                   Options
	catalog, orders, payments *dependency
	accounts                  *dependency
	slow                      *dependency // orders, with patience
	queue                     *queue
	flights                   *flights
	told                      *told
	pulse                     *pulse // nil in the honest shop
	cache                     cache  // of a lying one
	guards                    guards // too
	desk                      desk
	list                      listed
	unready                   atomic.Bool // a lie about readiness was told
	weather                   weather
	kept                      kept
	bends                     bends // of a lying one
	log                       *log.Logger
}

// callTime is how long web waits for a dependency. Three calls are well within the time to an explanation.
const callTime = 5 * time.Second

func runWeb(ctx context.Context, o Options, out io.Writer) error {
	q, err := openQueue(o.Data)
	if err != nil {
		return err
	}
	s := &web{options: o, queue: q, told: newTold(o), log: log.New(out, "", log.LstdFlags|log.LUTC), catalog: newDependency(o.Catalog, o.paced(callTime)),
		orders: newDependency(o.Orders, o.paced(callTime)), payments: newDependency(o.Payments, o.paced(callTime)),
		accounts: newDependency(o.Accounts, o.paced(callTime)), flights: newFlights(o.paced(finality)),
		slow: newDependency(o.Orders, o.paced(20*time.Second))}
	go s.work(ctx)
	if len(o.Lies) > 0 {
		s.pulse = newPulse(o)
		go s.pulse.watch(ctx, s)
	}
	return serve(ctx, o, out, s.handler(), s.told.handler())
}

func (s *web) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.home)
	mux.HandleFunc("GET /books/{id}", s.bookPage)
	mux.HandleFunc("POST /checkout", s.buyPage)
	mux.HandleFunc("GET /orders/{note}", s.orderPage)
	mux.HandleFunc("GET /api/books", s.apiBooks)
	mux.HandleFunc("GET /api/books/{id}", s.apiBook)
	mux.HandleFunc("POST /api/orders", s.apiBuy)
	mux.HandleFunc("GET /api/orders", s.apiOrders)
	mux.HandleFunc("GET /api/orders/{note}", s.apiOrder)
	mux.HandleFunc("GET /sign-in", s.signInPage)
	mux.HandleFunc("POST /sign-in", s.signIn)
	mux.HandleFunc("GET /orders", s.myOrdersPage)
	mux.HandleFunc("POST /api/sign-in", s.apiSignIn)
	mux.HandleFunc("GET /api/account", s.apiAccount)
	mux.HandleFunc("PUT /api/account/address", s.apiMove)
	mux.HandleFunc("GET /api/account/orders", s.apiMyOrders)
	mux.HandleFunc("POST /api/checkouts", s.openCheckout)
	mux.HandleFunc("PUT /api/checkouts/{note}/address", s.addressCheckout)
	mux.HandleFunc("POST /api/checkouts/{note}/payment", s.payCheckout)
	mux.HandleFunc("POST /api/checkouts/{note}/confirmation", s.confirmCheckout)
	mux.HandleFunc("GET /checkout", s.checkoutPage)
	mux.HandleFunc("GET /account", s.accountPage)
	mux.HandleFunc("POST /account", s.movePage)
	mux.HandleFunc("POST /sign-out", s.signOut)
	mux.HandleFunc("GET /parts/notice", s.noticePart)
	mux.HandleFunc("GET /parts/shelf", s.shelfPart)
	mux.HandleFunc("GET /parts/offer", s.offerPart)
	mux.HandleFunc("GET /parts/orders", s.ordersPart)
	mux.HandleFunc("GET /parts/account", s.accountPart)
	mux.HandleFunc("GET /told", s.toldInPage)
	for _, name := range []string{"style.css", "shop.js", "lies.js"} {
		mux.HandleFunc("GET /"+name, file(name))
	}
	mux.HandleFunc("GET /healthz", ok)
	mux.HandleFunc("GET /readyz", s.ready)
	return mux
}

// ready can serve when every dependency can.
func (s *web) ready(w http.ResponseWriter, r *http.Request) {
	for _, d := range []*dependency{s.catalog, s.orders, s.payments, s.accounts} {
		if err := d.call(r.Context(), http.MethodGet, "/readyz", "", nil, nil); err != nil {
			if s.told.lies("SP-06") {
				if s.unready.CompareAndSwap(false, true) {
					s.told.note("SP-06", "")
				}
				break
			}
			writeProblem(w, http.StatusServiceUnavailable, problem{Title: "A part of the shop is not ready", Status: http.StatusServiceUnavailable})
			return
		}
	}
	ok(w, r)
}

// find asks catalog for one book; false means that it said so itself.
func (s *web) find(ctx context.Context, id int) (b book, known bool, err error) {
	err = s.catalog.call(ctx, http.MethodGet, fmt.Sprintf("/books/%d", id), "", nil, &b)
	var answer *errAnswer
	if errors.As(err, &answer) && answer.status == http.StatusNotFound {
		return b, false, nil
	}
	return b, err == nil, err
}

// unavailable is the honest answer where something cannot be shown.
func (s *web) unavailable(w http.ResponseWriter, r *http.Request, what string, err error) {
	s.retryHeader(w)
	writeProblem(w, http.StatusServiceUnavailable, problem{Title: what + " cannot be shown right now", Status: http.StatusServiceUnavailable,
		Detail: "This is our fault, and nothing of yours was changed.", Reference: s.refer(r, what+" cannot be shown", err)})
}

func (s *web) apiBooks(w http.ResponseWriter, r *http.Request) {
	var all struct {
		Books []book `json:"books"`
	}
	if err := s.catalog.call(r.Context(), http.MethodGet, "/books", "", nil, &all); err != nil {
		s.unavailable(w, r, "Books", err)
		return
	}
	writeJSON(w, http.StatusOK, all)
}

func (s *web) apiBook(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.Atoi(r.PathValue("id"))
	b, known, ferr := s.find(r.Context(), id)
	switch {
	case err != nil || ferr == nil && !known:
		writeProblem(w, http.StatusNotFound, problem{Title: "No such book", Status: http.StatusNotFound})
	case ferr != nil:
		s.unavailable(w, r, "This book", ferr)
	default:
		writeJSON(w, http.StatusOK, b)
	}
}

func (s *web) apiOrders(w http.ResponseWriter, r *http.Request) {
	var all struct {
		Orders []order `json:"orders"`
	}
	err := s.orders.call(r.Context(), http.MethodGet, "/orders", "", nil, &all)
	if s.lists(w, &all, err) {
		return
	}
	if err != nil {
		s.unavailable(w, r, "Your orders", err)
		return
	}
	writeJSON(w, http.StatusOK, all)
}

// apiOrder is also the monitor of what is pending.
func (s *web) apiOrder(w http.ResponseWriter, r *http.Request) {
	note := r.PathValue("note")
	if state := s.queue.state(note); state != "" {
		writeJSON(w, http.StatusOK, map[string]string{"number": note, "state": state})
		return
	}
	var o order
	err := s.orders.call(r.Context(), http.MethodGet, "/orders/"+note, "", nil, &o)
	var answer *errAnswer
	switch {
	case err == nil && o.Customer != "" && o.Customer != s.visitor(r):
		writeProblem(w, http.StatusNotFound, problem{Title: "No such order", Status: http.StatusNotFound})
	case err == nil && o.State == "placed":
		writeJSON(w, http.StatusOK, map[string]string{"number": note, "state": o.State})
	case err == nil || errors.As(err, &answer) && answer.status == http.StatusNotFound:
		writeProblem(w, http.StatusNotFound, problem{Title: "No such order", Status: http.StatusNotFound})
	default:
		s.unavailable(w, r, "Your order", err)
	}
}

func (s *web) apiBuy(w http.ResponseWriter, r *http.Request) {
	var b basket
	if !readBody(w, r, &b) {
		return
	}
	s.buy(w, r, b)
}

// buy checks the basket, and takes the order.
func (s *web) buy(w http.ResponseWriter, r *http.Request, b basket) {
	b.Copies, b.Customer = max(1, min(b.Copies, 20)), s.visitor(r)
	found, known, err := s.find(r.Context(), b.Book)
	switch {
	case err != nil:
		s.answer(w, r, s.refused("Books cannot be looked up right now", err))
		return
	case !known || b.Note == "" || len(b.Note) > 100:
		s.answer(w, r, outcome{Status: http.StatusUnprocessableEntity, Claim: "failed", Title: "Nothing was ordered",
			Detail: "The order needs a book of ours and a note of up to 100 letters."})
		return
	}
	pence := found.Pence * b.Copies
	if s.pulse != nil && s.lieAbout(w, r, b, found.Title, pence) {
		return
	}
	o, err := s.flights.once(r.Context(), b.Customer+" "+b.Note, func(ctx context.Context) outcome { return s.checkout(ctx, b, found.Title, pence) })
	if err == nil { // else whoever asked has gone
		s.answer(w, r, o)
	}
}

// forPeople reports whether a form of a page was sent.
func forPeople(r *http.Request) bool {
	return r.URL.Path == "/checkout" || r.URL.Path == "/sign-in" || r.URL.Path == "/account"
}

// answer tells the outcome: as a page to a browser, as JSON to a program.
func (s *web) answer(w http.ResponseWriter, r *http.Request, o outcome) {
	if o.Retry > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(seconds(o.Retry)))
	}
	if o.Monitor != "" {
		w.Header().Set("Location", o.Monitor)
	}
	switch {
	case forPeople(r):
		s.answerPage(w, r, o)
	case o.Status >= 400:
		reference := ""
		if o.Status >= 500 {
			reference = s.refer(r, o.Title, o.cause)
		}
		writeProblem(w, o.Status, problem{Title: o.Title, Status: o.Status, Detail: o.Detail, Reference: reference})
	default:
		body := map[string]any{"number": o.Number, "message": o.Title + ". " + o.Detail}
		if o.Within > 0 {
			body["within_seconds"], body["monitor"] = seconds(o.Within), o.Monitor
		}
		writeJSON(w, o.Status, body)
	}
}
