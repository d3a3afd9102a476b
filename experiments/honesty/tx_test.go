package honesty

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// visited is the end of a visit that went well.
func (p *person) visited() {
	p.add(experiments.Record{Visit: &experiments.Visit{ID: p.where.Visit, Journey: "buy", User: p.user, Started: p.s.now.Add(-time.Millisecond), OK: true}})
}

func wellDone(p *person) {
	well(p)
	p.visited()
}

// told is somebody who buys, is refused by the shop, and reads these texts.
func told(blocks ...experiments.Block) func(*person) { return toldOnce(1, blocks...) }

func toldOnce(times int, blocks ...experiments.Block) func(*person) {
	return func(p *person) {
		for range times {
			well(p)
			p.intends()
			p.presses("place", "Buy", 3)
			p.asks(experiments.Exchange{Method: "POST", Status: 503, Kind: "fetch"}, 100*time.Millisecond)
			p.claims(experiments.ClaimRefused, "")
			p.sees(blocks)
			p.stays(3 * time.Second)
		}
	}
}

func isTold(blocks ...experiments.Block) func(*story) {
	return browses(wellDone, told(blocks...), wellDone)
}

func honestly() []experiments.Block {
	return some(shouts(8, "Your order was not placed"), shouts(9, "Your card was not charged. Please try again in a minute."))
}

// silently is a page on which nothing comes up.
func silently() func(*story) { return browses(wellDone, wellDone, wellDone) }

func missedFault(s *story) { s.hits = 0 }

// elsewhere is a further request that the person's browser was answered.
func elsewhere(blocks ...experiments.Block) func(*story) {
	return browses(wellDone, func(p *person) {
		p.add(experiments.Record{Exchange: &experiments.Exchange{Journey: "buy", User: p.user, Visit: p.where.Visit, Step: "place", Kind: "fetch", Attempt: 1, By: experiments.ByClient, Method: "GET", URL: "http://web/basket", Status: 200, Sent: p.s.now, Ended: p.s.now}})
		told(blocks...)(p)
	}, wellDone)
}

func TestBlameRules(t *testing.T) {
	fail, pass, idle := experiments.RuleFail, experiments.RulePass, experiments.NotExercised
	network := some(shouts(8, "Your order was not placed"), shouts(9, "Check your internet connection and try again in a minute. Your card was not charged."))
	card := shouts(8, "Your card number is invalid")
	cause := some(shouts(8, "We are down for scheduled maintenance"), shouts(9, "Nothing was ordered. Please try again in an hour."))
	unneeded := func(s *story) { s.plan.Journeys[0].Steps[1].Needs = []string{"orders"} }
	spike := func(s *story) { s.plan.Faults[0].Kind = "cpu" }
	abroad := func(s *story) { s.plan.Services[2].Outside = true }
	answers := func(fault string) func(*story) {
		return func(s *story) { s.plan.Faults[0].Kind, s.plan.Faults[0].Fault = "errors", json.RawMessage(fault) }
	}
	runRuleCases(t, []ruleCase{
		{"liar", "TX-01", elsewhere(network...), fail, "http://web/basket"},
		{"twin", "TX-01", elsewhere(honestly()...), pass, ""},
		{"both causes", "TX-01", elsewhere(shouts(8, "Check your internet connection, or our service is down")), pass, ""},
		{"nothing else was reached", "TX-01", isTold(network...), idle, ""},
		{"no error", "TX-01", silently(), idle, ""},
		{"the fault did not bite", "TX-01", with(elsewhere(network...), missedFault), idle, ""},
		{"gone at the second look", "TX-01", browses(wellDone, func(p *person) {
			well(p)
			p.asks(experiments.Exchange{Method: "POST", Status: 503}, 100*time.Millisecond)
			p.sees(network)
			p.sees(nil, 8, 9)
			p.stays(time.Second)
		}, wellDone), idle, ""},

		{"liar", "TX-02", isTold(card), fail, "card number is invalid” while payments was broken"},
		{"twin", "TX-02", isTold(honestly()...), pass, ""},
		{"one sign", "TX-02", browses(wellDone, func(p *person) {
			well(p)
			p.sees(some(text(8, "Your card number is invalid")))
			p.stays(time.Second)
		}, wellDone), idle, ""},
		{"as in the baseline", "TX-02", browses(func(p *person) { wellDone(p); p.sees(some(card)); p.stays(time.Second) }, told(card), wellDone), idle, ""},
		{"never goes well", "TX-02", browses(well, told(card), wellDone), idle, ""},
		{"not seen to go well later", "TX-02", browses(wellDone, told(card), well), idle, ""},
		{"blamed later too", "TX-02", browses(wellDone, told(card), func(p *person) {
			wellDone(p)
			p.s.wait(70 * time.Second)
			p.sees(some(card))
			p.stays(time.Second)
		}), idle, ""},
		{"it was told so", "TX-02", with(isTold(card), answers(`{"status":402}`)), idle, ""},
		{"it was told of an error", "TX-02", with(isTold(card), answers(`{"status":503}`)), fail, ""},
		{"nothing that it needs", "TX-02", with(isTold(card), unneeded), idle, ""},
		{"no error", "TX-02", silently(), idle, ""},
		{"the fault did not bite", "TX-02", with(isTold(card), missedFault), idle, ""},

		{"liar", "TX-03", browses(wellDone, toldOnce(2, cause...), wellDone), fail, "scheduled maintenance"},
		{"seen once", "TX-03", isTold(cause...), experiments.Unverifiable, ""},
		{"twin", "TX-03", isTold(honestly()...), pass, ""},
		{"our side", "TX-03", browses(wellDone, toldOnce(2, shouts(8, "A problem with our service, not with your bank: your bank has nothing to do with it")), wellDone), pass, ""},
		{"load", "TX-03", browses(wellDone, toldOnce(2, shouts(8, "Your order was not placed: high demand")), wellDone), fail, "high demand"},
		{"load it is", "TX-03", with(browses(wellDone, toldOnce(2, shouts(8, "Your order was not placed: high demand")), wellDone), spike), pass, ""},
		{"bank", "TX-03", browses(wellDone, toldOnce(2, shouts(8, "Your bank declined the payment")), wellDone), fail, "bank"},
		{"somebody else's service", "TX-03", with(browses(wellDone, toldOnce(2, shouts(8, "Our payment provider, a partner of a third party, did not answer")), wellDone), abroad), pass, ""},
		{"no error", "TX-03", silently(), idle, ""},
		{"the fault did not bite", "TX-03", with(browses(wellDone, toldOnce(2, cause...), wellDone), missedFault), idle, ""},

		{"liar", "TX-12", isTold(shouts(8, "You submitted an illegal request")), fail, "illegal request"},
		{"twin", "TX-12", isTold(honestly()...), pass, ""},
		{"it blames the input", "TX-12", isTold(shouts(8, "You entered an invalid card number")), pass, ""},
		{"nothing that it needs", "TX-12", with(isTold(shouts(8, "You submitted an illegal request")), unneeded), idle, ""},
		{"no error", "TX-12", silently(), idle, ""},
		{"the fault did not bite", "TX-12", with(isTold(shouts(8, "You submitted an illegal request")), missedFault), idle, ""},
	})
}

func TestFateRules(t *testing.T) {
	fail, pass, idle := experiments.RuleFail, experiments.RulePass, experiments.NotExercised
	deadEnd := some(shouts(8, "Your order could not be placed"), shouts(9, "Your card was not charged."))
	framed := button(5, "Back to the shop")
	framed.Landmark = "navigation"
	grey := button(5, "Try again")
	grey.Disabled = true
	fateless := some(shouts(8, "Sorry, there is a problem"), shouts(9, "Go back to the shop."))
	reads := func(s *story) { s.plan.Journeys[0].IntentStep = "" }
	inRegion := shouts(8, "Oops!")
	inRegion.Region = "my orders"
	runRuleCases(t, []ruleCase{
		{"liar", "TX-04", isTold(deadEnd...), fail, "Your order could not be placed"},
		{"twin", "TX-04", isTold(honestly()...), pass, ""},
		{"twin has a button", "TX-04", isTold(append(some(button(5, "Try again")), deadEnd...)...), pass, ""},
		{"a link of the frame", "TX-04", isTold(append(some(framed), deadEnd...)...), fail, ""},
		{"a grey button", "TX-04", isTold(append(some(grey), deadEnd...)...), fail, ""},
		{"nothing to do", "TX-04", isTold(shouts(8, "Your order was not placed. We will finish this for you.")), pass, ""},
		{"no error", "TX-04", silently(), idle, ""},
		{"the fault did not bite", "TX-04", with(isTold(deadEnd...), missedFault), idle, ""},

		{"liar", "TX-05", isTold(fateless...), fail, "there is a problem"},
		{"twin", "TX-05", isTold(honestly()...), pass, ""},
		{"twin does not know", "TX-05", isTold(shouts(8, "There is a problem. We do not know whether your order was placed.")), pass, ""},
		{"twin says it elsewhere", "TX-05", isTold(append(some(text(6, "Nothing was charged.")), fateless...)...), pass, ""},
		{"only reads", "TX-05", with(isTold(fateless...), reads), idle, ""},
		{"before the act", "TX-05", browses(wellDone, func(p *person) {
			well(p)
			p.asks(experiments.Exchange{Status: 503}, 100*time.Millisecond)
			p.sees(fateless)
			p.stays(time.Second)
		}, wellDone), idle, ""},
		{"no error", "TX-05", silently(), idle, ""},
		{"the fault did not bite", "TX-05", with(isTold(fateless...), missedFault), idle, ""},

		{"liar", "TX-08", isTold(shouts(8, "Oops!")), fail, "Oops!"},
		{"twin", "TX-08", isTold(honestly()...), pass, ""},
		{"short, and all is said", "TX-08", isTold(shouts(8, "Payment failed. Try again.")), pass, ""},
		{"next to its object", "TX-08", isTold(inRegion), pass, ""},
		{"no error", "TX-08", silently(), idle, ""},
		{"the fault did not bite", "TX-08", with(isTold(shouts(8, "Oops!")), missedFault), idle, ""},
	})
}

func TestCopyRules(t *testing.T) {
	fail, pass, idle := experiments.RuleFail, experiments.RulePass, experiments.NotExercised
	jargon := some(shouts(8, "Upstream instance returned 502, token was not propagated"), shouts(9, "Nothing was ordered. Go back to the shop."))
	key := some(shouts(8, "checkout.errors.payment_failed"), shouts(9, "Nothing was ordered. Go back to the shop."))
	german := shouts(8, "Ihre Bestellung wurde nicht aufgegeben, und Ihre Karte wurde nicht belastet. Bitte versuchen Sie es in einer Minute noch einmal.")
	public := func(s *story) { s.plan.Public = []string{"Upstream", "checkout.errors.payment_failed"} }
	inLang := func(lang string, blocks ...experiments.Block) func(*story) {
		return browses(wellDone, func(p *person) {
			well(p)
			p.asks(experiments.Exchange{Method: "POST", Status: 503}, 100*time.Millisecond)
			p.sample(experiments.PageSeen{Born: blocks, Lang: lang})
			p.sample(experiments.PageSeen{Lang: lang})
			p.s.wait(time.Second)
			p.sample(experiments.PageSeen{Lang: lang})
		}, wellDone)
	}
	wire := func(accepts, body string) func(*story) {
		return func(s *story) {
			noBuys(s)
			s.inFault = func(s *story) {
				felt(s)
				s.asks(experiments.Exchange{Step: "place", Status: 503, Headers: map[string][]string{"Content-Type": {"application/json"}},
					RequestHeaders: map[string]string{"Accept-Language": accepts}, Body: experiments.Text{Text: body, Length: int64(len(body))}})
			}
		}
	}
	const inGerman = `{"title":"Ihre Bestellung wurde nicht aufgegeben, und Ihre Karte wurde nicht belastet."}`
	runRuleCases(t, []ruleCase{
		{"liar", "TX-07", isTold(jargon...), fail, "Upstream instance"},
		{"twin", "TX-07", isTold(honestly()...), pass, ""},
		{"long", "TX-07", isTold(shouts(8, "Your order was not placed because the people who take the money for us and who sit in another town did not say in time whether they had taken it or not")), fail, "more than 25 words"},
		{"public", "TX-07", with(isTold(jargon...), public), pass, ""},
		{"no error", "TX-07", silently(), idle, ""},
		{"the fault did not bite", "TX-07", with(isTold(jargon...), missedFault), idle, ""},

		{"liar", "TX-09", isTold(key...), fail, "checkout.errors.payment_failed"},
		{"a blank", "TX-09", isTold(shouts(8, "Sorry {{name}}, your order was not placed")), fail, "{{name}}"},
		{"twin", "TX-09", isTold(honestly()...), pass, ""},
		{"an address", "TX-09", isTold(shouts(8, "Your order was not placed. See status.shop.example or write to help@shop.example, at 50% off.")), pass, ""},
		{"public", "TX-09", with(isTold(key...), public), pass, ""},
		{"German", "TX-09", inLang("en", german), fail, "another language (de)"},
		{"twin is German", "TX-09", inLang("de-AT", german), pass, ""},
		{"nobody knows", "TX-09", inLang("", german), pass, ""},
		{"no error", "TX-09", silently(), idle, ""},
		{"the fault did not bite", "TX-09", with(isTold(key...), missedFault), idle, ""},

		{"on the wire", "TX-09", wire("", `{"title":"errors.generic"}`), fail, "errors.generic"},
		{"twin on the wire", "TX-09", wire("en", `{"title":"Your order was not placed","code":"errors.generic"}`), pass, ""},
		{"German on the wire", "TX-09", wire("en", inGerman), fail, "another language (de)"},
		{"German was accepted", "TX-09", wire("en, de;q=0.5", inGerman), pass, ""},
		{"no text", "TX-09", wire("en", `{"code":"errors.generic"}`), idle, ""},
		{"the fault did not bite on the wire", "TX-09", with(wire("", `{"title":"errors.generic"}`), missedFault), idle, ""},
	})
}
