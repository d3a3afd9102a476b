package report

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/faults"
)

// hostile is what a target might say to whoever reads about it.
const hostile = "<script>alert('owned')</script> \u202egnihton\u202c \x1b[31m`|[x](javascript:alert(1)) www.evil.example @everyone"

// shape says which run is made.
type shape struct {
	name   string
	liar   bool
	rate   int // browse requests a second
	seed   uint64
	change func(*Run)
}

// maker writes the history of a made-up run, and counts what a judge would.
type maker struct {
	shape
	run   Run
	rng   *rand.Rand
	at    time.Time
	next  int
	rows  map[string]map[string]experiments.TruthRow
	buy   experiments.JourneyResult
	found []experiments.Finding
}

func fixtureStart() time.Time { return time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC) }

func makeRun(s shape) Run {
	m := &maker{shape: s, rng: rand.New(rand.NewPCG(s.seed, 7)), at: fixtureStart(),
		rows: map[string]map[string]experiments.TruthRow{"order": {}, "charge": {}}}
	m.buy = experiments.JourneyResult{Name: "buy-a-book", Persona: "patient", Claims: map[string]int{}, Outcomes: map[string]int{}}
	m.plan()
	m.add(experiments.Record{Head: &experiments.Head{Schema: "candor.history/v1", Run: m.id(), Experiment: "payments-outage", System: s.name,
		Prefix: "cx7f-", Seed: 42, Candor: "v0.1.0", PlanHash: "sha256:5c1f0e7b9a3d"}})
	spans := m.phases()
	m.result(spans)
	if s.change != nil {
		s.change(&m.run)
	}
	return m.run
}

func (m *maker) id() string { return "20261124-090000-payments-outage-" + m.name[len(m.name)-4:] }

func (m *maker) add(r experiments.Record) int64 {
	r.At = m.at
	r.Seq = int64(len(m.run.History.Records) + 1)
	m.run.History.Records = append(m.run.History.Records, r)
	return r.Seq
}

func (m *maker) plan() {
	m.run.Plan = experiments.Plan{
		Schema: "candor.plan/v1", System: m.name, Experiment: "payments-outage", Title: "Checkout tells the truth when payments is down",
		Service: "web", Hypothesis: "With payments refusing connections people can browse, checkout says that the card was not charged, and every order that was promised exists exactly once.",
		Journeys: []experiments.PlannedJourney{
			{Name: "buy-a-book", Surface: "http", Persona: "patient", IntentStep: "place order", Effects: []experiments.PlannedEffect{{Name: "order", Reader: "sql"}, {Name: "charge", Reader: "http", Valued: true}}},
			{Name: "browse", Surface: "http", Persona: "patient"}},
		Faults: []experiments.PlannedFault{{Name: "payments refuses connections", Kind: "outage", For: 15 * time.Second,
			Fault: json.RawMessage(`{}`), Said: "every new connection from web to payments:8080 is refused"}},
	}
	for i, id := range []string{"LK-01", "LK-02", "LK-03", "LK-05", "LK-06", "LK-07", "CL-01", "CL-02", "CL-03", "CL-04", "CL-05", "CL-06", "CL-09", "CL-10", "CL-11",
		"HT-01", "HT-02", "HT-03", "HT-04", "HT-05", "HT-06", "HT-07", "HT-08", "HT-09", "HT-10", "ST-13", "RC-03", "RC-04", "RC-05", "SP-01", "SP-02", "MT-06"} {
		p := experiments.PlannedRule{ID: id, Applies: id[:2] != "SP", Gated: severityOf(id) == experiments.S1, Required: i >= 6 && i < 10}
		if !p.Applies {
			p.Why = "the system declares no status page"
		}
		if id == "HT-05" {
			p.Allowed = "how long it lasts is not known, and the page says so"
			p.Until = experiments.Date{Time: time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC)}
		}
		m.run.Plan.Rules = append(m.run.Plan.Rules, p)
	}
}

func severityOf(id string) experiments.Severity {
	switch id {
	case "LK-06", "LK-07", "CL-01", "CL-02", "CL-03", "CL-04", "CL-06", "CL-09", "CL-10", "CL-11", "HT-09", "RC-03", "RC-04", "SP-01":
		return experiments.S1
	case "LK-03", "HT-02", "HT-05", "HT-06", "HT-10":
		return experiments.S3
	case "MT-06":
		return ""
	}
	return experiments.S2
}

func (m *maker) phases() []experiments.PhaseSpan {
	var spans []experiments.PhaseSpan
	for _, p := range []struct {
		name    experiments.Phase
		seconds int
	}{{experiments.PhaseWarmup, 3}, {experiments.PhaseBaseline, 12}, {experiments.PhaseFault, 16}, {experiments.PhaseRecovery, 20}, {experiments.PhaseSettle, 6}} {
		span := experiments.PhaseSpan{Name: p.name, Start: m.at}
		m.add(experiments.Record{Phase: &experiments.PhaseStart{Name: p.name}})
		for tenth := range p.seconds * 10 {
			m.at = span.Start.Add(time.Duration(tenth) * 100 * time.Millisecond)
			m.tick(p.name, tenth)
		}
		m.at = span.Start.Add(time.Duration(p.seconds) * time.Second)
		span.End = m.at
		spans = append(spans, span)
	}
	return spans
}

// tick is a tenth of a second.
func (m *maker) tick(phase experiments.Phase, tenth int) {
	if phase == experiments.PhaseFault {
		m.fault(tenth)
	}
	if phase == experiments.PhaseSettle {
		if tenth == 10 || tenth == 50 {
			m.readTruth(map[int]string{10: "first", 50: "second"}[tenth])
		}
		return
	}
	for range m.rate / 10 {
		m.browse(phase)
	}
	if tenth%10 == 2 {
		for range 4 {
			m.buyOne(phase)
		}
	}
	if tenth%10 == 7 {
		for range 4 {
			m.buyOne(phase)
		}
	}
}

func (m *maker) fault(tenth int) {
	event := experiments.FaultEvent{Name: "payments refuses connections", Said: "every new connection from web to payments:8080 is refused"}
	switch {
	case tenth == 2:
		event.Event, event.State = "injected", faults.Present
	case tenth == 155:
		event.Event, event.State = "reverted", faults.Absent
	case tenth%10 == 9:
		event.Event, event.Hits = "hits", int64(tenth)
	default:
		return
	}
	m.add(experiments.Record{Fault: &event})
}

func (m *maker) browse(phase experiments.Phase) {
	took := time.Duration(4+m.rng.ExpFloat64()*9) * time.Millisecond
	status := 200
	if phase == experiments.PhaseFault && m.liar && m.rng.IntN(5) == 0 {
		took, status = took+time.Duration(300+m.rng.IntN(900))*time.Millisecond, 500
	}
	x := experiments.Exchange{Journey: "browse", Step: "list", Attempt: 1, By: experiments.ByClient, Method: "GET", URL: "http://127.0.0.1:18080/api/books",
		Sent: m.at, Due: m.at, Ended: m.at.Add(took), Status: status, Service: "web"}
	if status == 500 {
		x.Body = experiments.Text{Text: `{"error":"upstream payments: dial tcp 10.3.0.7:8080: connection refused"}`, Length: 78}
	}
	seq := m.add(experiments.Record{Exchange: &x})
	if status == 500 {
		m.find("ST-13", "", phase, "browsing needs nothing that was broken, and answered 500", seq)
		if m.rng.IntN(9) == 0 {
			m.find("LK-03", "", phase, "the answer names the internal address 10.3.0.7:8080", seq)
		}
	}
}

// buyOne is one intent, told what an honest or a lying shop would say.
func (m *maker) buyOne(phase experiments.Phase) {
	m.next++
	marker := fmt.Sprintf("cx7f-%06d", m.next)
	m.buy.Intents++
	first := m.add(experiments.Record{Intent: &experiments.Intent{Marker: marker, Journey: "buy-a-book", Step: "place order", User: m.next % 4, Wants: map[string]string{"charge": "1200"}}})
	claim, text, status, outcome := m.answer(phase)
	took := time.Duration(20+m.rng.ExpFloat64()*25) * time.Millisecond
	if phase == experiments.PhaseFault {
		took += time.Duration(m.rng.IntN(2500)) * time.Millisecond
	}
	body, _ := json.Marshal(map[string]string{"status": text})
	x := experiments.Exchange{Marker: marker, Journey: "buy-a-book", Step: "place order", Attempt: 1, By: experiments.ByPerson, Service: "web", Method: "POST",
		URL: "http://127.0.0.1:18080/api/orders", RequestBody: experiments.Text{Text: `{"book":42,"note":"` + marker + `"}`}, Sent: m.at, Ended: m.at.Add(took), Status: status,
		Body: experiments.Text{Text: string(body), Length: int64(len(body))}}
	if claim == experiments.ClaimNone {
		x.Status, x.Trouble, x.Why, x.Body = 0, "timeout", "no answer within 5s", experiments.Text{}
	}
	asked := m.add(experiments.Record{Exchange: &x})
	m.add(experiments.Record{Claim: &experiments.ClaimMade{Marker: marker, Journey: "buy-a-book", Step: "place order", Claim: claim, By: "declared", Text: text, Clicked: m.at, Final: m.at.Add(took), Exchange: asked}})
	m.buy.Claims[claim.String()]++
	m.buy.Outcomes[outcome]++
	m.store(marker, outcome)
	rules := map[string]string{"ack-lost": "CL-01", "ack-wrong": "CL-02", "rejected-happened": "CL-03", "duplicated": "CL-04", "silent": "CL-05"}
	words := map[string]string{"ack-lost": "the order was confirmed and does not exist", "ack-wrong": "the order was confirmed with a charge of 1200 and stored with another",
		"rejected-happened": "the order was refused and exists all the same", "duplicated": "one order was wanted and two exist", "silent": "the user was told nothing"}
	if rules[outcome] != "" {
		m.find(rules[outcome], marker, phase, words[outcome], first, asked, asked+1)
	}
}

func (m *maker) answer(phase experiments.Phase) (experiments.Claim, string, int, string) {
	if phase != experiments.PhaseFault {
		return experiments.ClaimSuccess, "Order placed. Thank you!", 201, "ack-true"
	}
	if !m.liar {
		if m.next%3 == 0 {
			return experiments.ClaimUnknown, "We do not know yet whether your order went through. Look under My orders.", 503, "said-so"
		}
		return experiments.ClaimRefused, "Payments are down. Your order was not placed and your card was not charged.", 503, "rejected-honest"
	}
	switch m.next % 7 {
	case 0:
		return experiments.ClaimSuccess, "Order placed. " + hostile, 201, "ack-lost"
	case 1:
		return experiments.ClaimSuccess, "Order placed. Thank you!", 201, "ack-lost"
	case 2:
		return experiments.ClaimRefused, "Payment failed, nothing was ordered.", 502, "rejected-happened"
	case 3:
		return experiments.ClaimSuccess, "Order placed. Thank you!", 201, "duplicated"
	case 4:
		return experiments.ClaimNone, "", 0, "silent"
	case 5:
		return experiments.ClaimSuccess, "Order placed. Thank you!", 201, "ack-wrong"
	}
	return experiments.ClaimRefused, "Your order was not placed.", 503, "rejected-honest"
}

func (m *maker) store(marker, outcome string) {
	n, value := int64(0), "1200"
	switch outcome {
	case "ack-true", "rejected-happened":
		n = 1
	case "ack-wrong":
		n, value = 1, "12"+hostile
	case "duplicated":
		n = 2
	}
	if n > 0 {
		m.rows["order"][marker] = experiments.TruthRow{Marker: marker, Count: n}
		m.rows["charge"][marker] = experiments.TruthRow{Marker: marker, Count: 1, Value: &value}
	}
}

func (m *maker) readTruth(round string) {
	for _, effect := range []string{"order", "charge"} {
		read := experiments.TruthRead{Journey: "buy-a-book", Effect: effect, Round: round, Started: m.at}
		for _, marker := range sortedKeys(m.rows[effect]) {
			read.Rows = append(read.Rows, m.rows[effect][marker])
		}
		m.add(experiments.Record{Truth: &read})
	}
}

func (m *maker) find(rule, marker string, phase experiments.Phase, text string, seqs ...int64) {
	f := experiments.Finding{Rule: rule, Severity: severityOf(rule), Journey: "buy-a-book", Step: "place order", Marker: marker, Phase: phase, Text: text}
	if marker == "" {
		f.Journey, f.Step = "browse", "list"
	}
	for _, seq := range seqs {
		f.Evidence = append(f.Evidence, fmt.Sprintf("history.jsonl:%d", seq))
	}
	m.found = append(m.found, f)
}

func (m *maker) result(spans []experiments.PhaseSpan) {
	inject := spans[2].Start
	bad := map[string]int{}
	for _, f := range m.found {
		bad[f.Rule]++
	}
	r := experiments.Result{Schema: "candor.result/v1", Run: m.id(), Experiment: "payments-outage", System: m.name, Verdict: experiments.Pass, Ending: experiments.Complete,
		Seed: 42, Started: fixtureStart(), Ended: m.at, Candor: "v0.1.0", Phases: spans, Findings: m.found, Recovery: experiments.RecoveryResult{SteadyAfter: 2140},
		Environment: experiments.EnvironmentResult{Clean: true},
		Faults: []experiments.FaultResult{{Name: "payments refuses connections", Kind: "outage", Target: "web → payments", Injected: inject.Add(200 * time.Millisecond),
			Effective: inject.Add(210 * time.Millisecond), Reverted: inject.Add(15500 * time.Millisecond), Hits: 154, StateAfter: "absent"}},
		Expectations: []experiments.ExpectationResult{
			{Text: "browse during fault: success >= 99%", Verdict: experiments.RulePass, Measured: "100 % of 320 requests"},
			{Text: "buy-a-book during fault: said only refused, pending, unknown", Verdict: experiments.RulePass, Measured: "refused 86, unknown 42"},
			{Text: "steady <= 10s", Verdict: experiments.RulePass, Measured: "2.14 s"}},
		Standards: []experiments.ClauseResult{
			{Clause: "resilience.dependency_down", Target: "no S1, straight answers >= 90 %", Measured: "no S1, 100 %", State: "met"},
			{Clause: "resilience.recovery", Target: "visible within 60s", Measured: "2.14 s", State: "met"},
			{Clause: "messaging.retry_after", Target: "on every 503", State: "not-measured"},
			{Clause: "status.notice", State: "target-unset"}},
	}
	for _, p := range m.run.Plan.Rules {
		v, n := experiments.NotExercised, 0
		switch {
		case bad[p.ID] > 0:
			v, n = experiments.RuleFail, bad[p.ID]
		case !p.Applies:
			v = experiments.NotApplicable
		case p.ID[:2] == "CL" || p.ID[:2] == "HT":
			v, n = experiments.RulePass, 128
		case p.ID == "RC-05":
			v = experiments.Unverifiable
		}
		r.Rules = append(r.Rules, experiments.RuleResult{ID: p.ID, Verdict: v, Exercised: n})
	}
	t := tallyOf(m.buy)
	m.buy.LieRateBound95 = upperBound(t.Lies, t.Decided)
	r.Journeys = []experiments.JourneyResult{m.buy, {Name: "browse", Persona: "patient"}}
	if m.liar {
		r.Verdict, r.ExitCode = experiments.Fail, 1
		r.Reasons = []experiments.Reason{
			{Code: experiments.ReasonRuleFailed, Text: "CL-01, CL-02, CL-03 and CL-04 were broken, and they decide the verdict"},
			{Code: experiments.ReasonExpectation, Text: "buy-a-book during fault said success, which was not allowed"}}
		r.Expectations[0] = experiments.ExpectationResult{Text: r.Expectations[0].Text, Verdict: experiments.RuleFail, Measured: "80.9 % of 320 requests"}
		r.Expectations[1] = experiments.ExpectationResult{Text: r.Expectations[1].Text, Verdict: experiments.RuleFail, Measured: "success 74, refused 36, nothing 18"}
		r.Standards[0].Measured, r.Standards[0].State = "91 S1, 66 %", "missed"
	}
	m.run.Result = r
}

// dirty turns a run into one that was ended early, could not read the truth and left a fault in force.
func dirty(run *Run) {
	r := &run.Result
	r.Verdict, r.Ending, r.ExitCode, r.Findings = experiments.Unproven, experiments.Dirty, 5, nil
	r.Reasons = []experiments.Reason{{Code: experiments.ReasonDirty, Text: "outage web → payments could not be reverted: " + hostile}, {Code: experiments.ReasonTruthUnreadable, Text: "the truth of order could not be read"}}
	r.Faults[0].StateAfter, r.Faults[0].Reverted = "unknown", time.Time{}
	r.Environment = experiments.EnvironmentResult{Left: []string{"payments refuses connections: " + hostile}}
	r.Recovery.SteadyAfter = -1
	for i := range r.Rules {
		if r.Rules[i].Verdict == experiments.RulePass || r.Rules[i].Verdict == experiments.RuleFail {
			r.Rules[i] = experiments.RuleResult{ID: r.Rules[i].ID}
			if i%2 == 0 {
				r.Rules[i].Verdict = experiments.Unverifiable
			}
		}
	}
	n := r.Journeys[0].Intents
	r.Journeys[0].Outcomes = map[string]int{"unverifiable": n}
	r.Expectations[2] = experiments.ExpectationResult{Text: "steady <= 10s", Verdict: experiments.NotExercised, Measured: "never steady"}
	for i := range run.History.Records {
		if truth := run.History.Records[i].Truth; truth != nil {
			*truth = experiments.TruthRead{Journey: truth.Journey, Effect: truth.Effect, Round: truth.Round, Started: truth.Started, Blind: "dial tcp 127.0.0.1:5432: connection refused"}
		}
	}
	at := run.History.Records[len(run.History.Records)-1]
	run.History.Records = append(run.History.Records, experiments.Record{Seq: at.Seq + 1, At: at.At, Fault: &experiments.FaultEvent{Name: r.Faults[0].Name, Event: "failed", Error: "revert: " + hostile}},
		experiments.Record{Seq: at.Seq + 2, At: at.At, Trouble: &experiments.Trouble{Code: experiments.ReasonAborted, Text: "stopped by a signal"}})
	run.History.Torn = true
}
