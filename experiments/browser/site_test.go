package browser

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
	"github.com/candor-chaos/candor/experiments/patterns"
)

// notes is a history in memory.
type notes struct {
	mu      sync.Mutex
	records []experiments.Record
}

func (n *notes) Append(r experiments.Record) (int64, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	r.Seq = int64(len(n.records) + 1)
	n.records = append(n.records, r)
	return r.Seq, nil
}

func (n *notes) all() []experiments.Record {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]experiments.Record{}, n.records...)
}

// notices are the texts of one kind.
func (n *notes) notices(kind string) []string {
	var all []string
	for _, r := range n.all() {
		if r.Notice != nil && r.Notice.Kind == kind {
			all = append(all, strings.TrimSpace(r.Notice.Text+" "+r.Notice.URL))
		}
	}
	return all
}

func (n *notes) claims() []*experiments.ClaimMade {
	var all []*experiments.ClaimMade
	for _, r := range n.all() {
		if r.Claim != nil {
			all = append(all, r.Claim)
		}
	}
	return all
}

// wanted wants a browser on this machine, unless somebody said that there is none.
func wanted(t *testing.T) {
	t.Helper()
	if os.Getenv("CANDOR_TEST_NO_BROWSER") != "" {
		t.Skip("LEFT OUT: CANDOR_TEST_NO_BROWSER is set, and this test needs a browser")
	}
	if _, err := find(); err != nil {
		t.Fatalf("%v; make setup installs one, or set CANDOR_TEST_NO_BROWSER", err)
	}
}

// rig is a browser with a site that it may look at.
type rig struct {
	t     *testing.T
	site  *httptest.Server
	notes *notes
	stage *stage
	dir   string
	visit int64
}

func newRig(t *testing.T, pages map[string]string, more ...func(*http.ServeMux)) *rig {
	t.Helper()
	wanted(t)
	mux := http.NewServeMux()
	for path, body := range pages {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, "<!doctype html><html lang=en><meta charset=utf-8><title>Shop</title><body>"+body)
		})
	}
	for _, add := range more {
		add(mux)
	}
	r := &rig{t: t, site: httptest.NewServer(mux), notes: &notes{}, dir: t.TempDir()}
	t.Cleanup(r.site.Close)
	lexicon, err := patterns.English()
	if err != nil {
		t.Fatal(err)
	}
	made, err := start(t.Context(), experiments.StageConfig{Recorder: r.notes, Folder: r.dir, Prefix: "cdr-", Inspect: patterns.Inspect(nil), Lexicon: lexicon.Claims()})
	if err != nil {
		t.Fatal(err)
	}
	r.stage = made.(*stage)
	t.Cleanup(func() {
		if err := r.stage.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		if left, _ := filepath.Glob(r.stage.process.profile + "*"); len(left) > 0 {
			t.Errorf("left on the disk: %v", left)
		}
	})
	return r
}

func (r *rig) user(number int) *user {
	r.t.Helper()
	s, err := r.stage.Open(experiments.SurfaceConfig{Base: r.site.URL, Journey: "buy", User: number, Service: func(string) string { return "web" }})
	if err != nil {
		r.t.Fatal(err)
	}
	return s.(*user)
}

func lit(text string) experiments.Template { return experiments.Literal(text) }

// do acts a step that has to be answered.
func (r *rig) do(u *user, name string, a *Action) experiments.Answer {
	r.t.Helper()
	answer := r.try(u, experiments.Act{Step: name, Action: a, Timeout: 20 * time.Second})
	if !answer.Answered {
		r.t.Fatalf("%s: %s", name, answer.Why)
	}
	return answer
}

func (r *rig) try(u *user, act experiments.Act) experiments.Answer {
	r.t.Helper()
	if act.Visit = r.visit; r.visit == 0 {
		act.Visit = 1
	}
	if err := act.Action.Check(); err != nil {
		r.t.Fatal(err)
	}
	answer, err := u.Do(context.WithoutCancel(r.t.Context()), act)
	if err != nil {
		r.t.Fatalf("%s: %v", act.Step, err)
	}
	return answer
}

func says(a experiments.Answer, text string) bool {
	page, _ := a.Vars["page"].(map[string]any)
	all, _ := page["text"].(string)
	return strings.Contains(all, text)
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}
