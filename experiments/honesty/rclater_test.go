package honesty

import (
	"testing"
	"time"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/faults"
)

func TestBrokenPromise(t *testing.T) {
	fail, pass, idle, blind := experiments.RuleFail, experiments.RulePass, experiments.NotExercised, experiments.Unverifiable
	well := inJSON(`{"status":"placed"}`)
	telling := func(text string) experiments.Exchange { return as(503, inJSON(`{"error":"`+text+`"}`)) }
	// promising: an answer under the fault, later ones a second apart, and what comes after the fault.
	promising := func(first experiments.Exchange, then []experiments.Exchange, after ...experiments.Exchange) func(*story) {
		return func(s *story) {
			asked(well)(s)
			s.inFault = func(s *story) {
				for _, x := range append([]experiments.Exchange{first}, then...) {
					s.asks(placed(x))
					s.wait(time.Second)
				}
			}
			s.inRecov = func(s *story) {
				s.wait(10 * time.Second)
				for _, x := range after {
					s.asks(placed(x))
				}
			}
		}
	}
	down := telling("down")
	frozen := telling("We are back at 09:00 UTC")
	runRuleCases(t, []ruleCase{
		{"liar", "RC-09", promising(frozen, []experiments.Exchange{frozen, frozen}, frozen, frozen), fail, "09:00 UTC"},
		{"by a date", "RC-09", promising(telling("available again by 2026-11-24T09:00:05Z"), nil, telling("available again by 2026-11-24T09:00:05Z"), down), fail, "2026-11-24"},
		{"by a length", "RC-09", promising(telling("back in 5 seconds"), nil, down, down), fail, "back in 5 seconds"},
		{"by the header", "RC-09", promising(having(down, "Retry-After", "3"), nil, down, down), fail, "Retry-After: 3"},
		{"twin", "RC-09", promising(having(down, "Retry-After", "3"), nil, well, well), pass, ""},
		{"moved in time", "RC-09", promising(having(down, "Retry-After", "3"), []experiments.Exchange{having(down, "Retry-After", "3")}, well, well), pass, ""},
		{"withdrawn in time", "RC-09", promising(telling("back in 5 seconds"), []experiments.Exchange{telling("We do not know how long it takes")}, down, down), pass, ""},
		{"well in time, and broken again", "RC-09", promising(telling("back in 5 seconds"), []experiments.Exchange{well}, down, down), pass, ""},
		{"long since over", "RC-09", promising(telling("back in 2 minutes"), nil, well, well), pass, ""},
		{"nobody asks again", "RC-09", promising(telling("back in 2 minutes"), nil), idle, ""},
		{"once more", "RC-09", promising(telling("back in 5 seconds"), nil, down), blind, ""},
		{"failed once", "RC-09", promising(telling("back in 5 seconds"), nil, down, well), pass, ""},
		{"an hour somewhere", "RC-09", promising(telling("We are back at 14:00"), nil, well, well), blind, ""},
		{"nothing promised", "RC-09", promising(down, nil, well, well), idle, ""},
		{"a time of something else", "RC-09", promising(telling("Your order of 14:00 UTC was not placed"), nil, down, down), idle, ""},
	})
}

func TestHerd(t *testing.T) {
	fail, pass, idle := experiments.RuleFail, experiments.RulePass, experiments.NotExercised
	// coming: requests at distances, in the baseline and after the fault; a marker of "" is one of its own for each.
	coming := func(usual, gap time.Duration, n int, marker string, jitter time.Duration) func(*story) {
		send := func(s *story, n int, gap time.Duration, marker string) {
			for i := range n {
				s.add(experiments.Record{Seen: &faults.Request{At: s.now, Path: faults.Path{From: "web", To: "payments"}, Method: "POST", Target: "/charges", Marker: marker}})
				s.wait(gap - 10*time.Millisecond + time.Duration(i%3)*jitter)
			}
		}
		return func(s *story) {
			s.inBase = func(s *story) { send(s, 20, usual, "") }
			s.inRecov = func(s *story) { send(s, n, gap, marker) }
		}
	}
	again := func(looks ...bool) func(*story) {
		return with(coming(100*time.Millisecond, 100*time.Millisecond, 60, "", 0), func(s *story) {
			send := s.inRecov
			s.inRecov = func(s *story) {
				send(s)
				for _, ok := range looks {
					s.add(experiments.Record{Look: &experiments.Look{Probe: "web is ready", Role: "steady", OK: ok, Summary: "status 503"}})
				}
			}
		})
	}
	runRuleCases(t, []ruleCase{
		{"four times as many", "RC-07", coming(500*time.Millisecond, 20*time.Millisecond, 2000, "", 0), fail, "requests a second"},
		{"repeats", "RC-07", coming(50*time.Millisecond, 300*time.Millisecond, 30, "cx-4", 40*time.Millisecond), fail, "were repeats"},
		{"in step", "RC-07", with(coming(50*time.Millisecond, 300*time.Millisecond, 80, "", 0), func(s *story) {
			send := s.inRecov
			s.inRecov = func(s *story) {
				for range 6 {
					s.add(experiments.Record{Seen: &faults.Request{At: s.now, Path: faults.Path{From: "web", To: "payments"}, Method: "POST", Target: "/charges", Marker: "cx-4"}})
					s.wait(90 * time.Millisecond)
				}
				send(s)
			}
		}), fail, "without jitter"},
		{"twin", "RC-07", coming(100*time.Millisecond, 100*time.Millisecond, 60, "", 0), pass, ""},
		{"few", "RC-07", coming(100*time.Millisecond, 100*time.Millisecond, 5, "", 0), idle, ""},
		{"none", "RC-07", honest, idle, ""},
		{"a backlog", "RC-07", func(s *story) {
			s.fault = nil
			for range 100 {
				s.fault = append(s.fault, buy{claim: experiments.ClaimPending, rows: 1, status: 202})
			}
			s.inBase = func(s *story) {
				for range 20 {
					s.add(experiments.Record{Seen: &faults.Request{At: s.now, Path: faults.Path{From: "web", To: "payments"}, Method: "POST", Target: "/charges"}})
					s.wait(2 * time.Second)
				}
			}
			s.inRecov = func(s *story) {
				for _, b := range s.bought[3:103] {
					s.add(experiments.Record{Seen: &faults.Request{At: s.now, Path: faults.Path{From: "web", To: "payments"}, Method: "POST", Target: "/charges", Marker: b.marker}})
				}
			}
		}, pass, ""},
		{"down again", "RC-07", again(true, false, false), fail, "failed once more"},
		{"down for a moment", "RC-07", again(false, true, false), pass, ""},
		{"never gone", "RC-07", with(coming(time.Second, 20*time.Millisecond, 2000, "", 0), func(s *story) { s.unmended = true }), idle, ""},
		{"missed", "RC-07", with(coming(time.Second, 20*time.Millisecond, 2000, "", 0), func(s *story) { s.hits = 0 }), idle, ""},
	})
}

func TestPoisonedFallback(t *testing.T) {
	fail, pass, idle, blind := experiments.RuleFail, experiments.RulePass, experiments.NotExercised, experiments.Unverifiable
	showing := func(under, value string, more ...func(*story)) func(*story) {
		return func(s *story) {
			for i := range s.baseline {
				s.baseline[i].body = `{"pence":1200}`
			}
			s.fault = []buy{{claim: experiments.ClaimSuccess, rows: 1, status: 201, body: under, value: value}}
			s.recovery = nil
			for _, m := range more {
				m(s)
			}
		}
	}
	runRuleCases(t, []ruleCase{
		{"liar", "RC-10", showing(`{"pence":999}`, "999"), fail, "fell back to"},
		{"shown and not stored", "RC-10", showing(`{"pence":999}`, "1200"), pass, ""},
		{"stored and never shown", "RC-10", showing(`{"pence":9990}`, "999"), pass, ""},
		{"the user's choice", "RC-10", showing(`{"pence":999}`, "999", func(s *story) { s.fault[0].request = experiments.Text{Text: `{"pence":999}`} }), pass, ""},
		{"no fallback", "RC-10", showing(`{"pence":1200}`, "1200"), idle, ""},
		{"never shown when all is well", "RC-10", showing(`{"pence":999}`, "999", func(s *story) { s.baseline[1].body = `{}` }), idle, ""},
		{"refused", "RC-10", showing(`{"pence":999}`, "999", func(s *story) { s.fault = []buy{refused()} }), idle, ""},
		{"blind", "RC-10", showing(`{"pence":999}`, "999", func(s *story) { s.blind = "refused" }), blind, ""},
	})
}
