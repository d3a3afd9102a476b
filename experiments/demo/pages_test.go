package demo

import (
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
)

// seen is a page, or a part of one, as it was answered.
type seen struct {
	status int
	header http.Header
	text   string // as people read it
	source string
	root   *html.Node
}

// get fetches a page; with a form it sends that. part asks for a part, as the shop's own script does.
func (p *customer) get(path string, form url.Values, part bool) seen {
	p.town.t.Helper()
	request, err := http.NewRequest(http.MethodGet, p.town.urls["web"]+path, nil)
	if form != nil {
		request, err = http.NewRequest(http.MethodPost, p.town.urls["web"]+path, strings.NewReader(form.Encode()))
	}
	if err != nil {
		p.town.t.Fatal(err)
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if part {
		request.Header.Set("Part", "1")
	}
	answer, err := p.http.Do(request)
	if err != nil {
		p.town.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		p.town.t.Fatal(err)
	}
	root, err := html.Parse(strings.NewReader(string(body)))
	if err != nil {
		p.town.t.Fatal(err)
	}
	s := seen{status: answer.StatusCode, header: answer.Header, source: string(body), root: root}
	var words []string
	for n := range root.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "style" && n.Parent.Data != "script" {
			words = append(words, strings.Fields(n.Data)...)
		}
	}
	s.text = strings.Join(words, " ")
	return s
}

// find is the first element with an attribute; its value "*" stands for any.
func (s seen) find(attribute, value string) *html.Node {
	for n := range s.root.Descendants() {
		for _, a := range n.Attr {
			if a.Key == attribute && (value == "*" || slices.Contains(strings.Fields(a.Val), value)) {
				return n
			}
		}
	}
	return nil
}

func attribute(n *html.Node, key string) string {
	if n != nil {
		for _, a := range n.Attr {
			if a.Key == key {
				return a.Val
			}
		}
	}
	return ""
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("in 20 s it never came to pass that %s", what)
		}
	}
}

// basketOf is the form of a checkout as somebody filled it in.
func basketOf(note string) url.Values {
	return url.Values{"book": {"42"}, "copies": {"3"}, "number": {"n-" + note}, "note": {note}, "address": {"7 Quay Lane"}, "card": {"4242 4242"}}
}

func (s seen) wants(t *testing.T, status int, texts ...string) {
	t.Helper()
	if s.status != status {
		t.Errorf("the answer is %d; want %d:\n%s", s.status, status, s.text)
	}
	for _, text := range texts {
		if not, is := strings.CutPrefix(text, "!"); is == strings.Contains(s.text, not) {
			t.Errorf("it has to say, or with ! not to say, %q:\n%s", text, s.text)
		}
	}
}

var referenceLike = regexp.MustCompile(`Reference ([A-Z2-7]{8})`)

func TestPagesSayHowThingsAre(t *testing.T) {
	c := newTown(t)
	ann := c.customer()
	if ann.signIn("ann") != http.StatusCreated {
		t.Fatal("ann cannot sign in")
	}
	ann.get("/", nil, false).wants(t, http.StatusOK, "Books worth keeping", "Live prices and stock", "£12.00", "in stock", "!not working")
	form := ann.get("/checkout?book=42", nil, false)
	form.wants(t, http.StatusOK, "Card number", "Buy now", "!fault")
	if said := form.find("class", "said"); attribute(said, "role") != "status" || said.FirstChild != nil {
		t.Errorf("the place for messages has to be there before there is one: %s", form.source)
	}
	ann.get("/orders?plain=1", nil, false).wants(t, http.StatusOK, "You have no orders")
	bought := ann.get("/checkout", basketOf("page-1"), true)
	bought.wants(t, http.StatusCreated, "Order placed", "page-1", "7 Quay Lane", "!fault")
	if o, ch := c.truth("page-1"); o != 1 || ch != 1 || bought.header.Get("Claim") != "success" {
		t.Errorf("a page order: %d orders, %d charges, claim %q", o, ch, bought.header.Get("Claim"))
	}
	ann.get("/orders", nil, false).wants(t, http.StatusOK, "Loading your orders")
	ann.get("/parts/orders", nil, true).wants(t, http.StatusOK, "page-1", "3 copies", "£36.00")
	ann.get("/checkout", url.Values{"book": {"42"}, "number": {"n"}, "address": {""}}, true).wants(t, http.StatusUnprocessableEntity, "where the books are to go", "!fault")
}

func TestPagesWithoutPayments(t *testing.T) {
	c := newTown(t)
	p := c.customer()
	p.get("/parts/notice", nil, true).wants(t, http.StatusOK, "!not working")
	c.stop("payments")
	eventually(t, "the notice names payments", func() bool {
		return strings.Contains(p.get("/parts/notice", nil, true).text, "Payments are not working right now. This is our fault")
	})
	p.get("/", nil, false).wants(t, http.StatusOK, "Books worth keeping")
	p.get("/checkout?book=42", nil, false).wants(t, http.StatusOK, "No order can be placed until they work again")
	refused := p.get("/checkout", basketOf("page-2"), false)
	refused.wants(t, http.StatusServiceUnavailable, "Payments are not available right now", "not charged and nothing was ordered", "This is our fault. What you typed is kept.",
		"try again in 2 seconds", "7 Quay Lane", "!4242")
	if said := refused.find("class", "said"); attribute(said, "role") != "alert" || attribute(said, "data-claim") != "failed" {
		t.Errorf("the refusal is said as %q, %q", attribute(said, "role"), attribute(said, "data-claim"))
	}
	if attribute(refused.find("name", "note"), "value") != "page-2" || attribute(refused.find("name", "number"), "value") != "n-page-2" {
		t.Errorf("the form does not keep what was typed: %s", refused.source)
	}
	found := referenceLike.FindStringSubmatch(refused.text)
	if found == nil || !strings.Contains(c.logs.String(), "reference "+found[1]) {
		t.Errorf("the reference of %q is not in the log:\n%s", refused.text, c.logs.String())
	}
	c.start("payments")
	eventually(t, "the notice goes away", func() bool { return p.get("/parts/notice", nil, true).text == "" })
	if o, ch := c.truth("page-2"); o != 0 || ch != 0 {
		t.Errorf("a refused order: %d orders, %d charges", o, ch)
	}
}

func TestPagesWithoutOrders(t *testing.T) {
	c := newTown(t)
	ann := c.customer()
	if ann.signIn("ann") != http.StatusCreated {
		t.Fatal("ann cannot sign in")
	}
	ann.get("/checkout", basketOf("page-3"), true).wants(t, http.StatusCreated)
	c.stop("orders")
	for _, path := range []string{"/parts/orders", "/orders?plain=1", "/orders/page-3"} {
		s := ann.get(path, nil, false)
		s.wants(t, http.StatusServiceUnavailable, "cannot be shown right now", "our fault", "!no orders", "!no such", "!Loading")
		if s.header.Get("Retry-After") == "" {
			t.Errorf("%s does not say when to come back", path)
		}
	}
	ann.get("/checkout", basketOf("page-4"), true).wants(t, http.StatusServiceUnavailable, "Orders cannot be taken right now", "nothing was ordered")
	c.start("orders")
	ann.get("/parts/orders", nil, true).wants(t, http.StatusOK, "page-3", "!page-4")
}

func TestPagesWithoutCatalog(t *testing.T) {
	c := newTown(t)
	ann := c.customer()
	if ann.signIn("ann") != http.StatusCreated {
		t.Fatal("ann cannot sign in")
	}
	ann.get("/checkout", basketOf("page-5"), true).wants(t, http.StatusCreated)
	no := attribute(ann.get("/parts/shelf", nil, true).find("data-no", "*"), "data-no")
	c.stop("catalog")
	for _, path := range []string{"/parts/shelf", "/parts/offer?book=42"} {
		s := ann.get(path, nil, true)
		s.wants(t, http.StatusOK, "£12.00", "seconds ago. They may have changed.", "!Live", "!NaN")
		if s.find("class", "old") == nil {
			t.Errorf("%s bears no mark: %s", path, s.source)
		}
	}
	if old := attribute(ann.get("/parts/shelf", nil, true).find("data-no", "*"), "data-no"); no == "" || old < no && len(old) <= len(no) {
		t.Errorf("the version shown was %q and is %q", no, old)
	}
	ann.get("/parts/orders", nil, true).wants(t, http.StatusOK, "page-5", "cannot be worked out right now", "!£")
	ann.get("/account", nil, false).wants(t, http.StatusOK, "Sign out ann")
	ann.get("/checkout", basketOf("page-6"), true).wants(t, http.StatusServiceUnavailable, "nothing was ordered")
	c.stop("web")
	c.start("web")
	ann.get("/", nil, false).wants(t, http.StatusServiceUnavailable, "Our books cannot be shown right now", "our fault")
	ann.get("/parts/offer?book=42", nil, true).wants(t, http.StatusServiceUnavailable, "cannot be shown right now", "!NaN")
	c.start("catalog")
	ann.get("/parts/shelf", nil, true).wants(t, http.StatusOK, "Live prices and stock")
}

func TestPagesWithoutAccounts(t *testing.T) {
	c := newTown(t)
	ann, bob := c.customer(), c.customer()
	if ann.signIn("ann") != http.StatusCreated {
		t.Fatal("ann cannot sign in")
	}
	ann.get("/account", url.Values{"address": {"1 Fell Street"}}, true).wants(t, http.StatusOK, "Your address is saved")
	ann.get("/parts/account", nil, true).wants(t, http.StatusOK, "1 Fell Street")
	c.stop("accounts")
	eventually(t, "signing in is refused with what it comes from", func() bool {
		s := bob.get("/sign-in", url.Values{"name": {"bob"}, "password": {"x"}}, false)
		return s.status == http.StatusServiceUnavailable && strings.Contains(s.text, "nothing is wrong with your name or password") && attribute(s.find("name", "name"), "value") == "bob"
	})
	ann.get("/account", url.Values{"address": {"2 Fell Street"}}, false).wants(t, http.StatusServiceUnavailable, "was not saved", "The old one stands", "2 Fell Street")
	ann.get("/parts/account", nil, true).wants(t, http.StatusServiceUnavailable, "Your address cannot be shown right now")
	ann.get("/checkout", basketOf("page-7"), true).wants(t, http.StatusCreated)
	if s := bob.get("/account", nil, false); s.status != http.StatusSeeOther || s.header.Get("Location") != "/sign-in?next=/account" {
		t.Errorf("who is not signed in is sent to %d %s", s.status, s.header.Get("Location"))
	}
	c.start("accounts")
	for next, want := range map[string]string{"/account": "/account", "//evil.example": "/orders", `/\evil.example`: "/orders", "": "/orders"} {
		s := bob.get("/sign-in", url.Values{"name": {"bob"}, "password": {practiceLogins["bob"]}, "next": {next}}, false)
		if s.status != http.StatusSeeOther || s.header.Get("Location") != want {
			t.Errorf("signing in with next %q leads to %d %q; want %s", next, s.status, s.header.Get("Location"), want)
		}
	}
}
