package honesty

import (
	"testing"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

const (
	sorry  = "Your order was not placed. Your card was not charged."
	banner = "Payments are unavailable at the moment. We are working on it."
)

// under is somebody who opens the usual page under the fault and does something there.
func under(act func(*person)) func(*person) {
	return func(p *person) {
		well(p)
		act(p)
	}
}

// spins shows a spinner for a while.
func spins(b experiments.Block, d time.Duration) func(*person) {
	return under(func(p *person) {
		p.sees(some(b))
		p.stays(d)
		p.sees(nil, b.ID)
	})
}

func spinner(id int64) experiments.Block {
	b := text(id, "")
	b.Waiting, b.Role = true, "progressbar"
	return b
}

func TestWaitRules(t *testing.T) {
	fail, pass, idle := experiments.RuleFail, experiments.RulePass, experiments.NotExercised
	site := func(base, act func(*person)) func(*story) { return browses(base, act, nil, ordersRegion()) }
	missed := func(s *story) { s.hits = 0 }
	asking := under(func(p *person) {
		p.sees(some(spinner(8)))
		p.asks(experiments.Exchange{Status: 200}, 12*time.Second)
		p.sees(nil, 8)
	})
	moving := under(func(p *person) {
		for _, words := range []string{"1 of 4", "2 of 4", "3 of 4", "4 of 4"} {
			b := spinner(8)
			b.Text = words
			p.sees(some(b))
			p.stays(5 * time.Second)
		}
		p.sees(nil, 8)
	})
	left := under(func(p *person) {
		p.sees(some(spinner(8)))
		p.stays(5 * time.Second)
		p.opens("look", "Books", text(1, "Books"))
	})
	loading := orders(0, "")
	loading.Busy = true
	blank := func(p *person) {
		p.opens("place", "Checkout")
		p.stays(5 * time.Second)
	}
	runRuleCases(t, []ruleCase{
		{"spins, and nothing is asked", "ST-06", site(well, spins(spinner(8), 11*time.Second)), fail, "while no request was"},
		{"spins past the final deadline", "ST-06", site(well, under(func(p *person) {
			p.sees(some(spinner(8)))
			p.asks(experiments.Exchange{Status: 200}, 31*time.Second)
			p.sees(nil, 8)
		})), fail, "something was under way"},
		{"a region loads for ever", "ST-06", site(well, looks(loading)), idle, ""},
		{"a region loads for ever, and somebody stays", "ST-06", site(well, under(func(p *person) { p.shows(loading); p.stays(12 * time.Second) })), fail, "my orders"},
		{"twin stops", "ST-06", site(well, spins(spinner(8), 2*time.Second)), pass, ""},
		{"it is being asked for", "ST-06", site(well, asking), pass, ""},
		{"shows how far it is", "ST-06", site(well, moving), pass, ""},
		{"can be cancelled", "ST-06", site(well, under(func(p *person) {
			p.sees(some(spinner(8), button(9, "Cancel")))
			p.stays(20 * time.Second)
			p.sees(nil, 8)
		})), pass, ""},
		{"as long when all is well", "ST-06", site(spins(spinner(8), 9*time.Second), spins(spinner(8), 11*time.Second)), idle, ""},
		{"the person left", "ST-06", site(well, left), idle, ""},
		{"nothing loads", "ST-06", site(well, well), idle, ""},
		{"the fault did not bite", "ST-06", with(site(well, spins(spinner(8), 11*time.Second)), missed), idle, ""},

		{"white", "ST-07", site(well, blank), fail, "blank for"},
		{"twin", "ST-07", site(well, well), pass, ""},
		{"says why", "ST-07", site(well, func(p *person) { p.opens("place", "Checkout", shouts(4, "Sorry, an error")); p.stays(5 * time.Second) }), pass, ""},
		{"is loading", "ST-07", site(well, func(p *person) { p.opens("place", "Checkout", spinner(4)); p.stays(5 * time.Second) }), pass, ""},
		{"left at once", "ST-07", site(well, func(p *person) { p.opens("place", "Checkout"); p.stays(time.Second) }), idle, ""},
		{"threw", "ST-07", site(well, func(p *person) {
			p.opens("place", "Checkout")
			p.add(experiments.Record{Notice: &experiments.Notice{Where: p.where, Kind: experiments.NoticeException, Text: "TypeError", When: p.s.now}})
			p.stays(time.Second)
		}), fail, "blank"},
		{"little text when all is well", "ST-07", site(func(p *person) { p.opens("place", "Draw", text(1, "Draw")); p.stays(time.Second) }, blank), idle, ""},
		{"the fault did not bite", "ST-07", with(site(well, blank), missed), idle, ""},
	})
}

func TestPressRules(t *testing.T) {
	fail, pass, idle, blind := experiments.RuleFail, experiments.RulePass, experiments.NotExercised, experiments.Unverifiable
	site := func(base, act func(*person)) func(*story) { return browses(base, act, nil) }
	missed := func(s *story) { s.hits = 0 }
	clicks := func(times int, then func(*person)) func(*person) {
		return under(func(p *person) {
			for range times {
				p.presses("place", "button “Buy”", 3)
				then(p)
			}
		})
	}
	slow := func(p *person) {
		p.asks(experiments.Exchange{Method: "POST", Status: 200}, 4*time.Second)
		p.sees(some(text(5, "Done")))
		p.sees(nil, 5)
	}
	quick := func(p *person) {
		p.s.wait(200 * time.Millisecond)
		p.sees(some(text(5, "Working…")))
		p.sees(nil, 5)
		p.stays(time.Second)
	}
	nothing := func(p *person) { p.stays(3 * time.Second) }
	runRuleCases(t, []ruleCase{
		{"slow", "ST-11", site(well, clicks(2, slow)), fail, "nothing changed for 4"},
		{"twin", "ST-11", site(well, clicks(2, quick)), pass, ""},
		{"seen once", "ST-11", site(well, clicks(1, slow)), blind, ""},
		{"as silent when all is well", "ST-11", site(clicks(1, slow), clicks(2, slow)), idle, ""},
		{"nobody clicks", "ST-11", site(well, well), idle, ""},
		{"the fault did not bite", "ST-11", with(site(well, clicks(2, slow)), missed), idle, ""},

		{"nothing at all", "CL-07", site(well, clicks(2, nothing)), fail, "did nothing"},
		{"once", "CL-07", site(well, clicks(1, nothing)), blind, ""},
		{"it asks", "CL-07", site(well, clicks(2, slow)), pass, ""},
		{"it shows", "CL-07", site(well, clicks(2, quick)), pass, ""},
		{"it does nothing when all is well", "CL-07", site(clicks(1, nothing), clicks(2, nothing)), idle, ""},
		{"the person went on", "CL-07", site(well, clicks(2, func(p *person) { p.s.wait(100 * time.Millisecond) })), idle, ""},
		{"the fault did not bite", "CL-07", with(site(well, clicks(2, nothing)), missed), idle, ""},
	})
}

// buysOnPage is an intent on a page: what it says at once, how the request ends, and what it says then.
func buysOnPage(early, later experiments.Claim, status int) func(*person) {
	return under(func(p *person) {
		p.intends()
		p.presses("place", "Buy", 3)
		if early != experiments.ClaimNone {
			p.claims(early, "Order placed")
		}
		p.asks(experiments.Exchange{Method: "POST", Status: status}, time.Second)
		if later != experiments.ClaimNone {
			p.claims(later, sorry)
		}
		p.stays(11 * time.Second)
	})
}

func TestPrematureSuccess(t *testing.T) {
	fail, pass, idle, blind := experiments.RuleFail, experiments.RulePass, experiments.NotExercised, experiments.Unverifiable
	success, refused, none := experiments.ClaimSuccess, experiments.ClaimRefused, experiments.ClaimNone
	site := func(act func(*person)) func(*story) { return browses(well, act, nil) }
	runRuleCases(t, []ruleCase{
		{"liar", "CL-08", site(buysOnPage(success, none, 500)), fail, "did not take it back"},
		{"taken back", "CL-08", site(buysOnPage(success, refused, 500)), pass, ""},
		{"twin waits", "CL-08", site(buysOnPage(none, refused, 500)), pass, ""},
		{"early, and it goes well", "CL-08", site(buysOnPage(success, none, 201)), pass, ""},
		{"nothing special", "CL-08", site(buysOnPage(none, none, 201)), idle, ""},
		{"nobody answered, and the truth is blind", "CL-08", with(site(buysOnPage(success, none, 0)), blindTruth), blind, ""},
		{"the fault did not bite", "CL-08", with(site(buysOnPage(success, none, 500)), func(s *story) { s.hits = 0 }), idle, ""},
	})
}

func TestContradiction(t *testing.T) {
	fail, pass, idle := experiments.RuleFail, experiments.RulePass, experiments.NotExercised
	told := func(act func(*person)) func(*story) {
		return browses(well, under(func(p *person) { p.intends(); act(p) }), nil)
	}
	yes, no := text(8, "Your order has been placed."), shouts(9, "Your order was not placed.")
	runRuleCases(t, []ruleCase{
		{"together", "ST-12", told(func(p *person) { p.sees(some(yes, no)); p.stays(time.Second) }), fail, "together"},
		{"turned", "ST-12", told(func(p *person) { p.sees(some(no)); p.stays(time.Second); p.sees(some(yes), 9); p.stays(time.Second) }), fail, "turned into"},
		{"tried again", "ST-12", told(func(p *person) {
			p.sees(some(no))
			p.stays(time.Second)
			p.asks(experiments.Exchange{Method: "POST", Status: 201}, time.Second)
			p.sees(some(yes), 9)
			p.stays(time.Second)
		}), pass, ""},
		{"corrected", "ST-12", told(func(p *person) { p.sees(some(yes)); p.stays(time.Second); p.sees(some(no), 8); p.stays(time.Second) }), pass, ""},
		{"for a moment", "ST-12", told(func(p *person) {
			p.sees(some(yes))
			p.stays(time.Second)
			p.sees(some(no))
			p.sees(nil, 8)
			p.stays(time.Second)
		}), pass, ""},
		{"kept", "ST-12", told(func(p *person) { p.sees(some(text(8, "We have saved your basket."), no)); p.stays(time.Second) }), pass, ""},
		{"twin", "ST-12", told(func(p *person) { p.sees(some(no)); p.stays(time.Second) }), pass, ""},
		{"no failure", "ST-12", told(func(p *person) { p.sees(some(yes)); p.stays(time.Second) }), idle, ""},
		{"the fault did not bite", "ST-12", with(told(func(p *person) { p.sees(some(yes, no)); p.stays(time.Second) }), func(s *story) { s.hits = 0 }), idle, ""},
	})
}

// fails is somebody who fills in a form, clicks, and meets an error; the field then holds a value.
func fails(value string, errors ...experiments.Block) func(*person) {
	return under(func(p *person) {
		p.sees(some(field(2, "Street", "12 Long Lane")))
		p.stays(time.Second)
		p.presses("place", "Buy", 3)
		p.asks(experiments.Exchange{Method: "POST", Status: 503}, time.Second)
		p.sees(append(errors, field(2, "Street", value)))
		p.stays(3 * time.Second)
	})
}

func TestInputAndAnnouncements(t *testing.T) {
	fail, pass, idle := experiments.RuleFail, experiments.RulePass, experiments.NotExercised
	site := func(act func(*person)) func(*story) { return browses(well, act, nil) }
	missed := func(s *story) { s.hits = 0 }
	born := shouts(9, sorry)
	born.LiveBorn = true
	marked := text(9, "Nothing was bought. Have a look at your card.")
	marked.Claim = "failed"
	moves := under(func(p *person) {
		p.presses("place", "Buy", 3)
		p.asks(experiments.Exchange{Method: "POST", Status: 503}, time.Second)
		p.focus = 9
		p.sees(some(text(9, sorry)))
		p.stays(3 * time.Second)
	})
	falls := func(focus int64) func(*person) {
		return under(func(p *person) {
			p.presses("place", "Buy", 3)
			p.sees(nil)
			p.asks(experiments.Exchange{Method: "POST", Status: 503}, time.Second)
			p.focus = focus
			p.sees(some(shouts(9, sorry)))
			p.stays(3 * time.Second)
		})
	}
	another := func(title string) func(*person) {
		return under(func(p *person) {
			p.presses("place", "Buy", 3)
			p.asks(experiments.Exchange{Method: "POST", Status: 503, Kind: "document"}, time.Second)
			p.opens("place", title, text(4, sorry))
			p.stays(3 * time.Second)
		})
	}
	runRuleCases(t, []ruleCase{
		{"blank", "IN-01", site(fails("", shouts(9, sorry))), fail, "gone from 1 of 1 fields: “Street”"},
		{"another", "IN-01", site(fails("nowhere", shouts(9, sorry))), fail, "Street"},
		{"twin", "IN-01", site(fails("12 long-lane", shouts(9, sorry))), pass, ""},
		{"no error", "IN-01", site(fails("")), idle, ""},
		{"nothing was entered", "IN-01", site(falls(3)), idle, ""},
		{"filled in and sent between two looks", "IN-01", site(under(func(p *person) {
			p.sees(some(field(2, "Street", "1")))
			p.acts("fill")
			p.presses("place", "Buy", 3)
			p.asks(experiments.Exchange{Method: "POST", Status: 503}, time.Second)
			p.sees(some(shouts(9, sorry), field(2, "Street", "12 Long Lane")))
			p.stays(3 * time.Second)
		})), idle, ""},
		{"no form", "IN-01", site(under(func(p *person) {
			p.sees(some(field(2, "Street", "12 Long Lane")))
			p.presses("place", "Buy", 3)
			p.asks(experiments.Exchange{Method: "POST", Status: 503}, time.Second)
			p.opens("place", "Error", shouts(9, sorry))
			p.stays(3 * time.Second)
		})), idle, ""},
		{"the fault did not bite", "IN-01", with(site(fails("", shouts(9, sorry))), missed), idle, ""},

		{"a plain text", "AX-01", site(fails("x", text(9, sorry))), fail, "nothing announces"},
		{"a plain text by its mark", "AX-01", site(fails("x", marked)), fail, "nothing announces"},
		{"twin is announced", "AX-01", site(fails("x", shouts(9, sorry))), pass, ""},
		{"the focus moves there", "AX-01", site(moves), pass, ""},
		{"a page of its own", "AX-01", site(another("Order failed")), pass, ""},
		{"a page as before", "AX-01", site(another("Checkout")), idle, ""},
		{"a text that is no error", "AX-01", site(fails("x", text(9, "Three people look at this book"))), idle, ""},
		{"the fault did not bite", "AX-01", with(site(fails("x", text(9, sorry))), missed), idle, ""},

		{"born with its text", "AX-02", site(fails("x", born)), fail, "came up together"},
		{"twin was there", "AX-02", site(fails("x", shouts(9, sorry))), pass, ""},
		{"not announced at all", "AX-02", site(fails("x", text(9, sorry))), idle, ""},

		{"falls to the body", "AX-05", site(falls(0)), fail, "focus was lost"},
		{"twin keeps it", "AX-05", site(falls(3)), pass, ""},
		{"lost when all is well", "AX-05", browses(falls(0), falls(0), nil), idle, ""},
		{"the fault did not bite", "AX-05", with(site(falls(0)), missed), idle, ""},
	})
}

func TestRecoveryOfPages(t *testing.T) {
	fail, pass, idle := experiments.RuleFail, experiments.RulePass, experiments.NotExercised
	warned := under(func(p *person) { p.sees(some(shouts(9, banner))); p.stays(2 * time.Second) })
	after := func(wait time.Duration, words string) func(*person) {
		return func(p *person) {
			well(p)
			if words != "" {
				p.sees(some(shouts(9, words)))
			}
			p.stays(wait)
		}
	}
	site := func(act, later func(*person)) func(*story) { return soon(2*time.Second, browses(well, act, later)) }
	stuck := orders(0, "We could not load your orders")
	opened := func(wait time.Duration, mends bool, next experiments.RegionSeen) func(*story) {
		return soon(2*time.Second, browses(well, under(func(p *person) {
			p.sees(some(func() experiments.Block {
				b := text(9, "We could not load your orders")
				b.Region = "my orders"
				return b
			}()))
			p.shows(stuck)
			p.stays(time.Second)
		}), func(p *person) {
			p.user, p.where.User, p.where.Page, p.where.Visit = 8, 8, 801, p.where.Visit-2
			if mends {
				p.sees(nil, 9)
				p.shows(orders(3, "Order 1"))
			}
			p.stays(wait)
			p.opens("place", "Checkout")
			p.shows(next)
			p.stays(time.Second)
		}, ordersRegion()))
	}
	mended := orders(3, "Order 1")
	runRuleCases(t, []ruleCase{
		{"for ever", "RC-01", site(warned, after(8*time.Second, banner)), fail, "still on the page"},
		{"twin", "RC-01", site(warned, after(8*time.Second, "")), pass, ""},
		{"nobody looked again", "RC-01", site(warned, nil), idle, ""},
		{"the run is too short", "RC-01", soon(time.Hour, browses(well, warned, after(8*time.Second, banner))), idle, ""},
		{"no banner", "RC-01", site(well, after(8*time.Second, "")), idle, ""},
		{"not steady", "RC-01", with(site(warned, after(8*time.Second, banner)), func(s *story) { s.steady = -1 }), idle, ""},
		{"never gone", "RC-01", with(site(warned, after(8*time.Second, banner)), func(s *story) { s.unmended = true }), idle, ""},

		{"needs F5", "RC-02", opened(8*time.Second, false, mended), fail, "was still an error"},
		{"twin", "RC-02", opened(8*time.Second, true, mended), pass, ""},
		{"a later page is no better", "RC-02", opened(8*time.Second, false, stuck), idle, ""},
		{"left before", "RC-02", opened(time.Second, false, mended), idle, ""},
		{"well all the time", "RC-02", site(well, after(8*time.Second, "")), idle, ""},
	})
}

func TestDebrisAndCollateral(t *testing.T) {
	fail, pass, idle, blind := experiments.RuleFail, experiments.RulePass, experiments.NotExercised, experiments.Unverifiable
	site := func(base, act func(*person)) func(*story) { return browses(base, act, nil) }
	garbage := shouts(9, "TypeError: Failed to fetch")
	garbage.Hits = []experiments.PatternHit{{Pattern: "LK-04/script", Text: "Failed to fetch"}}
	shown := under(func(p *person) { p.sees(some(garbage)); p.stays(time.Second) })
	spared := func(base int, statuses ...int) func(*story) {
		return func(s *story) {
			noBuys(s)
			s.inBase = func(s *story) {
				felt(s)
				s.asks(experiments.Exchange{Status: base})
				s.asks(experiments.Exchange{Status: 200})
			}
			s.inFault = func(s *story) {
				felt(s)
				for _, status := range statuses {
					s.asks(experiments.Exchange{Status: status})
				}
			}
		}
	}
	runRuleCases(t, []ruleCase{
		{"liar", "LK-04", site(well, shown), fail, "Failed to fetch"},
		{"twin", "LK-04", site(well, under(func(p *person) { p.sees(some(shouts(9, sorry))); p.stays(time.Second) })), pass, ""},
		{"there when all is well", "LK-04", site(shown, shown), pass, ""},
		{"for a moment", "LK-04", site(well, under(func(p *person) { p.sees(some(garbage)); p.sees(nil, 9) })), pass, ""},
		{"public", "LK-04", with(site(well, shown), func(s *story) { s.plan.Public = []string{"Failed to fetch"} }), pass, ""},
		{"the fault did not bite", "LK-04", with(site(well, shown), func(s *story) { s.hits = 0 }), idle, ""},

		{"the frame fails too", "ST-13", spared(200, 500, 500), fail, "needs nothing of what was broken"},
		{"once", "ST-13", spared(200, 500, 200), blind, ""},
		{"twin", "ST-13", spared(200, 200, 200), pass, ""},
		{"it fails when all is well", "ST-13", spared(500, 500, 500), idle, ""},
		{"what needs it fails", "ST-13", asked(body("text/html", ""), as(500, body("text/html", "")), as(500, body("text/html", ""))), idle, ""},
		{"a spike", "ST-13", with(spared(200, 500, 500), func(s *story) { s.plan.Faults[0].Reach.Journey = "buy" }), idle, ""},
		{"the fault did not bite", "ST-13", with(spared(200, 500, 500), func(s *story) { s.hits = 0 }), idle, ""},
	})
}
