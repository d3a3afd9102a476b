package honesty

import (
	"testing"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// acts is an act of another kind than a click.
func (p *person) acts(verb string) {
	now := p.s.now
	p.add(experiments.Record{Press: &experiments.Press{Where: p.where, Attempt: 1, Verb: verb, Target: verb, Began: now, Acted: now, Ended: now}})
}

func TestPartsAndOffers(t *testing.T) {
	fail, pass, idle, blind := experiments.RuleFail, experiments.RulePass, experiments.NotExercised, experiments.Unverifiable
	site := func(base, act func(*person)) func(*story) { return browses(base, act, nil, ordersRegion()) }
	missed := func(s *story) { s.hits = 0 }
	gone := experiments.RegionSeen{Name: "my orders", Absent: true}
	without := func(more ...experiments.Block) func(*person) {
		return func(p *person) {
			p.opens("place", "Checkout", append(more, text(1, "Checkout: three books, sent to your address within two days"))...)
			p.shows(gone)
			p.stays(3 * time.Second)
		}
	}
	grey := button(3, "Buy")
	grey.Disabled = true
	told := grey
	told.Described = "Payments are down"
	disabled := func(b experiments.Block, d time.Duration, more ...experiments.Block) func(*person) {
		return under(func(p *person) {
			p.sees(append(more, b))
			p.stays(d)
			p.sees(some(button(3, "Buy")))
		})
	}
	far := text(60, "Three people look at this book")
	led := func(visits int, words string) func(*person) {
		return func(p *person) {
			p.s.wait(70 * time.Second)
			for range visits {
				p.user += 10
				p.where.User, p.where.Page, p.where.Marker, p.where.Visit = p.user, int64(100*p.user), "", p.where.Visit+1
				p.opens("look", "Books", text(1, "Books"))
				if words != "" {
					p.sees(some(shouts(9, words)))
				}
				p.stays(time.Second)
				p.opens("place", "Checkout", text(1, "Checkout"))
				p.where.Marker = "cx-9" + string(rune('0'+p.user))
				p.where.Step = "place"
				p.add(experiments.Record{Intent: &experiments.Intent{Marker: p.where.Marker, Journey: "buy", Step: "place", User: p.user, Visit: p.where.Visit}})
				p.asks(experiments.Exchange{Method: "POST", Status: 503}, time.Second)
				p.claims(experiments.ClaimRefused, sorry)
			}
		}
	}
	runRuleCases(t, []ruleCase{
		{"left out", "ST-08", site(well, without()), fail, "is missing, and nothing"},
		{"twin", "ST-08", site(well, well), pass, ""},
		{"a notice names it", "ST-08", site(well, without(shouts(9, "Your orders cannot be shown right now"))), pass, ""},
		{"a notice names something else", "ST-08", site(well, without(shouts(9, "Something is not right"))), fail, "is missing"},
		{"another page", "ST-08", site(well, func(p *person) { p.opens("place", "Sorry"); p.shows(gone); p.stays(3 * time.Second) }), idle, ""},
		{"not there when all is well", "ST-08", site(without(), without()), idle, ""},
		{"not essential", "ST-08", browses(well, without(), nil, func() experiments.PlannedRegion { r := ordersRegion(); r.Essential = false; return r }()), idle, ""},
		{"the fault did not bite", "ST-08", with(site(well, without()), missed), idle, ""},

		{"grey", "ST-09", site(well, disabled(grey, 5*time.Second)), fail, "“Buy” was disabled"},
		{"far from any reason", "ST-09", site(well, disabled(grey, 5*time.Second, far)), fail, "disabled"},
		{"twin describes it", "ST-09", site(well, disabled(told, 5*time.Second)), pass, ""},
		{"twin has a notice", "ST-09", site(well, disabled(grey, 5*time.Second, shouts(9, banner))), pass, ""},
		{"for a moment", "ST-09", site(well, disabled(grey, 2*time.Second)), idle, ""},
		{"grey when all is well", "ST-09", site(disabled(grey, 5*time.Second), disabled(grey, 5*time.Second)), idle, ""},
		{"the fault did not bite", "ST-09", with(site(well, disabled(grey, 5*time.Second)), missed), idle, ""},

		{"led on", "ST-10", site(well, led(2, "")), fail, "led through 2 steps"},
		{"once", "ST-10", site(well, led(1, "")), blind, ""},
		{"twin warns", "ST-10", site(well, led(2, banner)), pass, ""},
		{"a short outage", "ST-10", with(site(well, led(2, "")), func(s *story) { s.plan.Journeys[0].Deadlines.Explanation = time.Minute }), idle, ""},
		{"the fault did not bite", "ST-10", with(site(well, led(2, "")), missed), idle, ""},
	})
}

func TestFleetingAndFeed(t *testing.T) {
	fail, pass, idle := experiments.RuleFail, experiments.RulePass, experiments.NotExercised
	site := func(act func(*person)) func(*story) { return browses(well, act, nil) }
	shows := func(d time.Duration, then func(*person), more ...experiments.Block) func(*person) {
		return under(func(p *person) {
			p.intends()
			p.sees(append(more, shouts(9, "Your payment failed. Nothing was ordered.")))
			p.stays(d)
			then(p)
			p.stays(5 * time.Second)
		})
	}
	goes := func(p *person) { p.sees(nil, 9) }
	feed := func(polls int, moves bool) func(*person) {
		return under(func(p *person) {
			live := orders(3, "Live: 3 in stock")
			live.Live = true
			p.shows(live)
			for i := range 8 {
				v := "7"
				if moves && i > 3 {
					v = "8"
				}
				p.truth(atVersion(v))
				if i < polls {
					p.asks(experiments.Exchange{Status: 200, By: experiments.ByClient}, 100*time.Millisecond)
				}
				p.stays(time.Second)
			}
		})
	}
	live := func(base, act func(*person)) func(*story) { return browses(base, act, nil, ordersRegion()) }
	runRuleCases(t, []ruleCase{
		{"a toast", "ST-14", site(shows(3*time.Second, goes)), fail, "was gone after 3"},
		{"twin stays", "ST-14", site(shows(11*time.Second, goes)), pass, ""},
		{"twin keeps a history", "ST-14", site(shows(3*time.Second, goes, text(10, "Your payment failed at noon."))), pass, ""},
		{"the person acts", "ST-14", site(shows(3*time.Second, func(p *person) { p.presses("place", "Close", 5); p.sees(nil, 9) })), idle, ""},
		{"the page is left", "ST-14", site(shows(3*time.Second, func(p *person) { p.opens("look", "Books") })), idle, ""},
		{"no failure", "ST-14", site(well), idle, ""},
		{"the fault did not bite", "ST-14", with(site(shows(3*time.Second, goes)), func(s *story) { s.hits = 0 }), idle, ""},

		{"cut", "ST-05", live(feed(8, false), feed(2, true)), fail, "nothing came for"},
		{"twin", "ST-05", live(feed(8, false), feed(8, true)), pass, ""},
		{"nothing happened", "ST-05", live(feed(8, false), feed(2, false)), idle, ""},
		{"no feed when all is well", "ST-05", live(well, feed(2, true)), idle, ""},
		{"blind", "ST-05", live(feed(8, false), under(func(p *person) {
			seen := orders(3, "Live")
			seen.Live = true
			p.shows(seen)
			p.stays(9 * time.Second)
		})), idle, ""},
		{"not live", "ST-05", live(feed(8, false), well), idle, ""},
	})
}

func TestInputLater(t *testing.T) {
	fail, pass, idle, blind := experiments.RuleFail, experiments.RulePass, experiments.NotExercised, experiments.Unverifiable
	drafts := func(s *story) { s.plan.Journeys[0].Drafts = true }
	missed := func(s *story) { s.hits = 0 }
	site := func(act func(*person)) func(*story) { return browses(well, act, nil) }
	reloads := func(value string) func(*person) {
		return func(p *person) {
			fails("12 Long Lane", shouts(9, sorry))(p)
			p.acts("reload")
			p.opens("place", "Checkout", field(2, "Street", value))
			p.stays(time.Second)
		}
	}
	password := field(5, "Password", "")
	password.Masked = true
	thrown := func(times int, more ...experiments.Block) func(*person) {
		return func(p *person) {
			for range times {
				p.opens("place", "Sign in", append(more, password)...)
				p.stays(time.Second)
			}
		}
	}
	held := func(acts int, changes bool) func(*person) {
		return under(func(p *person) {
			p.sees(some(spinner(8)))
			p.stays(11 * time.Second)
			for range acts {
				p.acts("back")
				p.s.wait(300 * time.Millisecond)
				if changes {
					p.sees(some(text(9, "You may leave")))
				}
				p.stays(3 * time.Second)
			}
			p.sees(nil, 8)
		})
	}
	runRuleCases(t, []ruleCase{
		{"gone after reload", "IN-02", with(site(reloads("")), drafts), fail, "and then reload"},
		{"twin", "IN-02", with(site(reloads("12 Long Lane")), drafts), pass, ""},
		{"nobody promised", "IN-02", site(reloads("")), idle, ""},
		{"nobody goes back", "IN-02", with(site(fails("12 Long Lane", shouts(9, sorry))), drafts), idle, ""},
		{"the fault did not bite", "IN-02", with(site(reloads("")), drafts, missed), idle, ""},

		{"thrown out", "IN-03", site(thrown(2)), fail, "asked to sign in again"},
		{"once", "IN-03", site(thrown(1)), blind, ""},
		{"twin", "IN-03", site(well), pass, ""},
		{"says that it is out of order", "IN-03", site(thrown(2, shouts(9, banner+" This is our fault, sign-in does not work."))), idle, ""},
		{"asks when all is well", "IN-03", browses(thrown(1), thrown(2), nil), idle, ""},
		{"the fault did not bite", "IN-03", with(site(thrown(2)), missed), idle, ""},

		{"trapped", "IN-06", site(held(2, false)), fail, "changed nothing"},
		{"twin lets go", "IN-06", site(held(2, true)), pass, ""},
		{"nobody tries", "IN-06", site(held(0, false)), idle, ""},
		{"no wait", "IN-06", site(well), idle, ""},
		{"the fault did not bite", "IN-06", with(site(held(2, false)), missed), idle, ""},
	})
}

func TestAssistiveLater(t *testing.T) {
	fail, pass, idle := experiments.RuleFail, experiments.RulePass, experiments.NotExercised
	missed := func(s *story) { s.hits = 0 }
	site := func(act func(*person)) func(*story) { return browses(well, act, nil) }
	busy := text(8, "Orders")
	busy.Busy = true
	tells := func(then func(*person)) func(*person) {
		return under(func(p *person) {
			p.intends()
			p.sees(some(busy))
			p.asks(experiments.Exchange{Method: "POST", Status: 503}, time.Second)
			p.claims(experiments.ClaimRefused, sorry)
			then(p)
		})
	}
	red := field(2, "Card", "")
	red.Invalid = true
	marks := func(blocks ...experiments.Block) func(*person) {
		return under(func(p *person) {
			p.intends()
			p.asks(experiments.Exchange{Method: "POST", Status: 503}, time.Second)
			p.sees(blocks)
			p.stays(11 * time.Second)
		})
	}
	why := red
	why.Described = "The card was refused"
	// the banner of the fault goes in the recovery, on the same page of the same user
	ends := func(born ...experiments.Block) func(*story) {
		return browses(well, under(func(p *person) { p.sees(some(shouts(9, banner))); p.stays(time.Second) }), func(p *person) {
			p.user, p.where.User, p.where.Page, p.where.Visit, p.where.Step, p.title, p.url = 8, 8, 801, p.where.Visit-2, "place", "Checkout", "http://web/place"
			p.sees(born, 9)
			p.stays(5 * time.Second)
		})
	}
	polite := text(10, "Payments work again.")
	polite.Live = "polite"
	runRuleCases(t, []ruleCase{
		{"for ever", "AX-03", site(tells(func(p *person) { p.stays(5 * time.Second) })), fail, "is still busy"},
		{"twin", "AX-03", site(tells(func(p *person) { p.sees(some(text(8, "Orders"))); p.stays(5 * time.Second) })), pass, ""},
		{"left", "AX-03", site(tells(func(p *person) { p.stays(time.Second) })), idle, ""},
		{"nothing was busy", "AX-03", site(well), idle, ""},
		{"the fault did not bite", "AX-03", with(site(tells(func(p *person) { p.stays(5 * time.Second) })), missed), idle, ""},

		{"red, and no word", "AX-04", site(marks(red)), fail, "no word"},
		{"twin says why", "AX-04", site(marks(red, shouts(9, sorry))), pass, ""},
		{"twin describes it", "AX-04", site(marks(why)), pass, ""},
		{"no mark", "AX-04", site(marks(text(9, "x"))), idle, ""},
		{"the fault did not bite", "AX-04", with(site(marks(red)), missed), idle, ""},

		{"in silence", "AX-06", ends(), fail, "nothing was announced"},
		{"twin", "AX-06", ends(polite), pass, ""},
		{"a plain text", "AX-06", ends(text(10, "Payments work again.")), fail, "nothing was announced"},
		{"no banner", "AX-06", browses(well, well, well), idle, ""},
		{"the fault did not bite", "AX-06", with(ends(), missed), idle, ""},
	})
}
