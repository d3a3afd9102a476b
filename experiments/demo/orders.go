package demo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// order is one row. It is held until it is paid; only a placed one is an order.
type order struct {
	Note   string `json:"note"` // what the customer wrote on it; the runner's marker
	Book   int    `json:"book"`
	Copies int    `json:"copies"`
	State  string `json:"state"` // held, placed, cancelled
	// Customer is who was signed in when it was ordered; empty for everybody else.
	Customer string `json:"customer,omitempty"`
}

// orders keeps orders in its database.
type orders struct {
	options Options
	store   *store
	told    *told
}

// The table of orders, and the keys of requests that were answered before (IETF draft Idempotency-Key).
const (
	ordersTable = `create table if not exists orders (id serial, note text not null, book integer not null, copies integer not null, state text not null, customer text not null, created bigint not null)`
	keysTable   = `create table if not exists order_keys (idempotency_key text primary key, note text not null)`
)

func runOrders(ctx context.Context, o Options, out io.Writer) error {
	s, err := openStore(ctx, o.Data, "orders.db", ordersTable, keysTable)
	if err != nil {
		return err
	}
	defer s.db.Close()
	service := &orders{options: o, store: s, told: newTold(o)}
	if err := service.wakeUp(ctx); err != nil {
		return err
	}
	return serve(ctx, o, out, service.handler(), service.told.handler())
}

func (s *orders) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /orders", s.hold)
	mux.HandleFunc("POST /orders/{note}/place", s.move("held", "placed"))
	mux.HandleFunc("POST /orders/{note}/cancel", s.move("held", "cancelled"))
	mux.HandleFunc("GET /orders/{note}", s.find)
	mux.HandleFunc("GET /orders", s.latest)
	mux.HandleFunc("GET /healthz", ok)
	mux.HandleFunc("GET /readyz", s.ready)
	return mux
}

// ready can serve when its database answers.
func (s *orders) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), time.Second)
	defer cancel()
	if err := s.store.db.PingContext(ctx); err != nil {
		writeProblem(w, http.StatusServiceUnavailable, problem{Title: "The database of orders does not answer", Status: http.StatusServiceUnavailable})
		return
	}
	ok(w, r)
}

// held is a request to hold an order. Dedupe asks to take a second one for the same note as a repeat. A Doomed one is
// deleted by a clean-up 100 s later, and nobody is told (CL-10).
type held struct {
	order
	Dedupe bool `json:"dedupe,omitempty"`
	Doomed bool `json:"doomed,omitempty"`
}

// hold makes a held order. The same key gives the same order; without a key each request is a new one.
func (s *orders) hold(w http.ResponseWriter, r *http.Request) {
	var h held
	if !readBody(w, r, &h) {
		return
	}
	known, err := s.repeated(r.Context(), r.Header.Get("Idempotency-Key"), h)
	if err == nil && !known {
		_, err = s.store.exec(r.Context(), `insert into orders (note, book, copies, state, customer, created) values (?, ?, ?, 'held', ?, ?)`,
			h.Note, h.Book, h.Copies, h.Customer, time.Now().UnixMilli())
	}
	if err != nil {
		s.fail(w, err)
		return
	}
	if h.Doomed {
		go s.cleanUp(context.WithoutCancel(r.Context()), h.Note)
	}
	h.State = "held"
	writeJSON(w, http.StatusCreated, h.order)
}

// repeated reports whether a request was answered before.
func (s *orders) repeated(ctx context.Context, key string, h held) (bool, error) {
	if key != "" {
		n, err := s.store.exec(ctx, `insert into order_keys (idempotency_key, note) values (?, ?) on conflict do nothing`, key, h.Note)
		return n == 0, err
	}
	if !h.Dedupe {
		return false, nil
	}
	var one int
	err := s.store.db.QueryRowContext(ctx, s.store.query(`select 1 from orders where note = ? limit 1`), h.Note).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// move changes the state of an order; doing it again is no error.
func (s *orders) move(from, to string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		note := r.PathValue("note")
		n, err := s.store.exec(r.Context(), `update orders set state = ? where note = ? and state in (?, ?)`, to, note, from, to)
		switch {
		case err != nil:
			s.fail(w, err)
		case n == 0:
			writeProblem(w, http.StatusNotFound, problem{Title: "No such order", Status: http.StatusNotFound})
		default:
			writeJSON(w, http.StatusOK, order{Note: note, State: to})
		}
	}
}

func (s *orders) find(w http.ResponseWriter, r *http.Request) {
	found, err := s.list(r.Context(), `where note = ? limit 1`, r.PathValue("note"))
	switch {
	case err != nil:
		s.fail(w, err)
	case len(found) == 0:
		writeProblem(w, http.StatusNotFound, problem{Title: "No such order", Status: http.StatusNotFound})
	default:
		writeJSON(w, http.StatusOK, found[0])
	}
}

// latest lists what one customer has ordered, or what was ordered by people who were not signed in.
func (s *orders) latest(w http.ResponseWriter, r *http.Request) {
	found, err := s.list(r.Context(), `where state = 'placed' and customer = ? order by id desc limit 10`, r.FormValue("customer"))
	if err != nil {
		s.fail(w, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"orders": found})
}

func (s *orders) list(ctx context.Context, where string, args ...any) ([]order, error) {
	rows, err := s.store.db.QueryContext(ctx, s.store.query(`select note, book, copies, state, customer from orders `+where), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := []order{}
	for rows.Next() {
		var o order
		if err := rows.Scan(&o.Note, &o.Book, &o.Copies, &o.State, &o.Customer); err != nil {
			return nil, err
		}
		found = append(found, o)
	}
	return found, rows.Err()
}

// fail tells a caller that the database did not do it. What it said is for the log alone.
func (s *orders) fail(w http.ResponseWriter, _ error) {
	writeProblem(w, http.StatusServiceUnavailable, problem{Title: "Orders cannot be kept right now", Status: http.StatusServiceUnavailable})
}

// sampleNote is the note of the order that nobody ordered (CL-11).
const sampleNote = "sample order from the warm-up file"

// wakeUp is what a lying shop does when orders starts again after it was killed: a sample order is replayed (CL-11).
func (s *orders) wakeUp(ctx context.Context) error {
	var rows int
	if err := s.store.db.QueryRowContext(ctx, `select count(*) from orders`).Scan(&rows); err != nil {
		return fmt.Errorf("count orders: %w", err)
	}
	if rows == 0 || !s.told.lies("CL-11") {
		return nil // the first start, not a restart; or an honest shop
	}
	_, err := s.store.exec(ctx, `insert into orders (note, book, copies, state, customer, created) values (?, 42, 1, 'placed', '', ?)`, sampleNote, time.Now().UnixMilli())
	if err != nil {
		return fmt.Errorf("replay the warm-up file: %w", err)
	}
	s.told.note("CL-11", sampleNote)
	return nil
}

// cleanUp deletes one order after a while.
func (s *orders) cleanUp(ctx context.Context, note string) {
	<-time.After(s.options.paced(100 * time.Second))
	// A clean-up that fails is a lie that was not told, and shows as one that was not found.
	_, _ = s.store.exec(ctx, `delete from orders where note = ?`, note)
}
