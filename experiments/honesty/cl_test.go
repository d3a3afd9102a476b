package honesty

import (
	"strings"
	"testing"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

func contains(text, part string) bool { return strings.Contains(text, part) }

// only replaces what is bought under the fault.
func only(buys ...buy) func(*story) { return func(s *story) { s.fault = buys } }

func honest(*story) {}

func blindTruth(s *story) { s.blind = "dial tcp: connection refused" }

func with(f func(*story), more ...func(*story)) func(*story) {
	return func(s *story) {
		f(s)
		for _, m := range more {
			m(s)
		}
	}
}

func noBuys(s *story) {
	s.baseline, s.fault, s.recovery = nil, nil, nil
	s.inFault = felt
	s.inBase = felt
}

// felt is a request that needs payments.
func felt(s *story) { s.asks(experiments.Exchange{Step: "place", Status: 200}) }

func TestLedgerRules(t *testing.T) {
	success, pending := experiments.ClaimSuccess, experiments.ClaimPending
	lost := buy{claim: success, status: 201, text: "Order placed, thank you"}
	kept := buy{claim: pending, status: 202, rows: 1}
	dropped := buy{claim: pending, status: 202, promise: 2 * time.Second}
	runRuleCases(t, []ruleCase{
		{"liar", "CL-01", only(lost), experiments.RuleFail, "Order placed, thank you"},
		{"twin", "CL-01", honest, experiments.RulePass, ""},
		{"idle", "CL-01", noBuys, experiments.NotExercised, ""},
		{"blind", "CL-01", with(only(lost), blindTruth), experiments.Unverifiable, ""},
		{"one reading", "CL-01", with(only(lost), func(s *story) { s.reads = 1 }), experiments.Unverifiable, ""},
		{"readings too close", "CL-01", with(only(lost), func(s *story) { s.plan.Timeline.Reread = time.Minute }), experiments.Unverifiable, ""},
		{"hostile words", "CL-01", only(buy{claim: success, text: "\x1b[31mOrder\u202e placed" + strings.Repeat("x", 500)}), experiments.RuleFail, "“ [31mOrder"},

		{"liar", "CL-02", only(buy{claim: success, rows: 1, value: "400"}), experiments.RuleFail, "“400”"},
		{"liar pending", "CL-02", only(buy{claim: pending, rows: 1, value: "400"}), experiments.RuleFail, "“400”"},
		{"twin", "CL-02", honest, experiments.RulePass, ""},
		{"learnt", "CL-02", func(s *story) {
			for _, phase := range [][]buy{s.baseline, s.fault, s.recovery} {
				for i := range phase {
					phase[i].value = "1200.00"
				}
			}
		}, experiments.RulePass, ""},
		{"idle", "CL-02", func(s *story) { s.baseline, s.recovery = nil, nil }, experiments.NotExercised, ""},
		{"blind", "CL-02", blindTruth, experiments.Unverifiable, ""},

		{"liar", "CL-03", only(buy{claim: experiments.ClaimRefused, rows: 1, text: "nothing was ordered"}), experiments.RuleFail, "nothing was ordered"},
		{"twin", "CL-03", honest, experiments.RulePass, ""},
		{"idle", "CL-03", only(confirmed()), experiments.NotExercised, ""},
		{"blind", "CL-03", blindTruth, experiments.Unverifiable, ""},

		{"liar", "CL-04", only(buy{claim: success, rows: 2}), experiments.RuleFail, "2 times"},
		{"charged twice", "CL-04", only(buy{claim: success, rows: 1, charges: 2}), experiments.RuleFail, "charge"},
		{"twin", "CL-04", honest, experiments.RulePass, ""},
		{"idle", "CL-04", func(s *story) { s.baseline, s.recovery = nil, nil }, experiments.NotExercised, ""},
		{"blind", "CL-04", blindTruth, experiments.Unverifiable, ""},

		{"liar", "CL-05", only(buy{trouble: "timeout", took: 40 * time.Second}), experiments.RuleFail, "40"},
		{"left before the final deadline", "CL-05", only(buy{trouble: "timeout", took: 15 * time.Second}), experiments.RuleFail, "timeout"},
		{"blank page", "CL-05", only(buy{status: 200}), experiments.RuleFail, "HTTP 200"},
		{"late word", "CL-05", only(buy{claim: success, rows: 1, took: 31 * time.Second}), experiments.RuleFail, "31"},
		{"twin", "CL-05", honest, experiments.RulePass, ""},
		{"silence before the fault", "CL-05", func(s *story) { s.warmup = []buy{{trouble: "timeout", took: 40 * time.Second}} }, experiments.RulePass, ""},
		{"blind truth does not matter", "CL-05", blindTruth, experiments.RulePass, ""},
		{"idle", "CL-05", func(s *story) {
			s.baseline, s.recovery, s.fault = nil, nil, []buy{{trouble: "timeout", took: 5 * time.Second}}
		}, experiments.NotExercised, ""},

		{"liar", "CL-06", only(dropped), experiments.RuleFail, "due"},
		{"no promise, default deadline", "CL-06", only(buy{claim: pending, status: 202}), experiments.RuleFail, "due"},
		{"twin", "CL-06", only(kept), experiments.RulePass, ""},
		{"still running", "CL-06", only(buy{claim: pending, promise: time.Hour}), experiments.NotExercised, ""},
		{"idle", "CL-06", honest, experiments.NotExercised, ""},
		{"blind", "CL-06", with(only(dropped), blindTruth), experiments.Unverifiable, ""},

		{"liar", "CL-09", only(buy{claim: success, rows: 1, charges: -1}), experiments.RuleFail, "order is there, charge is not there"},
		{"says so", "CL-09", func(s *story) {
			s.baseline, s.recovery = nil, nil
			s.fault = []buy{{claim: success, rows: 1, charges: -1, says: map[string]experiments.Claim{"charge": experiments.ClaimRefused}}}
		}, experiments.NotExercised, ""},
		{"twin", "CL-09", honest, experiments.RulePass, ""},
		{"wrong is not half", "CL-09", only(buy{claim: success, rows: 1, charges: 2, value: "7"}), experiments.RulePass, ""},
		{"blind", "CL-09", blindTruth, experiments.Unverifiable, ""},

		{"liar", "CL-10", only(buy{claim: success, early: true}), experiments.RuleFail, "has none any more"},
		{"twin", "CL-10", honest, experiments.RulePass, ""},
		{"put right", "CL-10", only(buy{claim: experiments.ClaimRefused, early: true}), experiments.RulePass, ""},
		{"idle", "CL-10", noBuys, experiments.NotExercised, ""},
		{"too short", "CL-10", func(s *story) { s.plan.Cycles = map[string]time.Duration{"sweep": time.Minute} }, experiments.NotExercised, ""},
		{"too short but seen", "CL-10", with(only(buy{claim: success, early: true}), func(s *story) { s.plan.Cycles = map[string]time.Duration{"sweep": time.Minute} }), experiments.RuleFail, "has none"},
		{"blind", "CL-10", blindTruth, experiments.Unverifiable, ""},

		{"liar", "CL-11", func(s *story) { s.ghosts = []experiments.TruthRow{{Marker: "warm-up sample", Count: 1}} }, experiments.RuleFail, "warm-up sample"},
		{"twin", "CL-11", func(s *story) { s.before = []experiments.TruthRow{{Marker: "old", Count: 3}} }, experiments.RulePass, ""},
		{"reserved", "CL-11", func(s *story) { s.ghosts = []experiments.TruthRow{{Marker: "cx-999", Count: 1}} }, experiments.RulePass, ""},
		{"not reserved", "CL-11", func(s *story) { s.ghosts = []experiments.TruthRow{{Marker: "cx-1001", Count: 1}} }, experiments.RuleFail, "cx-1001"},
		{"shared tenant", "CL-11", func(s *story) { s.plan.Journeys[0].Effects[0].Own = false }, experiments.NotExercised, ""},
		{"blind", "CL-11", blindTruth, experiments.Unverifiable, ""},
	})
}

// TestLateReversalIsNotLost: what an earlier reading had is one lie, not two.
func TestLateReversalIsNotLost(t *testing.T) {
	s := newStory()
	s.fault = []buy{{claim: experiments.ClaimSuccess, early: true}}
	r := s.judge()
	if lost := findingsOf(r, "CL-01"); len(lost) != 0 {
		t.Errorf("CL-01 reports %v beside CL-10", lost)
	}
	if n := r.Journeys[0].Outcomes["ack-lost"]; n != 1 {
		t.Errorf("ack-lost = %d; want 1: the ledger counts it all the same", n)
	}
}
