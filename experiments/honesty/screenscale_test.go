package honesty

import (
	"fmt"
	"testing"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// crowded is a run in which many people browse, each on pages with errors, spinners, grey buttons and a region.
func crowded(visits int) (*story, experiments.History) {
	s := newStory()
	visit := func(p *person) {
		p.opens("place", "Checkout", text(1, "Checkout: three books, sent to your address within two days"), field(2, "Street", "12 Long Lane"), button(3, "Buy"))
		p.shows(orders(3, "Order 1 Order 2 Order 3"))
		p.presses("place", "Buy", 3)
		grey := button(3, "Buy")
		grey.Disabled = true
		p.sees(some(grey, spinner(8)))
		p.asks(experiments.Exchange{Method: "POST", Status: 503}, time.Second)
		p.sees(some(shouts(9, fmt.Sprintf("Your order was not placed. Reference %d.", p.where.Visit)), button(3, "Buy"), field(2, "Street", "")), 8)
		p.shows(dated("7", "You have no orders yet"))
		p.truth(atVersion("8"))
		p.stays(3 * time.Second)
		p.acts("reload")
		p.where.Visit++
		p.s.visit++
	}
	browses(well, func(p *person) {
		for range visits {
			visit(p)
		}
	}, nil, ordersRegion())(s)
	return s, s.history()
}

// TestPagesNotQuadratic judges a run of people in browsers, and one sixteen times as long.
func TestPagesNotQuadratic(t *testing.T) {
	took := func(n int) time.Duration {
		s, h := crowded(n)
		best := time.Hour
		for range 3 {
			began := processorTime(t)
			Judge(&s.plan, h)
			best = min(best, processorTime(t)-began)
		}
		return best
	}
	small, large := took(100), took(1_600)
	t.Logf("100 visits took %v, 1,600 took %v", small, large)
	if large > 64*max(small, 5*time.Millisecond) {
		t.Errorf("100 visits took %v, 1,600 took %v: that grows faster than the run", small, large)
	}
}

// TestPagesJudgedAlike: the same history gives the same result, whatever order maps are walked in.
func TestPagesJudgedAlike(t *testing.T) {
	s, h := crowded(20)
	want := encode(t, Judge(&s.plan, h))
	for range 10 {
		diff(t, "the same history, judged again", want, encode(t, Judge(&s.plan, h)))
	}
}
