package browser_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/browser"
	"github.com/candor-chaos/candor/experiments/effects"
	"github.com/candor-chaos/candor/experiments/journeys"
	"github.com/candor-chaos/candor/experiments/patterns"
	"github.com/candor-chaos/candor/experiments/probes"
	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/docker"
)

// book is a history in memory, and hands out markers.
type book struct {
	mu      sync.Mutex
	records []experiments.Record
	markers int
}

func (b *book) Append(r experiments.Record) (int64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r.Seq = int64(len(b.records) + 1)
	b.records = append(b.records, r)
	return r.Seq, nil
}

func (b *book) Next(context.Context) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.markers++
	return fmt.Sprintf("cdr-%d", b.markers), nil
}

func (b *book) history() experiments.History {
	b.mu.Lock()
	defer b.mu.Unlock()
	return experiments.History{Records: append([]experiments.Record{}, b.records...)}
}

// shop is a page whose order form answers in several ways.
func shop(t *testing.T) *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!doctype html><html lang=en><title>Shop</title><header>Your order is placed within a day</header><main><h1>A book</h1>
<form onsubmit="event.preventDefault(); go('%s')"><label>Note <input name=note></label><button>Buy</button></form><div id=m role=status></div></main><footer>We could not be happier</footer>
<script>
const m = document.getElementById('m'), say = (t, c) => { if (c) m.dataset.claim = c; m.textContent = t };
const later = (f, ms) => setTimeout(f, ms);
async function go(mode) {
  if (mode === 'toast') { say('Order placed, thank you'); later(() => { m.textContent = '' }, 700); return }
  if (mode === 'early') { say('Order placed, thank you'); const a = await fetch('/api?slow', {method: 'POST', body: 'x'}); if (!a.ok) say('Your order could not be placed'); return }
  if (mode === 'markup') { await fetch('/api', {method: 'POST'}); say('All is green', 'pending'); return }
  if (mode === 'silent') { await fetch('/api?bad', {method: 'POST'}); return }
  if (mode === 'full') { location.href = '/done'; return }
  await fetch('/api', {method: 'POST'}); say('Your book is on its way')
}</script>`, r.URL.Query().Get("mode"))
	})
	mux.HandleFunc("/done", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprint(w, `<!doctype html><title>Shop</title><header>Your order is placed within a day</header><p>Thank you, your order has been placed.</p>`)
	})
	mux.HandleFunc("/api", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery == "slow" {
			time.Sleep(1200 * time.Millisecond)
		}
		if r.URL.RawQuery != "" {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// plan loads a journey as a user would write it.
func plan(t *testing.T, address, mode, claims string) *experiments.Plan {
	t.Helper()
	catalog := experiments.Catalog{Faults: faults.All(), Surfaces: append(journeys.All(), browser.Kind), Probes: probes.All(), Readers: effects.All(),
		Worlds: []faults.World{new(docker.World)}}
	folder := t.TempDir()
	for name, text := range map[string]string{
		"candor.yaml": "apiVersion: candor/v1\nkind: System\nname: shop\nenvironment: {name: local, class: sandbox}\nruntime: {docker: {project: shop}}\nservices:\n  web: {url: \"" + address + "\", needs: [db]}\n  db: {port: 5432}\n",
		"buy.yaml": "apiVersion: candor/v1\nkind: Journey\nname: buy\nsurface: browser\nsteps:\n  - {name: look, open: \"/?mode=" + mode + "\"}\n" +
			"  - {name: note, fill: {label: Note}, with: \"{{ marker }}\"}\n  - name: buy\n    click: {role: button, name: Buy}\n    timeout: 4s\n    " + claims + "\n  - {wait: 1s}\n",
		"all.yaml": "apiVersion: candor/v1\nkind: Experiment\nname: all\nservice: web\nhypothesis: all is told\njourneys: [{use: buy.yaml}]\n" +
			"faults: [{outage: {from: web, to: db, mode: refuse}, for: 5s}]\nsteady: [{http: {get: \"" + address + "\"}}]\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	definitions, err := experiments.Load(filepath.Join(folder, "all.yaml"), experiments.LoadOptions{Catalog: catalog})
	if err != nil {
		t.Fatal(err)
	}
	made, err := experiments.Compile(definitions, catalog)
	if err != nil {
		t.Fatal(err)
	}
	if err := made.Exec.Resolve(nil, experiments.RunNames{ID: "run", Prefix: "cdr-"}); err != nil {
		t.Fatal(err)
	}
	return made
}

func TestWhatAPageClaims(t *testing.T) {
	if os.Getenv("CANDOR_TEST_NO_BROWSER") != "" {
		t.Skip("LEFT OUT: CANDOR_TEST_NO_BROWSER is set, and this test needs a browser")
	}
	site := shop(t)
	lexicon, err := patterns.English()
	if err != nil {
		t.Fatal(err)
	}
	notes, dir := &book{}, t.TempDir()
	stage, err := browser.Kind.Start(t.Context(), experiments.StageConfig{Recorder: notes, Lexicon: lexicon.Claims(), Prefix: "cdr-", Folder: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := stage.Close(); err != nil {
			t.Error(err)
		}
	}()
	kind := browser.Kind
	kind.Open = stage.Open
	for _, c := range []struct{ mode, claims, want string }{
		{"plain", `claims: {success: page.says("on its way")}`, "success declared"},
		{"toast", "intent: true", "success lexicon"},
		{"early", "intent: true", "success lexicon, refused lexicon"},
		{"markup", "intent: true", "pending markup"},
		{"silent", "intent: true", "none nothing"},
		{"full", "intent: true", "success lexicon"},
	} {
		t.Run(c.mode, func(t *testing.T) {
			before := len(notes.history().Records)
			w, err := journeys.NewWalker(journeys.WalkerConfig{Plan: plan(t, site.URL, c.mode, c.claims), Surface: kind, Recorder: notes, Markers: notes, Lexicon: lexicon.Claims()})
			if err != nil {
				t.Fatal(err)
			}
			visit, err := w.Walk(t.Context(), 0, time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Error(err)
			}
			h := experiments.History{Records: notes.history().Records[before:]}
			var got []string
			for _, r := range h.Records {
				if r.Claim != nil {
					got = append(got, r.Claim.Claim.String()+" "+r.Claim.By)
					if r.Claim.Claim != experiments.ClaimNone && (r.Claim.Sample == 0 || r.Claim.Clicked.IsZero() || r.Claim.Final.Before(r.Claim.Clicked)) {
						t.Errorf("claim %+v", r.Claim)
					}
				}
			}
			if strings.Join(got, ", ") != c.want {
				t.Errorf("claims %q, want %q; the visit: %+v", got, c.want, visit)
			}
			check(t, c.mode, h, dir)
		})
	}
}

// check looks at what else is in the history of a visit.
func check(t *testing.T, mode string, h experiments.History, dir string) {
	t.Helper()
	posts, shots, outlines := 0, 0, 0
	for _, r := range h.Records {
		switch {
		case r.Exchange != nil && r.Exchange.Method == http.MethodPost:
			posts++
			if e := r.Exchange; e.Kind != "fetch" || e.Marker == "" || e.Step != "buy" || e.By != experiments.ByPerson || e.Sent.After(e.Ended) || e.Status == 0 {
				t.Errorf("exchange %+v", e)
			}
		case r.Shot != nil:
			shots++
			if info, err := os.Stat(filepath.Join(dir, r.Shot.File)); err != nil || info.Size() != int64(r.Shot.Bytes) {
				t.Errorf("shot %+v: %v", r.Shot, err)
			}
		case r.Outline != nil:
			outlines++
		}
	}
	if wire := mode != "toast" && mode != "full"; wire != (posts == 1) {
		t.Errorf("%d requests were made for the intent", posts)
	}
	if mode != "silent" && (shots == 0 || outlines == 0) {
		t.Errorf("%d screenshots, %d outlines at a claim", shots, outlines)
	}
	if mode != "toast" {
		return
	}
	for _, l := range experiments.Lives(h) {
		if strings.HasPrefix(l.Block.Text, "Order placed") {
			if stood := l.Died.Sub(l.Born); l.Block.Live != "polite" || l.Left || stood < 300*time.Millisecond || stood > 5*time.Second {
				t.Errorf("the toast stood %s: %+v", stood, l)
			}
			return
		}
	}
	t.Error("nobody saw the toast")
}
