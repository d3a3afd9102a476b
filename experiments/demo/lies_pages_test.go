package demo

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// tales are the lies that web or status noted.
func (c *town) tales(service string) []tale {
	c.t.Helper()
	var all struct{ Told []tale }
	if err := json.Unmarshal([]byte(fetch(c.t, c.admins[service]+"/lies")), &all); err != nil {
		c.t.Fatal(err)
	}
	return all.Told
}

// breaks are the services to stop for a symptom.
var breaks = map[symptom]string{paymentsDown: "payments", ordersDown: "orders", booksDown: "catalog"}

// TestFormsAreAnsweredWithLies plants every lie that a form is answered with, breaks what it needs, and buys.
func TestFormsAreAnsweredWithLies(t *testing.T) {
	words := map[string]string{"TX-01": "Check your internet connection", "TX-02": "Your card number is invalid", "TX-03": "scheduled maintenance", "TX-04": "could not be placed",
		"TX-05": "Sorry, there is a problem", "TX-06": "Try again.", "TX-07": "token was not propagated", "TX-08": "Oops!", "TX-09": "checkout.errors.payment_failed",
		"TX-10": "Your order was accepted", "TX-11": "Reference 000000", "TX-12": "illegal request", "ST-12": "We could not place your order"}
	missing := map[string]string{"TX-04": "Go back", "TX-05": "charged", "TX-06": "seconds", "TX-08": "order"} // what the honest shop says there
	for _, l := range lieTable() {
		if !l.page || l.tell == nil {
			continue
		}
		t.Run(l.id, func(t *testing.T) {
			c := newTown(t, l.id)
			p := c.customer()
			note := "lie-" + l.id
			if s := p.get("/checkout", basketOf("well-"+l.id), true); s.status != http.StatusCreated || len(c.tales("web")) > 0 {
				t.Fatalf("all is well, and the form is answered %d %s; told %v", s.status, s.text, c.tales("web"))
			}
			c.stop(breaks[l.fits])
			var s seen
			eventually(t, "the lie is told", func() bool {
				s = p.get("/checkout", basketOf(note), true)
				return len(c.tales("web")) > 0
			})
			if told := c.tales("web"); told[0].Lie != l.id || told[0].Marker != note {
				t.Errorf("%+v was noted; want %s of %s", told[0], l.id, note)
			}
			if claim := s.header.Get("Claim"); claim != "failed" {
				t.Errorf("the page claims %q; want failed", claim)
			}
			if words[l.id] == "" && s.header.Get("Bend") != l.id || !strings.Contains(s.text, words[l.id]) {
				t.Errorf("the form is answered with Bend %q and %q", s.header.Get("Bend"), s.text)
			}
			if not := missing[l.id]; not != "" && strings.Contains(s.text, not) {
				t.Errorf("the lie says %q after all: %s", not, s.text)
			}
			if status, body := p.do("POST", "/api/orders", basket{Book: 42, Copies: 3, Note: "api-" + l.id}); status != http.StatusServiceUnavailable || strings.Contains(body, words[l.id]) && words[l.id] != "" {
				t.Errorf("a program is answered %d %s; the lie is for people alone", status, body)
			}
			c.start(breaks[l.fits])
			for _, bought := range []string{note, "api-" + l.id} {
				if o, ch := c.truth(bought); o != 0 || ch != 0 {
					t.Errorf("%s was refused, and there are %d orders and %d charges", bought, o, ch)
				}
			}
			if l.id == "TX-11" && strings.Contains(c.logs.String(), "000000") {
				t.Error("the reference that nobody can find is in the log")
			}
		})
	}
}

// TestReadersAreShownLies plants every lie that a page or a part of one is bent with by web.
func TestReadersAreShownLies(t *testing.T) {
	for id, c := range map[string]struct {
		path  string
		wants func(s seen) bool
	}{
		"LK-04": {"/parts/offer?book=42", func(s seen) bool {
			return strings.Contains(s.text, "£NaN") && strings.Contains(s.text, "TypeError: Failed to fetch")
		}},
		"ST-01": {"/parts/orders", func(s seen) bool {
			return s.status == http.StatusOK && s.text == "You have no orders yet. Start shopping!"
		}},
		"ST-02": {"/parts/orders", func(s seen) bool { return strings.Contains(s.text, "£36.00") }}, // of two that cost £72
		"ST-03": {"/parts/shelf", func(s seen) bool {
			return strings.Contains(s.text, "£12.00") && s.find("class", "age") == nil
		}},
		"ST-04": {"/parts/offer?book=42", func(s seen) bool { return strings.Contains(s.text, "Prices updated just now") }},
		"ST-05": {"/parts/shelf", func(s seen) bool {
			return s.status == http.StatusServiceUnavailable && s.find("class", "feed") != nil
		}},
		"ST-06": {"/parts/orders", func(s seen) bool {
			return s.status == http.StatusInternalServerError && s.find("role", "progressbar") != nil
		}},
		"ST-07": {"/parts/shelf", func(s seen) bool { return s.header.Get("Bend") == "ST-07" }},
		"ST-08": {"/parts/offer?book=42", func(s seen) bool { return s.status == http.StatusOK && s.source == "" }},
		"ST-09": {"/checkout?book=42", func(s seen) bool {
			return strings.Contains(s.source, "<button disabled>Buy now") && !strings.Contains(s.text, "not working")
		}},
		"ST-13": {"/", func(s seen) bool { return s.status == http.StatusInternalServerError }},
		"IN-03": {"/parts/orders", func(s seen) bool {
			return s.status == http.StatusUnauthorized && strings.Contains(s.header.Get("Set-Cookie"), "session=;")
		}},
		"AX-03": {"/parts/orders", func(s seen) bool {
			return s.header.Get("Bend") == "AX-03" && strings.Contains(s.text, "cannot be shown")
		}},
		"RC-02": {"/parts/orders", func(s seen) bool {
			return s.header.Get("Bend") == "RC-02" && strings.Contains(s.text, "cannot be shown")
		}},
	} {
		t.Run(id, func(t *testing.T) {
			town := newTown(t, id)
			ann := town.customer()
			if ann.signIn("ann") != http.StatusCreated {
				t.Fatal("ann cannot sign in")
			}
			for _, note := range []string{"first", "second"} {
				ann.get("/checkout", basketOf(note), true).wants(t, http.StatusCreated)
			}
			if s := ann.get(c.path, nil, true); c.wants(s) || s.status != http.StatusOK || len(town.tales("web")) > 0 {
				t.Fatalf("all is well, and the lie is told: %d %s", s.status, s.text)
			}
			town.stop(breaks[lieByID(id).fits])
			eventually(t, "the lie is told", func() bool { return c.wants(ann.get(c.path, nil, true)) })
			if told := town.tales("web"); len(told) != 1 || told[0].Lie != id {
				t.Errorf("it was noted as %+v", told)
			}
			town.start(breaks[lieByID(id).fits])
			ann.signIn("ann")
			eventually(t, "the truth is told again", func() bool { return !c.wants(ann.get(c.path, nil, true)) })
		})
	}
}

// TestTheNoticeLies: it is withheld, it stays, or it asks the page to tell a lie by itself.
func TestTheNoticeLies(t *testing.T) {
	for _, id := range []string{"CL-07", "CL-08", "ST-10", "IN-06", "RC-01", "AX-06"} {
		t.Run(id, func(t *testing.T) {
			c := newTown(t, id)
			p := c.customer()
			c.stop("payments")
			bends := func(s seen) bool { return slices.Contains(s.header.Values("Bend"), id) }
			names := func(s seen) bool { return strings.Contains(s.text, "Payments are not working") }
			notice := func() seen { return p.get("/parts/notice", nil, true) }
			switch id {
			case "ST-10":
				eventually(t, "the missing warning is noted", func() bool {
					notice().wants(t, http.StatusOK, "!not working")
					return len(c.tales("web")) == 1 && c.tales("web")[0].Lie == id
				})
			case "RC-01":
				eventually(t, "the notice is there", func() bool { return names(notice()) })
				c.start("payments")
				eventually(t, "the notice that stays is noted", func() bool { return names(notice()) && len(c.tales("web")) == 1 && c.tales("web")[0].Lie == id })
			default:
				eventually(t, "the page is asked to lie", func() bool { s := notice(); return bends(s) && names(s) })
				if len(c.tales("web")) > 0 {
					t.Errorf("nobody has pressed or looked, and told was %v", c.tales("web"))
				}
				p.get("/told?lie="+id+"&note=m-1", nil, true)
				p.get("/told?lie=CL-01&note=m-1", nil, true)
				p.get("/told?lie=nonsense&note=m-1", nil, true)
				if told := c.tales("web"); len(told) != 1 || told[0].Lie != id || told[0].Marker != "m-1" {
					t.Errorf("the page said that it lied, and noted was %+v", told)
				}
			}
		})
	}
}

// TestTheThirdStory: the status page contradicts what the pages say (TX-10).
func TestTheThirdStory(t *testing.T) {
	c := newTown(t, "TX-10")
	if strings.Contains(fetch(t, c.urls["status"]+"/"), "delayed") {
		t.Error("all is well, and orders are said to be late")
	}
	c.stop("payments")
	for _, path := range []string{"/", "/status.json"} {
		if text := fetch(t, c.urls["status"]+path); !strings.Contains(text, "All orders are being delayed by an hour, and none is refused.") {
			t.Errorf("%s says %s", path, text)
		}
	}
}

// TestWhoSignsInAgainIsLost: the form in which somebody was is left, and the next page is told to drop the draft (IN-04).
func TestWhoSignsInAgainIsLost(t *testing.T) {
	c := newTown(t, "IN-04")
	p := c.customer()
	s := p.get("/sign-in", map[string][]string{"name": {"ann"}, "password": {practiceLogins["ann"]}, "next": {"/account"}}, false)
	if s.status != http.StatusSeeOther || s.header.Get("Location") != "/" {
		t.Errorf("signing in leads to %d %s", s.status, s.header.Get("Location"))
	}
	if told := c.tales("web"); len(told) != 1 || told[0].Lie != "IN-04" {
		t.Errorf("noted was %+v", told)
	}
}
