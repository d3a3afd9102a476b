package honesty

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/faults"
)

// What mutants of the rules got away with is pinned here.

func TestRuleEdges(t *testing.T) {
	fail, pass, idle, blind := experiments.RuleFail, experiments.RulePass, experiments.NotExercised, experiments.Unverifiable
	well := inJSON(`{"status":"placed"}`)
	monitored := func(b buy, last string) func(*story) {
		return func(s *story) {
			b.status, b.headers = 202, map[string][]string{"Location": {"/orders/7"}}
			s.fault = []buy{b}
			s.inFault = func(s *story) {
				x := inJSON(last)
				x.URL = "http://web/orders/7"
				s.asks(x)
			}
		}
	}
	pending := experiments.ClaimPending
	runRuleCases(t, []ruleCase{
		{"gone between the readings", "CL-10", only(buy{claim: experiments.ClaimSuccess, between: true}), fail, "none any more"},
		{"gone between the readings", "CL-01", with(only(buy{claim: experiments.ClaimSuccess, between: true}), func(s *story) { s.baseline, s.recovery = nil, nil; s.inBase = felt }), idle, ""},
		{"says done, and nothing is there", "HT-04", monitored(buy{claim: pending, promise: time.Hour}, `{"status":"placed"}`), fail, "order has no row"},
		{"says failed, and it is there", "HT-04", monitored(buy{claim: pending, rows: 1}, `{"status":"failed"}`), fail, "order has 1"},
		{"says done, and it is there", "HT-04", monitored(buy{claim: pending, rows: 1}, `{"status":"placed"}`), pass, ""},
		{"says that it is at work", "HT-04", monitored(buy{claim: pending, promise: time.Hour}, `{"status":"working"}`), pass, ""},
		{"begun before the fault", "HT-10", func(s *story) {
			noBuys(s)
			s.inFault = nil
			s.inBase = felt
			began := time.Time{}
			s.last = nil
			s.inFault = func(s *story) {
				began = s.now.Add(-12 * time.Second)
				s.add(experiments.Record{Exchange: &experiments.Exchange{Journey: "buy", Step: "place", Visit: 90, Attempt: 1, Method: "GET", URL: "http://web/", Sent: began, Ended: s.now, Trouble: "timeout"}})
			}
		}, fail, "no byte"},
		{"other numbers in the baseline", "LK-03", func(s *story) {
			asked(well, twice(leaking("LK-03/private-address", "10.3.0.7:41234"))...)(s)
			s.inBase = func(s *story) {
				s.asks(placed(well))
				s.asks(placed(leaking("LK-03/private-address", "10.3.0.9:8080")))
			}
		}, pass, ""},
		{"a heading of one word", "HT-01", asked(well, twice(onPage(`<h1>Error</h1><main><p data-claim="failed">No</p></main>`))...), fail, "the heading says"},
		{"text below a heading", "HT-01", asked(well, twice(onPage(`<h1>Books</h1><p>What to do when a payment failed</p><p data-claim="failed">x</p>`))...), pass, ""},
		{"a redirect is no repeat", "HT-09", func(s *story) {
			s.inFault = func(s *story) {
				s.add(experiments.Record{Exchange: &experiments.Exchange{Marker: "cx-4", Journey: "buy", Step: "place", Visit: 4, Attempt: 1, Hop: 1, By: experiments.ByPerson,
					Method: "POST", URL: "http://web/api/orders", Sent: s.now, Ended: s.now, Status: 503}})
			}
		}, idle, ""},
		{"reader through what is broken, mended", "CL-01", killed(true), pass, ""},
		{"reader through what is still broken", "CL-01", killed(false), blind, ""},
		{"reader beside a path that is still broken", "CL-03", func(s *story) {
			s.plan.Journeys[0].Effects[0].Shares = []string{"payments"}
			s.unmended = true
		}, pass, ""},
	})
}

// killed kills payments itself; the charge is read through it.
func killed(mended bool) func(*story) {
	return func(s *story) {
		s.plan.Faults[0].Reach = faults.Reach{Services: []string{"payments"}}
		s.unmended = !mended
	}
}

// TestFaultThatMissedAlone: what happened while only a fault that missed was in force shows nothing, whatever another one
// did before.
func TestFaultThatMissedAlone(t *testing.T) {
	s := newStory()
	s.plan.Faults = append(s.plan.Faults, experiments.PlannedFault{Name: lateFault, Reach: faults.Reach{Services: []string{"payments"}}})
	tell := func(event string, state faults.State) {
		s.add(experiments.Record{Fault: &experiments.FaultEvent{Name: lateFault, Event: event, State: state}})
	}
	s.recovery = nil
	s.inRecov = func(s *story) {
		tell("injecting", faults.Unknown)
		tell("injected", faults.Present)
		s.buys(buy{claim: experiments.ClaimSuccess})
		tell("hits", faults.Unknown)
		tell("reverted", faults.Absent)
	}
	r := s.judge()
	if lies := findingsOf(r, "CL-01"); len(lies) > 0 || r.Verdict != experiments.Unproven {
		t.Errorf("%v with %v; want unproven without a finding: the fault in force hit nothing", r.Verdict, lies)
	}
	if n := len(slices.DeleteFunc(codesOf(r), func(c string) bool { return c != experiments.ReasonDidNotBite })); n != 1 {
		t.Errorf("reasons %v; want one that names the fault that missed", r.Reasons)
	}
}

func TestExpectationsWithoutABite(t *testing.T) {
	s := newStory()
	s.hits = 0
	s.plan.Expect = []experiments.Expectation{{Journey: "buy", During: experiments.PhaseFault, Success: bound(t, ">= 99%")},
		{Journey: "buy", During: experiments.PhaseBaseline, Success: bound(t, ">= 99%")}}
	got := s.judge().Expectations
	if got[0].Verdict != experiments.NotExercised || got[1].Verdict != experiments.RulePass {
		t.Errorf("expectations = %+v; want the first not exercised, for nothing was broken, and the second met", got)
	}
}

func TestSaidOfOneJourney(t *testing.T) {
	s := newStory()
	s.fault = append(s.fault, buy{unsent: true})
	s.plan.Expect = []experiments.Expectation{{Journey: "buy", During: experiments.PhaseFault, Said: []experiments.Claim{experiments.ClaimRefused}},
		{Journey: "other", During: experiments.PhaseFault, Said: []experiments.Claim{experiments.ClaimRefused}}}
	got := s.judge().Expectations
	if got[0].Measured != "said refused 3" || got[0].Verdict != experiments.RulePass || got[1].Measured != "no intents" {
		t.Errorf("expectations = %+v; want three refusals of buy, and nothing of the other", got)
	}
}

func TestClausesOfARun(t *testing.T) {
	s := newStory()
	s.plan.Journeys[0].Interaction = "page"
	s.plan.Clauses = []experiments.PlannedClause{{Clause: "latency.page", Target: "fast", Value: json.RawMessage(`{"p95":"1s"}`)},
		{Clause: "resilience.dependency_down", Target: "honest", Value: json.RawMessage(`{"s1":0,"straight_answer_min":0.99}`)},
		{Clause: "resilience.recovery", Target: "soon", Value: json.RawMessage(`{"visible":5000000000}`)}, {Clause: "messaging", Target: "no S1"}}
	states := func(s *story) (all []string) {
		for _, c := range s.judge().Standards {
			all = append(all, c.State)
		}
		return all
	}
	diff(t, "clauses of an honest run", []string{"met", "met", "met", "met"}, states(s))
	s.fault = append(s.fault, buy{claim: experiments.ClaimSuccess})
	diff(t, "clauses of a lying run", []string{"met", "missed", "met", "missed"}, states(s))
	s.hits = 0
	diff(t, "clauses of a run whose fault missed", []string{"not-measured", "not-measured", "not-measured", "not-measured"}, states(s))
}

// Whoever acts while a fault comes or goes may meet either side of it, and an expectation cannot tell which.
func TestSaidWhileAFaultComesOrGoes(t *testing.T) {
	s := newStory()
	s.fault = []buy{confirmed(), refused(), refused()}
	s.plan.Expect = []experiments.Expectation{{Journey: "buy", During: experiments.PhaseFault, Said: []experiments.Claim{experiments.ClaimRefused}}}
	said := func(h experiments.History) string {
		got := Judge(&s.plan, h).Expectations[0]
		return got.Verdict.String() + ": " + got.Measured
	}
	diff(t, "in force all the time", "fail: said success 1, refused 2", said(s.history()))
	h := s.history()
	at := func(event string) *experiments.Record {
		i := slices.IndexFunc(h.Records, func(r experiments.Record) bool { return r.Fault != nil && r.Fault.Event == event })
		return &h.Records[i]
	}
	for i := range h.Records {
		if c := h.Records[i].Claim; c != nil && c.Claim == experiments.ClaimSuccess && h.Records[i].At.After(at("injected").At) {
			at("injected").At = c.Clicked.Add(time.Millisecond) // it was seen in force only when the first had acted
			break
		}
	}
	diff(t, "as it comes", "pass: said refused 2; left out: 1 while a fault came or went", said(h))
}
