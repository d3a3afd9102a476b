package honesty

import (
	"testing"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// person is somebody in front of a browser, in a story: documents, blocks and acts, as an observer writes them down.
type person struct {
	s      *story
	user   int
	where  experiments.Where
	url    string
	title  string
	focus  int64
	looked time.Time
}

// browses makes the story's journey one in a browser, in which people do what is told. shows what region is declared.
func browses(base, under, later func(*person), regions ...experiments.PlannedRegion) func(*story) {
	return func(s *story) {
		noBuys(s)
		j := &s.plan.Journeys[0]
		j.Surface, j.Regions = "browser", regions
		play := func(act func(*person), user int) func(*story) {
			return func(s *story) {
				felt(s)
				p := &person{s: s, user: user}
				s.visit++
				p.where = experiments.Where{Journey: "buy", User: user, Visitor: "ann", Visit: s.visit, Page: int64(100 * user)}
				if act != nil {
					act(p)
				}
			}
		}
		s.inBase, s.inFault, s.inRecov = play(base, 7), play(under, 8), play(later, 9)
	}
}

func (p *person) add(r experiments.Record) int64 { return p.s.add(r) }

// sees is a sample: what is new or changed, and what is gone.
func (p *person) sees(born []experiments.Block, gone ...int64) int64 {
	return p.sample(experiments.PageSeen{Born: born, Gone: gone})
}

func (p *person) sample(page experiments.PageSeen) int64 {
	page.Where, page.URL, page.Title, page.Ready, page.Focus = p.where, p.url, p.title, "complete", p.focus
	return p.add(experiments.Record{Page: &page})
}

// opens is a new document in a step.
func (p *person) opens(step, title string, born ...experiments.Block) int64 {
	p.where.Page++
	p.where.Step, p.title, p.url, p.focus = step, title, "http://web/"+step, 0
	return p.sample(experiments.PageSeen{First: true, Born: born})
}

// shows is a sample of what regions look like.
func (p *person) shows(regions ...experiments.RegionSeen) int64 {
	return p.sample(experiments.PageSeen{Regions: regions})
}

// stays lets time go by, with the samples of a page on which nothing happens.
func (p *person) stays(d time.Duration) {
	for ; d > 2*time.Second; d -= 2 * time.Second {
		p.s.wait(2 * time.Second)
		p.sees(nil)
	}
	p.s.wait(d)
	p.sees(nil)
}

// presses is a click that goes in at once.
func (p *person) presses(step, target string, block int64) {
	p.where.Step = step
	if block != 0 {
		p.focus = block
	}
	now := p.s.now
	p.add(experiments.Record{Press: &experiments.Press{Where: p.where, Attempt: 1, Verb: "click", Target: target, Block: block, Began: now, Acted: now, Ended: now}})
}

// intends begins an intent at a step.
func (p *person) intends() string {
	p.where.Step, p.where.Marker = "place", "cx-9"+string(rune('0'+p.user))
	p.add(experiments.Record{Intent: &experiments.Intent{Marker: p.where.Marker, Journey: "buy", Step: "place", User: p.user, Visitor: "ann", Visit: p.where.Visit}})
	return p.where.Marker
}

// asks is a request of the page that takes a time and ends so.
func (p *person) asks(x experiments.Exchange, took time.Duration) int64 {
	x.Journey, x.User, x.Visit, x.Step, x.Marker, x.Page = "buy", p.user, p.where.Visit, p.where.Step, p.where.Marker, p.where.Page
	x.Kind, x.Attempt = orElse(x.Kind, "fetch"), 1
	if x.By == "" {
		x.By = experiments.ByPerson
	}
	x.Method, x.URL, x.Sent = orElse(x.Method, "GET"), "http://web/api", p.s.now
	p.s.wait(took)
	x.Ended = p.s.now
	return p.add(experiments.Record{Exchange: &x})
}

// claims is what the page told the person.
func (p *person) claims(c experiments.Claim, text string) int64 {
	return p.add(experiments.Record{Claim: &experiments.ClaimMade{Marker: p.where.Marker, Journey: "buy", Step: "place", Claim: c, By: "lexicon", Text: text, Clicked: p.s.now, Final: p.s.now}})
}

// truth is a reading of what a region ought to show.
func (p *person) truth(r experiments.RegionRead) {
	r.Journey, r.Started = "buy", p.s.now
	p.add(experiments.Record{Region: &r})
}

// text is one; shouts is one that is announced; button is a control.
func text(id int64, words string) experiments.Block {
	return experiments.Block{ID: id, Selector: "#b" + string(rune('a'+id)), Tag: "p", Text: words, Box: experiments.Box{Y: int(id) * 20, W: 100, H: 20}}
}

func shouts(id int64, words string) experiments.Block {
	b := text(id, words)
	b.Live, b.Role = "assertive", "alert"
	return b
}

func button(id int64, name string) experiments.Block {
	b := text(id, name)
	b.Tag, b.Role, b.Name, b.Control = "button", "button", name, true
	return b
}

func field(id int64, name, value string) experiments.Block {
	b := text(id, "")
	b.Tag, b.Role, b.Name, b.Value, b.Control = "input", "textbox", name, value, true
	return b
}

func some(blocks ...experiments.Block) []experiments.Block { return blocks }

func ordersRegion() experiments.PlannedRegion {
	return experiments.PlannedRegion{Truth: true, Counted: true, Valued: true, Region: experiments.Region{Name: "my orders", Selector: "#orders", Needs: []string{"payments"},
		Kind: "money", AllowedAge: time.Second, Essential: true, Rows: "li", Version: "[data-no]", Live: ".feed"}}
}

func counted(n int64) experiments.RegionRead {
	return experiments.RegionRead{Region: "my orders", Count: &n}
}

func atVersion(v string) experiments.RegionRead {
	return experiments.RegionRead{Region: "my orders", Version: v}
}

func valued(v float64) experiments.RegionRead {
	return experiments.RegionRead{Region: "my orders", Value: &v}
}

func orders(rows int, text string) experiments.RegionSeen {
	return experiments.RegionSeen{Name: "my orders", Rows: rows, Text: text}
}

func dated(version, text string) experiments.RegionSeen {
	r := orders(3, text)
	r.Version = version
	return r
}

// well is the page of the baseline.
func well(p *person) {
	p.opens("place", "Checkout", text(1, "Checkout: three books, sent to your address within two days"), field(2, "Street", ""), button(3, "Buy"))
	p.shows(orders(3, "Order 1 Order 2 Order 3"))
	p.stays(time.Second)
}

// looks is somebody who opens the page and sees a region, with truths read before.
func looks(seen experiments.RegionSeen, truths ...experiments.RegionRead) func(*person) {
	return func(p *person) {
		for _, t := range truths {
			p.truth(t)
			p.s.wait(2 * time.Second)
		}
		well(p)
		p.shows(seen)
		p.stays(3 * time.Second)
	}
}

// TestScreensAreFolded: what pages showed becomes texts that live and die, new against the baseline or not, and looks of
// regions with their states.
func TestScreensAreFolded(t *testing.T) {
	s := newStory()
	browses(well, func(p *person) {
		well(p)
		p.asks(experiments.Exchange{Method: "POST", Status: 503}, time.Second)
		p.sees(some(shouts(9, "Your order was not placed. Your card was not charged.")))
		p.shows(orders(0, "You have no orders yet"))
		p.stays(time.Second)
		p.sees(nil, 9)
	}, nil, ordersRegion())(s)
	h := s.history()
	e := gather(&s.plan, h)
	if len(e.screens) != 2 {
		t.Fatalf("%d screens; want one in the baseline and one under the fault", len(e.screens))
	}
	var news []string
	for _, one := range e.sayings {
		if one.new {
			news = append(news, one.Block.Text)
		}
	}
	diff(t, "new texts", []string{"Your order was not placed. Your card was not charged."}, news)
	if errors := e.errors(); len(errors) != 1 || errors[0].Left || !errors[0].stayed() {
		t.Errorf("errors %+v; want the one that came and went", errors)
	}
	var states []regionState
	for _, one := range e.stays {
		states = append(states, one.state)
	}
	diff(t, "states", []regionState{regionContent, regionContent, regionEmpty}, states)
}

func TestRegionRules(t *testing.T) {
	fail, pass, idle, blind := experiments.RuleFail, experiments.RulePass, experiments.NotExercised, experiments.Unverifiable
	region := func(base, under func(*person)) func(*story) { return browses(base, under, nil, ordersRegion()) }
	missed := func(s *story) { s.hits = 0 }
	empty := orders(0, "You have no orders yet")
	failing := func(p *person) {
		well(p)
		p.asks(experiments.Exchange{Status: 500, By: experiments.ByClient}, 50*time.Millisecond)
		p.shows(empty)
		p.stays(3 * time.Second)
	}
	old := looks(dated("7", "Price 10.00"), atVersion("7"), atVersion("8"), atVersion("8"))
	marked := dated("7", "Price 10.00, as of some time ago")
	marked.Marked = true
	noAge := ordersRegion()
	noAge.AllowedAge = 0
	runRuleCases(t, []ruleCase{
		{"three orders", "ST-01", region(well, looks(empty, counted(3))), fail, "there are 3"},
		{"a request failed", "ST-01", region(well, failing), fail, "failed (status 500)"},
		{"the same person saw rows before and afterwards", "ST-01", region(well, func(p *person) {
			well(p)
			p.shows(empty)
			p.stays(time.Second)
			p.shows(orders(3, "Order 1 Order 2 Order 3"))
			p.stays(time.Second)
		}), fail, "saw 3 rows before"},
		{"twin", "ST-01", region(well, looks(orders(3, "Order 1 Order 2 Order 3"), counted(3))), pass, ""},
		{"twin says that it cannot", "ST-01", region(well, looks(orders(0, "We could not load your orders"), counted(3))), pass, ""},
		{"really empty", "ST-01", region(well, func(p *person) {
			p.truth(counted(0))
			p.opens("place", "Checkout")
			p.shows(empty)
			p.stays(time.Second)
		}), idle, ""},
		{"blind", "ST-01", region(well, func(p *person) { p.opens("place", "Checkout"); p.shows(empty); p.stays(time.Second) }), blind, ""},
		{"gone at the second look", "ST-01", region(well, func(p *person) {
			p.truth(counted(3))
			p.opens("place", "Checkout")
			p.shows(empty)
			p.shows(orders(3, "Order 1"))
			p.stays(time.Second)
		}), pass, ""},
		{"no region", "ST-01", browses(well, looks(empty), nil), idle, ""},
		{"the fault did not bite", "ST-01", with(region(well, looks(empty, counted(3))), missed), idle, ""},

		{"a sum of what loaded", "ST-02", region(well, looks(orders(3, "Total £12.00"), valued(32.50))), fail, "the truth is 32.5"},
		{"twin", "ST-02", region(well, looks(orders(3, "Total £32.50"), valued(32.50))), pass, ""},
		{"one of several numbers", "ST-02", region(well, looks(orders(3, "3 books, £32.50"), valued(32.50))), pass, ""},
		{"thousands", "ST-02", region(well, looks(orders(3, "Balance 1,234.50"), valued(1234.5))), pass, ""},
		{"no number", "ST-02", region(well, looks(orders(0, "We cannot show your total"), valued(32.50))), idle, ""},
		{"blind", "ST-02", region(well, looks(orders(3, "Total £12.00"))), blind, ""},

		{"yesterday's price", "ST-03", region(well, old), fail, "shows version “7” without a word"},
		{"twin is marked", "ST-03", region(well, looks(marked, atVersion("7"), atVersion("8"), atVersion("8"))), pass, ""},
		{"twin is new", "ST-03", region(well, looks(dated("8", "Price 12.00"), atVersion("7"), atVersion("8"))), pass, ""},
		{"newer than what was read", "ST-03", region(well, looks(dated("9", "Price 12.00"), atVersion("7"), atVersion("8"))), pass, ""},
		{"nobody said how old", "ST-03", browses(well, old, nil, noAge), idle, ""},
		{"blind", "ST-03", region(well, looks(dated("7", "Price 10.00"))), blind, ""},
		{"the fault did not bite", "ST-03", with(region(well, old), missed), idle, ""},

		{"just now", "ST-04", region(well, looks(dated("7", "Prices updated just now: 10.00"), atVersion("7"), atVersion("8"), atVersion("8"), atVersion("8"))), fail, "just now"},
		{"twin says how old", "ST-04", region(well, looks(dated("7", "Prices updated 1 minute ago: 10.00"), atVersion("7"), atVersion("8"), atVersion("8"))), pass, ""},
		{"twin is new", "ST-04", region(well, looks(dated("8", "Prices updated just now: 10.00"), atVersion("7"), atVersion("8"))), pass, ""},
		{"no age", "ST-04", region(well, old), idle, ""},
		{"blind", "ST-04", region(well, looks(dated("7", "Prices updated just now: 10.00"))), blind, ""},
	})
}

// TestStaleSeverity: an old price is grave, an old review is not.
func TestStaleSeverity(t *testing.T) {
	for kind, want := range map[string]experiments.Severity{"money": experiments.S1, "reviews": experiments.S2} {
		region := ordersRegion()
		region.Kind = kind
		s := newStory()
		browses(well, looks(dated("7", "Price 10.00"), atVersion("7"), atVersion("8"), atVersion("8")), nil, region)(s)
		if found := findingsOf(s.judge(), "ST-03"); len(found) != 1 || found[0].Severity != want {
			t.Errorf("%s: findings %+v; want one of %s", kind, found, want)
		}
	}
}
