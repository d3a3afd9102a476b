package demo

import (
	"context"
	"io"
	"net/http"
	"time"
)

// charge is one row of the ledger.
type charge struct {
	Reference string `json:"reference"`
	Pence     int    `json:"pence"`
}

// payments keeps its own ledger of charges.
type payments struct{ store *store }

const chargesTable = `create table if not exists charges (id serial, reference text not null, pence integer not null, idempotency_key text unique, created bigint not null)`

func runPayments(ctx context.Context, o Options, out io.Writer) error {
	s, err := openStore(ctx, o.Data, "payments.db", chargesTable)
	if err != nil {
		return err
	}
	defer s.db.Close()
	p := &payments{store: s}
	return serve(ctx, o, out, p.handler(), p.admin())
}

func (p *payments) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /charges", p.charge)
	mux.HandleFunc("GET /healthz", ok)
	mux.HandleFunc("GET /readyz", ok)
	return mux
}

// charge charges once for each key.
func (p *payments) charge(w http.ResponseWriter, r *http.Request) {
	var c charge
	if !readBody(w, r, &c) {
		return
	}
	var key any
	if k := r.Header.Get("Idempotency-Key"); k != "" {
		key = k
	}
	_, err := p.store.exec(r.Context(), `insert into charges (reference, pence, idempotency_key, created) values (?, ?, ?, ?) on conflict do nothing`,
		c.Reference, c.Pence, key, time.Now().UnixMilli())
	if err != nil {
		writeProblem(w, http.StatusServiceUnavailable, problem{Title: "The card was not charged", Status: http.StatusServiceUnavailable})
		return
	}
	writeJSON(w, http.StatusCreated, c)
}

// admin shows the ledger to operators.
func (p *payments) admin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /charges", func(w http.ResponseWriter, r *http.Request) {
		rows, err := p.store.db.QueryContext(r.Context(), p.store.query(`select reference, pence from charges where reference like ? order by id`), r.FormValue("prefix")+"%")
		if err != nil {
			writeProblem(w, http.StatusServiceUnavailable, problem{Title: "The ledger cannot be read", Status: http.StatusServiceUnavailable})
			return
		}
		defer rows.Close()
		charges := []charge{}
		for rows.Next() {
			var c charge
			if err = rows.Scan(&c.Reference, &c.Pence); err != nil {
				break
			}
			charges = append(charges, c)
		}
		if err != nil || rows.Err() != nil {
			writeProblem(w, http.StatusServiceUnavailable, problem{Title: "The ledger cannot be read", Status: http.StatusServiceUnavailable})
			return
		}
		writeJSON(w, http.StatusOK, map[string]any{"charges": charges})
	})
	return mux
}
