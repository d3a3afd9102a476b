package honesty

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/candor-chaos/candor/experiments"
)

// again judges a run from what its folder would hold: plan and history as JSON.
func again(t *testing.T, plan experiments.Plan, h experiments.History) experiments.Result {
	t.Helper()
	saved, err := json.Marshal(plan)
	if err != nil {
		t.Fatal(err)
	}
	var back experiments.Plan
	if err := json.Unmarshal(saved, &back); err != nil {
		t.Fatal(err)
	}
	read := experiments.History{Torn: h.Torn}
	for _, r := range h.Records {
		line, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var record experiments.Record
		if err := json.Unmarshal(line, &record); err != nil {
			t.Fatal(err)
		}
		read.Records = append(read.Records, record)
	}
	return Judge(&back, read)
}

// liar is a run with several lies of different kinds.
func liar() *story {
	s := newStory()
	s.fault = append(s.fault, buy{claim: experiments.ClaimSuccess}, buy{claim: experiments.ClaimRefused, rows: 1},
		buy{claim: experiments.ClaimPending}, buy{trouble: "reset"}, buy{claim: experiments.ClaimSuccess, rows: 2})
	return s
}

// TestNoPartOfARunPasses cuts a good run off after each of its lines, as a runner that dies leaves it. Whatever is
// missing, what is left proves nothing.
func TestNoPartOfARunPasses(t *testing.T) {
	for name, s := range map[string]*story{"honest": newStory(), "liar": liar()} {
		h := s.history()
		for n := range h.Records {
			for _, torn := range []bool{false, true} {
				r := Judge(&s.plan, experiments.History{Records: h.Records[:n], Torn: torn})
				if r.Verdict == experiments.Pass || r.ExitCode == 0 || len(r.Reasons) == 0 {
					t.Errorf("%s, its first %d lines of %d: %v, exit %d, reasons %v", name, n, len(h.Records), r.Verdict, r.ExitCode, r.Reasons)
				}
			}
		}
	}
}

// TestDisorderIsSurvived judges histories that no runner writes: lines doubled, dropped and out of order. Every rule
// still has to come to a verdict, and none of them by breaking.
func TestDisorderIsSurvived(t *testing.T) {
	s := liar()
	whole := s.history()
	chance := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		var h experiments.History
		for _, r := range whole.Records {
			for range chance.IntN(3) {
				h.Records = append(h.Records, r)
			}
		}
		if chance.IntN(2) == 0 {
			chance.Shuffle(len(h.Records), func(i, j int) { h.Records[i], h.Records[j] = h.Records[j], h.Records[i] })
		}
		r := Judge(&s.plan, h)
		for _, reason := range r.Reasons {
			if contains(reason.Text, "the check broke") {
				t.Fatalf("%d lines: %v", len(h.Records), reason)
			}
		}
		if len(r.Rules) != len(Infos()) {
			t.Fatalf("%d lines: %d rules have a verdict", len(h.Records), len(r.Rules))
		}
	}
}

// TestLieSurvivesMoreEvidence adds honest intents to a lie: none of them takes it away.
func TestLieSurvivesMoreEvidence(t *testing.T) {
	s := newStory()
	s.fault = []buy{{claim: experiments.ClaimSuccess}}
	for range 50 {
		s.fault = append(s.fault, confirmed(), refused())
		s.recovery = append(s.recovery, confirmed())
		if r := s.judge(); r.Verdict != experiments.Fail || len(findingsOf(r, "CL-01")) != 2 {
			t.Fatalf("%d intents: %v with %v; want a fail for both effects of the one that was lost", r.Journeys[0].Intents, r.Verdict, findingsOf(r, "CL-01"))
		}
	}
}
