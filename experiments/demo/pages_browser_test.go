package demo

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// tab is somebody at a browser in which nothing of anybody else is kept.
type tab struct {
	*town
	ctx context.Context
}

// newBrowser starts Chromium for all tabs of a test.
func newBrowser(t *testing.T) context.Context {
	t.Helper()
	if os.Getenv("CANDOR_TEST_NO_BROWSER") != "" {
		t.Skip("LEFT OUT: CANDOR_TEST_NO_BROWSER is set, and this test needs a browser")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox)
	if named := os.Getenv("CANDOR_BROWSER"); named != "" {
		options = append(options, chromedp.ExecPath(named))
	}
	allocator, end := chromedp.NewExecAllocator(context.Background(), options...)
	browser, stop := chromedp.NewContext(allocator)
	t.Cleanup(func() { stop(); end() })
	if err := chromedp.Do(browser, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("the browser does not start: %v", err)
	}
	return browser
}

// visit opens a tab of a browser on a page of a town.
func (c *town) visit(browser context.Context, path string) *tab {
	c.t.Helper()
	ctx, leave := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	c.t.Cleanup(leave)
	b := &tab{town: c, ctx: ctx}
	b.open(path)
	return b
}

func (b *tab) run(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tab) open(path string) {
	b.t.Helper()
	b.run(chromedp.Navigate(b.urls["web"] + path))
}

// is evaluates a condition in the page. It does not hold where what it asks about is not there, or not yet.
func (b *tab) is(condition string) bool {
	b.t.Helper()
	holds, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("(() => { try { return !!("+condition+") } catch { return false } })()"))
	if err != nil {
		b.t.Fatal(err)
	}
	return holds
}

func (b *tab) waits(condition string) {
	b.t.Helper()
	eventually(b.t, condition, func() bool { return b.is(condition) })
}

// stays holds a condition against the page for as long as three looks at its parts.
func (b *tab) stays(condition string) {
	b.t.Helper()
	for until := time.Now().Add(1500 * time.Millisecond); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		if !b.is(condition) {
			page, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string]("document.body.innerText"))
			b.t.Fatalf("%s no longer holds on the page\n%s", condition, page)
		}
	}
}

// types enters a text in a field, in place of what is there.
func (b *tab) types(field, text string) {
	b.t.Helper()
	b.run(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`(() => {
		const field = document.querySelector(%q);
		field.value = %q;
		field.dispatchEvent(new Event('input', {bubbles: true}));
	})()`, field, text)))
}

// fill fills in the checkout.
func (b *tab) fill(note string) {
	b.t.Helper()
	for field, text := range map[string]string{"#copies": "3", "#address": "7 Quay Lane", "#note": note, "#card": "4242"} {
		b.types(field, text)
	}
}

func (b *tab) buy() {
	b.t.Helper()
	b.run(chromedp.Click(chromedp.CSS("form[action='/checkout'] button")))
}

func (b *tab) signIn() {
	b.t.Helper()
	b.open("/sign-in")
	b.run(chromedp.SendKeys(chromedp.CSS("#name"), "ann"), chromedp.SendKeys(chromedp.CSS("#password"), practiceLogins["ann"]), chromedp.Click(chromedp.CSS("form[action='/sign-in'] button")))
	b.waits("location.pathname == '/orders'")
}

const (
	said   = "document.querySelector('.said')"
	notice = "document.querySelector('#notice')"
	mine   = "document.querySelector('#orders')"
)

func TestPagesInABrowser(t *testing.T) {
	browser := newBrowser(t)
	c := newTown(t)
	b := c.visit(browser, "/checkout?book=42")
	b.fill("tab-1")
	c.stop("payments")
	b.waits(notice + ".innerText.includes('Payments are not working right now')")
	b.buy()
	b.waits(said + ".innerText.includes('not charged and nothing was ordered')")
	for _, holds := range []string{
		said + ".role == 'alert'", said + ".dataset.claim == 'failed'", "document.activeElement == " + said, said + ".innerText.includes('Reference ')",
		"document.querySelector('#address').value == '7 Quay Lane'", "!document.querySelector('form[action=\"/checkout\"] button').disabled",
	} {
		if !b.is(holds) {
			t.Errorf("after the refusal it does not hold that %s", holds)
		}
	}
	b.run(chromedp.Reload())
	b.waits("document.querySelector('#address')?.value == '7 Quay Lane' && document.querySelector('#note').value == 'tab-1'")
	b.waits(notice + ".innerText.includes('Payments are not working right now')")
	c.start("payments")
	b.waits(notice + ".innerText == 'Everything works again.'")
	b.types("#card", "4242")
	b.buy()
	b.waits(said + ".dataset.claim == 'success' && " + said + ".innerText.includes('Order placed')")
	if o, ch := c.truth("tab-1"); o != 1 || ch != 1 {
		t.Errorf("%d orders, %d charges", o, ch)
	}
	b.run(chromedp.Reload())
	b.waits("document.querySelector('#address')?.value == ''")

	b.signIn()
	b.waits(mine + ".innerText.includes('You have no orders')")
	b.open("/checkout?book=42")
	b.fill("tab-2")
	b.buy()
	b.waits(said + ".dataset.claim == 'success'")
	b.open("/orders")
	b.waits(mine + ".innerText.includes('tab-2') && !" + mine + ".hasAttribute('aria-busy')")
	c.stop("orders")
	b.waits(mine + ".innerText.includes('cannot be shown right now') && !" + mine + ".hasAttribute('aria-busy')")
	c.start("orders")
	b.waits(mine + ".innerText.includes('tab-2')")
	b.open("/account")
	b.run(chromedp.SendKeys(chromedp.CSS("#address"), "9 Quay"))
	b.run(chromedp.Evaluate[chromedp.Void]("fetch('/sign-out', {method: 'POST', redirect: 'manual'}); 0"))
	b.waits("location.pathname == '/sign-in'")
	b.run(chromedp.SendKeys(chromedp.CSS("#name"), "ann"), chromedp.SendKeys(chromedp.CSS("#password"), practiceLogins["ann"]), chromedp.Click(chromedp.CSS("form[action='/sign-in'] button")))
	b.waits("location.pathname == '/account' && document.querySelector('#address')?.value == '9 Quay'")
}

// TestPagesLieByThemselves has each lie told that a page tells by its script, and looks at the page.
func TestPagesLieByThemselves(t *testing.T) {
	browser := newBrowser(t)
	together := newTown(t, "ST-14", "IN-01", "IN-02", "AX-01", "AX-02", "AX-04", "AX-05", "TX-10")
	together.stop("payments")
	pressed := func(holds ...string) func(*tab) {
		return func(b *tab) {
			b.buy()
			b.waits(holds[0])
			for _, h := range holds[1:] {
				if !b.is(h) {
					b.t.Errorf("it does not hold that %s", h)
				}
			}
		}
	}
	for id, do := range map[string]func(*tab){
		"CL-07": func(b *tab) { b.buy(); b.stays(said + ".innerText == '' && " + said + ".dataset.claim == ''") },
		"CL-08": func(b *tab) {
			b.buy()
			b.stays(said + ".innerText.includes('Order placed') && " + said + ".dataset.claim == 'success'")
		},
		"ST-09": func(b *tab) {
			b.stays("document.querySelector('form[action=\"/checkout\"] button').disabled && " + notice + ".innerText == ''")
		},
		"ST-14": func(b *tab) {
			pressed(said + ".innerText.includes('not charged')")(b)
			b.waits(said + ".innerText == ''")
		},
		"IN-01": pressed(said+".dataset.claim == 'failed'", "document.querySelector('#address').value == '' && document.querySelector('#note').value == ''"),
		"IN-02": func(b *tab) {
			pressed(said+".dataset.claim == 'failed'", "document.querySelector('#address').value == '7 Quay Lane'")(b)
			b.run(chromedp.Reload())
			b.stays("document.querySelector('#address')?.value == ''")
		},
		"IN-06": func(b *tab) {
			b.buy()
			b.stays("document.elementFromPoint(200, 200).getAttribute('role') == 'progressbar'")
		},
		"AX-01": pressed("document.querySelector('form[action=\"/checkout\"] + div').innerText.includes('not charged')", "!document.querySelector('form[action=\"/checkout\"] + div').closest('[role=alert], [role=status], [aria-live]')"),
		"AX-02": pressed("document.querySelector('[role=alert]')?.innerText.includes('not charged')", said+".innerText == ''"),
		"AX-04": pressed("document.querySelector('#card').style.borderColor == 'red'", "!document.body.innerText.includes('not charged')"),
		"AX-05": pressed(said+".innerText.includes('not charged')", "document.activeElement == document.body", "document.querySelector('#address').value == '7 Quay Lane'"),
		"TX-10": pressed(said+".innerText.includes('Your order was not placed')", said+".dataset.claim == 'failed'"),
		"AX-06": func(b *tab) {
			b.start("payments")
			b.waits(notice + ".innerText == '' && !" + notice + ".hasAttribute('role')")
		},
	} {
		t.Run(id, func(t *testing.T) {
			c, note := together, "tab-"+id
			if l := lieByID(id); l.tell == nil {
				c = newTown(t, id)
			} else {
				c.t = t
				for i := 0; c.picks(note) != id; i++ { // which lie somebody is told is in their note
					note = fmt.Sprintf("tab-%s-%d", id, i)
				}
			}
			b := c.visit(browser, "/checkout?book=42")
			b.fill(note)
			if c != together {
				c.stop("payments")
			}
			if id == "ST-09" {
				b.waits("document.querySelector('form[action=\"/checkout\"] button').disabled")
			} else {
				b.waits(notice + ".innerText.includes('Payments are not working')")
			}
			if c != together {
				b.waits("shop.bent?.includes('" + id + "')")
			}
			do(b)
			told := func(l tale) bool { return l.Lie == id && (l.Marker == "" || l.Marker == note) }
			eventually(t, "the lie is noted", func() bool { return slices.ContainsFunc(c.tales("web"), told) })
		})
	}
	together.t = t
}

// picks is the lie that a note is told while payments is down.
func (c *town) picks(note string) string {
	var fitting []string
	for _, l := range lieTable() {
		if l.fits == paymentsDown && l.tell != nil {
			fitting = append(fitting, l.id)
		}
	}
	return newTold(c.o).pick(note, fitting)
}

// TestPartsLieByThemselves does so with the lies about what is read.
func TestPartsLieByThemselves(t *testing.T) {
	browser := newBrowser(t)
	for id, do := range map[string]func(*tab){
		"ST-06": func(b *tab) { b.open("/orders"); b.stays(mine + "?.innerText.includes('Loading your orders')") },
		"AX-03": func(b *tab) {
			b.waits(mine + ".innerText.includes('cannot be shown')")
			b.stays(mine + ".getAttribute('aria-busy') == 'true'")
		},
		"RC-02": func(b *tab) {
			b.waits(mine + ".innerText.includes('cannot be shown')")
			b.start("orders")
			b.stays(mine + ".innerText.includes('cannot be shown')")
			b.run(chromedp.Reload())
			b.waits(mine + ".innerText.includes('You have no orders')")
		},
		"ST-07": func(b *tab) {
			b.start("orders")
			b.open("/")
			b.stop("catalog")
			b.waits("document.querySelector('main').innerText.trim() == ''")
		},
	} {
		t.Run(id, func(t *testing.T) {
			c := newTown(t, id)
			b := c.visit(browser, "/sign-in")
			b.signIn()
			b.waits(mine + ".innerText.includes('You have no orders')")
			c.stop("orders")
			do(b)
			eventually(t, "the lie is noted", func() bool { told := c.tales("web"); return len(told) > 0 && told[0].Lie == id })
		})
	}
}

// TestPagesOfSlowOrders: what happens between the press and the answer.
func TestPagesOfSlowOrders(t *testing.T) {
	browser := newBrowser(t)
	slow := func(c *town) {
		straight, err := url.Parse(c.urls["orders"])
		if err != nil {
			t.Fatal(err)
		}
		proxy := httputil.NewSingleHostReverseProxy(straight)
		way := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(150 * time.Millisecond)
			proxy.ServeHTTP(w, r)
		}))
		t.Cleanup(way.Close)
		c.detour = way.URL
		c.stop("web")
		c.start("web")
	}
	record := chromedp.Evaluate[chromedp.Void](`window.words = []; new MutationObserver(() => words.push(` + said + `.innerText)).observe(document.body, {subtree: true, childList: true, characterData: true}); 0`)
	for id, heard := range map[string]bool{"": true, "ST-11": false} {
		t.Run("lie "+id, func(t *testing.T) {
			c := newTown(t, strings.Fields(id)...)
			slow(c)
			b := c.visit(browser, "/checkout?book=42")
			b.fill("slow-1")
			if id != "" {
				b.waits("shop.bent?.includes('" + id + "')")
			}
			b.run(record)
			b.buy()
			b.waits(said + ".dataset.claim == 'success' || " + said + ".dataset.claim == 'pending'")
			if b.is("words.some((w) => w.includes('Sending your order'))") != heard {
				t.Errorf("with the lie %q the page says between press and answer what it should not", id)
			}
			eventually(t, "the lie is noted", func() bool { return heard || len(c.tales("web")) > 0 })
		})
	}
}
