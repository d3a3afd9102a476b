package honesty

import (
	"testing"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// copyOf is a copy that says how old it is, with rules for its use.
func copyOf(age, control string) experiments.Exchange {
	x := having(inJSON(`{"pence":1200}`), "Cache-Control", control)
	if age != "" {
		x = having(x, "Age", age)
	}
	return having(x, "Date", "Tue, 24 Nov 2026 09:00:00 GMT")
}

func TestForbiddenStale(t *testing.T) {
	fail, pass, idle, blind := experiments.RuleFail, experiments.RulePass, experiments.NotExercised, experiments.Unverifiable
	well := copyOf("", "max-age=60, must-revalidate")
	old := having(copyOf("", "max-age=2, must-revalidate"), "Date", "Tue, 24 Nov 2026 08:50:00 GMT")
	same := func(x experiments.Exchange) experiments.Exchange { return having(x, "Etag", `"7"`) }
	runRuleCases(t, []ruleCase{
		{"liar", "HT-07", asked(well, copyOf("90", "max-age=60, must-revalidate")), fail, "must-revalidate forbids"},
		{"a shared cache", "HT-07", asked(well, copyOf("90", "max-age=600, s-maxage=60")), fail, "s-maxage forbids"},
		{"a shared cache, and not its business", "HT-07", asked(well, copyOf("90", "private, max-age=600, s-maxage=60")), pass, ""},
		{"no-cache", "HT-07", asked(well, copyOf("90", "no-cache")), fail, "no-cache forbids"},
		{"no-cache of a field", "HT-07", asked(well, copyOf("90", `max-age=60, no-cache="Set-Cookie, X"`)), idle, ""},
		{"stale for too long", "HT-07", asked(well, copyOf("90", "max-age=60, stale-if-error=10")), fail, "no more than 10s"},
		{"stale as allowed", "HT-07", asked(well, copyOf("90", "max-age=60, stale-if-error=300")), pass, ""},
		{"within two seconds", "HT-07", asked(well, copyOf("61", "max-age=60, must-revalidate")), pass, ""},
		{"fresh", "HT-07", asked(well, copyOf("30", "max-age=60, must-revalidate")), pass, ""},
		{"nothing forbids it", "HT-07", asked(well, copyOf("90", "max-age=60")), idle, ""},
		{"no lifetime", "HT-07", asked(well, copyOf("90", "must-revalidate")), idle, ""},
		{"a lifetime that nobody can read", "HT-07", asked(well, copyOf("90", "max-age=soon, must-revalidate")), idle, ""},
		{"by its date alone", "HT-07", asked(well, old), blind, ""},
		{"by its date, and seen before", "HT-07", asked(same(well), same(old)), fail, "must-revalidate"},
		{"same in the baseline", "HT-07", asked(copyOf("90", "max-age=60, must-revalidate"), copyOf("91", "max-age=60, must-revalidate")), idle, ""},
		{"an error", "HT-07", asked(well, as(503, copyOf("90", "max-age=60, must-revalidate"))), idle, ""},
		{"missed", "HT-07", with(asked(well, copyOf("90", "max-age=60, must-revalidate")), func(s *story) { s.hits = 0 }), idle, ""},
		{"another step", "HT-07", asked(well, experiments.Exchange{Step: "look", Status: 200, Headers: copyOf("90", "max-age=60, must-revalidate").Headers}), idle, ""},
	})
}

func TestCacheableError(t *testing.T) {
	fail, pass, idle := experiments.RuleFail, experiments.RulePass, experiments.NotExercised
	well, down := inJSON(`{"status":"placed"}`), as(503, inJSON(`{"error":"down"}`))
	keep := func(x experiments.Exchange, control string) experiments.Exchange {
		return having(x, "Cache-Control", control)
	}
	soft := inJSON(`{"success":false}`)
	posted := keep(down, "public, max-age=600")
	posted.Method = "POST"
	runRuleCases(t, []ruleCase{
		{"liar", "HT-08", asked(well, keep(down, "public, max-age=600")), fail, "10m0s"},
		{"in the browser", "HT-08", asked(well, keep(down, "private, max-age=600")), fail, "10m0s"},
		{"by Expires", "HT-08", asked(well, having(having(down, "Date", "Tue, 24 Nov 2026 09:00:00 GMT"), "Expires", "Tue, 24 Nov 2026 09:10:00 GMT")), fail, "10m0s"},
		{"public, and no more", "HT-08", asked(well, keep(down, "public")), fail, "sees fit"},
		{"a soft error that says nothing", "HT-08", asked(well, soft), fail, "sees fit"},
		{"a soft error that is not kept", "HT-08", asked(well, keep(soft, "no-store")), pass, ""},
		{"twin", "HT-08", asked(well, keep(down, "no-store")), pass, ""},
		{"no-store beats a lifetime", "HT-08", asked(well, keep(down, "no-store, max-age=600")), pass, ""},
		{"says nothing", "HT-08", asked(well, down), pass, ""},
		{"expired at once", "HT-08", asked(well, keep(down, "max-age=0")), pass, ""},
		{"an answer that no cache keeps", "HT-08", asked(well, posted), pass, ""},
		{"for every request alone", "HT-08", asked(well, having(keep(down, "public, max-age=600"), "Vary", "*")), pass, ""},
		{"for 5 s, and nobody declared it", "HT-08", asked(well, keep(down, "max-age=5")), fail, "5s"},
		{"for 5 s, as declared", "HT-08", with(asked(well, keep(down, "max-age=5")), func(s *story) {
			s.plan.Rules = []experiments.PlannedRule{{ID: "HT-08", Applies: true, Allowed: "spares the back end", Until: experiments.Date{Time: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}}}
		}), idle, ""},
		{"same in the baseline", "HT-08", func(s *story) {
			asked(well, keep(down, "max-age=600"))(s)
			s.inBase = func(s *story) { s.asks(placed(well)); s.asks(placed(keep(down, "max-age=600"))) }
		}, idle, ""},
		{"no error", "HT-08", asked(well, well), idle, ""},
	})
}

func TestDirectives(t *testing.T) {
	diff(t, "directives", map[string]string{"max-age": "60", "no-cache": "a, b", "public": ""},
		directives([]string{`Max-Age="60", no-cache="a, b"`, "public,max-age=5,,"}))
}
