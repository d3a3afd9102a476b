package experiments

import (
	"slices"
	"strings"
	"time"
)

// View is a page as one user saw it at one moment: the sum of its samples.
type View struct {
	Where
	At      time.Time // of the last sample
	URL     string
	Title   string
	Lang    string
	Ready   string
	Focus   int64
	Cut     string
	Blocks  map[int64]Block
	Regions map[string]RegionSeen
}

// NewView is a page of which nothing was seen yet.
func NewView() *View { return &View{Blocks: map[int64]Block{}, Regions: map[string]RegionSeen{}} }

// Add takes the next sample of the same user.
func (v *View) Add(at time.Time, s *PageSeen) {
	if s.First {
		clear(v.Blocks)
		clear(v.Regions)
	}
	v.Where, v.At, v.URL, v.Title, v.Lang, v.Ready, v.Focus, v.Cut = s.Where, at, s.URL, s.Title, s.Lang, s.Ready, s.Focus, s.Cut
	for _, id := range s.Gone {
		delete(v.Blocks, id)
	}
	for _, b := range s.Born {
		v.Blocks[b.ID] = b
	}
	for _, r := range s.Regions {
		v.Regions[r.Name] = r
	}
}

// Reading is the blocks in the order in which a page is read: from the top, and from left to right.
func (v *View) Reading() []Block {
	all := make([]Block, 0, len(v.Blocks))
	for _, b := range v.Blocks {
		all = append(all, b)
	}
	slices.SortFunc(all, func(a, b Block) int {
		switch {
		case a.Box.Y != b.Box.Y:
			return a.Box.Y - b.Box.Y
		case a.Box.X != b.Box.X:
			return a.Box.X - b.Box.X
		}
		return int(a.ID - b.ID)
	})
	return all
}

// Text is all visible text, a line for each block.
func (v *View) Text() string {
	var text strings.Builder
	for _, b := range v.Reading() {
		if b.Text != "" && !b.Unseen {
			text.WriteString(b.Text)
			text.WriteByte('\n')
		}
	}
	return text.String()
}

// Alerts are the texts that were announced to the person: in live regions and dialogs.
func (v *View) Alerts() []string {
	alerts := []string{}
	for _, b := range v.Reading() {
		if b.Text != "" && (b.Live != "" || b.Dialog) {
			alerts = append(alerts, b.Text)
		}
	}
	return alerts
}

// Life is one text of a block from its birth to its death. A text that changes in place dies, and another is born.
type Life struct {
	Where
	Block Block
	Born  time.Time
	BornN int64     // Seq of the sample
	Died  time.Time // zero: it was there when the user's last sample was taken
	DiedN int64
	Left  bool // it died because the document was left, not because it was removed
}

// Lives are all texts that were seen on the pages of a history, such as messages that come and go, in the order of birth.
func Lives(h History) []Life {
	var all []*Life
	type place struct {
		journey string
		user    int
	}
	open := map[place]map[int64]*Life{}
	for _, r := range h.Records {
		if r.Page == nil {
			continue
		}
		at := place{r.Page.Journey, r.Page.User}
		here := open[at]
		if here == nil {
			here = map[int64]*Life{}
			open[at] = here
		}
		die := func(id int64, left bool) {
			if l := here[id]; l != nil {
				l.Died, l.DiedN, l.Left = r.At, r.Seq, left
				delete(here, id)
			}
		}
		if r.Page.First {
			for id := range here {
				die(id, true)
			}
		}
		for _, id := range r.Page.Gone {
			die(id, false)
		}
		for _, b := range r.Page.Born {
			if l := here[b.ID]; l != nil && l.Block.Text == b.Text {
				l.Block = b
				continue
			}
			die(b.ID, false)
			if b.Text != "" {
				l := &Life{Where: r.Page.Where, Block: b, Born: r.At, BornN: r.Seq}
				here[b.ID] = l
				all = append(all, l)
			}
		}
	}
	lives := make([]Life, len(all))
	for i, l := range all {
		lives[i] = *l
	}
	return lives
}
