package honesty

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/faults"
)

// asked makes exchanges of the step "place" under the fault, and one that is well in the baseline.
func asked(well experiments.Exchange, under ...experiments.Exchange) func(*story) {
	return func(s *story) {
		noBuys(s)
		s.inBase = func(s *story) { s.asks(placed(well)) }
		s.inFault = func(s *story) {
			for _, x := range under {
				s.asks(placed(x))
			}
		}
	}
}

func placed(x experiments.Exchange) experiments.Exchange {
	x.Step = orElse(x.Step, "place")
	return x
}

func body(kind, text string) experiments.Exchange {
	return experiments.Exchange{Status: 200, Headers: map[string][]string{"Content-Type": {kind}}, Body: experiments.Text{Text: text, Length: int64(len(text))}}
}

func inJSON(text string) experiments.Exchange { return body("application/json", text) }

func onPage(text string) experiments.Exchange { return body("text/html; charset=utf-8", text) }

func as(status int, x experiments.Exchange) experiments.Exchange {
	x.Status = status
	return x
}

func cut(x experiments.Exchange) experiments.Exchange {
	x.Body.Cut = true
	return x
}

func having(x experiments.Exchange, name, value string) experiments.Exchange {
	headers := maps.Clone(x.Headers)
	if headers == nil {
		headers = map[string][]string{}
	}
	headers[name] = []string{value}
	x.Headers = headers
	return x
}

func wanting(accept string, x experiments.Exchange) experiments.Exchange {
	x.RequestHeaders = map[string]string{"Accept": accept}
	return x
}

func lasting(d time.Duration, x experiments.Exchange) experiments.Exchange {
	x.Ended = time.Time{}.Add(d)
	return x
}

func twice(x experiments.Exchange) []experiments.Exchange {
	return []experiments.Exchange{x, x}
}

func TestWireRules(t *testing.T) {
	well := inJSON(`{"status":"placed","order":7}`)
	page := onPage(`<html><title>Shop</title><body><header>Books</header><main>Order placed</main></body></html>`)
	oops := onPage(`<title>Error</title><body><main><div role="alert">The order failed</div></main></body>`)
	fail, pass, idle, blind := experiments.RuleFail, experiments.RulePass, experiments.NotExercised, experiments.Unverifiable
	missed := func(s *story) { s.hits = 0 }
	runRuleCases(t, []ruleCase{
		{"success false", "HT-01", asked(well, inJSON(`{"success":false,"error":"orders unavailable"}`)), fail, "success: false"},
		{"a word of failure", "HT-01", asked(well, inJSON(`{"status":"payment_failed"}`)), fail, "status: failed"},
		{"page", "HT-01", asked(page, twice(oops)...), fail, "an alert"},
		{"page by the lexicon", "HT-01", asked(page, twice(onPage(`<h1>Your card was not charged</h1><main><p role="alert">We could not place your order</p></main>`))...), fail, "could not place"},
		{"page that announces success", "HT-01", asked(page, twice(onPage(`<h1>Thank you</h1><main><p role="alert">Your order was placed</p></main>`))...), pass, ""},
		{"page with a mark", "HT-01", asked(page, twice(onPage(`<h1>Order failed</h1><main><p data-claim="failed">No</p></main>`))...), fail, "its mark says failed"},
		{"page once", "HT-01", asked(page, oops), blind, ""},
		{"page with one sign", "HT-01", asked(page, twice(onPage(`<title>Help with payment that failed</title><main>How to pay</main>`))...), pass, ""},
		{"twin", "HT-01", asked(well, as(503, inJSON(`{"error":"orders unavailable"}`))), pass, ""},
		{"same in the baseline", "HT-01", asked(inJSON(`{"error":"none, really"}`), inJSON(`{"error":"none, really"}`)), pass, ""},
		{"empty errors", "HT-01", asked(well, inJSON(`{"errors":[],"error":null,"status":"placed"}`)), pass, ""},
		{"cut", "HT-01", asked(well, cut(inJSON(`{"a":`))), blind, ""},
		{"idle", "HT-01", asked(well, experiments.Exchange{Step: "look", Status: 200}, experiments.Exchange{Trouble: "refused"}), idle, ""},
		{"missed", "HT-01", with(asked(well, inJSON(`{"success":false}`)), missed), idle, ""},

		{"liar", "HT-02", asked(well, as(500, body("application/problem+json", `{"type":"about:blank","title":"Down","status":503}`))), fail, "503"},
		{"problem by its members", "HT-02", asked(well, as(500, inJSON(`{"type":"about:blank","title":"Down","status":503}`))), fail, "503"},
		{"a status of its own", "HT-02", asked(well, as(500, inJSON(`{"type":"order","status":7}`))), pass, ""},
		{"success under 500", "HT-02", asked(well, as(500, inJSON(`{"status":"placed"}`))), fail, "placed"},
		{"twin", "HT-02", asked(well, as(503, body("application/problem+json", `{"title":"Down","status":503}`))), pass, ""},
		{"idle", "HT-02", asked(well, well), idle, ""},

		{"liar", "HT-03", asked(well, as(404, inJSON(`{"error":"no such book"}`))), fail, "404"},
		{"twin", "HT-03", asked(well, as(503, well), as(429, well)), pass, ""},
		{"same in the baseline", "HT-03", func(s *story) {
			asked(well, as(404, well))(s)
			s.inBase = func(s *story) { s.asks(placed(well)); s.asks(placed(as(404, well))) }
		}, pass, ""},
		{"idle", "HT-03", asked(as(500, well), as(404, well)), idle, ""},
		{"nothing there to find", "HT-03", lookUp(buy{claim: experiments.ClaimSuccess}), idle, ""},
		{"not there yet", "HT-03", lookUp(buy{claim: experiments.ClaimPending, rows: 1}), idle, ""},
		{"there and not found", "HT-03", lookUp(confirmed()), fail, "404"},
		{"step that does not need it", "HT-03", asked(well, experiments.Exchange{Step: "look", Status: 404}, as(503, well)), pass, ""},

		{"liar", "HT-04", asked(well, as(202, inJSON(`{}`))), fail, "nothing to follow"},
		{"twin", "HT-04", asked(well, having(as(202, well), "Location", "/orders/7")), pass, ""},
		{"address in the body", "HT-04", asked(well, as(202, inJSON(`{"links":{"self":"/orders/7"}}`))), pass, ""},
		{"unreadable", "HT-04", asked(well, having(as(202, well), "Location", "/orders/7"),
			experiments.Exchange{URL: "http://web/orders/7", Status: 500}), fail, "could not be read"},
		{"readable", "HT-04", asked(well, having(as(202, well), "Location", "/orders/7"),
			experiments.Exchange{URL: "http://web/orders/7", Status: 500}, experiments.Exchange{URL: "http://web/orders/7", Status: 200}), pass, ""},
		{"idle", "HT-04", asked(well, well), idle, ""},
		{"same in the baseline", "HT-04", asked(as(202, inJSON(`{}`)), as(202, inJSON(`{}`))), idle, ""},
		{"cut", "HT-04", asked(well, cut(as(202, inJSON(`{}`)))), blind, ""},

		{"no header", "HT-05", asked(well, as(503, well)), fail, "nothing of when"},
		{"twin", "HT-05", asked(well, having(as(503, well), "Retry-After", "5")), pass, ""},
		{"date", "HT-05", asked(well, having(as(503, well), "Retry-After", "Tue, 24 Nov 2026 09:01:00 GMT")), pass, ""},
		{"not a time", "HT-05", asked(well, having(as(503, well), "Retry-After", "soon")), fail, "nothing of when"},
		{"not known, and says so", "HT-05", func(s *story) {
			s.fault = []buy{{claim: experiments.ClaimUnknown, status: 503}}
		}, idle, ""},
		{"obeying fails", "HT-05", obey(5, 503), fail, "4 were refused again"},
		{"not steady yet", "HT-05", with(obey(5, 503), func(s *story) { s.steady = time.Minute }), pass, ""},
		{"obeying works", "HT-05", obey(5, 200), pass, ""},
		{"idle", "HT-05", asked(well, well), idle, ""},

		{"liar", "HT-06", asked(well, wanting("application/json", as(502, onPage("<h1>Bad Gateway</h1>")))), fail, "text/html"},
		{"twin", "HT-06", asked(well, wanting("application/json", as(502, body("application/problem+json", `{}`)))), pass, ""},
		{"did not ask for it", "HT-06", asked(well, wanting("text/html", as(502, page))), idle, ""},

		{"liar", "HT-10", asked(well, lasting(12*time.Second, experiments.Exchange{Trouble: "timeout"})), fail, "no byte"},
		{"closed late", "HT-10", asked(well, lasting(12*time.Second, experiments.Exchange{Trouble: "closed"})), fail, "no byte"},
		{"twin", "HT-10", asked(well, lasting(9*time.Second, as(503, well))), pass, ""},
		{"client gave up", "HT-10", asked(well, lasting(5*time.Second, experiments.Exchange{Trouble: "timeout"})), idle, ""},
		{"missed", "HT-10", with(asked(well, lasting(12*time.Second, experiments.Exchange{Trouble: "timeout"})), missed), idle, ""},
	})
}

// lookUp looks an order up within the visit that placed it, and finds none while payments is needed and broken.
func lookUp(b buy) func(*story) {
	return func(s *story) {
		s.plan.Journeys[0].Steps = append(s.plan.Journeys[0].Steps, experiments.PlannedStep{Name: "find", Needs: []string{"payments"}})
		s.baseline, s.recovery, s.fault = nil, nil, []buy{b}
		s.inBase = func(s *story) { s.asks(experiments.Exchange{Step: "find", Status: 200}) }
		s.inFault = func(s *story) {
			s.visit--
			s.asks(experiments.Exchange{Step: "find", Status: 404})
		}
	}
}

// obey makes requests that are told to come back after a second, and do so when all is mended.
func obey(n, status int) func(*story) {
	return func(s *story) {
		asked(inJSON(`{}`))(s)
		s.inRecov = func(s *story) {
			for range n {
				s.asks(placed(having(as(503, inJSON(`{}`)), "Retry-After", "1")))
				s.wait(time.Second)
				s.asks(placed(having(as(status, inJSON(`{}`)), "Retry-After", "90")))
				s.wait(3 * time.Second)
			}
		}
		s.inFault = felt
	}
}

// seeing is requests from web to payments that the proxy saw for the first purchase under the fault.
func seeing(requests ...faults.Request) func(*story) {
	return func(s *story) {
		s.inFault = func(s *story) {
			for _, r := range requests {
				r.Path = faults.Path{From: "web", To: "payments"}
				r.Method, r.Target = orElse(r.Method, "POST"), orElse(r.Target, "/charges")
				s.now = s.now.Add(10 * time.Millisecond)
				r.At, r.Marker = s.now, orElse(r.Marker, "cx-4")
				s.add(experiments.Record{Seen: &r})
			}
		}
	}
}

func TestUnsafeRetry(t *testing.T) {
	fail, pass, idle := experiments.RuleFail, experiments.RulePass, experiments.NotExercised
	bare, keyed := faults.Request{}, faults.Request{Key: "a1"}
	runRuleCases(t, []ruleCase{
		{"liar", "HT-09", seeing(bare, bare, bare), fail, "3 times"},
		{"differing keys", "HT-09", seeing(keyed, faults.Request{Key: "b2"}), fail, "differing keys"},
		{"twin", "HT-09", seeing(keyed, keyed, keyed), pass, ""},
		{"once", "HT-09", seeing(bare), pass, ""},
		{"reads may be repeated", "HT-09", seeing(faults.Request{Method: "GET"}, faults.Request{Method: "GET"}), idle, ""},
		{"two targets", "HT-09", seeing(bare, faults.Request{Target: "/receipts"}), pass, ""},
		{"stranger", "HT-09", seeing(faults.Request{Marker: "cx-77"}, faults.Request{Marker: "cx-77"}), idle, ""},
		{"idle", "HT-09", honest, idle, ""},
		{"usual", "HT-09", func(s *story) {
			seeing(bare, bare)(s)
			s.inBase = func(s *story) {
				for range 2 {
					s.add(experiments.Record{Seen: &faults.Request{At: s.now, Path: faults.Path{From: "web", To: "payments"}, Method: "POST", Target: "/charges", Marker: "cx-3"}})
				}
			}
		}, pass, ""},
		{"client code with a key in its body", "HT-09", func(s *story) {
			s.plan.Idempotency = []string{"json.request_id"}
			s.fault[0].request = experiments.Text{Text: `{"request_id":"a1"}`}
			s.inFault = func(s *story) {
				s.add(experiments.Record{Exchange: &experiments.Exchange{Marker: "cx-4", Journey: "buy", Step: "place", Visit: 4, Attempt: 2, By: experiments.ByClient,
					Method: "POST", URL: "http://web/api/orders", RequestBody: experiments.Text{Text: `{"request_id":"a1"}`}, Sent: s.now, Ended: s.now, Status: 503}})
			}
		}, pass, ""},
		{"client code", "HT-09", func(s *story) {
			s.inFault = func(s *story) {
				for attempt := 2; attempt < 4; attempt++ {
					s.add(experiments.Record{Exchange: &experiments.Exchange{Marker: "cx-4", Journey: "buy", Step: "place", Visit: 4, Attempt: attempt, By: experiments.ByClient,
						Method: "POST", URL: "http://web/api/orders", Sent: s.now, Ended: s.now, Status: 503}})
				}
			}
		}, fail, "The client"},
		{"the person", "HT-09", func(s *story) {
			s.inFault = func(s *story) {
				s.add(experiments.Record{Seen: &faults.Request{At: s.now, Method: "POST", Target: "/charges", Marker: "cx-4"}})
				s.add(experiments.Record{Exchange: &experiments.Exchange{Marker: "cx-4", Journey: "buy", Step: "place", Visit: 4, Attempt: 2, By: experiments.ByPerson,
					Method: "POST", URL: "http://web/api/orders", Sent: s.now, Ended: s.now, Status: 503}})
				s.add(experiments.Record{Seen: &faults.Request{At: s.now.Add(time.Millisecond), Method: "POST", Target: "/charges", Marker: "cx-4"}})
			}
		}, pass, ""},
	})
}

func leaking(pattern, text string) experiments.Exchange {
	x := as(500, inJSON(fmt.Sprintf(`{"error":%q}`, text)))
	x.Hits = []experiments.PatternHit{{Pattern: pattern, Text: text}}
	return x
}

func TestLeakRules(t *testing.T) {
	fail, pass, idle, blind := experiments.RuleFail, experiments.RulePass, experiments.NotExercised, experiments.Unverifiable
	well := inJSON(`{"status":"placed"}`)
	page := onPage(`<title>Shop</title><header>Books</header><main>Order placed</main>`)
	down := as(503, inJSON(`{"error":"payments are down"}`))
	var cases []ruleCase
	for _, c := range []struct{ rule, pattern, text string }{
		{"LK-01", "LK-01/go-trace", "checkout.go:118 +0x1d"},
		{"LK-02", "LK-02/sql", `relation "books" does not exist`},
		{"LK-03", "LK-03/private-address", "10.3.0.7:8080"},
		{"LK-05", "LK-05/nginx", "<center>nginx</center>"},
	} {
		bad := leaking(c.pattern, c.text)
		soft := leaking(c.pattern, c.text)
		soft.Status = 200
		same := leaking(c.pattern, c.text)
		same.Status = 400
		well200 := leaking(c.pattern, c.text)
		well200.Status, well200.Body = 200, well.Body
		cases = append(cases,
			ruleCase{"liar", c.rule, asked(well, twice(bad)...), fail, c.text[:4]},
			ruleCase{"liar with 200", c.rule, asked(well, twice(soft)...), fail, c.text[:4]},
			ruleCase{"twin", c.rule, asked(well, twice(down)...), pass, ""},
			ruleCase{"prose of a page that is well", c.rule, asked(well, append(twice(well200), down)...), pass, ""},
			ruleCase{"same in the baseline", c.rule, func(s *story) {
				asked(well, twice(bad)...)(s)
				s.inBase = func(s *story) { s.asks(placed(well)); s.asks(placed(same)) }
			}, pass, ""},
			ruleCase{"once", c.rule, asked(well, bad), blind, ""},
			ruleCase{"idle", c.rule, asked(well, well), idle, ""},
		)
	}
	naked := as(502, onPage(`<h1>Order failed</h1>`))
	cases = append(cases,
		ruleCase{"public", "LK-03", func(s *story) {
			asked(well, twice(leaking("LK-03/private-address", "10.3.0.7:8080"))...)(s)
			s.plan.Public = []string{"10.3.0.7"}
		}, pass, ""},
		ruleCase{"no landmarks", "LK-05", asked(page, naked, naked), fail, "landmarks"},
		ruleCase{"part of a page", "LK-05", asked(page, func() []experiments.Exchange { x := naked; x.Kind = "fetch"; return []experiments.Exchange{x, x} }()...), pass, ""},
		ruleCase{"bare phrase", "LK-05", asked(well, twice(as(502, body("text/plain", "Bad Gateway")))...), fail, "Bad Gateway"},
		ruleCase{"branded page", "LK-05", asked(page, twice(as(502, onPage(`<header>Books</header><main>Sorry</main>`)))...), pass, ""},

		ruleCase{"liar", "LK-06", asked(well, leaking("LK-06/canary", "c4nary-7Q")), fail, "c4nary-7Q"},
		ruleCase{"in any phase", "LK-06", func(s *story) {
			asked(well, well)(s)
			s.inBase = func(s *story) { s.asks(placed(leaking("LK-06/secret:DB_PASSWORD", "[redacted:DB_PASSWORD]"))) }
		}, fail, "DB_PASSWORD"},
		ruleCase{"canary in a kept body", "LK-06", func(s *story) {
			asked(well, inJSON(`{"dsn":"postgres://shop:c4nary-7Q@db"}`))(s)
			s.plan.Canaries = []string{"c4nary-7Q"}
		}, fail, "c4nary-7Q"},
		ruleCase{"twin", "LK-06", asked(well, down), pass, ""},
		ruleCase{"too long to read", "LK-06", asked(well, func() experiments.Exchange { x := down; x.Body.Unread = true; return x }()), blind, ""},
		ruleCase{"no answer beside the baseline", "LK-06", asked(well, experiments.Exchange{Trouble: "refused"}), pass, ""},
	)
	runRuleCases(t, cases)
}
