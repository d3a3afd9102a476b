package experiments_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/faults"
)

// good loads and compiles the good experiment, after its files went through edits: pairs of old and new text by file.
func good(t *testing.T, edits map[string][]string) (*experiments.Plan, string, error) {
	t.Helper()
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS(filepath.Join(definitions, "good"))); err != nil {
		t.Fatal(err)
	}
	for file, pairs := range edits {
		path := filepath.Join(folder, file)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text := string(data)
		for i := 0; i < len(pairs); i += 2 {
			if !strings.Contains(text, pairs[i]) {
				t.Fatalf("%s does not hold %q", file, pairs[i])
			}
			text = strings.Replace(text, pairs[i], pairs[i+1], 1)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d, err := experiments.Load(filepath.Join(folder, "payments-outage.yaml"), experiments.LoadOptions{Catalog: catalog()})
	if err != nil {
		return nil, folder, err
	}
	p, err := experiments.Compile(d, catalog())
	return p, folder, err
}

func mustCompile(t *testing.T, edits map[string][]string) (*experiments.Plan, string) {
	t.Helper()
	p, folder, err := good(t, edits)
	if err != nil {
		t.Fatal(err)
	}
	return p, folder
}

func TestCompileJourneys(t *testing.T) {
	p, _ := mustCompile(t, nil)
	critical := experiments.Deadlines{Feedback: time.Second, Explanation: 5 * time.Second, Final: 20 * time.Second, Recovery: time.Minute}
	internal := critical
	internal.Recovery = 5 * time.Minute
	want := []experiments.PlannedJourney{
		{Name: "buy-a-book", Surface: "http", Interaction: "page", Service: "web", Persona: "patient", Traffic: "4 users, each every 500ms",
			Deadlines: critical, IntentStep: "place order",
			Steps: []experiments.PlannedStep{
				{Name: "basket", Needs: []string{"catalog"}, Timeout: 40 * time.Second},
				{Name: "place order", Needs: []string{"catalog", "orders", "orders-db", "payments"}, Timeout: 5 * time.Second, Changes: true},
				{Name: "look it up", Needs: []string{"catalog", "orders", "orders-db", "payments"}, Timeout: 40 * time.Second},
			},
			Effects: []experiments.PlannedEffect{{Name: "order", Own: true, Reader: "sql"},
				{Name: "charge", Reader: "http", Valued: true, Shares: []string{"payments"}}}},
		{Name: "browse", Surface: "http", Interaction: "interact", Service: "catalog", Persona: "patient", Traffic: "50 arrivals a second", Rate: 50,
			Deadlines: internal, Steps: []experiments.PlannedStep{{Name: "step 1", Needs: []string{}, Timeout: 40 * time.Second}}},
	}
	if diff := cmp.Diff(want, p.Journeys); diff != "" {
		t.Errorf("journeys (-want +got):\n%s", diff)
	}
	if p.Tier != "critical" || p.Deadlines != critical {
		t.Errorf("tier %q with %v", p.Tier, p.Deadlines)
	}
}

func TestCompileIntentIsTheLastChangeWithoutClaims(t *testing.T) {
	journey := "apiVersion: candor/v1\nkind: Journey\nname: buy-a-book\nsurface: http\n" +
		"steps: [{name: a, post: /a}, {name: b, put: /b}, {name: c, get: /c}]\n"
	p, folder := mustCompile(t, nil)
	if err := os.WriteFile(filepath.Join(folder, "journeys", "buy-a-book.yaml"), []byte(journey), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := experiments.Load(filepath.Join(folder, "payments-outage.yaml"), experiments.LoadOptions{Catalog: catalog()})
	if err == nil {
		p, err = experiments.Compile(d, catalog())
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Journeys[0].IntentStep; got != "b" {
		t.Errorf("intent is %q, want b", got)
	}
	why := rules(p)["CL-01"].Why
	if why != "no journey declares an effect that could be read" {
		t.Errorf("CL-01 without effects: %q", why)
	}
}

func TestCompileFaultsAndServices(t *testing.T) {
	p, _ := mustCompile(t, nil)
	want := []experiments.PlannedFault{
		{Name: "payments refuses connections", Kind: "outage", For: 15 * time.Second,
			Reach: faults.Reach{Path: &faults.Path{From: "web", To: "payments"}, Services: []string{"payments"}}},
		{Name: "latency 2", Kind: "latency", At: 5 * time.Second, For: 5 * time.Second,
			Reach: faults.Reach{Path: &faults.Path{From: "orders", To: "orders-db", Port: 5432}, Services: []string{"orders-db"}}},
	}
	for i := range p.Faults {
		var value struct{ From, Mode, Direction string }
		if err := json.Unmarshal(p.Faults[i].Fault, &value); err != nil {
			t.Fatal(err)
		}
		if value.From != want[i].Reach.Path.From {
			t.Errorf("fault %d is saved as %s", i, p.Faults[i].Fault)
		}
		p.Faults[i].Fault = nil
	}
	if diff := cmp.Diff(want, p.Faults); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	services := []experiments.PlannedService{
		{Name: "catalog", Tier: "internal"}, {Name: "orders", Tier: "critical", Needs: []string{"orders-db"}},
		{Name: "orders-db", Tier: "standard"}, {Name: "payments", Tier: "critical"},
		{Name: "rates", Tier: "standard", Outside: true},
		{Name: "web", Tier: "critical", Needs: []string{"catalog", "orders", "orders-db", "payments"}, Ready: "/readyz"},
	}
	if diff := cmp.Diff(services, p.Services); diff != "" {
		t.Errorf("services (-want +got):\n%s", diff)
	}
	times := experiments.Timeline{Baseline: 10 * time.Second, Recovery: 20 * time.Second, Settle: time.Second, Reread: 10 * time.Second}
	if p.Timeline != times {
		t.Errorf("timeline %v, want %v", p.Timeline, times)
	}
}

func rules(p *experiments.Plan) map[string]experiments.PlannedRule {
	all := map[string]experiments.PlannedRule{}
	for _, r := range p.Rules {
		all[r.ID] = r
	}
	return all
}

func TestCompileRules(t *testing.T) {
	p, _ := mustCompile(t, nil)
	got := map[string]string{}
	for id, r := range rules(p) {
		var words []string
		for word, is := range map[string]bool{"applies": r.Applies, "gated": r.Gated, "required": r.Required, "allowed": r.Allowed != ""} {
			if is {
				words = append(words, word)
			}
		}
		got[id] = strings.Join(slices.Sorted(slices.Values(words)), " ") + r.Why
	}
	want := map[string]string{
		"LK-01": "applies", "CL-01": "applies gated required", "CL-02": "applies gated required", "CL-03": "applies gated required",
		"CL-04": "applies gated required", "CL-05": "applies required", "CL-07": "no journey goes through a browser",
		"CL-08": "no journey goes through a browser", "CL-10": "allowed applies gated", "CL-11": "applies gated",
		"HT-05": "applies gated", "MT-04": "applies",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	p, _ = mustCompile(t, map[string][]string{"journeys/buy-a-book.yaml": {"    tenant: own\n", "", "    want: \"1200\"\n", ""}})
	if r := rules(p)["CL-11"]; r.Applies || r.Gated || !strings.Contains(r.Why, "tenant: own") {
		t.Errorf("CL-11 without a tenant of its own: %+v", r)
	}
	if r := rules(p)["CL-02"]; r.Applies || r.Required || r.Why != "no effect says what value it wants" {
		t.Errorf("CL-02 without a wanted value: %+v", r)
	}
}

func TestCompileClauses(t *testing.T) {
	p, _ := mustCompile(t, nil)
	got := map[string]string{}
	for _, c := range p.Clauses {
		got[c.Clause] = c.Target
	}
	want := map[string]string{
		"resilience.dependency_down": "each: true, s1: 0, straight_answer_min: 0.99, said_so_max: 0.05",
		"resilience.recovery":        "visible: 1m, queue_empty: 10m", "latency.page": "p95: 1s", "logging": "",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("targets (-want +got):\n%s", diff)
	}
	p, _ = mustCompile(t, map[string][]string{"payments-outage.yaml": {"service: web", "service: catalog", "proves: [", "proves: [uptime, "}})
	clauses := map[string]experiments.PlannedClause{}
	for _, c := range p.Clauses {
		clauses[c.Clause] = c
	}
	if c := clauses["uptime"]; c.Target != "" || c.Value != nil {
		t.Errorf("a target that is UNSET is inherited: %+v", c)
	}
	if c := clauses["resilience.recovery"]; c.Waived != "no users outside office hours, by A. Name until 2031-03-31" {
		t.Errorf("waiver: %q", c.Waived)
	}
	if c := clauses["latency.page"]; c.Target != "p95: 1s" {
		t.Errorf("latency.page is not inherited: %+v", c)
	}
}

func TestCompileTakesNamesThatMayBeMissing(t *testing.T) {
	mustCompile(t, map[string][]string{
		"candor.yaml":              {"services:\n", "services:\n  json: {port: 81}\n  body: {port: 82}\n"}, // names that answers have too
		"payments-outage.yaml":     {`status == 200 && elapsed < duration("1s")`, `'!has(parameters.maybe) && parameters[?"more"].orValue(1) == 1 && json.ok'`},
		"journeys/buy-a-book.yaml": {`body.contains("not charged")`, `json.lines.exists(orders, orders.id == 1) && has(json.why)`},
	})
}

func TestCompileAddsToWhatLoadFound(t *testing.T) {
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS(filepath.Join(definitions, "good"))); err != nil {
		t.Fatal(err)
	}
	text := "apiVersion: candor/v1\nkind: Experiment\nname: a\nservice: wbe\nhypothesis: b\ncolour: red\nsteady: []\n" +
		"journeys: [{use: journeys/none.yaml}]\nfaults: [{for: 5, pause: {service: web}}]\nexpect: [{journey: c, during: fault, said: [none]}]\n"
	path := filepath.Join(folder, "a.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := experiments.Load(path, experiments.LoadOptions{Catalog: catalog()})
	var loaded, all experiments.ErrorList
	if !errors.As(err, &loaded) {
		t.Fatal(err)
	}
	p, err := experiments.Compile(d, catalog())
	if p != nil || !errors.As(err, &all) {
		t.Fatalf("got %v, %v", p, err)
	}
	want := []string{`no file "journeys/none.yaml"`, `unknown key "colour"`, `"5" is not a duration such as 500ms, 3s or 10m`}
	if diff := cmp.Diff(want, messages(loaded), cmp.Transformer("counted", counted)); diff != "" {
		t.Errorf("Load (-want +got):\n%s", diff)
	}
	want = append(want, `unknown service "wbe"`, "a steady state of no checks would always hold")
	if diff := cmp.Diff(want, messages(all), cmp.Transformer("counted", counted)); diff != "" {
		t.Errorf("Compile (-want +got):\n%s", diff)
	}
}

func messages(list experiments.ErrorList) []string {
	var all []string
	for _, e := range list {
		all = append(all, e.Msg)
	}
	return all
}

// counted makes the order of words not matter.
func counted(words []string) map[string]int {
	count := map[string]int{}
	for _, w := range words {
		count[w]++
	}
	return count
}
