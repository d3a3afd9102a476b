package demo

import (
	"net/http"
	"slices"
	"strconv"
	"time"
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
type catalog struct {
	books  []book
	opened time.Time
	tick   time.Duration // somebody buys a copy, or brings one back, this often
}

func newCatalog(o Options) *catalog {
	return &catalog{opened: time.Now(), tick: o.paced(20 * time.Second), books: []book{
		{ID: 7, Title: "The Lighthouse Keeper's Ledger", Author: "Ines Varga", Pence: 950, Stock: 14, Blurb: "Forty years of storms, written down each night by a man who never once rounded a number."},
		{ID: 17, Title: "Small Repairs", Author: "T. Okonjo", Pence: 1150, Stock: 6, Blurb: "Essays on mending clocks, roofs and promises."},
		{ID: 23, Title: "A Field Guide to Quiet Failures", Author: "M. Lindqvist", Pence: 1490, Stock: 9, Blurb: "What goes wrong without a sound, and how to hear it."},
		{ID: 42, Title: "The Honest Machine", Author: "Rosa Feld", Pence: 1200, Stock: 31, Blurb: "A novel about an automaton that could not say it was sorry, only what it had done."},
		{ID: 58, Title: "Salt and Slate", Author: "Bryn Maddox", Pence: 875, Stock: 3, Blurb: "Poems from a quarry town by the sea."},
		{ID: 64, Title: "Letters Never Queued", Author: "Anouk Perrin", Pence: 1090, Stock: 11, Blurb: "A postmistress keeps what others meant to send."},
	}}
}

// stock is what there is at a moment. It changes with each tick by a copy or two, and never ends.
func (c *catalog) stock(now time.Time) stock {
	n := int64(now.Sub(c.opened) / c.tick)
	all := stock{No: n + 1, At: c.opened.Add(time.Duration(n) * c.tick), Books: slices.Clone(c.books)}
	for i := range all.Books {
		all.Books[i].Stock -= int(n+int64(i)) % 3
	}
	return all
}

func (c *catalog) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /books", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{"books": c.books})
	})
	mux.HandleFunc("GET /stock", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, c.stock(time.Now())) })
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
