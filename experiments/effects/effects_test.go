package effects

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/candor-chaos/candor/experiments"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// read compiles a reader and reads once.
func read(t *testing.T, r experiments.ReaderSpec, vars experiments.Vars) ([]experiments.TruthRow, error) {
	t.Helper()
	compile(t, r)
	all := experiments.Vars{"run": map[string]any{"prefix": "cdr-x-"}}.With(vars)
	return r.Read(t.Context(), experiments.Surroundings{Vars: all})
}

func value(s string) *string { return &s }

func TestHTTP(t *testing.T) {
	at := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name   string
		body   string
		reader HTTP
		want   []experiments.TruthRow
	}{
		{"plain", `{"charges": [{"reference": "a", "pence": 1200}, {"reference": "b", "pence": 12.5}]}`,
			HTTP{Each: expr("json.charges"), Marker: expr("item.reference"), Value: expr("item.pence")},
			[]experiments.TruthRow{{Marker: "a", Count: 1, Value: value("1200")}, {Marker: "b", Count: 1, Value: value("12.5")}}},
		{"the answer is the list", `[{"m": "a"}, {"m": "b"}]`, HTTP{Marker: expr("item.m")},
			[]experiments.TruthRow{{Marker: "a", Count: 1}, {Marker: "b", Count: 1}}},
		{"counts add up", `[{"m": "a", "n": 2}, {"m": "b", "n": 1}, {"m": "a", "n": 1}]`, HTTP{Marker: expr("item.m"), Count: expr("item.n")},
			[]experiments.TruthRow{{Marker: "a", Count: 3}, {Marker: "b", Count: 1}}},
		{"entries are counted", `[{"m": "a", "v": "x"}, {"m": "a", "v": "x"}]`, HTTP{Marker: expr("item.m"), Value: expr("item.v")},
			[]experiments.TruthRow{{Marker: "a", Count: 2, Value: value("x")}}},
		{"values differ", `[{"m": "a", "v": 900}, {"m": "a", "v": 1200}, {"m": "a", "v": 900}]`, HTTP{Marker: expr("item.m"), Value: expr("item.v")},
			[]experiments.TruthRow{{Marker: "a", Count: 3, Value: value("1200 | 900")}}},
		{"times", `[{"m": "a", "t": "2026-03-01T10:00:00Z"}, {"m": "a", "t": "2026-03-01T09:00:00Z"}]`, HTTP{Marker: expr("item.m"), At: expr("timestamp(item.t)")},
			[]experiments.TruthRow{{Marker: "a", Count: 2, At: at}}},
		{"no value", `[{"m": "a", "v": null}]`, HTTP{Marker: expr("item.m"), Value: expr("item.v")},
			[]experiments.TruthRow{{Marker: "a", Count: 1}}},
		{"none", `{"charges": []}`, HTTP{Each: expr("json.charges"), Marker: expr("item.m")}, nil},
		{"a number as marker", `[{"m": 1234567890}]`, HTTP{Marker: expr("item.m")}, []experiments.TruthRow{{Marker: "1234567890", Count: 1}}},
		{"filtered", `[{"m": "a", "ok": true}, {"m": "b", "ok": false}]`, HTTP{Each: expr("json.filter(c, c.ok)"), Marker: expr("item.m")},
			[]experiments.TruthRow{{Marker: "a", Count: 1}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Query().Get("prefix") != "cdr-x-" || r.Header.Get("X-Who") != "candor" {
					w.WriteHeader(400)
				}
				io.WriteString(w, c.body)
			}))
			defer server.Close()
			c.reader.Get = tmpl(server.URL + "/charges?prefix={{ run.prefix }}")
			c.reader.Headers = map[string]experiments.Template{"X-Who": tmpl("candor")}
			got, err := read(t, &c.reader, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHTTPReadsAllOrNothing(t *testing.T) {
	mux := http.NewServeMux()
	for path, body := range map[string]string{"/text": "sorry", "/half": `[{"m": "a"},`, "/object": `{"m": 1}`, "/nomarker": `[{"m": "a"}, {"x": 1}]`,
		"/badcount": `[{"m": "a", "n": 1.5}]`, "/twice": `[][]`} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, body) })
	}
	mux.HandleFunc("/503", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503); io.WriteString(w, `[]`) })
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/text", 302) })
	mux.HandleFunc("/cut", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, `[]`)
	})
	mux.HandleFunc("/endless", func(w http.ResponseWriter, r *http.Request) {
		block := []byte(strings.Repeat(" ", 1<<20))
		for {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	for path, words := range map[string]string{"/text": "not JSON", "/half": "not JSON", "/object": "is no list", "/nomarker": "entry 1: marker",
		"/badcount": "1.5 is not a whole number", "/twice": "not JSON", "/503": "status 503", "/moved": "status 302", "/cut": "unexpected EOF",
		"/endless": "longer than 32 MiB"} {
		t.Run(path, func(t *testing.T) {
			reader := &HTTP{Get: tmpl(server.URL + path), Marker: expr("item.m")}
			if path == "/badcount" {
				reader.Count = expr("item.n")
			}
			got, err := read(t, reader, nil)
			if err == nil || !strings.Contains(err.Error(), words) || got != nil {
				t.Errorf("read %v, %v; want %q", got, err, words)
			}
		})
	}
	server.Close()
	if _, err := read(t, &HTTP{Get: tmpl(server.URL), Marker: expr("item.m")}, nil); err == nil {
		t.Error("nobody listens, and the truth was read")
	}
}

// orders makes a database with some orders.
func orders(t *testing.T) (file string, db *sql.DB) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "the orders?.db")
	db, err := sql.Open("sqlite", "file:"+url.PathEscape(file))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	for _, statement := range []string{
		"create table orders (note text, pence integer, at text)",
		"insert into orders values ('cdr-x-1', 1200, '2026-03-01 10:00:00'), ('cdr-x-2', 900, '2026-03-01 10:00:01'), ('cdr-x-2', 900, '2026-03-01 10:00:02'), ('old', 5, null), (null, 7, null)",
	} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	return file, db
}

func TestSQLite(t *testing.T) {
	file, _ := orders(t)
	at := func(second int) time.Time { return time.Date(2026, 3, 1, 10, 0, second, 0, time.UTC) }
	for _, c := range []struct {
		query string
		args  []string
		want  []experiments.TruthRow
	}{
		{"select note, count(*) from orders where note like ? group by note order by note", []string{"{{ run.prefix }}%"},
			[]experiments.TruthRow{{Marker: "cdr-x-1", Count: 1}, {Marker: "cdr-x-2", Count: 2}}},
		{"select note, count(*), max(pence) from orders where note like $1 group by note order by note", []string{"{{ run.prefix }}%"},
			[]experiments.TruthRow{{Marker: "cdr-x-1", Count: 1, Value: value("1200")}, {Marker: "cdr-x-2", Count: 2, Value: value("900")}}},
		{"select note from orders where note like 'cdr-x-%' order by note", nil,
			[]experiments.TruthRow{{Marker: "cdr-x-1", Count: 1}, {Marker: "cdr-x-2", Count: 2}}},
		{"select note, 1, pence, at from orders where note like 'cdr-x-%' order by at", nil,
			[]experiments.TruthRow{{Marker: "cdr-x-1", Count: 1, Value: value("1200"), At: at(0)}, {Marker: "cdr-x-2", Count: 2, Value: value("900"), At: at(2)}}},
		{"select note, 1, null from orders where note is null", nil, []experiments.TruthRow{{Count: 1}}},
		{"select note, count(*) from orders where note = 'nobody' group by note", nil, nil},
	} {
		reader := &SQL{URL: tmpl("sqlite:" + file), Query: c.query}
		for _, arg := range c.args {
			reader.Args = append(reader.Args, tmpl(arg))
		}
		got, err := read(t, reader, nil)
		if err != nil {
			t.Errorf("%s: %v", c.query, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.query, diff)
		}
	}
}

func TestSQLiteIsNeverChanged(t *testing.T) {
	file, db := orders(t)
	for _, query := range []string{"delete from orders returning note", "insert into orders values ('x', 1, null) returning note, 1", "drop table orders"} {
		if got, err := read(t, &SQL{URL: tmpl("sqlite:" + file), Query: query}, nil); err == nil {
			t.Errorf("%s = %v; want an error", query, got)
		}
	}
	var n int
	if err := db.QueryRow("select count(*) from orders").Scan(&n); err != nil || n != 5 {
		t.Errorf("%d orders are left, %v; want 5", n, err)
	}
	beside := filepath.Join(t.TempDir(), "beside.db")
	if got, err := read(t, &SQL{URL: tmpl("sqlite:" + file), Query: "attach '" + beside + "' as b; create table b.t (x); select 'm', 1"}, nil); err == nil {
		t.Errorf("a reader made a table in another file and read %v", got)
	}
	missing := filepath.Join(t.TempDir(), "missing.db")
	if _, err := read(t, &SQL{URL: tmpl("sqlite:" + missing), Query: "select 1, 1"}, nil); err == nil {
		t.Error("a file that is not there was read")
	}
}

func TestSQLiteWaitsForALock(t *testing.T) {
	file, db := orders(t)
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(t.Context(), "begin exclusive"); err != nil {
		t.Fatal(err)
	}
	freed := make(chan error, 1)
	go func() {
		time.Sleep(300 * time.Millisecond)
		_, err := conn.ExecContext(context.WithoutCancel(t.Context()), "commit")
		freed <- err
	}()
	got, err := read(t, &SQL{URL: tmpl("sqlite:" + file), Query: "select note from orders where note = 'old'"}, nil)
	if err != nil || len(got) != 1 {
		t.Errorf("read %v, %v from a file that was locked for a while", got, err)
	}
	if err := <-freed; err != nil {
		t.Fatal(err)
	}
}

func TestSQLRefuses(t *testing.T) {
	file, _ := orders(t)
	for _, c := range []struct{ url, query, words string }{
		{"oracle://root@db/shop", "select 1, 1", "postgres://, mysql:// or sqlite:"},
		{"sqlite:", "select 1, 1", "needs a file"},
		{"sqlite:" + file, "select nonsense", "no such column"},
		{"sqlite:" + file, "select 1, 2, 3, null, 5", "one to four"},
		{"sqlite:" + file, "select note, 'many' from orders", `count of "cdr-x-1": many is not a whole number`},
		{"sqlite:" + file, "select note, 1, 1, 'yesterday' from orders", `time of "cdr-x-1": yesterday is not a time`},
		{"postgres://ann:s3cret@[::1", "select 1, 1", "cannot be understood"},
		{"postgres://ann:s3cret@host:port/x", "select 1, 1", "cannot be understood"},
	} {
		got, err := read(t, &SQL{URL: tmpl(c.url), Query: c.query}, nil)
		if err == nil || !strings.Contains(err.Error(), c.words) || got != nil {
			t.Errorf("%s on %s = %v, %v; want %q", c.query, c.url, got, err, c.words)
		}
		if strings.Contains(fmt.Sprint(err), "s3cret") {
			t.Errorf("the password is in %q", err)
		}
	}
}

func TestSlowQueryEnds(t *testing.T) {
	file, _ := orders(t)
	for _, what := range []string{"'x', count(*)", "'x', 1"} { // silent, and with rows without end
		began := time.Now()
		got, err := read(t, &SQL{URL: tmpl("sqlite:" + file), Timeout: 300 * time.Millisecond,
			Query: "with recursive n(i) as (select 1 union all select i + 1 from n) select " + what + " from n"}, nil)
		if err == nil || got != nil || time.Since(began) > 10*time.Second {
			t.Errorf("a query for %s without end = %v, %v after %s", what, got, err, time.Since(began))
		}
	}
}

func TestValuesAreBounded(t *testing.T) {
	file, _ := orders(t)
	got, err := read(t, &SQL{URL: tmpl("sqlite:" + file), Query: "select 'm', 1, printf('%.100000c', 'x')"}, nil)
	if err != nil || len(got) != 1 || len(*got[0].Value) > maxValue+5 {
		t.Errorf("read %d rows, %v; want one with a value of at most %d bytes", len(got), err, maxValue)
	}
}

func TestMistakesAreFoundBeforehand(t *testing.T) {
	for url, ok := range map[string]bool{"postgres://db/x": true, "sqlite:x.db": true, "{{ env.DB }}": true, "{{ a ? 'x:' : 'y' }}": true,
		"oracle://db/x": false, "x.db:": false} {
		if err := (&SQL{URL: tmpl(url)}).Validate(); (err == nil) != ok {
			t.Errorf("Validate of %s = %v", url, err)
		}
	}
	if err := (&SQL{URL: tmpl("sqlite:x.db"), Timeout: -1}).Validate(); err == nil {
		t.Error("a negative timeout is fine")
	}
}
