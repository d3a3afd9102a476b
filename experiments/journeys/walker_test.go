package journeys

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/candor-chaos/candor/experiments"
)

func TestAVisitIsWrittenDown(t *testing.T) {
	shop, n := newShop(), new(notes)
	w := walker(t, shop, buy(), n)
	due := time.Now().Add(-time.Second)
	for _, at := range []time.Time{{}, due} {
		visit, err := w.Walk(t.Context(), 3, at)
		if err != nil || !visit.OK {
			t.Fatalf("Walk = %+v, %v", visit, err)
		}
	}
	if got, want := n.kinds(), "sign in=200, basket=200, intent, order=201, claim success, visit, basket=200, intent, order=201, claim success, visit"; got != want {
		t.Errorf("the history tells\n%s\nwant\n%s", got, want)
	}
	if shop.logins != 1 || shop.count("cdr-1") != 1 || shop.count("cdr-2") != 1 {
		t.Errorf("%d logins, orders %v", shop.logins, shop.orders)
	}
	intent := n.records[2].Intent
	want := &experiments.Intent{Marker: "cdr-1", Journey: "buy", Step: "order", User: 3, Visit: 1, Wants: map[string]string{"charge": "1200"}}
	if diff := cmp.Diff(want, intent); diff != "" {
		t.Errorf("intent (-want +got):\n%s", diff)
	}
	e := n.records[3].Exchange
	if e.Marker != "cdr-1" || e.Journey != "buy" || e.User != 3 || e.Visit != 1 || e.Attempt != 1 || e.By != experiments.ByPerson || e.Service != "web" || e.Setup || !e.Due.IsZero() {
		t.Errorf("exchange of the order: %+v", e)
	}
	if e := n.records[0].Exchange; !e.Setup || e.Marker != "" {
		t.Errorf("exchange of the setup: %+v", e)
	}
	if e := n.records[1].Exchange; e.Expect == nil || !*e.Expect || e.Marker != "" {
		t.Errorf("exchange of the basket: %+v", e)
	}
	c := n.records[4].Claim
	if c.Marker != "cdr-1" || c.By != "declared" || c.Exchange != 4 || c.Final != n.records[3].Exchange.Ended || c.Clicked.After(n.records[3].Exchange.Sent) {
		t.Errorf("claim: %+v", c)
	}
	if e := n.records[8].Exchange; !e.Due.Equal(due) || e.Visit != 2 {
		t.Errorf("exchange of an arrival: due %s, visit %d", e.Due, e.Visit)
	}
}

func TestWhatTheShopSays(t *testing.T) {
	for mode, want := range map[string]struct {
		claim   experiments.Claim
		by      string
		ok      bool
		stopped string
		promise time.Duration
	}{
		"":         {success, "declared", true, "", 0},
		"lie":      {success, "declared", true, "", 0},
		"refuse":   {refused, "declared", false, `step "order": the product said refused`, 0},
		"queue":    {pending, "declared", true, "", 30 * time.Second},
		"break":    {none, "nothing", false, `step "order": no answer (closed)`, 0},
		"nonsense": {success, "status", true, "", 0},
	} {
		t.Run(mode, func(t *testing.T) {
			shop, n := newShop(), new(notes)
			shop.set(mode)
			visit, err := walker(t, shop, buy(), n).Walk(t.Context(), 0, time.Time{})
			if err != nil || visit.OK != want.ok || visit.Stopped != want.stopped {
				t.Errorf("visit %+v, %v; want ok %v, stopped %q", visit, err, want.ok, want.stopped)
			}
			claims := n.claims()
			if len(claims) != 1 || claims[0].Claim != want.claim || claims[0].By != want.by || claims[0].Promise != want.promise {
				t.Errorf("claims %+v; want one %s by %s, promise %s", claims, want.claim, want.by, want.promise)
			}
		})
	}
}

func TestAClientGivesUp(t *testing.T) {
	shop, n := newShop(), new(notes)
	shop.set("hang")
	journey := buy()
	journey.Steps[1].Timeout = 200 * time.Millisecond
	visit, err := walker(t, shop, journey, n).Walk(t.Context(), 0, time.Time{})
	if err != nil || visit.Stopped != `step "order": no answer (timeout)` {
		t.Errorf("visit %+v, %v", visit, err)
	}
	if c := n.claims(); len(c) != 1 || c[0].Claim != none || shop.count("cdr-1") != 1 {
		t.Errorf("claims %+v, orders %v", c, shop.orders)
	}
}

func TestAVisitStopsWhereItCannotGoOn(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(*experiments.Journey)
		kinds   string
		stopped string
	}{
		{"expect is false", func(j *experiments.Journey) { j.Steps[0].Expect = expr("json.price > 5000") },
			"sign in=200, basket=200, stopped", `step "basket": json.price > 5000 does not hold (status 200)`},
		{"a status", func(j *experiments.Journey) {
			j.Steps[0].Expect, j.Steps[0].Action = experiments.Expr{}, &Request{Get: text("/nothing")}
		}, "sign in=200, basket=401, stopped", `step "basket": status 401`},
		{"nothing to extract", func(j *experiments.Journey) {
			j.Steps[0].Extract = map[string]experiments.Expr{"price": expr("json.pence")}
		}, "sign in=200, basket=200, stopped", `step "basket": extract price`},
		{"cannot be acted", func(j *experiments.Journey) {
			j.Steps[1].Action = &Request{Post: text("/orders/{{ steps.basket.nothing }}")}
		}, "sign in=200, basket=200, stopped", `step "order" cannot be acted: address`},
		{"no want", func(j *experiments.Journey) { j.Effects[1].Want = expr("steps.basket.nothing") },
			"sign in=200, basket=200, stopped", `step "order": what effect "charge" should be is not known`},
		{"setup fails", func(j *experiments.Journey) { j.Setup[0].Action = &Request{Post: text("/nowhere")} },
			"sign in=401, stopped", `step "sign in": status 401`},
		{"expect beside a claim", func(j *experiments.Journey) { j.Steps[1].Expect = expr("headers['x-trace'] != ''") },
			"sign in=200, basket=200, intent, order=201, claim success, stopped", `step "order": `},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, journey := new(notes), buy()
			c.change(journey)
			visit, err := walker(t, newShop(), journey, n).Walk(t.Context(), 0, time.Time{})
			if err != nil || visit.OK || !strings.HasPrefix(visit.Stopped, c.stopped) {
				t.Errorf("visit %+v, %v; want stopped %q", visit, err, c.stopped)
			}
			if got := n.kinds(); got != c.kinds {
				t.Errorf("the history tells\n%s\nwant\n%s", got, c.kinds)
			}
		})
	}
}

func TestSetupIsTriedAgain(t *testing.T) {
	n, journey := new(notes), buy()
	ready := false
	shop := newShop()
	w := walker(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if !ready {
			respond(rw, 503, nil)
			return
		}
		shop.ServeHTTP(rw, r)
	}), journey, n)
	if visit, err := w.Walk(t.Context(), 0, time.Time{}); err != nil || visit.OK {
		t.Fatalf("visit %+v, %v", visit, err)
	}
	ready = true
	if visit, err := w.Walk(t.Context(), 0, time.Time{}); err != nil || !visit.OK {
		t.Errorf("visit %+v, %v", visit, err)
	}
}

func TestALaterStepMayChangeTheClaim(t *testing.T) {
	shop, n, journey := newShop(), new(notes), buy()
	shop.set("queue")
	look := experiments.Step{Name: "look it up", Action: &Request{Get: text("/basket"), Headers: map[string]experiments.Template{"X-Token": text("{{ steps['sign in'].token }}")}},
		Claims: &experiments.Claims{Success: expr("json.price == 1200")}}
	journey.Steps = append(journey.Steps, look)
	if visit, err := walker(t, shop, journey, n).Walk(t.Context(), 0, time.Time{}); err != nil || !visit.OK {
		t.Fatalf("visit %+v, %v", visit, err)
	}
	want := "sign in=200, basket=200, intent, order=202, claim pending, look it up=200, claim success, visit"
	if got := n.kinds(); got != want {
		t.Errorf("the history tells\n%s\nwant\n%s", got, want)
	}
	for _, c := range n.claims() {
		if c.Marker != "cdr-1" {
			t.Errorf("a claim is about %q", c.Marker)
		}
	}
}

func TestLostEvidenceIsAnError(t *testing.T) {
	full := errors.New("disk full")
	for what, lost := range map[string]func(experiments.Record) bool{
		"intent":   func(r experiments.Record) bool { return r.Intent != nil },
		"exchange": func(r experiments.Record) bool { return r.Exchange != nil },
		"claim":    func(r experiments.Record) bool { return r.Claim != nil },
		"visit":    func(r experiments.Record) bool { return r.Visit != nil },
	} {
		t.Run(what, func(t *testing.T) {
			shop := newShop()
			n := &notes{breaks: func(r experiments.Record) error {
				if lost(r) {
					return full
				}
				return nil
			}}
			_, err := walker(t, shop, buy(), n).Walk(t.Context(), 0, time.Time{})
			if !errors.Is(err, full) {
				t.Errorf("Walk = %v; want %v", err, full)
			}
			if what == "intent" && shop.count("cdr-1") != 0 {
				t.Error("an act went out whose intent is not written down")
			}
		})
	}
}

func TestManyUsers(t *testing.T) {
	shop, n := newShop(), new(notes)
	w := walker(t, shop, buy(), n)
	var together errgroup.Group
	for user := range 20 {
		together.Go(func() error {
			for range 5 {
				if visit, err := w.Walk(t.Context(), user, time.Time{}); err != nil || !visit.OK {
					return fmt.Errorf("%+v: %w", visit, err)
				}
			}
			return nil
		})
	}
	if err := together.Wait(); err != nil {
		t.Fatal(err)
	}
	if shop.logins != 20 || len(shop.orders) != 100 {
		t.Errorf("%d logins, %d orders; want 20, 100", shop.logins, len(shop.orders))
	}
	markers, visits := map[string]bool{}, map[int64]bool{}
	for _, r := range n.records {
		if r.Intent != nil {
			markers[r.Intent.Marker] = true
		}
		if r.Visit != nil {
			visits[r.Visit.ID] = true
		}
	}
	if len(markers) != 100 || len(visits) != 100 {
		t.Errorf("%d markers and %d visits; want 100 each", len(markers), len(visits))
	}
}

func TestBeforeTheIntentNothingIsClaimed(t *testing.T) {
	n, journey := new(notes), buy()
	journey.Steps[0].Claims = &experiments.Claims{Success: expr("json.price == 1200")}
	if visit, err := walker(t, newShop(), journey, n).Walk(t.Context(), 0, time.Time{}); err != nil || !visit.OK {
		t.Fatalf("visit %+v, %v", visit, err)
	}
	if got, want := n.kinds(), "sign in=200, basket=200, intent, order=201, claim success, visit"; got != want {
		t.Errorf("the history tells\n%s\nwant\n%s", got, want)
	}
	if e := n.records[1].Exchange; e.Marker != "" {
		t.Errorf("the basket belongs to intent %s, which did not exist", e.Marker)
	}
}

func TestAddressesBelongToServices(t *testing.T) {
	vars := experiments.Vars{"services": map[string]any{
		"a-gateway": map[string]any{"url": "http://127.0.0.1:80/"},
		"web":       map[string]any{"url": "http://127.0.0.1:80/shop", "port": int64(80)},
		"payments":  map[string]any{"port": int64(8080), "admin": "http://127.0.0.1:18094"},
	}}
	base, origins := addresses(vars, "web")
	want := map[string]string{"http://127.0.0.1:80": "web", "http://127.0.0.1:18094": "payments"}
	if diff := cmp.Diff(want, origins); diff != "" || base != "http://127.0.0.1:80/shop" {
		t.Errorf("web is at %s, origins (-want +got):\n%s", base, diff)
	}
}
