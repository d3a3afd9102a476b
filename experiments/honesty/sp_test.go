package honesty

import (
	"fmt"
	"testing"
	"time"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/faults"
)

// public is what the outside shows at a moment of a story with a status page.
type public struct {
	states string // of web, payments and catalog: a letter each, u, s, d or ? for a word nobody knows
	failed string
	blind  string
	frozen bool
	ready  string // of web and payments: y, n or b for blind; "" for not asked
}

// paged is a story in which users fail for five seconds and everything is looked at every half second. show says what the
// outside shows in a phase, so long after it began.
func paged(show func(p experiments.Phase, after time.Duration) public) func(*story) {
	return pagedAs(show, refused())
}

func pagedAs(show func(p experiments.Phase, after time.Duration) public, under buy) func(*story) {
	return func(s *story) {
		s.plan.Status = &experiments.PlannedStatus{Services: map[string]string{"Checkout": "web", "Payments": "payments", "Books": "catalog"}, Dated: true,
			States: map[string]string{"operational": experiments.PartUp, "degraded": experiments.PartShaky, "major_outage": experiments.PartDown}}
		for i := range s.plan.Services {
			if n := s.plan.Services[i].Name; n == "web" || n == "payments" {
				s.plan.Services[i].Ready = "/readyz"
			}
		}
		s.plan.Journeys[0].Status = experiments.StatusLimits{FailShare: 0.2, For: 3 * time.Second, FirstNotice: 4 * time.Second, ClearWithin: 5 * time.Second}
		s.baseline, s.fault, s.recovery = nil, nil, nil
		lasts := func(p experiments.Phase, n int, b buy) func(*story) {
			return func(s *story) {
				began := s.now
				for range n {
					s.buys(b)
					s.shows(show(p, s.now.Sub(began)))
					s.wait(450 * time.Millisecond)
				}
			}
		}
		s.inBase = lasts(experiments.PhaseBaseline, 8, confirmed())
		s.inFault = lasts(experiments.PhaseFault, 12, under)
		s.inRecov = lasts(experiments.PhaseRecovery, 20, confirmed())
	}
}

func (s *story) shows(p public) {
	read := experiments.StatusRead{Started: s.now, Failed: p.failed, Blind: p.blind, Updated: s.now.Format(time.RFC3339Nano)}
	if p.frozen {
		read.Updated = "2026-11-24T09:00:00Z"
	}
	word := map[byte]string{'u': "operational", 's': "Degraded", 'd': "major_outage", '?': "wobbly"}
	for i, name := range []string{"Checkout", "Payments", "Books"}[:len(p.states)] {
		read.Parts = append(read.Parts, experiments.StatusPart{Name: name, State: word[p.states[i]]})
	}
	s.add(experiments.Record{Status: &read})
	for i, name := range []string{"web", "payments"}[:len(p.ready)] {
		look := experiments.Look{Probe: name, Role: "ready", OK: p.ready[i] == 'y'}
		if p.ready[i] == 'b' {
			look.Blind = "no such host"
		}
		s.add(experiments.Record{Look: &look})
	}
}

// says is a page that says one thing while the fault lasts, and is well otherwise.
func says(under public) func(experiments.Phase, time.Duration) public {
	return func(p experiments.Phase, _ time.Duration) public {
		if p == experiments.PhaseFault {
			return under
		}
		return public{states: "uuu", ready: "yy"}
	}
}

func always(p public) func(experiments.Phase, time.Duration) public {
	return func(experiments.Phase, time.Duration) public { return p }
}

func TestStatusRules(t *testing.T) {
	fail, pass, idle, blind := experiments.RuleFail, experiments.RulePass, experiments.NotExercised, experiments.Unverifiable
	green := always(public{states: "uuu"})
	short := func(tell func(*story)) func(*story) {
		return with(tell, func(s *story) {
			l := &s.plan.Journeys[0].Status
			l.For, l.FirstNotice = time.Minute, time.Minute
		})
	}
	notice := func(from, to time.Duration) func(experiments.Phase, time.Duration) public {
		return func(p experiments.Phase, after time.Duration) public {
			if p == experiments.PhaseFault && after >= from && after < to {
				return public{states: "udu"}
			}
			return public{states: "uuu"}
		}
	}
	stays := func(until time.Duration) func(experiments.Phase, time.Duration) public {
		return func(p experiments.Phase, after time.Duration) public {
			if p == experiments.PhaseFault || p == experiments.PhaseRecovery && after < until {
				return public{states: "udu"}
			}
			return public{states: "uuu"}
		}
	}
	runRuleCases(t, []ruleCase{
		{"liar", "SP-01", paged(green), fail, "all is well"},
		{"twin", "SP-01", paged(says(public{states: "udu"})), pass, ""},
		{"a little", "SP-01", paged(says(public{states: "usu"})), pass, ""},
		{"the front of it", "SP-01", paged(says(public{states: "duu"})), pass, ""},
		{"another part", "SP-01", paged(says(public{states: "uud"})), fail, "all is well"},
		{"red before", "SP-01", paged(always(public{states: "ddu"})), idle, ""},
		{"red before now and then", "SP-01", paged(func(p experiments.Phase, after time.Duration) public {
			if p == experiments.PhaseFault || p == experiments.PhaseBaseline && after > time.Second && after < 2*time.Second {
				return public{states: "duu"}
			}
			return public{states: "uuu"}
		}), pass, ""},
		{"a word that nobody knows", "SP-01", paged(says(public{states: "u?u"})), blind, ""},
		{"no part for it", "SP-01", with(paged(green), func(s *story) { s.plan.Status.Services = map[string]string{"Books": "catalog"} }), idle, ""},
		{"not for long enough", "SP-01", short(paged(green)), idle, ""},
		{"nobody fails", "SP-01", pagedAs(green, confirmed()), idle, ""},
		{"pending is no failure", "SP-01", pagedAs(green, buy{claim: experiments.ClaimPending, rows: 1, status: 202}), idle, ""},
		{"fails in the baseline too", "SP-01", with(paged(green), func(s *story) {
			base := s.inBase
			s.inBase = func(s *story) {
				base(s)
				for range 8 {
					s.buys(refused())
				}
			}
		}), idle, ""},
		{"unreadable", "SP-01", paged(says(public{failed: "status 500"})), blind, ""},
		{"missed", "SP-01", with(paged(green), func(s *story) { s.hits = 0 }), idle, ""},
		{"no page", "SP-01", honest, idle, ""},

		{"liar", "SP-02", paged(notice(4800*time.Millisecond, time.Hour)), fail, "no notice"},
		{"never", "SP-02", paged(green), fail, "no notice"},
		{"twin", "SP-02", paged(notice(2*time.Second, time.Hour)), pass, ""},
		{"over before it was due", "SP-02", short(paged(green)), idle, ""},
		{"unreadable", "SP-02", paged(says(public{blind: "no such host"})), blind, ""},

		{"liar", "SP-03", paged(says(public{failed: "refused"})), fail, "failed too"},
		{"frozen", "SP-03", paged(says(public{states: "uuu", frozen: true})), fail, "stood still"},
		{"twin", "SP-03", paged(says(public{states: "udu"})), pass, ""},
		{"never moves", "SP-03", paged(always(public{states: "udu", frozen: true})), pass, ""},
		{"fails before", "SP-03", paged(always(public{failed: "refused"})), idle, ""},
		{"once", "SP-03", paged(func(p experiments.Phase, after time.Duration) public {
			if p == experiments.PhaseFault && after < 300*time.Millisecond {
				return public{failed: "timeout"}
			}
			return public{states: "udu"}
		}), pass, ""},
		{"blind", "SP-03", paged(says(public{blind: "no such host"})), blind, ""},

		{"to and fro", "SP-04", paged(notice(3*time.Second, 4*time.Second)), pass, ""},
		{"closed early", "SP-04", paged(notice(0, 2*time.Second)), fail, "well again"},
		{"red for hours", "SP-04", paged(stays(time.Hour)), fail, "still said"},
		{"twin", "SP-04", paged(stays(2 * time.Second)), pass, ""},
		{"red at the end", "SP-04", with(paged(stays(time.Hour)), func(s *story) { s.plan.Journeys[0].Status.ClearWithin = time.Hour }), idle, ""},
		{"never steady", "SP-04", with(paged(stays(time.Hour)), func(s *story) { s.steady = 0 }), idle, ""},
		{"no notice", "SP-04", paged(green), idle, ""},

		{"liar", "SP-05", paged(says(public{states: "uus"})), fail, "Books: Degraded"},
		{"too much", "SP-05", paged(says(public{states: "udd"})), fail, "Books"},
		{"twin", "SP-05", paged(says(public{states: "udu"})), pass, ""},
		{"what needs it", "SP-05", paged(says(public{states: "duu"})), pass, ""},
		{"amiss before", "SP-05", paged(func(p experiments.Phase, _ time.Duration) public {
			if p == experiments.PhaseFault {
				return public{states: "udd"}
			}
			return public{states: "uud"}
		}), pass, ""},
		{"names nothing", "SP-05", paged(green), idle, ""},

		{"liar", "SP-06", paged(always(public{states: "uuu", ready: "yy"})), fail, "web went on"},
		{"twin", "SP-06", paged(says(public{states: "uuu", ready: "ny"})), pass, ""},
		{"red before", "SP-06", paged(always(public{states: "uuu", ready: "ny"})), idle, ""},
		{"not asked", "SP-06", paged(green), idle, ""},
		{"blind", "SP-06", paged(says(public{states: "uuu", ready: "bb"})), blind, ""},
		{"not for long enough", "SP-06", short(paged(says(public{states: "uuu", ready: "yy"}))), idle, ""},
		{"what was broken says so itself", "SP-06", with(paged(says(public{states: "uuu", ready: "yn"})), func(s *story) {
			s.plan.Faults[0].Reach = faults.Reach{Services: []string{"payments"}}
		}), pass, ""},
	})
}

// TestDistressNeedsEachFifth: one burst of failures does not stand for all of the time.
func TestDistressNeedsEachFifth(t *testing.T) {
	s := newStory()
	paged(always(public{states: "uuu"}))(s)
	s.inFault = func(s *story) {
		for i := range 12 {
			b := confirmed()
			if i < 3 || i > 10 {
				b = refused()
			}
			s.buys(b)
			s.shows(public{states: "uuu"})
			s.wait(450 * time.Millisecond)
		}
	}
	if got := ruleOf(t, s.judge(), "SP-01"); got.Verdict != experiments.NotExercised {
		t.Errorf("SP-01 = %s; a burst at the start and one at the end are no three seconds", fmt.Sprint(got))
	}
}
