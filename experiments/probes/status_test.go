package probes

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-chaos/candor/experiments"
)

func expr(source string) experiments.Expr { return experiments.Expr{Source: source} }

func TestReadStatus(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/hostile":
			io.WriteString(w, `{"updated_at": 7, "parts": [{"name": "`+strings.Repeat("x", 5000)+`\n\u001b[2J", "state": "up"}`+strings.Repeat(`,{"name": "n", "state": "up"}`, 500)+`]}`)
		case "/empty":
			io.WriteString(w, `{}`)
		case "/stateless":
			io.WriteString(w, `{"updated_at": "now", "parts": [{"name": "Books"}]}`)
		case "/html":
			io.WriteString(w, `<p>All is well</p>`)
		case "/500":
			w.WriteHeader(http.StatusInternalServerError)
		default:
			io.WriteString(w, `{"updated_at": "2026-11-24T09:00:00Z", "parts": [{"name": "Books", "state": "operational"}, {"name": "Orders", "state": "down"}]}`)
		}
	}))
	t.Cleanup(server.Close)
	read := func(address string) experiments.StatusRead {
		page := &experiments.StatusPage{HTTP: experiments.StatusSource{Get: text(address), Updated: expr("json.updated_at"), Parts: expr("json.parts"), Part: expr("item.name"), State: expr("item.state")}}
		compile(t, page)
		got := ReadStatus(t.Context(), page, experiments.Surroundings{Vars: experiments.Vars{}})
		if got.Started.IsZero() || got.Elapsed <= 0 {
			t.Errorf("%s: no time: %+v", address, got)
		}
		return got
	}
	well := read(server.URL)
	want := []experiments.StatusPart{{Name: "Books", State: "operational"}, {Name: "Orders", State: "down"}}
	if d := cmp.Diff(want, well.Parts); d != "" || well.Updated != "2026-11-24T09:00:00Z" || well.Failed+well.Blind != "" {
		t.Errorf("%+v %s", well, d)
	}
	for _, path := range []string{"/empty", "/stateless", "/html", "/500"} {
		if got := read(server.URL + path); got.Failed == "" || got.Blind != "" || got.Parts != nil {
			t.Errorf("%s = %+v; want a page that failed", path, got)
		}
	}
	if got := read("http://" + closedPort(t)); !strings.Contains(got.Failed, "refused") {
		t.Errorf("nobody listens: %+v; want a page that failed", got)
	}
	if got := read("ftp://x/"); got.Blind == "" || got.Failed != "" {
		t.Errorf("no address: %+v; want blind", got)
	}
	if got := read(server.URL + "/hostile"); len(got.Parts) != maxParts || len(got.Parts[0].Name) > maxPartText+len("…") {
		t.Errorf("a hostile page is kept with %d parts, the first %d long", len(got.Parts), len(got.Parts[0].Name))
	}
}

func TestReadiness(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(server.Close)
	in := experiments.Surroundings{Vars: experiments.Vars{"services": map[string]any{"web": map[string]any{"url": server.URL}, "gone": map[string]any{"url": "http://" + closedPort(t)}}}}
	for _, c := range []struct {
		service, path string
		ok, blind     bool
	}{{"web", "/readyz", true, false}, {"web", "/other", false, false}, {"gone", "/readyz", false, false}, {"nobody", "/readyz", false, true}} {
		seen, err := (&Readiness{Service: c.service, Path: c.path}).Observe(t.Context(), in)
		if seen.OK != c.ok || (err != nil) != c.blind {
			t.Errorf("%s%s = %+v, %v", c.service, c.path, seen, err)
		}
	}
}
