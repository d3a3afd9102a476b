package demo

import (
	"bytes"
	"crypto/rand"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
)

//go:embed pages
var pageFiles embed.FS

// pages are parsed once: a mistake in them stops the first test, not a customer.
var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"pounds": func(pence int) string { return fmt.Sprintf("£%d.%02d", pence/100, pence%100) },
	"words": func(state string) string {
		return map[string]string{"operational": "working", "major_outage": "not working"}[state]
	},
	"copies": copies,
	"add":    func(a, b int) int { return a + b },
}).ParseFS(pageFiles, "pages/*.html"))

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

func style(w http.ResponseWriter, r *http.Request) {
	http.ServeFileFS(w, r, pageFiles, "pages/style.css")
}

// trouble is the page of something that cannot be shown.
func (s *web) trouble(w http.ResponseWriter, what string) {
	s.retryHeader(w)
	page(w, http.StatusServiceUnavailable, "trouble", what)
}

func (s *web) home(w http.ResponseWriter, r *http.Request) {
	var all struct {
		Books []book `json:"books"`
	}
	if err := s.catalog.call(r.Context(), http.MethodGet, "/books", "", nil, &all); err != nil {
		s.trouble(w, "Our books")
		return
	}
	page(w, http.StatusOK, "home", all.Books)
}

func (s *web) bookPage(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.Atoi(r.PathValue("id"))
	b, known, ferr := s.find(r.Context(), id)
	switch {
	case err != nil || ferr == nil && !known:
		page(w, http.StatusNotFound, "missing", "book")
	case ferr != nil:
		s.trouble(w, "This book")
	default:
		page(w, http.StatusOK, "book", map[string]any{"Book": b, "Note": rand.Text()})
	}
}

func (s *web) buyPage(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	id, _ := strconv.Atoi(r.PostFormValue("book"))
	n, _ := strconv.Atoi(r.PostFormValue("copies"))
	s.buy(w, r, basket{Book: id, Copies: n, Note: r.PostFormValue("note")})
}

func (s *web) orderPage(w http.ResponseWriter, r *http.Request) {
	note := r.PathValue("note")
	var o order
	err := s.orders.call(r.Context(), http.MethodGet, "/orders/"+note, "", nil, &o)
	switch {
	case err == nil && (o.Customer == "" || o.Customer == s.visitor(r)):
		page(w, http.StatusOK, "order", o)
	case err == nil || neverDone(err):
		page(w, http.StatusNotFound, "missing", "order")
	default:
		s.trouble(w, "Your order")
	}
}
