package demo

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"errors"
	"io"
	"net/http"
	"time"
)

// practiceLogins are who can sign in. They stand in the project folder too, where candor's visitors find them; a shop that
// is only there to be broken has no others.
var practiceLogins = map[string]string{"ann": "ann-reads-at-night", "bob": "bob-reads-on-trains"}

// accounts signs people in, and keeps where their books are sent to.
type accounts struct {
	options Options
	store   *store
}

// The sessions that were begun, and every address that a customer ever saved: the last one counts.
const (
	sessionsTable  = `create table if not exists sessions (id serial, name text not null, device text not null, created bigint not null)`
	addressesTable = `create table if not exists addresses (id serial, name text not null, address text not null, created bigint not null, unique (name, address))`
)

func runAccounts(ctx context.Context, o Options, out io.Writer) error {
	s, err := openStore(ctx, o.Data, "accounts.db", sessionsTable, addressesTable)
	if err != nil {
		return err
	}
	defer s.db.Close()
	a := &accounts{options: o, store: s}
	return serve(ctx, o, out, a.handler(), a.admin())
}

func (a *accounts) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /sessions", a.signIn)
	mux.HandleFunc("GET /accounts/{name}", a.show)
	mux.HandleFunc("PUT /accounts/{name}/address", a.move)
	mux.HandleFunc("GET /healthz", ok)
	mux.HandleFunc("GET /readyz", ok)
	return mux
}

// credentials are what somebody signs in with. Device is what they call the thing in their hand.
type credentials struct {
	Name     string `json:"name"`
	Password string `json:"password"`
	Device   string `json:"device"`
}

// signIn begins a session. The token is signed, so that web can tell who somebody is when accounts is down.
func (a *accounts) signIn(w http.ResponseWriter, r *http.Request) {
	var c credentials
	if !readBody(w, r, &c) {
		return
	}
	want, known := practiceLogins[c.Name]
	if !known || subtle.ConstantTimeCompare([]byte(want), []byte(c.Password)) != 1 {
		writeProblem(w, http.StatusForbidden, problem{Title: "Name and password do not fit", Status: http.StatusForbidden})
		return
	}
	if _, err := a.store.exec(r.Context(), `insert into sessions (name, device, created) values (?, ?, ?)`, c.Name, c.Device, time.Now().UnixMilli()); err != nil {
		a.fail(w)
		return
	}
	ends := time.Now().Add(a.options.paced(sessionTime))
	writeJSON(w, http.StatusCreated, map[string]string{"session": sealSession(a.options.Key, c.Name, ends)})
}

// account is what a customer sees of theirs. Version counts the changes.
type account struct {
	Name    string `json:"name"`
	Address string `json:"address"`
	Version int64  `json:"version"`
}

func (a *accounts) show(w http.ResponseWriter, r *http.Request) {
	found := account{Name: r.PathValue("name")}
	err := a.store.db.QueryRowContext(r.Context(), a.store.query(`select address, id from addresses where name = ? order by id desc limit 1`), found.Name).
		Scan(&found.Address, &found.Version)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		a.fail(w)
		return
	}
	writeJSON(w, http.StatusOK, found)
}

// move saves an address. Saving the same one again changes nothing.
func (a *accounts) move(w http.ResponseWriter, r *http.Request) {
	var asked account
	if !readBody(w, r, &asked) {
		return
	}
	if _, err := a.store.exec(r.Context(), `insert into addresses (name, address, created) values (?, ?, ?) on conflict do nothing`,
		r.PathValue("name"), asked.Address, time.Now().UnixMilli()); err != nil {
		a.fail(w)
		return
	}
	a.show(w, r)
}

func (a *accounts) fail(w http.ResponseWriter) {
	writeProblem(w, http.StatusServiceUnavailable, problem{Title: "Accounts cannot be kept right now", Status: http.StatusServiceUnavailable})
}

// admin shows operators which sessions were begun, and which addresses were saved.
func (a *accounts) admin() http.Handler {
	mux := http.NewServeMux()
	list := func(query, key string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			marks, err := a.marks(r.Context(), query)
			if err != nil {
				writeProblem(w, http.StatusServiceUnavailable, problem{Title: "Accounts cannot be read", Status: http.StatusServiceUnavailable})
				return
			}
			writeJSON(w, http.StatusOK, map[string]any{key: marks})
		}
	}
	mux.HandleFunc("GET /sessions", list(`select name, device from sessions order by id`, "sessions"))
	mux.HandleFunc("GET /addresses", list(`select name, address from addresses order by id`, "addresses"))
	return mux
}

// mark is a row by what its owner wrote on it.
type mark struct {
	Name string `json:"name"`
	Mark string `json:"mark"`
}

func (a *accounts) marks(ctx context.Context, query string) ([]mark, error) {
	rows, err := a.store.db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := []mark{}
	for rows.Next() {
		var m mark
		if err := rows.Scan(&m.Name, &m.Mark); err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, rows.Err()
}
