package demo

import (
	"net/http"
	"strconv"
)

// book is one title. Prices are in pence.
type book struct {
	ID     int    `json:"id"`
	Title  string `json:"title"`
	Author string `json:"author"`
	Pence  int    `json:"pence"`
	Stock  int    `json:"stock"`
	Blurb  string `json:"blurb"`
}

// catalog knows the books.
type catalog struct{ books []book }

func newCatalog() *catalog {
	return &catalog{books: []book{
		{ID: 7, Title: "The Lighthouse Keeper's Ledger", Author: "Ines Varga", Pence: 950, Stock: 14, Blurb: "Forty years of storms, written down each night by a man who never once rounded a number."},
		{ID: 17, Title: "Small Repairs", Author: "T. Okonjo", Pence: 1150, Stock: 6, Blurb: "Essays on mending clocks, roofs and promises."},
		{ID: 23, Title: "A Field Guide to Quiet Failures", Author: "M. Lindqvist", Pence: 1490, Stock: 9, Blurb: "What goes wrong without a sound, and how to hear it."},
		{ID: 42, Title: "The Honest Machine", Author: "Rosa Feld", Pence: 1200, Stock: 31, Blurb: "A novel about an automaton that could not say it was sorry, only what it had done."},
		{ID: 58, Title: "Salt and Slate", Author: "Bryn Maddox", Pence: 875, Stock: 3, Blurb: "Poems from a quarry town by the sea."},
		{ID: 64, Title: "Letters Never Queued", Author: "Anouk Perrin", Pence: 1090, Stock: 11, Blurb: "A postmistress keeps what others meant to send."},
	}}
}

func (c *catalog) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /books", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{"books": c.books})
	})
	mux.HandleFunc("GET /books/{id}", func(w http.ResponseWriter, r *http.Request) {
		id, err := strconv.Atoi(r.PathValue("id"))
		for _, b := range c.books {
			if err == nil && b.ID == id {
				writeJSON(w, http.StatusOK, b)
				return
			}
		}
		writeProblem(w, http.StatusNotFound, problem{Title: "No such book", Status: http.StatusNotFound})
	})
	mux.HandleFunc("GET /healthz", ok)
	mux.HandleFunc("GET /readyz", ok)
	return mux
}
