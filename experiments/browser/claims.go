package browser

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/patterns"
)

// How a claim was found, as in the history of surface http. The status is no way: a person does not see it.
const (
	byDeclared = "declared"
	byMarkup   = "markup"
	byLexicon  = "lexicon"
	byNothing  = "nothing"
)

const (
	maxWords = 240  // of the evidence of a claim, in bytes
	nearby   = 250  // pixels from a control in which a text speaks for it
	mostOld  = 2000 // texts of one step that are known from before its acts
)

// order is in which matching claims count: whoever doubts aloud is not read as sure.
var order = [...]experiments.Claim{experiments.ClaimUnknown, experiments.ClaimRefused, experiments.ClaimPending, experiments.ClaimSuccess}

// said is one claim that a page makes at one moment.
type said struct {
	claim   experiments.Claim
	effects map[string]experiments.Claim
	also    []experiments.Claim
	by      string
	words   string
	block   int64
}

// listener hears what a page says about one intent, from the act until the person does something else, and writes down
// every change.
type listener struct {
	user   *user
	act    experiments.Act
	where  experiments.Where
	before int64                       // the document on which it was acted
	there  map[int64]experiments.Block // what was on it
	old    map[string]bool             // texts that were there before, in this visit or another
	box    experiments.Box             // of the control

	mu      sync.Mutex
	clicked time.Time
	births  map[int64]int // blocks of the present document, in the order in which they appeared or changed
	page    int64
	born    int
	now     said
	since   time.Time
	made    bool
	quiet   bool // it was written down that nothing was said
}

// listen begins to hear. The user is locked.
func (u *user) listen(act experiments.Act) *listener {
	l := &listener{user: u, act: act, where: u.where, before: u.view.Page, there: map[int64]experiments.Block{}, births: map[int64]int{}, page: u.view.Page, now: said{by: byNothing}}
	old := u.furnish[act.Step]
	if old == nil {
		old = map[string]bool{}
		u.furnish[act.Step] = old
	}
	for id, b := range u.view.Blocks {
		l.there[id] = b
		if text := l.plain(b.Text); text != "" && len(old) < mostOld {
			old[text] = true
		}
	}
	l.old = old
	return l
}

func (l *listener) plain(text string) string {
	return patterns.Normalize(text, l.user.stage.config.Prefix)
}

// hear looks at the page after a sample. Only one goroutine, the tab's, calls it.
func (l *listener) hear(at time.Time, seq int64, s experiments.PageSeen) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.clicked.IsZero() || at.Before(l.clicked) {
		return
	}
	if s.First || s.Page != l.page {
		l.page = s.Page
		clear(l.births)
	}
	for _, id := range s.Gone {
		delete(l.births, id)
	}
	l.born++
	for _, b := range s.Born {
		if was, known := l.there[b.ID]; s.Page == l.before && known && was.Text == b.Text && was.Claim == b.Claim {
			continue
		}
		l.births[b.ID] = l.born
	}
	heard := l.derive()
	if heard.claim == l.now.claim && (heard.by == l.now.by || heard.claim == experiments.ClaimNone) {
		return
	}
	if heard.claim == experiments.ClaimNone {
		return // a message that goes away again was said all the same (ST-14 judges how long it stood)
	}
	l.make(heard, at, seq)
	l.user.picture("claim")
}

// make writes a claim down. l is locked.
func (l *listener) make(heard said, at time.Time, seq int64) {
	l.now, l.since, l.made = heard, time.Now(), true
	l.user.record(experiments.Record{At: at, Claim: &experiments.ClaimMade{Marker: l.act.Marker, Journey: l.where.Journey, Step: l.act.Step,
		Claim: heard.claim, Effects: heard.effects, By: heard.by, Text: clip(heard.words, maxWords), Also: heard.also,
		Promise: l.promise(heard), Clicked: l.clicked, Final: at, Sample: seq, Block: heard.block}})
}

// silent writes down that nothing was said, once.
func (l *listener) silent(why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.made || l.quiet {
		return
	}
	l.quiet = true
	l.make(said{by: byNothing, words: why}, time.Now(), 0)
	l.made = false
}

// clickedAt is when and where the intent was acted first.
func (l *listener) clickedAt(at time.Time, box experiments.Box) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.clicked.IsZero() {
		l.clicked, l.box = at, box
	}
}

// began is when the intent was acted.
func (l *listener) began() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.clicked
}

// stands is the present claim and since when it stands.
func (l *listener) stands() (experiments.Claim, time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now.claim, l.since
}

func (l *listener) promise(heard said) time.Duration {
	if heard.claim != experiments.ClaimPending || l.act.Claims == nil || l.act.Claims.Promise.IsZero() {
		return 0
	}
	value, err := l.act.Claims.Promise.Eval(l.vars())
	if err != nil {
		return 0
	}
	d, _ := value.(time.Duration)
	if text, is := value.(string); is {
		d, _ = time.ParseDuration(text)
	}
	return max(0, d)
}

func (l *listener) vars() experiments.Vars {
	l.user.mu.Lock()
	defer l.user.mu.Unlock()
	vars := l.act.Vars.With(pageVars(l.user.view))
	vars["elapsed"], vars["answered"] = time.Since(l.clicked), true
	return vars
}

// derive finds what the page says now: what the journey declares, then what the markup says, then the words.
func (l *listener) derive() said {
	h := said{by: byNothing}
	if l.act.Claims != nil {
		vars := l.vars()
		h = declared(l.act.Claims, vars)
		h.effects = perEffect(l.act.Claims, vars)
	}
	blocks := l.fresh()
	for _, way := range []func([]experiments.Block) said{l.markup, l.spoken} {
		if h.claim == experiments.ClaimNone {
			if next := way(blocks); next.claim != experiments.ClaimNone {
				next.effects = h.effects
				h = next
			}
		}
	}
	return h
}

// fresh are the blocks that are there since the act, the youngest first.
func (l *listener) fresh() []experiments.Block {
	l.user.mu.Lock()
	defer l.user.mu.Unlock()
	var all []experiments.Block
	for id := range l.births {
		if b, there := l.user.view.Blocks[id]; there {
			all = append(all, b)
		}
	}
	slices.SortFunc(all, func(a, b experiments.Block) int {
		switch {
		case l.births[b.ID] != l.births[a.ID]:
			return l.births[b.ID] - l.births[a.ID]
		case a.Control != b.Control && b.Control: // a message before what can be done about it
			return -1
		case a.Control != b.Control:
			return 1
		case a.Box.Y != b.Box.Y:
			return a.Box.Y - b.Box.Y
		}
		return int(a.ID - b.ID)
	})
	return all[:min(len(all), 400)]
}

// declared asks the journey's own conditions. One that cannot look at the page does not match.
func declared(claims *experiments.Claims, vars experiments.Vars) said {
	return pick(map[experiments.Claim]experiments.Expr{
		experiments.ClaimUnknown: claims.Unknown,
		experiments.ClaimRefused: claims.Refused,
		experiments.ClaimPending: claims.Pending,
		experiments.ClaimSuccess: claims.Success,
	}, vars)
}

func pick(conditions map[experiments.Claim]experiments.Expr, vars experiments.Vars) said {
	h := said{by: byNothing}
	for _, claim := range order {
		if conditions[claim].IsZero() {
			continue
		}
		if holds, err := conditions[claim].Holds(vars); err != nil || !holds {
			continue
		}
		if h.claim != experiments.ClaimNone {
			h.also = append(h.also, claim)
			continue
		}
		h.claim, h.by, h.words = claim, byDeclared, conditions[claim].Source
	}
	return h
}

func perEffect(claims *experiments.Claims, vars experiments.Vars) map[string]experiments.Claim {
	var all map[string]experiments.Claim
	for effect, conditions := range claims.PerEffect {
		if h := pick(conditions, vars); h.claim != experiments.ClaimNone {
			if all == nil {
				all = map[string]experiments.Claim{}
			}
			all[effect] = h.claim
		}
	}
	return all
}

// markup reads data-claim; what has words of its own before what has none.
func (l *listener) markup(blocks []experiments.Block) said {
	h := l.marked(slices.DeleteFunc(slices.Clone(blocks), func(b experiments.Block) bool { return b.Text == "" }))
	if h.claim == experiments.ClaimNone {
		h = l.marked(blocks)
	}
	return h
}

func (l *listener) marked(blocks []experiments.Block) said {
	return l.latest(blocks, byMarkup, func(b experiments.Block) (experiments.Claim, string) {
		var claim experiments.Claim
		if b.Claim == "" || claim.UnmarshalText([]byte(strings.ToLower(b.Claim))) != nil {
			return experiments.ClaimNone, ""
		}
		return claim, b.Text
	})
}

// spoken reads the words: of what is announced, of headings, and of texts near the control that was used; on another
// document, where there is no such control, of all that stands in its body. What the page offers to click says nothing.
func (l *listener) spoken(blocks []experiments.Block) said {
	words := l.user.stage.config.Lexicon
	if words == nil {
		return said{by: byNothing}
	}
	return l.latest(blocks, byLexicon, func(b experiments.Block) (experiments.Claim, string) {
		if b.Text == "" || b.Control || l.old[l.plain(b.Text)] || !l.speaksOfIt(b) {
			return experiments.ClaimNone, ""
		}
		return words([]string{b.Text})
	})
}

func (l *listener) speaksOfIt(b experiments.Block) bool {
	switch {
	case b.Live != "" || b.Dialog:
		return true
	case b.Unseen:
		return false
	case l.page != l.before:
		return !slices.Contains([]string{"navigation", "banner", "contentinfo", "complementary", "search"}, b.Landmark)
	case b.Heading > 0 && b.Heading < 3:
		return true
	}
	return gap(b.Box.X, b.Box.W, l.box.X, l.box.W) < 2*nearby && gap(b.Box.Y, b.Box.H, l.box.Y, l.box.H) < nearby
}

// gap is how far two stretches are apart.
func gap(a, along, b, blong int) int {
	return max(0, max(a, b)-min(a+along, b+blong))
}

// latest takes the claim of the youngest block that makes one; of those as young, the first in order counts.
func (l *listener) latest(blocks []experiments.Block, by string, read func(experiments.Block) (experiments.Claim, string)) said {
	h := said{by: byNothing}
	birth := 0
	for _, b := range blocks {
		claim, words := read(b)
		if claim == experiments.ClaimNone {
			continue
		}
		born := l.births[b.ID]
		first := h.claim == experiments.ClaimNone || born == birth && slices.Index(order[:], claim) < slices.Index(order[:], h.claim)
		switch {
		case first && h.claim != experiments.ClaimNone:
			h.also = append(h.also, h.claim)
			fallthrough
		case first:
			h.claim, h.by, h.words, h.block, birth = claim, by, words, b.ID, born
		case claim != h.claim && !slices.Contains(h.also, claim):
			h.also = append(h.also, claim)
		}
	}
	return h
}
