package honesty

import (
	"testing"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// soon sets the time to recover, so that a story's recovery is longer, or not.
func soon(d time.Duration, tell func(*story)) func(*story) {
	return func(s *story) {
		tell(s)
		s.plan.Journeys[0].Deadlines.Recovery = d
	}
}

// lateReads makes the last readings of the truth come after the usual time to recover.
func lateReads(tell func(*story)) func(*story) { return soon(20*time.Second, tell) }

func TestQueueStuckAndReplay(t *testing.T) {
	fail, pass, idle, blind := experiments.RuleFail, experiments.RulePass, experiments.NotExercised, experiments.Unverifiable
	stuck := buy{claim: experiments.ClaimPending, status: 202, promise: 5 * time.Second}
	drained := buy{claim: experiments.ClaimPending, status: 202, rows: 1}
	runRuleCases(t, []ruleCase{
		{"liar", "RC-03", lateReads(only(stuck)), fail, "still has no row"},
		{"twin", "RC-03", lateReads(only(drained)), pass, ""},
		{"read too early", "RC-03", soon(2*time.Minute, only(stuck)), idle, ""},
		{"promised for later", "RC-03", lateReads(only(buy{claim: experiments.ClaimPending, status: 202, promise: time.Hour})), idle, ""},
		{"nothing pending", "RC-03", lateReads(honest), idle, ""},
		{"blind", "RC-03", lateReads(with(only(stuck), func(s *story) { s.blind = "refused" })), blind, ""},
		{"read once", "RC-03", lateReads(with(only(stuck), func(s *story) { s.reads = 1 })), blind, ""},
		{"never gone", "RC-03", lateReads(with(only(stuck), func(s *story) { s.unmended = true; s.plan.Journeys[0].Effects = s.plan.Journeys[0].Effects[:1] })), idle, ""},

		{"twice, and late by the reader's clock", "RC-04", arriving(2, true), fail, "2 times"},
		{"once, and late", "RC-04", arriving(1, true), pass, ""},
		{"twice, and before the end of the fault", "RC-04", arriving(2, false), idle, ""},
		{"twice, and nobody knows when", "RC-04", only(buy{claim: experiments.ClaimSuccess, rows: 2}), blind, ""},
		{"once, and nobody knows when", "RC-04", only(confirmed()), idle, ""},
		{"a second one after a reading", "RC-04", growing(1, 2), fail, "2 times"},
		{"a first one after a reading", "RC-04", growing(0, 1), pass, ""},
		{"blind", "RC-04", with(only(confirmed()), func(s *story) { s.blind = "refused" }), blind, ""},
		{"nothing there", "RC-04", honest, idle, ""},
	})
}

// arriving lets what was ordered under the fault arrive n times, with the reader's own time before or after its end.
func arriving(n int64, late bool) func(*story) {
	return func(s *story) {
		only(buy{claim: experiments.ClaimSuccess, rows: n})(s)
		s.plan.Journeys[0].Effects = s.plan.Journeys[0].Effects[:1]
		s.inRecov = func(s *story) {
			s.came = s.now.Add(time.Second)
			if !late {
				s.came = s.now.Add(-time.Second)
			}
		}
	}
}

// growing lets a reading after the fault see fewer rows than the last ones.
func growing(first, then int64) func(*story) {
	return func(s *story) {
		only(buy{claim: experiments.ClaimSuccess, rows: then})(s)
		s.inRecov = func(s *story) {
			marker := s.bought[len(s.bought)-1].marker
			rows := []experiments.TruthRow{{Marker: "other", Count: 1}, {Marker: marker, Count: first}}
			for _, effect := range []string{"order", "charge"} {
				s.add(experiments.Record{Truth: &experiments.TruthRead{Journey: "buy", Effect: effect, Round: "early", Started: s.now, Rows: rows}})
			}
		}
	}
}

func TestCachedError(t *testing.T) {
	fail, pass, idle, blind := experiments.RuleFail, experiments.RulePass, experiments.NotExercised, experiments.Unverifiable
	well, down := inJSON(`{"status":"placed"}`), as(503, inJSON(`{"error":"down"}`))
	kept := having(down, "Age", "30")
	page := onPage(`<title>Error</title><main><p data-claim="failed">No</p></main>`)
	after := func(wait time.Duration, under experiments.Exchange, later ...experiments.Exchange) func(*story) {
		return lateReads(func(s *story) {
			asked(well, under)(s)
			s.inRecov = func(s *story) {
				s.wait(wait)
				for _, x := range later {
					s.asks(placed(x))
				}
			}
		})
	}
	runRuleCases(t, []ruleCase{
		{"liar", "RC-08", after(25*time.Second, down, kept), fail, "Age: 30"},
		{"a soft error", "RC-08", after(25*time.Second, down, having(inJSON(`{"success":false}`), "Age", "30")), fail, "200"},
		{"a page", "RC-08", after(25*time.Second, down, having(page, "Age", "30"), having(page, "Age", "31")), fail, "its error"},
		{"a page once", "RC-08", after(25*time.Second, down, having(page, "Age", "30")), blind, ""},
		{"twin", "RC-08", after(25*time.Second, down, well), pass, ""},
		{"a new error", "RC-08", after(25*time.Second, down, down), pass, ""},
		{"before the deadline", "RC-08", after(5*time.Second, down, kept), idle, ""},
		{"nothing failed", "RC-08", after(25*time.Second, well, well), idle, ""},
	})
}
