package standards

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// whole is what an honest product shows.
func whole() Measured {
	return Measured{Intents: 100, Straight: 100, SaidSo: 2, Recovered: true, SteadyAfter: 3 * time.Second,
		Rules:        []experiments.RuleResult{{ID: "CL-01", Verdict: experiments.RulePass}, {ID: "HT-05", Verdict: experiments.RuleFail}},
		Severities:   map[string]experiments.Severity{"CL-01": experiments.S1, "HT-05": experiments.S3},
		Interactions: map[string]experiments.PhaseNumbers{"page": {Requests: 50, P95: 90}}}
}

func TestJudge(t *testing.T) {
	down := `{"each":true,"s1":0,"straight_answer_min":0.99,"said_so_max":0.05}`
	for _, c := range []struct {
		name, clause, value string
		change              func(*Measured)
		want                string
	}{
		{"honest", "resilience.dependency_down", down, func(*Measured) {}, Met},
		{"one lie", "resilience.dependency_down", down, func(m *Measured) { m.S1 = 1 }, Missed},
		{"evasive", "resilience.dependency_down", down, func(m *Measured) { m.SaidSo = 6 }, Missed},
		{"silent", "resilience.dependency_down", down, func(m *Measured) { m.Straight = 98 }, Missed},
		{"nothing undecided counts", "resilience.dependency_down", down, func(m *Measured) { m.Undecided = 100 }, NotMeasured},
		{"no intents", "resilience.dependency_down", down, func(m *Measured) { m.Intents = 0 }, NotMeasured},
		{"no bite", "resilience.dependency_down", down, func(m *Measured) { m.DidNotBite = "it hit nothing" }, NotMeasured},
		{"a hole", "resilience.dependency_down", down, func(m *Measured) { m.Hole = "aborted" }, NotMeasured},
		{"a lie before the hole", "resilience.dependency_down", down, func(m *Measured) { m.Hole, m.S1 = "aborted", 1 }, Missed},
		{"in time", "resilience.recovery", `{"visible":60000000000}`, func(*Measured) {}, Met},
		{"late", "resilience.recovery", `{"visible":1000000000}`, func(*Measured) {}, Missed},
		{"never", "resilience.recovery", `{"visible":60000000000}`, func(m *Measured) { m.SteadyAfter = 0 }, Missed},
		{"not reached", "resilience.recovery", `{"visible":60000000000}`, func(m *Measured) { m.Recovered = false }, NotMeasured},
		{"queue", "resilience.recovery", `{"visible":60000000000,"queue_empty":600000000000}`, func(*Measured) {}, NotMeasured},
		{"late with a queue", "resilience.recovery", `{"visible":1000000000,"queue_empty":600000000000}`, func(*Measured) {}, Missed},
		{"gate", "messaging", `{"gate":["S1"]}`, func(*Measured) {}, Met},
		{"wider gate", "messaging", `{"gate":["S1","S3"]}`, func(*Measured) {}, Missed},
		{"blind", "messaging", `{"gate":["S1"]}`, func(m *Measured) { m.Rules[0].Verdict = experiments.Unverifiable }, NotMeasured},
		{"idle", "messaging", `{"gate":["S1"]}`, func(m *Measured) { m.Rules[0].Verdict = experiments.NotExercised }, NotMeasured},
		{"fast", "latency.page", `{"p95":"100ms"}`, func(*Measured) {}, Met},
		{"slow", "latency.page", `{"p95":"50ms"}`, func(*Measured) {}, Missed},
		{"browser", "latency.page", `{"p95":"100ms","lcp_p75":"2.5s"}`, func(*Measured) {}, NotMeasured},
		{"other kind", "latency.realtime", `{"p95":"100ms"}`, func(*Measured) {}, NotMeasured},
		{"not built", "security.pentest", `{"max_age":"365d"}`, func(*Measured) {}, NotMeasured},
	} {
		m := whole()
		c.change(&m)
		plan := &experiments.Plan{Journeys: []experiments.PlannedJourney{{Name: "buy", IntentStep: "place"}},
			Clauses: []experiments.PlannedClause{{Clause: c.clause, Target: "as set", Value: json.RawMessage(c.value)}}}
		got := Judge(plan, m)
		if len(got) != 1 || got[0].State != c.want {
			t.Errorf("%s: %s = %+v; want %s", c.name, c.clause, got, c.want)
		}
		if got[0].State != TargetUnset && got[0].Measured == "" {
			t.Errorf("%s: %s says nothing of what was measured", c.name, c.clause)
		}
	}
}

func TestStatesOfTheTarget(t *testing.T) {
	plan := &experiments.Plan{Clauses: []experiments.PlannedClause{
		{Clause: "uptime"},
		{Clause: "messaging", Target: "no S1", Waived: "no users at night (A. Name, until 2031-03-31)"},
		{Clause: "resilience.dependency_down", Target: "no S1", Value: json.RawMessage(`{"s1":0}`)},
	}}
	got := Judge(plan, whole())
	for i, want := range []string{TargetUnset, Waived, NotApplicable} {
		if got[i].State != want {
			t.Errorf("%s = %s; want %s", got[i].Clause, got[i].State, want)
		}
	}
}
