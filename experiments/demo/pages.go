package demo

import (
	"bytes"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

//go:embed pages
var pageFiles embed.FS

// pages are parsed once: a mistake in them stops the first test, not a customer.
var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"pounds": func(pence int) string { return fmt.Sprintf("£%d.%02d", pence/100, pence%100) },
	"words": func(state string) string {
		return map[string]string{"operational": "working", "degraded_performance": "shaky", "major_outage": "not working"}[state]
	},
	"copies":  copies,
	"seconds": seconds,
	"clock":   func(t time.Time) string { return t.UTC().Format("15:04:05 UTC") },
	"ago":     ago,
	"add":     func(a, b int) int { return a + b },
	"times":   func(a, b int) int { return a * b },
}).ParseFS(pageFiles, "pages/*.html"))

// ago says in words how long something is ago.
func ago(t time.Time) string {
	switch d := time.Since(t); {
	case d < 90*time.Second:
		return fmt.Sprintf("%d seconds ago", max(1, int(d.Seconds())))
	case d < 90*time.Minute:
		return fmt.Sprintf("%d minutes ago", int(d.Minutes()))
	default:
		return fmt.Sprintf("%d hours ago", int(d.Hours()))
	}
}

// view is a whole page: what the frame around it needs, and what it shows.
type view struct {
	Title    string
	Name     string // who is signed in
	Notice   []warning
	Lying    bool
	Every    int // milliseconds between two looks at a part
	Patience int // milliseconds that a browser waits for an answer
	Body     any
}

// partsEvery is how often a page in a browser looks at its parts, and patience how long it waits for an answer.
const (
	partsEvery = 10 * time.Second
	patience   = 30 * time.Second
)

// show writes a whole page.
func (s *web) show(w http.ResponseWriter, r *http.Request, status int, name, title string, body any) {
	v := view{Title: title, Name: s.visitor(r), Lying: s.pulse != nil, Body: body,
		Every: int(max(500*time.Millisecond, s.options.paced(partsEvery)).Milliseconds()), Patience: int(max(5*time.Second, s.options.paced(patience)).Milliseconds())}
	if name != "home" { // whoever only fetches the front page asks nothing of anybody but catalog
		v.Notice = s.forecast(r.Context())
		if s.pulse != nil {
			v.Notice = s.bendNotice(w, v.Notice)
		}
	}
	page(w, status, name, v)
}

// page writes one page.
func page(w http.ResponseWriter, status int, name string, data any) {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, data); err != nil {
		http.Error(w, "This page cannot be shown right now.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w) // a reader that has gone cannot be told
}

// fragment writes a part of a page.
func fragment(w http.ResponseWriter, status int, name string, data any) { page(w, status, name, data) }

func file(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, pageFiles, "pages/"+name) }
}

// fault is what people are told of a part or a page that cannot be shown.
type fault struct {
	What      string
	Retry     int // seconds
	Reference string
}

// faulty logs something that cannot be shown, under a reference, and sets when to come back.
func (s *web) faulty(w http.ResponseWriter, r *http.Request, what string, err error) fault {
	s.retryHeader(w)
	return fault{What: what, Retry: seconds(s.options.paced(retryAfter)), Reference: s.refer(r, what+" cannot be shown", err)}
}

// trouble is the page of something that cannot be shown.
func (s *web) trouble(w http.ResponseWriter, r *http.Request, what string, err error) {
	s.show(w, r, http.StatusServiceUnavailable, "trouble", "Not available", s.faulty(w, r, what, err))
}

// refer writes to the log what went wrong, under a reference that people can be asked for.
func (s *web) refer(r *http.Request, what string, err error) string {
	reference := rand.Text()[:8]
	s.log.Printf("reference %s: %s %s: %s: %v", reference, r.Method, r.URL.Path, what, err)
	return reference
}

func (s *web) home(w http.ResponseWriter, r *http.Request) {
	if s.pulse != nil && s.bendHome(w, r) {
		return
	}
	shelf := s.shelfNow(r.Context())
	if shelf.Books == nil {
		s.trouble(w, r, "Our books", shelf.err)
		return
	}
	s.show(w, r, http.StatusOK, "home", "Books", shelf)
}

func (s *web) bookPage(w http.ResponseWriter, r *http.Request) {
	o, known := s.offerNow(r.Context(), r.PathValue("id"))
	switch {
	case !known:
		s.show(w, r, http.StatusNotFound, "missing", "Not here", "book")
	case o.Book.ID == 0:
		s.trouble(w, r, "This book", o.err)
	default:
		s.show(w, r, http.StatusOK, "book", o.Book.Title, o)
	}
}

// form is the checkout as it was filled in.
type form struct {
	Offer   offer
	Number  string // of the order that this form makes, however often it is sent
	Note    string
	Copies  int
	Address string
	Said    *outcome
	Locked  bool // a lie: the button is grey
}

func (s *web) checkoutPage(w http.ResponseWriter, r *http.Request) {
	o, known := s.offerNow(r.Context(), r.FormValue("book"))
	switch {
	case !known:
		s.show(w, r, http.StatusNotFound, "missing", "Not here", "book")
	case o.Book.ID == 0:
		s.trouble(w, r, "The checkout", o.err)
	default:
		s.show(w, r, http.StatusOK, "checkout", "Checkout", form{Offer: o, Number: rand.Text(), Copies: 1, Locked: s.pulse != nil && s.locks()})
	}
}

// buyPage takes the order of a form. The note that somebody writes on an order is its number; without one the form has its own.
func (s *web) buyPage(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	id, _ := strconv.Atoi(r.PostFormValue("book"))
	n, _ := strconv.Atoi(r.PostFormValue("copies"))
	b := basket{Book: id, Copies: n, Note: r.PostFormValue("note")}
	if b.Note == "" {
		b.Note = r.PostFormValue("number")
	}
	if r.PostForm.Has("address") && r.PostFormValue("address") == "" {
		s.answer(w, r, outcome{Status: http.StatusUnprocessableEntity, Claim: "failed", Title: "Nothing was ordered", Detail: "Please write where the books are to go."})
		return
	}
	s.buy(w, r, b)
}

// answerPage tells people an outcome: as a part to a page that asked for it, else as a page, on which what they typed stays.
func (s *web) answerPage(w http.ResponseWriter, r *http.Request, o outcome) {
	if o.Status >= http.StatusInternalServerError && o.Reference == "" {
		o.Reference = s.refer(r, o.Title, o.cause)
	}
	o.Address, o.Again = r.PostFormValue("address"), r.URL.Path != "/sign-in"
	w.Header().Set("Claim", o.Claim)
	if r.Header.Get("Part") != "" {
		fragment(w, o.Status, "said", o)
		return
	}
	id, _ := strconv.Atoi(r.PostFormValue("book"))
	switch {
	case r.URL.Path == "/sign-in":
		s.show(w, r, o.Status, "signin", "Sign in", signInForm{Name: r.PostFormValue("name"), Next: r.PostFormValue("next"), Said: &o})
	case r.URL.Path == "/account":
		s.show(w, r, o.Status, "account", "Your account", accountForm{Address: o.Address, Said: &o})
	case o.Claim == "failed" && r.PostForm.Has("address"):
		offer, _ := s.offerNow(r.Context(), strconv.Itoa(id))
		n, _ := strconv.Atoi(r.PostFormValue("copies"))
		s.show(w, r, o.Status, "checkout", o.Title, form{Offer: offer, Number: r.PostFormValue("number"), Note: r.PostFormValue("note"), Copies: max(1, n), Address: o.Address, Said: &o})
	default:
		s.show(w, r, o.Status, "outcome", o.Title, o)
	}
}

func (s *web) orderPage(w http.ResponseWriter, r *http.Request) {
	note := r.PathValue("note")
	if state := s.queue.state(note); state == "pending" {
		s.show(w, r, http.StatusOK, "order", "Your order", order{Note: note, State: "still being processed"})
		return
	}
	var o order
	err := s.orders.call(r.Context(), http.MethodGet, "/orders/"+url.PathEscape(note), "", nil, &o)
	var answer *errAnswer
	switch {
	case err == nil && (o.Customer == "" || o.Customer == s.visitor(r)):
		s.show(w, r, http.StatusOK, "order", "Your order", o)
	case err == nil || errors.As(err, &answer) && answer.status == http.StatusNotFound:
		s.show(w, r, http.StatusNotFound, "missing", "Not here", "order")
	default:
		s.trouble(w, r, "Your order", err)
	}
}
