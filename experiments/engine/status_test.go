package engine

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/history"
	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/faulttest"
)

// TestOutsideIsRead: status page and readiness are in the history of a run, and a page that breaks does not end it.
func TestOutsideIsRead(t *testing.T) {
	r := newRig(t)
	var asked atomic.Int64
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) > 1 {
			panic(http.ErrAbortHandler)
		}
		io.WriteString(w, `{"parts": [{"name": "Shop", "state": "operational"}]}`)
	}))
	t.Cleanup(page.Close)
	r.plan(t, "outside", faults.Kill.Example)
	file := filepath.Join(r.dir, "outside", "candor.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	system := strings.Replace(string(text), "services:\n", "status:\n  http: {get: \""+page.URL+"\", parts: json.parts, part: item.name, state: item.state}\n  services: {Shop: web}\nservices:\n", 1)
	system = strings.Replace(system, "port: 8080, needs", "port: 8080, ready: /readyz, needs", 1)
	if err := os.WriteFile(file, []byte(system), 0o644); err != nil {
		t.Fatal(err)
	}
	defs, err := experiments.Load(filepath.Join(r.dir, "outside", "x.yaml"), experiments.LoadOptions{Catalog: r.catalog()})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := experiments.Compile(defs, r.catalog())
	if err != nil {
		t.Fatal(err)
	}
	plan.Timeline.Baseline = statusEvery + statusEvery/2
	config, _ := r.config(plan, faulttest.NewFake())
	outcome, err := Run(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	h, err := history.Read(outcome.Folder.History())
	if err != nil {
		t.Fatal(err)
	}
	said, failed, ready := 0, 0, 0
	for _, rec := range h.Records {
		switch {
		case rec.Status != nil && len(rec.Status.Parts) == 1 && rec.Status.Parts[0].Name == "Shop":
			said++
		case rec.Status != nil && rec.Status.Failed != "":
			failed++
		case rec.Look != nil && rec.Look.Role == "ready" && rec.Look.Probe == "web" && rec.Look.OK:
			ready++
		}
	}
	if said != 1 || failed == 0 || ready == 0 || outcome.Result.Ending != experiments.Complete {
		t.Errorf("%d readings, %d that failed, %d times ready, ending %s; want one, some, some, complete", said, failed, ready, outcome.Result.Ending)
	}
}
