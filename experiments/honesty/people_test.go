package honesty

import (
	"testing"
	"time"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/faults"
)

// pressed is what a person buys who presses again with these keys.
func pressed(rows int64, keys ...string) buy {
	b := confirmed()
	b.rows, b.key, b.again = rows, keys[0], keys[1:]
	return b
}

// doubted is a purchase of somebody who looks it up.
func doubted(sight experiments.Sight) buy {
	b := confirmed()
	sight.Step, sight.Looks = "look", 4
	b.sight = &sight
	return b
}

func TestDoubleSubmitRule(t *testing.T) {
	runRuleCases(t, []ruleCase{
		{"liar", "IN-05", only(pressed(2, "", "", "")), experiments.RuleFail, "pressed 3 times for one thing, and order is there 2 times"},
		{"charged twice", "IN-05", only(func() buy { b := pressed(1, "k", "k"); b.charges = 2; return b }()), experiments.RuleFail, "charge is there 2 times"},
		{"no key, and it happened to go well", "IN-05", only(pressed(1, "", "")), experiments.RuleFail, "no key"},
		{"differing keys", "IN-05", only(pressed(1, "k1", "k2")), experiments.RuleFail, "differing"},
		{"twin", "IN-05", only(pressed(1, "k", "k", "k")), experiments.RulePass, ""},
		{"the key is in the body", "IN-05", func(s *story) {
			b := pressed(1, "", "")
			b.request = experiments.Text{Text: `{"token":"t"}`}
			s.fault, s.plan.Idempotency = []buy{b}, []string{"json.token"}
		}, experiments.RulePass, ""},
		{"idle", "IN-05", honest, experiments.NotExercised, ""},
		{"blind", "IN-05", with(only(pressed(1, "k", "k")), blindTruth), experiments.Unverifiable, ""},
		{"the fault did not bite", "IN-05", with(only(pressed(2, "", "")), func(s *story) { s.hits = 0 }), experiments.NotExercised, ""},
	})
}

// TestDoubleSubmitSeverity: what duplicates is grave, what only could is not.
func TestDoubleSubmitSeverity(t *testing.T) {
	for want, b := range map[experiments.Severity]buy{experiments.S1: pressed(2, "", ""), experiments.S3: pressed(1, "", "")} {
		s := newStory()
		s.fault = []buy{b}
		if found := findingsOf(s.judge(), "IN-05"); len(found) != 1 || found[0].Severity != want {
			t.Errorf("findings %+v; want one of %s", found, want)
		}
	}
}

// TestPressesAtOnceAreNoMachine: of what a service sends for two presses under way each press may have had its own.
func TestPressesAtOnceAreNoMachine(t *testing.T) {
	for want, times := range map[experiments.RuleVerdict]int{experiments.RulePass: 2, experiments.RuleFail: 3} {
		s := newStory()
		s.inFault = func(s *story) {
			b := pressed(2, "", "")
			b.took = time.Second
			s.buys(b)
			for i := range times {
				s.add(experiments.Record{Seen: &faults.Request{At: s.now.Add(time.Duration(i-500) * time.Millisecond), Path: faults.Path{From: "web", To: "payments"},
					Method: "POST", Target: "/charges", Marker: s.bought[len(s.bought)-1].marker}})
			}
		}
		if got := ruleOf(t, s.judge(), "HT-09"); got.Verdict != want {
			t.Errorf("%d requests behind two presses at once: HT-09 = %v; want %v", times, got.Verdict, want)
		}
	}
}

func TestOwnWriteRule(t *testing.T) {
	missing := experiments.Sight{After: 3 * time.Second}
	runRuleCases(t, []ruleCase{
		{"liar", "RC-06", only(doubted(missing)), experiments.RuleFail, "in 4 looks over 3s"},
		{"twin", "RC-06", only(doubted(experiments.Sight{Seen: true})), experiments.RulePass, ""},
		{"idle", "RC-06", honest, experiments.NotExercised, ""},
		{"blind", "RC-06", only(doubted(experiments.Sight{After: 3 * time.Second, Blind: "answered 503"})), experiments.Unverifiable, ""},
		{"the run ended", "RC-06", only(doubted(experiments.Sight{After: time.Second})), experiments.NotExercised, ""},
		{"the truth does not have it", "RC-06", only(func() buy { b := doubted(missing); b.rows = 0; return b }()), experiments.NotExercised, ""},
		{"pending", "RC-06", only(func() buy {
			b := doubted(missing)
			b.claim = experiments.ClaimPending
			return b
		}()), experiments.NotExercised, ""},
		{"all was well", "RC-06", func(s *story) { s.baseline = []buy{doubted(missing)} }, experiments.NotExercised, ""},
	})
}

// reads is one read of a version.
func reads(version float64, url string) experiments.Exchange {
	return experiments.Exchange{Step: "look", URL: url, Status: 200, Version: &version}
}

func TestTimeTravelRule(t *testing.T) {
	told := func(all ...experiments.Exchange) func(*story) {
		return func(s *story) {
			s.inFault = func(s *story) {
				for _, x := range all {
					s.asks(x)
				}
			}
		}
	}
	const a, b = "http://web/books/1", "http://web/books/2"
	runRuleCases(t, []ruleCase{
		{"liar", "RC-05", told(reads(2, a), reads(1, a), reads(2, a)), experiments.RuleFail, "version 1 after version 2"},
		{"twin", "RC-05", told(reads(1, a), reads(2, a), reads(2, a)), experiments.RulePass, ""},
		{"other things", "RC-05", told(reads(2, a), reads(1, b)), experiments.NotExercised, ""},
		{"another sort", "RC-05", told(reads(2, a), reads(1, a+"?sort=price")), experiments.NotExercised, ""},
		{"idle", "RC-05", honest, experiments.NotExercised, ""},
		{"no answer", "RC-05", told(reads(2, a), func() experiments.Exchange { x := reads(1, a); x.Trouble = "reset"; return x }()), experiments.NotExercised, ""},
		{"the fault did not bite", "RC-05", with(told(reads(2, a), reads(1, a)), func(s *story) { s.hits = 0 }), experiments.NotExercised, ""},
	})
}

func TestOtherUserRule(t *testing.T) {
	ann, bob := confirmed(), confirmed()
	ann.visitor, bob.visitor = "ann", "bob"
	shows := func(who, text string) experiments.Exchange {
		return experiments.Exchange{Status: 200, Visitor: who, Body: experiments.Text{Text: text}}
	}
	both := func(x experiments.Exchange) func(*story) {
		return func(s *story) {
			s.baseline = []buy{ann, bob} // cx-1 is ann's, cx-2 bob's
			s.inFault = func(s *story) { s.asks(x) }
		}
	}
	located := shows("bob", "")
	located.Headers = map[string][]string{"Location": {"/orders/cx-1"}}
	cut := shows("bob", "much")
	cut.Body.Cut = true
	runRuleCases(t, []ruleCase{
		{"liar", "LK-07", both(shows("bob", "your orders: cx-1")), experiments.RuleFail, "“ann”"},
		{"in a header", "LK-07", both(located), experiments.RuleFail, "cx-1"},
		{"twin", "LK-07", both(shows("bob", "your orders: cx-2")), experiments.RulePass, ""},
		{"a longer number is another's", "LK-07", both(shows("bob", "cx-11")), experiments.RulePass, ""},
		{"nobody is signed in", "LK-07", both(shows("", "cx-1")), experiments.NotExercised, ""},
		{"one visitor", "LK-07", func(s *story) {
			s.baseline = []buy{ann}
			s.inFault = func(s *story) { s.asks(shows("ann", "cx-1")) }
		}, experiments.NotExercised, ""},
		{"shared when all is well", "LK-07", with(both(shows("bob", "cx-1")), func(s *story) {
			s.inBase = func(s *story) { s.asks(shows("bob", "cx-1")) }
		}), experiments.NotExercised, ""},
		{"blind", "LK-07", both(cut), experiments.Unverifiable, ""},
	})
}
