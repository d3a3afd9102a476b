package browser

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/chromedp/cdproto/target"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/wire"
)

const (
	mostReport  = 6 << 20 // bytes of one report of the observer
	mostNotices = 50      // of one kind in one visit; further ones are counted
	mostNotice  = 1000    // bytes of a notice's text
)

// reported is what the observer says in one go.
type reported struct {
	When  int64 `json:"when"`
	First bool  `json:"first"`
	Head  struct {
		URL   string `json:"url"`
		Title string `json:"title"`
		Lang  string `json:"lang"`
		Ready string `json:"ready"`
		Focus int64  `json:"focus"`
		Cut   string `json:"cut"`
	} `json:"head"`
	Born    []experiments.Block      `json:"born"`
	Gone    []int64                  `json:"gone"`
	Regions []experiments.RegionSeen `json:"regions"`
	Gaps    []int                    `json:"gaps"`
	Cost    float64                  `json:"cost"`
}

// seen takes a report: it goes to the history, to the view, and to who listens for claims.
func (u *user) seen(p *page, payload string) {
	var r reported
	if len(payload) > mostReport || json.Unmarshal([]byte(payload), &r) != nil {
		u.notice(experiments.Notice{Kind: experiments.NoticeConsole, Text: "candor's observer reported what cannot be read"})
		return
	}
	u.mu.Lock()
	if len(u.pages) > 0 && u.pages[len(u.pages)-1] != p {
		u.mu.Unlock()
		return // a tab that the person does not look at
	}
	if r.First {
		u.where.Page++
	}
	s := experiments.PageSeen{Where: u.where, First: r.First, URL: r.Head.URL, Title: r.Head.Title, Lang: r.Head.Lang, Ready: r.Head.Ready,
		Focus: r.Head.Focus, Cut: r.Head.Cut, Born: r.Born, Gone: r.Gone, Regions: r.Regions, Gaps: r.Gaps,
		Cost: time.Duration(r.Cost * float64(time.Millisecond))}
	u.mu.Unlock()
	for i := range s.Born {
		u.inspect(&s.Born[i])
	}
	at := moment(r.When)
	seq := u.record(experiments.Record{At: at, Page: &s})
	u.mu.Lock()
	if s.First || len(s.Born)+len(s.Gone)+len(s.Regions) > 0 || s.URL != u.view.URL || s.Title != u.view.Title {
		u.changed = time.Now()
	}
	u.view.Add(at, &s)
	l := u.listener
	u.mu.Unlock()
	if l != nil {
		l.hear(at, seq, s)
	}
	if u.alarmed(s) {
		u.picture("error")
	}
}

// moment is a page's time, which cannot be later than now.
func moment(ms int64) time.Time {
	now := time.Now()
	if at := time.UnixMilli(ms); at.Before(now) && now.Sub(at) < time.Minute {
		return at
	}
	return now
}

// inspect looks for leaks in what a block shows.
func (u *user) inspect(b *experiments.Block) {
	if u.stage.config.Inspect == nil || b.Text == "" {
		return
	}
	hits := u.stage.config.Inspect([]byte(b.Text))
	b.Hits = hits[:min(len(hits), 10)]
}

// alarmed reports whether something was announced as an alert, or leaks: a moment worth a picture.
func (u *user) alarmed(s experiments.PageSeen) bool {
	for _, b := range s.Born {
		if len(b.Hits) > 0 || b.Text != "" && !b.Unseen && (b.Live == "assertive" || b.Role == "alert" || b.Invalid) {
			return true
		}
	}
	return false
}

// notice writes down what happened around the page, up to a bound for each kind.
func (u *user) notice(n experiments.Notice) {
	u.mu.Lock()
	n.Where, n.When = u.where, time.Now()
	u.noticed[n.Kind]++
	many := u.noticed[n.Kind]
	u.mu.Unlock()
	if many > mostNotices && many&(many-1) != 0 { // the 64th, the 128th … say how many there were
		return
	}
	if many > mostNotices {
		n.Many = many - mostNotices
	}
	n.Text, n.URL = clip(n.Text, mostNotice), clip(n.URL, 500)
	u.record(experiments.Record{At: n.When, Notice: &n})
}

func clip(text string, most int) string {
	return strings.ToValidUTF8(wire.Line(text, most), "")
}

// owns reports whether a tab is the user's.
func (u *user) owns(id string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, p := range u.pages {
		if string(p.id()) == id {
			return true
		}
	}
	return false
}

func (u *user) download(frame, url, name string) {
	if u.owns(frame) {
		u.notice(experiments.Notice{Kind: experiments.NoticeDownload, Text: name, URL: url})
	}
}

func (u *user) window(opener target.ID, url string) {
	if u.owns(string(opener)) {
		u.notice(experiments.Notice{Kind: experiments.NoticeWindow, URL: url})
	}
}
