package honesty

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/faults"
)

func TestOutcomeTable(t *testing.T) {
	for _, c := range []struct {
		claim experiments.Claim
		over  bool
		want  [4]string // not there, once and right, once and wrong, more than once
	}{
		{experiments.ClaimSuccess, true, [4]string{"ack-lost", "ack-true", "ack-wrong", "duplicated"}},
		{experiments.ClaimRefused, true, [4]string{"rejected-honest", "rejected-happened", "rejected-happened", "duplicated"}},
		{experiments.ClaimPending, false, [4]string{"open", "settled", "ack-wrong", "duplicated"}},
		{experiments.ClaimPending, true, [4]string{"pending-dropped", "settled", "ack-wrong", "duplicated"}},
		{experiments.ClaimUnknown, true, [4]string{"said-so", "said-so", "said-so", "duplicated"}},
		{experiments.ClaimNone, true, [4]string{"silent", "silent", "silent", "duplicated"}},
	} {
		for i, standing := range []standing{absent, right, wrong, several} {
			if got := judge(c.claim, fact{standing: standing}, c.over).String(); got != c.want[i] {
				t.Errorf("judge(%v, %d, %v) = %s; want %s", c.claim, standing, c.over, got, c.want[i])
			}
		}
		if got := judge(c.claim, fact{}, c.over); got != unverifiable {
			t.Errorf("judge(%v, unreadable) = %v; want unverifiable", c.claim, got)
		}
	}
}

func TestOutcomeOrder(t *testing.T) {
	want := strings.Fields("duplicated rejected-happened ack-lost ack-wrong pending-dropped unverifiable silent open said-so settled rejected-honest ack-true")
	diff(t, "outcomes from the worst on", want, outcomeNames[:])
	s := newStory()
	s.fault = []buy{{claim: experiments.ClaimSuccess, rows: 1, charges: 2}, {claim: experiments.ClaimSuccess, rows: 1, charges: -1}}
	got := s.judge().Journeys[0].Outcomes
	if got["duplicated"] != 1 || got["ack-lost"] != 1 || len(got) != 12 {
		t.Errorf("outcomes = %v; want one duplicated, one ack-lost, and all twelve named", got)
	}
}

func TestFoldRule(t *testing.T) {
	const p, f, i, u, n = experiments.RulePass, experiments.RuleFail, experiments.NotExercised, experiments.Unverifiable, experiments.NotApplicable
	for _, c := range []struct {
		in        []experiments.RuleVerdict
		want      experiments.RuleVerdict
		exercised int
	}{
		{nil, i, 0},
		{[]experiments.RuleVerdict{p}, p, 1},
		{[]experiments.RuleVerdict{p, i, n, p}, p, 2},
		{[]experiments.RuleVerdict{p, u, i}, u, 1},
		{[]experiments.RuleVerdict{u, f, p}, f, 2},
		{[]experiments.RuleVerdict{n, n}, n, 0},
		{[]experiments.RuleVerdict{n, i}, i, 0},
		{[]experiments.RuleVerdict{i}, i, 0},
	} {
		var in []Occasion
		for _, v := range c.in {
			in = append(in, Occasion{Verdict: v, Times: 1})
		}
		if got, exercised := foldRule(in); got != c.want || exercised != c.exercised {
			t.Errorf("foldRule(%v) = %v, %d; want %v, %d", c.in, got, exercised, c.want, c.exercised)
		}
	}
}

func TestVerdicts(t *testing.T) {
	const pass, fail, unproven = experiments.Pass, experiments.Fail, experiments.Unproven
	lie := only(buy{claim: experiments.ClaimSuccess})
	expecting := func(x experiments.Expectation) func(*story) {
		return func(s *story) { s.plan.Expect = append(s.plan.Expect, x) }
	}
	allowing := func(rule string, until time.Time) func(*story) {
		return func(s *story) {
			s.plan.Rules = append(s.plan.Rules, experiments.PlannedRule{ID: rule, Applies: true, Gated: true, Allowed: "known", Until: experiments.Date{Time: until}})
		}
	}
	day := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name string
		tell func(*story)
		want experiments.Verdict
		code string // among the reasons; empty: there is none
		exit int
	}{
		{"honest", honest, pass, "", 0},
		{"lie", lie, fail, experiments.ReasonRuleFailed, 1},
		{"whole under the fault", only(confirmed(), confirmed()), pass, "", 0},
		{"S3 is reported, not gated", only(buy{claim: experiments.ClaimRefused, status: 503}), pass, "", 0},
		{"no bite", func(s *story) { s.hits = 0 }, unproven, experiments.ReasonDidNotBite, 3},
		{"lie without a bite", with(lie, func(s *story) { s.hits = 0 }), unproven, experiments.ReasonDidNotBite, 3},
		{"nobody needed it", func(s *story) { s.fault = nil }, unproven, experiments.ReasonDidNotBite, 3},
		{"blind", blindTruth, unproven, experiments.ReasonTruthUnreadable, 3},
		{"lie and blind in part", with(lie, func(s *story) { s.plan.Journeys[0].Effects[1].Shares = []string{"web"} }), fail, experiments.ReasonRuleFailed, 1},
		{"reader shares the fault", func(s *story) { s.plan.Journeys[0].Effects[0].Shares = []string{"web"} }, unproven, experiments.ReasonTruthUnreadable, 3},
		{"idle", noBuys, unproven, experiments.ReasonRuleIdle, 3},
		{"required", func(s *story) {
			s.plan.Rules = append(s.plan.Rules, experiments.PlannedRule{ID: "CL-06", Applies: true, Required: true})
		}, unproven, experiments.ReasonRuleIdle, 3},
		{"required, not built", func(s *story) {
			s.plan.Rules = append(s.plan.Rules, experiments.PlannedRule{ID: "TX-02", Applies: true, Required: true})
		}, unproven, experiments.ReasonRuleIdle, 3},
		{"aborted", func(s *story) { s.ending = experiments.Aborted }, unproven, experiments.ReasonAborted, 4},
		{"aborted after a lie", with(lie, func(s *story) { s.ending = experiments.Aborted }), fail, experiments.ReasonAborted, 1},
		{"dirty", func(s *story) { s.left = []string{"a rule of the firewall"} }, unproven, experiments.ReasonDirty, 5},
		{"dirty after a lie", with(lie, func(s *story) { s.ending = experiments.Dirty }), fail, experiments.ReasonDirty, 5},
		{"no end", func(s *story) { s.noEnd = true }, unproven, experiments.ReasonBroken, 6},
		{"no end after a lie", with(lie, func(s *story) { s.noEnd = true }), fail, experiments.ReasonBroken, 1},
		{"never steady", func(s *story) { s.steady = 0 }, unproven, experiments.ReasonNoRecovery, 3},
		{"load behind", func(s *story) {
			s.last = func(s *story) {
				s.add(experiments.Record{Trouble: &experiments.Trouble{Code: experiments.ReasonLoadBehind, Text: "10 of 100 arrivals began"}})
			}
		}, unproven, experiments.ReasonLoadBehind, 3},
		{"allowed", with(only(confirmed(), buy{claim: experiments.ClaimRefused, rows: 1}), allowing("CL-03", day)), pass, "", 0},
		{"no longer allowed", with(only(confirmed(), buy{claim: experiments.ClaimRefused, rows: 1}), allowing("CL-03", day.AddDate(0, 0, -1))), fail, experiments.ReasonRuleFailed, 1},
		{"gate of S3", func(s *story) {
			s.plan.Rules = append(s.plan.Rules, experiments.PlannedRule{ID: "HT-05", Applies: true, Gated: true})
		}, fail, experiments.ReasonRuleFailed, 1},

		{"sick: a visit failed", func(s *story) { s.baseline[1] = refused() }, unproven, experiments.ReasonSickBaseline, 3},
		{"sick: a duplicate", with(lie, func(s *story) { s.baseline[1].rows = 2 }), unproven, experiments.ReasonSickBaseline, 3},
		{"sick: unsteady", func(s *story) {
			s.inBase = func(s *story) {
				s.add(experiments.Record{Look: &experiments.Look{Probe: "ready", Role: "steady", Summary: "503"}})
			}
		}, unproven, experiments.ReasonSickBaseline, 3},
		{"sick: refused and done while users warm it up", func(s *story) { s.warmup = []buy{{claim: experiments.ClaimRefused, rows: 1}} }, unproven, experiments.ReasonSickBaseline, 3},
		{"a failing visit before the baseline is not sick", func(s *story) { s.warmup = []buy{refused()} }, pass, "", 0},
		{"one bad look is not sick", func(s *story) {
			s.inBase = func(s *story) {
				s.add(experiments.Record{Look: &experiments.Look{Probe: "ready", Role: "steady", Summary: "503"}})
				s.add(experiments.Record{Look: &experiments.Look{Probe: "ready", Role: "steady", OK: true}})
			}
		}, pass, "", 0},
		{"lost to the fault is not sick", func(s *story) { s.baseline[1] = buy{claim: experiments.ClaimSuccess, early: true} }, fail, experiments.ReasonRuleFailed, 1},

		{"expected", expecting(experiments.Expectation{Journey: "buy", During: experiments.PhaseFault, Said: []experiments.Claim{experiments.ClaimRefused}}), pass, "", 0},
		{"said otherwise", expecting(experiments.Expectation{Journey: "buy", During: experiments.PhaseFault, Said: []experiments.Claim{experiments.ClaimUnknown}}), fail, experiments.ReasonExpectation, 1},
		{"too slow", expecting(experiments.Expectation{Journey: "buy", During: experiments.PhaseFault, P95: bound(t, "<= 10ms")}), fail, experiments.ReasonExpectation, 1},
		{"fast enough", expecting(experiments.Expectation{Journey: "buy", During: experiments.PhaseFault, P95: bound(t, "<= 1s"), P50: bound(t, "<= 30ms")}), pass, "", 0},
		{"success", expecting(experiments.Expectation{Journey: "buy", During: experiments.PhaseRecovery, Success: bound(t, ">= 100%")}), pass, "", 0},
		{"no success", expecting(experiments.Expectation{Journey: "buy", During: experiments.PhaseFault, Success: bound(t, ">= 1%")}), fail, experiments.ReasonExpectation, 1},
		{"nothing measured", expecting(experiments.Expectation{Journey: "browse", During: experiments.PhaseFault, Success: bound(t, ">= 1%")}), unproven, experiments.ReasonTooFewSamples, 3},
		{"steady in time", expecting(experiments.Expectation{Steady: bound(t, "<= 5s")}), pass, "", 0},
		{"steady too late", expecting(experiments.Expectation{Steady: bound(t, "<= 1s")}), fail, experiments.ReasonExpectation, 1},
		{"never steady, expected", with(expecting(experiments.Expectation{Steady: bound(t, "<= 1s")}), func(s *story) { s.steady = 0 }), fail, experiments.ReasonExpectation, 1},
	} {
		s := newStory()
		c.tell(s)
		r := s.judge()
		codes := codesOf(r)
		if r.Verdict != c.want || r.ExitCode != c.exit || c.code != "" && !slices.Contains(codes, c.code) || c.code == "" && len(codes) > 0 {
			t.Errorf("%s: %v, exit %d, reasons %v; want %v, exit %d, reason %q", c.name, r.Verdict, r.ExitCode, r.Reasons, c.want, c.exit, c.code)
		}
		for _, reason := range r.Reasons {
			if reason.Text == "" {
				t.Errorf("%s: reason %s says nothing", c.name, reason.Code)
			}
		}
	}
}

func codesOf(r experiments.Result) (codes []string) {
	for _, reason := range r.Reasons {
		codes = append(codes, reason.Code)
	}
	return codes
}

func bound(t *testing.T, text string) (c experiments.Comparison) {
	t.Helper()
	if err := c.UnmarshalText([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSickBaselineJudgesNothing(t *testing.T) {
	s := newStory()
	s.baseline[0].rows = 2
	s.fault = []buy{{claim: experiments.ClaimSuccess}}
	r := s.judge()
	if len(r.Findings) > 0 {
		t.Errorf("findings = %v; want none: old defects are not blamed on the fault", r.Findings)
	}
	for _, rule := range r.Rules {
		want := experiments.NotExercised
		if rule.ID == "MT-04" {
			want = experiments.RuleFail
		}
		if rule.Verdict != want {
			t.Errorf("%s = %v; want %v", rule.ID, rule.Verdict, want)
		}
	}
}

func TestAllowedStaysVisible(t *testing.T) {
	s := newStory()
	s.fault = append(s.fault, buy{claim: experiments.ClaimRefused, rows: 1})
	s.plan.Rules = []experiments.PlannedRule{{ID: "CL-03", Applies: true, Gated: true, Allowed: "known", Until: experiments.Date{Time: s.now}}}
	if r := s.judge(); len(findingsOf(r, "CL-03")) != 2 || r.Verdict != experiments.Pass {
		t.Errorf("verdict %v with findings %v; want a pass that shows both effects that were refused and happened", r.Verdict, r.Findings)
	}
}

func TestEmptyHistory(t *testing.T) {
	r := Judge(&experiments.Plan{}, experiments.History{})
	if r.Verdict != experiments.Unproven || r.Ending != experiments.Broken || r.ExitCode != 6 || len(r.Rules) != 88 {
		t.Errorf("verdict %v, ending %v, exit %d, %d rules; want unproven, broken, 6, 88", r.Verdict, r.Ending, r.ExitCode, len(r.Rules))
	}
	var back map[string]any
	if err := json.Unmarshal([]byte(encode(t, r)), &back); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"reasons", "phases", "faults", "journeys", "expectations", "rules", "findings", "standards"} {
		if _, list := back[key].([]any); !list {
			t.Errorf("%s = %v; want a list, empty where there is nothing", key, back[key])
		}
	}
}

func TestPanicIsUnverifiable(t *testing.T) {
	broken := Rule{Info: experiments.RuleInfo{ID: "CL-01"}, check: func(*evidence) []Occasion { panic("index out of range") }}
	got := attempt(broken, &evidence{})
	if len(got) != 1 || got[0].Verdict != experiments.Unverifiable || !contains(got[0].Why, "index out of range") {
		t.Errorf("attempt = %+v; want unverifiable with the reason", got)
	}
}

func TestSameEachTime(t *testing.T) {
	s := newStory()
	s.ghosts = []experiments.TruthRow{{Marker: "b", Count: 1}, {Marker: "a", Count: 1}, {Marker: "c", Count: 2}}
	s.fault = append(s.fault, buy{claim: experiments.ClaimSuccess}, buy{claim: experiments.ClaimPending, promise: time.Second}, buy{trouble: "reset"})
	s.plan.Cycles = map[string]time.Duration{"sweep": time.Hour, "lease": time.Hour}
	h := s.history()
	first := encode(t, Judge(&s.plan, h))
	for range 20 {
		if again := encode(t, Judge(&s.plan, h)); again != first {
			diff(t, "the same history judged again", first, again)
			return
		}
	}
}

func TestSecondFaultThatMissed(t *testing.T) {
	s := newStory()
	s.plan.Faults = append(s.plan.Faults, experiments.PlannedFault{Name: "no catalog", Reach: faults.Reach{Services: []string{"catalog"}}})
	r := s.judge()
	if r.Verdict != experiments.Unproven || !slices.Contains(codesOf(r), experiments.ReasonDidNotBite) {
		t.Errorf("%v %v; want unproven: no step that needs catalog ran", r.Verdict, r.Reasons)
	}
	if got := ruleOf(t, r, "CL-03"); got.Verdict != experiments.RulePass {
		t.Errorf("CL-03 = %v; want pass: the other fault bit", got.Verdict)
	}
	if got := ruleOf(t, r, "MT-01"); got.Verdict != experiments.RuleFail || got.Exercised != 2 {
		t.Errorf("MT-01 = %+v; want a fail of two occasions", got)
	}
}

func TestRunnersOwnRules(t *testing.T) {
	fail, pass, idle, cannot := experiments.RuleFail, experiments.RulePass, experiments.NotExercised, experiments.NotApplicable
	cycles := func(d time.Duration) func(*story) {
		return func(s *story) { s.plan.Cycles = map[string]time.Duration{"sweep": d} }
	}
	runRuleCases(t, []ruleCase{
		{"hits nothing", "MT-01", func(s *story) { s.hits = 0 }, fail, ""},
		{"hits", "MT-01", honest, pass, ""},
		{"no fault", "MT-01", func(s *story) { s.plan.Faults = nil }, idle, ""},
		{"idle", "MT-02", noBuys, fail, ""},
		{"exercised", "MT-02", honest, pass, ""},
		{"blind", "MT-03", blindTruth, fail, ""},
		{"shares", "MT-03", func(s *story) { s.plan.Journeys[0].Effects[0].Shares = []string{"web"} }, fail, ""},
		{"sees", "MT-03", honest, pass, ""},
		{"no effects", "MT-03", func(s *story) { s.plan.Journeys[0].Effects = nil }, idle, ""},
		{"well", "MT-04", honest, pass, ""},
		{"in a run", "MT-05", honest, cannot, ""},
		{"too short", "MT-06", cycles(time.Minute), fail, ""},
		{"long enough", "MT-06", cycles(10 * time.Second), pass, ""},
		{"no cycles", "MT-06", honest, cannot, ""},
		{"long, but read early", "MT-06", with(cycles(time.Minute), func(s *story) { s.last = func(s *story) { s.wait(time.Hour) } }), fail, ""},
	})
}

func TestUpperBound(t *testing.T) {
	for _, c := range []struct {
		k, n int
		want float64
	}{
		{0, 0, 1}, {3, 3, 1}, {0, 1, 0.95}, {0, 299, 0.00997}, {0, 2995, 0.001}, {0, 29956, 0.0001},
		{1, 10, 0.39416}, {2, 20, 0.28262}, {5, 100, 0.10225}, {50, 100, 0.58638}, {99, 100, 0.99949},
	} {
		if got := upperBound(c.k, c.n); math.Abs(got-c.want) > 1e-5 {
			t.Errorf("upperBound(%d, %d) = %.5f; want %.5f", c.k, c.n, got, c.want)
		}
	}
}

func TestThreeNumbers(t *testing.T) {
	s := newStory()
	s.baseline, s.recovery = nil, nil
	s.inBase = felt
	s.fault = []buy{confirmed(), {claim: experiments.ClaimSuccess}, {claim: experiments.ClaimUnknown, rows: 1}, {claim: experiments.ClaimPending, promise: time.Hour}, {trouble: "reset"}}
	j := s.judge().Journeys[0]
	got := fmt.Sprintf("%d intents, lies %.3f, straight %.3f, said so %.3f, bound %.3f", j.Intents, j.LieRate, j.StraightAnswerRate, j.SaidSoShare, j.LieRateBound95)
	if want := "5 intents, lies 0.250, straight 0.400, said so 0.200, bound 0.751"; got != want {
		t.Errorf("%s; want %s", got, want)
	}
}

func TestPhaseNumbers(t *testing.T) {
	s := newStory()
	s.inFault = func(s *story) {
		yes, no := true, false
		s.asks(experiments.Exchange{Step: "place", Status: 200, Expect: &no})
		s.asks(experiments.Exchange{Step: "place", Status: 404, Expect: &yes})
		s.asks(experiments.Exchange{Step: "place", Status: 200, Trouble: "closed"})
		due := s.now.Add(-time.Second)
		s.asks(experiments.Exchange{Step: "place", Status: 200, Due: due, Hop: 0})
		s.visit--
		s.asks(experiments.Exchange{Step: "place", Status: 302, Hop: 1})
	}
	got := s.judge().Journeys[0].Phases[experiments.PhaseFault]
	if got.Requests != 7 || math.Abs(got.SuccessRate-2.0/7) > 1e-9 || got.P50 < 19 || got.P50 > 22 || got.P99 < 1030 || got.P99 > 1060 {
		t.Errorf("numbers = %+v; want 7 requests, 2 of them good, one of a second and more since it was due", got)
	}
}

func TestHeadline(t *testing.T) {
	rules := []experiments.RuleResult{{ID: "CL-01", Verdict: experiments.RulePass}, {ID: "CL-02", Verdict: experiments.RuleFail},
		{ID: "CL-03", Verdict: experiments.Unverifiable}, {ID: "CL-04"}, {ID: "MT-01", Verdict: experiments.RulePass}}
	want := "2 of 4 rules exercised: 1 pass, 1 fail; 1 unverifiable; 0 not applicable; 1 not exercised (CL-04)"
	if got := Headline(rules); got != want {
		t.Errorf("Headline = %q; want %q", got, want)
	}
}

func TestAlike(t *testing.T) {
	for _, c := range []struct {
		want, stored string
		level        int // the strictest at which they are alike; 9: none
	}{
		{"3", "3", asIs}, {"two  copies", " two copies", trimmed}, {"Blue", "blue", anyCase}, {"1200", "1200.00", sameNumber}, {"3", "1", 9}, {"a", "b", 9}, {"1200", "", 9},
	} {
		for level := asIs; level <= sameNumber; level++ {
			if got := alike(c.want, c.stored, level); got != (level >= c.level) {
				t.Errorf("alike(%q, %q, %d) = %v", c.want, c.stored, level, got)
			}
		}
	}
}

// TestReasonsSayWhatIsMissing: each hole by its own words, and none twice.
func TestReasonsSayWhatIsMissing(t *testing.T) {
	for _, c := range []struct {
		name, code, says string
		tell             func(*story)
	}{
		{"not read after the fault", experiments.ReasonTruthUnreadable, "was not read after the fault", func(s *story) { s.reads = 0 }},
		{"read once", experiments.ReasonTruthUnreadable, "read only once", with(only(buy{claim: experiments.ClaimSuccess}), func(s *story) { s.reads = 1 })},
		{"blind", experiments.ReasonTruthUnreadable, "connection refused", blindTruth},
		{"aborted", experiments.ReasonAborted, "the whole site is down", func(s *story) {
			s.ending = experiments.Aborted
			s.last = func(s *story) {
				s.add(experiments.Record{Trouble: &experiments.Trouble{Code: experiments.ReasonAborted, Text: "by a rule: the whole site is down"}})
			}
		}},
	} {
		s := newStory()
		c.tell(s)
		var texts []string
		for _, r := range s.judge().Reasons {
			if r.Code == c.code {
				texts = append(texts, r.Text)
			}
		}
		if len(texts) == 0 || !contains(texts[0], c.says) || c.code == experiments.ReasonAborted && len(texts) > 1 {
			t.Errorf("%s: reasons %q; want one that says %q", c.name, texts, c.says)
		}
	}
}
