package journeys

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// notes keeps what is appended, and can break.
type notes struct {
	mu      sync.Mutex
	records []experiments.Record
	breaks  func(experiments.Record) error
}

func (n *notes) Append(r experiments.Record) (int64, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.breaks != nil {
		if err := n.breaks(r); err != nil {
			return 0, err
		}
	}
	r.Seq = int64(len(n.records) + 1)
	n.records = append(n.records, r)
	return r.Seq, nil
}

// kinds tells the story of the records in words.
func (n *notes) kinds() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var words []string
	for _, r := range n.records {
		switch {
		case r.Intent != nil:
			words = append(words, "intent")
		case r.Exchange != nil:
			words = append(words, fmt.Sprintf("%s=%d", r.Exchange.Step, r.Exchange.Status))
		case r.Claim != nil:
			words = append(words, "claim "+r.Claim.Claim.String())
		case r.Visit != nil && r.Visit.OK:
			words = append(words, "visit")
		case r.Visit != nil:
			words = append(words, "stopped")
		}
	}
	return strings.Join(words, ", ")
}

func (n *notes) claims() (all []experiments.ClaimMade) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, r := range n.records {
		if r.Claim != nil {
			all = append(all, *r.Claim)
		}
	}
	return all
}

// counted hands out markers.
type counted struct {
	mu sync.Mutex
	n  int
}

func (c *counted) Next(ctx context.Context) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	return fmt.Sprintf("cdr-%d", c.n), ctx.Err()
}

// buy is the journey of the tests: a login once, a basket, an order.
func buy() *experiments.Journey {
	token := map[string]experiments.Template{"X-Token": text("{{ steps['sign in'].token }}")}
	return &experiments.Journey{
		Name: "buy", Surface: "http", Service: "web",
		Setup: []experiments.Step{{Name: "sign in", Action: &Request{Post: text("/login")}, Extract: map[string]experiments.Expr{"token": expr("json.token")}}},
		Steps: []experiments.Step{
			{Name: "basket", Action: &Request{Get: text("/basket"), Headers: token}, Expect: expr("json.price > 0"), Extract: map[string]experiments.Expr{"price": expr("json.price")}},
			{Name: "order", Timeout: 5 * time.Second,
				Action: &Request{Post: text("{{ services.web.url }}/orders"), Headers: token, JSON: experiments.Tree{Value: map[string]any{"note": text("{{ marker }}"), "price": text("{{ steps.basket.price }}")}}},
				Claims: &experiments.Claims{Success: expr("status == 201 && json.id > 0"), Refused: expr("status == 503"), Pending: expr("status == 202")}},
		},
		Effects: []experiments.Effect{{Name: "order"}, {Name: "charge", Want: expr("steps.basket.price")}},
	}
}

// walker binds the journey to a shop.
func walker(t *testing.T, shop http.Handler, journey *experiments.Journey, recorder experiments.Recorder) *Walker {
	t.Helper()
	server := httptest.NewServer(shop)
	t.Cleanup(server.Close)
	compile(t, journey)
	planned := experiments.PlannedJourney{Name: journey.Name, Service: "web", IntentStep: "order", Deadlines: experiments.DefaultDeadlines()}
	for _, s := range journey.Steps {
		planned.Steps = append(planned.Steps, experiments.PlannedStep{Name: s.Name})
	}
	w, err := NewWalker(WalkerConfig{
		Plan: &experiments.Plan{Journeys: []experiments.PlannedJourney{planned}, Exec: &experiments.Exec{Journeys: []*experiments.Journey{journey},
			Vars: experiments.Vars{"services": map[string]any{"web": map[string]any{"url": server.URL, "port": int64(80)}}}}},
		Surface: HTTP, Recorder: recorder, Markers: new(counted),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}
