package honesty

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/faults"
)

// story makes up the history of one run of a small shop: web needs orders and payments, and while users buy, payments is
// cut off from web. What is not changed is what an honest shop does.
type story struct {
	plan     experiments.Plan
	warmup   []buy
	baseline []buy
	fault    []buy
	recovery []buy
	inBase   func(*story) // further records of a phase, after its buys
	inFault  func(*story)
	inRecov  func(*story)
	last     func(*story) // before the environment is looked at
	hits     int64
	blind    string // why the truth cannot be read at the end
	reads    int    // how often it is read at the end
	before   []experiments.TruthRow
	ghosts   []experiments.TruthRow // rows of the order tenant at the end that no intent made
	steady   time.Duration
	ending   experiments.Ending
	left     []string
	noEnd    bool
	unmended bool      // the fault is never seen gone
	came     time.Time // when rows came, where the reader gives it

	now     time.Time
	records []experiments.Record
	bought  []bought
	visit   int64
}

// buy is one intent and what became of it.
type buy struct {
	claim   experiments.Claim
	says    map[string]experiments.Claim // of single effects
	rows    int64                        // of each effect
	charges int64                        // of the charge, where it differs; -1: none
	early   bool                         // rows were seen early and are gone later
	between bool                         // rows were there at the first reading and are gone at the second
	value   string                       // of the charge
	promise time.Duration
	took    time.Duration
	trouble string
	status  int
	body    string
	text    string
	unsent  bool
	request experiments.Text
	headers map[string][]string
	hits    []experiments.PatternHit
	key     string   // of the first press
	again   []string // the keys of further presses
	visitor string
	sight   *experiments.Sight // what a doubter saw then
}

type bought struct {
	buy
	marker string
}

func (b buy) row(effect string) int64 {
	switch {
	case effect == "order" || b.charges == 0:
		return b.rows
	case b.charges < 0:
		return 0
	}
	return b.charges
}

func confirmed() buy { return buy{claim: experiments.ClaimSuccess, rows: 1, status: 201} }

func refused() buy { return buy{claim: experiments.ClaimRefused, status: 503} }

func newStory() *story {
	s := &story{hits: 40, reads: 2, steady: 2 * time.Second, ending: experiments.Complete, now: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)}
	for range 3 {
		s.baseline = append(s.baseline, confirmed())
		s.fault = append(s.fault, refused())
		s.recovery = append(s.recovery, confirmed())
	}
	path := faults.Path{From: "web", To: "payments", Port: 8080}
	s.plan = experiments.Plan{Schema: "candor.plan/v1", System: "shop", Experiment: "payments-outage", Service: "web",
		Timeline: experiments.Timeline{Reread: 10 * time.Second}, Deadlines: experiments.DefaultDeadlines(),
		Services: []experiments.PlannedService{{Name: "web", Needs: []string{"catalog", "orders", "payments"}}, {Name: "orders"}, {Name: "payments"}, {Name: "catalog"}},
		Journeys: []experiments.PlannedJourney{{Name: "buy", Surface: "http", Service: "web", Persona: "patient", Deadlines: experiments.DefaultDeadlines(), IntentStep: "place",
			Steps:   []experiments.PlannedStep{{Name: "look", Needs: []string{"catalog"}}, {Name: "place", Needs: []string{"orders", "payments"}, Changes: true}},
			Effects: []experiments.PlannedEffect{{Name: "order", Own: true, Reader: "sql"}, {Name: "charge", Valued: true, Reader: "http", Shares: []string{"payments"}}}}},
		Faults: []experiments.PlannedFault{{Name: "no payments", Kind: "outage", For: 15 * time.Second, Reach: faults.Reach{Path: &path, Services: []string{"payments"}}}},
	}
	return s
}

// add appends a record and moves the time on.
func (s *story) add(r experiments.Record) int64 {
	s.now = s.now.Add(10 * time.Millisecond)
	r.At, r.Seq = s.now, int64(len(s.records)+1)
	s.records = append(s.records, r)
	return r.Seq
}

func (s *story) wait(d time.Duration) { s.now = s.now.Add(d) }

func (s *story) phase(p experiments.Phase, buys []buy, more func(*story)) {
	s.add(experiments.Record{Phase: &experiments.PhaseStart{Name: p}})
	for _, b := range buys {
		s.buys(b)
	}
	if more != nil {
		more(s)
	}
}

func (s *story) tellFault(event string, state faults.State, hits int64) {
	for _, f := range s.plan.Faults {
		if f.Name == lateFault {
			continue // told by whoever plans it
		}
		s.add(experiments.Record{Fault: &experiments.FaultEvent{Name: f.Name, Event: event, State: state, Hits: hits}})
	}
}

// lateFault is a fault that a test tells of itself.
const lateFault = "late"

// buys is one visit that places an order.
func (s *story) buys(b buy) {
	s.visit++
	marker := fmt.Sprintf("cx-%d", s.visit)
	s.bought = append(s.bought, bought{b, marker})
	s.add(experiments.Record{Intent: &experiments.Intent{Marker: marker, Journey: "buy", Step: "place", Visit: s.visit, Visitor: b.visitor, Wants: map[string]string{"charge": "1200"}}})
	if b.unsent {
		return
	}
	clicked := s.now
	x := experiments.Exchange{Marker: marker, Journey: "buy", Step: "place", Visit: s.visit, Attempt: 1, By: experiments.ByPerson, Method: "POST", URL: "http://web/api/orders",
		Sent: s.now, Status: b.status, Trouble: b.trouble, Body: experiments.Text{Text: b.body, Length: int64(len(b.body))}, Headers: b.headers, Hits: b.hits, RequestBody: b.request, Visitor: b.visitor}
	if b.key != "" {
		x.RequestHeaders = map[string]string{"Idempotency-Key": b.key}
	}
	s.wait(max(b.took, 20*time.Millisecond))
	x.Ended = s.now
	if b.trouble == "" {
		x.FirstByte = s.now
	}
	seq := s.add(experiments.Record{Exchange: &x})
	for i, key := range b.again {
		more := x
		more.Attempt, more.Sent, more.RequestHeaders = i+2, x.Sent.Add(time.Duration(i+1)*time.Millisecond), map[string]string{"Idempotency-Key": key}
		seq = s.add(experiments.Record{Exchange: &more})
	}
	s.add(experiments.Record{Claim: &experiments.ClaimMade{Marker: marker, Journey: "buy", Step: "place", Claim: b.claim, Effects: b.says, By: "declared",
		Text: b.text, Promise: b.promise, Clicked: clicked, Final: x.Ended, Exchange: seq}})
	if b.sight != nil {
		sight := *b.sight
		sight.Marker, sight.Journey, sight.Told, sight.Exchange = marker, "buy", b.claim, seq
		s.add(experiments.Record{Sight: &sight})
	}
	s.add(experiments.Record{Visit: &experiments.Visit{ID: s.visit, Journey: "buy", Started: clicked, OK: b.claim == experiments.ClaimSuccess || b.claim == experiments.ClaimPending}})
}

// asks is one exchange of another step.
func (s *story) asks(x experiments.Exchange) int64 {
	s.visit++
	x.Journey, x.Visit, x.Attempt, x.By = "buy", s.visit, 1, experiments.ByPerson
	x.Step = orElse(x.Step, "look")
	if x.Version != nil {
		x.User, x.Visitor = 1, "ann"
	}
	x.Method, x.URL = orElse(x.Method, "GET"), orElse(x.URL, "http://web/books")
	x.Sent = s.now
	took := x.Ended.Sub(time.Time{})
	if x.Ended.IsZero() {
		took = 20 * time.Millisecond
	}
	s.wait(took)
	x.Ended = s.now
	return s.add(experiments.Record{Exchange: &x})
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

func (s *story) reading(round string) {
	for _, effect := range []string{"order", "charge"} {
		r := experiments.TruthRead{Journey: "buy", Effect: effect, Round: round, Started: s.now}
		if s.blind != "" && (round == roundFirst || round == roundSecond) {
			r.Blind = s.blind
		} else {
			r.Rows = s.rows(effect, round)
		}
		s.add(experiments.Record{Truth: &r})
	}
}

func (s *story) rows(effect, round string) []experiments.TruthRow {
	rows := slices.Clone(s.before)
	if round == roundBefore {
		return rows
	}
	if effect == "order" && round != "early" {
		rows = append(rows, s.ghosts...)
	}
	for _, b := range s.bought {
		n := b.row(effect)
		if b.early && round == "early" || b.between && round == roundFirst {
			n = 1
		}
		if n == 0 {
			continue
		}
		row := experiments.TruthRow{Marker: b.marker, Count: n, At: s.came}
		if effect == "charge" {
			value := orElse(b.value, "1200")
			row.Value = &value
		}
		rows = append(rows, row)
	}
	return rows
}

// history plays the run.
func (s *story) history() experiments.History {
	s.records, s.bought, s.visit = nil, nil, 0
	s.add(experiments.Record{Head: &experiments.Head{Schema: "candor.history/v1", Run: "run-1", Experiment: s.plan.Experiment, System: "shop", Prefix: "cx-", Seed: 7, Candor: "v0"}})
	s.add(experiments.Record{Block: &experiments.MarkerBlock{First: 1, Last: 1000}})
	s.phase(experiments.PhaseWarmup, nil, nil)
	s.reading(roundBefore)
	for _, b := range s.warmup {
		s.buys(b)
	}
	s.phase(experiments.PhaseBaseline, s.baseline, s.inBase)
	s.wait(time.Second)
	s.phase(experiments.PhaseFault, nil, nil)
	s.tellFault("injecting", faults.Unknown, 0)
	s.tellFault("injected", faults.Present, 0)
	for _, b := range s.fault {
		s.buys(b)
	}
	if s.inFault != nil {
		s.inFault(s)
	}
	s.wait(5 * time.Second)
	s.tellFault("hits", faults.Unknown, s.hits)
	s.tellFault("reverting", faults.Unknown, 0)
	if !s.unmended {
		s.tellFault("reverted", faults.Absent, 0)
	}
	s.phase(experiments.PhaseRecovery, s.recovery, s.inRecov)
	s.reading("early")
	s.wait(40 * time.Second)
	s.phase(experiments.PhaseSettle, nil, nil)
	for _, round := range []string{roundFirst, roundSecond}[:s.reads] {
		s.reading(round)
		s.wait(11 * time.Second)
	}
	if s.last != nil {
		s.last(s)
	}
	s.add(experiments.Record{Environment: &experiments.Environs{Clean: len(s.left) == 0, Left: s.left}})
	if !s.noEnd {
		s.add(experiments.Record{End: &experiments.End{Ending: s.ending, SteadyAfter: s.steady}})
	}
	return experiments.History{Records: s.records}
}

func (s *story) judge() experiments.Result {
	h := s.history()
	return Judge(&s.plan, h)
}

func ruleOf(t *testing.T, r experiments.Result, id string) experiments.RuleResult {
	t.Helper()
	for _, rule := range r.Rules {
		if rule.ID == id {
			return rule
		}
	}
	t.Fatalf("the result does not list %s", id)
	return experiments.RuleResult{}
}

func findingsOf(r experiments.Result, id string) (all []experiments.Finding) {
	for _, f := range r.Findings {
		if f.Rule == id {
			all = append(all, f)
		}
	}
	return all
}

// ruleCase is one story and what one rule has to say of it.
type ruleCase struct {
	name string
	rule string
	tell func(*story)
	want experiments.RuleVerdict
	says string // in the text of the first finding
}

func runRuleCases(t *testing.T, cases []ruleCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.rule+" "+c.name, func(t *testing.T) {
			s := newStory()
			c.tell(s)
			h := s.history()
			r := Judge(&s.plan, h)
			got := ruleOf(t, r, c.rule)
			if got.Verdict != c.want {
				t.Fatalf("%s = %v, exercised %d; want %v\nreasons: %v\nfindings: %v", c.rule, got.Verdict, got.Exercised, c.want, r.Reasons, findingsOf(r, c.rule))
			}
			checkFindings(t, r, h, c)
			diff(t, "the run, judged again from its files", encode(t, r), encode(t, again(t, s.plan, h)))
		})
	}
}

// checkFindings holds every finding to what a reader needs: evidence that is there, a text, a severity; and a fail to
// have one.
func checkFindings(t *testing.T, r experiments.Result, h experiments.History, c ruleCase) {
	t.Helper()
	for _, f := range r.Findings {
		if len(f.Evidence) == 0 || f.Text == "" || f.Severity == "" {
			t.Errorf("finding without evidence, text or severity: %+v", f)
		}
		for _, at := range f.Evidence {
			var n int
			if _, err := fmt.Sscanf(at, "history.jsonl:%d", &n); err != nil || n < 1 || n > len(h.Records) {
				t.Errorf("evidence %q is no line of the history", at)
			}
		}
	}
	own := findingsOf(r, c.rule)
	if c.want == experiments.RuleFail && c.rule[:2] != "MT" {
		if len(own) == 0 {
			t.Fatalf("%s fails without a finding", c.rule)
		}
		if !contains(own[0].Text, c.says) {
			t.Errorf("%s says %q; want it to name %q", c.rule, own[0].Text, c.says)
		}
	}
}

func encode(t *testing.T, r experiments.Result) string {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func diff(t *testing.T, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}
