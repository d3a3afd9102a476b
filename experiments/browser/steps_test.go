package browser

import (
	"strings"
	"testing"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

const form = `<h1>Checkout</h1>
<form onsubmit="event.preventDefault(); out.textContent = 'Name ' + a.value + ', card ' + c.value + ', to ' + s.selectedOptions[0].text">
<label>Full name <input id=a name=name value=old></label>
<label for=c>Card number</label><input id=c name=cardnumber>
<label>Country <select id=s><option>Sweden<option>Norway</select></label>
<input data-testid=note placeholder=Note>
<button>Buy now</button></form>
<p id=out></p>
<a href="/next">Go on</a> <button onclick="setTimeout(() => late.hidden = false, 400)">Later</button><p id=late hidden role=status>It came</p>
<div><button class=twin>Twin</button><button class=twin>Twin</button></div>`

func TestEachStepAndLocator(t *testing.T) {
	r := newRig(t, map[string]string{"/": form, "/next": "<h1>Next page</h1>", "/tab": "<h1>Tab page</h1>"})
	u := r.user(0)
	r.do(u, "open", &Action{Open: lit("/")})
	r.do(u, "name", &Action{Fill: &experiments.Locator{Label: lit("Full name")}, With: lit("Ann")})
	r.do(u, "card", &Action{Fill: &experiments.Locator{Role: "textbox", Name: lit("card number")}, With: lit("4242")})
	r.do(u, "note", &Action{Fill: &experiments.Locator{TestID: lit("note")}, With: lit("by hand")})
	r.do(u, "country", &Action{Select: &experiments.Locator{CSS: lit("#s")}, Option: lit("Norway")})
	r.do(u, "buy", &Action{Click: &experiments.Locator{Role: "button", Name: lit("Buy now")}})
	if a := r.do(u, "see", &Action{Wait: experiments.Wait{For: &experiments.Locator{Text: lit("Name Ann, card 4242, to Norway")}}}); !says(a, "Name Ann") {
		t.Errorf("the page says %v", a.Vars["page"])
	}
	r.do(u, "focus", &Action{Click: &experiments.Locator{Label: lit("Full name")}})
	r.do(u, "type", &Action{Press: lit("!")})
	r.do(u, "enter", &Action{Press: lit("Enter")})
	r.do(u, "see enter", &Action{Wait: experiments.Wait{For: &experiments.Locator{Text: lit("!")}}})
	r.do(u, "later", &Action{Click: &experiments.Locator{Text: lit("Later")}})
	r.do(u, "wait for it", &Action{Wait: experiments.Wait{For: &experiments.Locator{Role: "status", Name: lit("It came")}}})
	r.do(u, "rest", &Action{Wait: experiments.Wait{Time: 50 * time.Millisecond}})
	if a := r.do(u, "go on", &Action{Click: &experiments.Locator{Role: "link", Name: lit("Go on")}}); !says(a, "Next page") {
		t.Errorf("after the link: %v", a.Vars["page"])
	}
	if a := r.do(u, "back", &Action{Back: true}); !says(a, "Checkout") {
		t.Errorf("after back: %v", a.Vars["page"])
	}
	r.do(u, "reload", &Action{Reload: true})
	if a := r.do(u, "tab", &Action{Tab: lit("/tab")}); !says(a, "Tab page") {
		t.Errorf("in the tab: %v", a.Vars["page"])
	}
	presses := map[string]int{}
	for _, rec := range r.notes.all() {
		if rec.Press != nil && !rec.Press.Acted.IsZero() && !rec.Press.Ended.Before(rec.Press.Acted) {
			presses[rec.Press.Verb]++
		}
		if rec.Page != nil {
			for _, b := range rec.Page.Born {
				if strings.Contains(b.Value, "4242") {
					t.Errorf("the number of a card was looked at: %+v", b)
				}
			}
		}
	}
	for _, verb := range []string{"open", "fill", "click", "press", "select", "wait", "back", "reload", "tab"} {
		if presses[verb] == 0 {
			t.Errorf("no press %s in the history: %v", verb, presses)
		}
	}
}

func TestWhatKeepsAPersonFromActing(t *testing.T) {
	r := newRig(t, map[string]string{"/": form + `<button disabled>Pay</button><div style="position:relative"><button>Under</button><div id=veil style="position:absolute;inset:0"></div></div>`})
	u := r.user(0)
	r.do(u, "open", &Action{Open: lit("/")})
	for _, c := range []struct {
		what          *experiments.Locator
		trouble, why_ string
	}{
		{&experiments.Locator{Text: lit("Twin")}, "ambiguous", "2 elements are"},
		{&experiments.Locator{Text: lit("No such thing")}, "missing", "there is no"},
		{&experiments.Locator{Role: "button", Name: lit("Pay")}, "disabled", "is disabled"},
		{&experiments.Locator{Role: "button", Name: lit("Under")}, "covered", "#veil"},
	} {
		a := r.try(u, experiments.Act{Step: c.trouble, Action: &Action{Click: c.what}, Timeout: 3 * time.Second})
		last := r.notes.all()
		press := last[len(last)-1].Press
		for i := len(last) - 1; press == nil; i-- {
			press = last[i].Press
		}
		if a.Answered || !strings.Contains(a.Why, c.why_) || press.Trouble != c.trouble || !press.Acted.IsZero() {
			t.Errorf("click %s: %q, trouble %q, acted %v", c.trouble, a.Why, press.Trouble, press.Acted)
		}
	}
}

func TestUsersShareNothing(t *testing.T) {
	r := newRig(t, map[string]string{"/": `<p id=o></p><script>o.textContent = 'known as ' + (document.cookie || localStorage.who || 'nobody')</script>`,
		"/in": `<p>in</p><script>document.cookie = 'who=ann'; localStorage.who = 'ann'</script>`})
	ann, bob := r.user(0), r.user(1)
	r.do(ann, "in", &Action{Open: lit("/in")})
	if a := r.do(ann, "open", &Action{Open: lit("/")}); !says(a, "known as who=ann") {
		t.Errorf("ann sees %v", a.Vars["page"])
	}
	if a := r.do(bob, "open", &Action{Open: lit("/")}); !says(a, "known as nobody") {
		t.Errorf("bob sees %v", a.Vars["page"])
	}
}
