package honesty

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/patterns"
)

// How rules about pages look at a run. All of it is indexed once by gather:
//
//   - e.screens has a screen for each user of a browser journey: samples, acts, notices and requests in order. walk shows
//     the page as it was after each sample.
//   - e.sayings has each text that was ever on a page, from birth to death. new: the journey's pages do not show it when
//     all is well. What it says is e.says(saying); signs are what makes it an error, and two of them make one (e.errors).
//   - e.stays has each look that a declared region had, with its state; e.truthOf(stay) what it ought to have been.
//   - e.shots has the screenshots, for the evidence.
//
// A rule walks over one of them, skips what lies in the baseline, names the place by s.onPage, and reports through sights:
// what was seen once is not enough to tell, unless it stayed for secondLook.

// onScreen is what is known about pages.
type onScreen struct {
	screens     []*screen
	screenOf    map[screenKey]*screen
	samples     experiments.History // alone
	shots       []experiments.Record
	regionReads map[regionKey][]regionRead
	truthsOf    map[truthKey][]regionRead
	sayings     []*saying
	stays       []*stay
	usual       map[usualText]bool // texts of the baseline
	erred       []*saying          // see errors
	tellingsOf  []*telling         // see told
	lexicon     *patterns.Lexicon  // nil: it could not be read
	lexicons    patterns.Lexicons
	meanings    map[string]patterns.Result
	normalized  map[string]string
}

func newOnScreen() onScreen {
	lexicon, err := patterns.English()
	if err != nil {
		lexicon = nil // then words say nothing
	}
	lexicons, err := patterns.Shipped()
	if err != nil {
		lexicons = nil // then no text is in any language for sure
	}
	return onScreen{lexicons: lexicons, screenOf: map[screenKey]*screen{}, regionReads: map[regionKey][]regionRead{}, truthsOf: map[truthKey][]regionRead{},
		usual: map[usualText]bool{}, lexicon: lexicon, meanings: map[string]patterns.Result{}, normalized: map[string]string{}}
}

// screen is what one user of a journey saw and did in a browser.
type screen struct {
	journey string
	user    int
	samples []sample
	presses []pressing
	notices []noticed
	asks    []int               // requests of its pages: places in evidence.answers, by when they were sent
	said    map[int64][]*saying // texts of each visit, in the order of their births
	stays   map[string][]*stay  // looks of each region, in order
	last    time.Time
}

type sample struct {
	*experiments.PageSeen
	at  time.Time
	seq int64
}

type pressing struct {
	*experiments.Press
	seq int64
}

type noticed struct {
	*experiments.Notice
	seq int64
}

type screenKey struct {
	journey string
	user    int
}

// secondLook is how long what is seen must stay to be seen twice: the observer looks every 250 ms.
const secondLook = 300 * time.Millisecond

func (e *evidence) screen(w experiments.Where) *screen {
	key := screenKey{w.Journey, w.User}
	s := e.screenOf[key]
	if s == nil {
		s = &screen{journey: w.Journey, user: w.User, said: map[int64][]*saying{}, stays: map[string][]*stay{}}
		e.screenOf[key] = s
		e.screens = append(e.screens, s)
	}
	return s
}

// addPage puts a record about a page where it belongs.
func (e *evidence) addPage(r *experiments.Record) {
	switch {
	case r.Page != nil:
		s := e.screen(r.Page.Where)
		s.samples = append(s.samples, sample{r.Page, r.At, r.Seq})
		s.last = r.At
		e.samples.Records = append(e.samples.Records, *r)
	case r.Press != nil:
		s := e.screen(r.Press.Where)
		s.presses = append(s.presses, pressing{r.Press, r.Seq})
	case r.Notice != nil:
		s := e.screen(r.Notice.Where)
		s.notices = append(s.notices, noticed{r.Notice, r.Seq})
	case r.Shot != nil:
		e.shots = append(e.shots, *r)
	case r.Region != nil:
		key := regionKey{r.Region.Journey, r.Region.Region}
		e.regionReads[key] = append(e.regionReads[key], regionRead{r.Region, r.Seq})
	}
}

// foldPages makes sayings and stays of the samples, and learns what pages show when all is well.
func (e *evidence) foldPages() {
	for i, a := range e.answers {
		if s := e.screenOf[screenKey{a.Journey, a.User}]; s != nil && a.Kind != "" {
			s.asks = append(s.asks, i)
		}
	}
	for _, s := range e.screens {
		slices.SortStableFunc(s.asks, func(a, b int) int { return e.answers[a].Sent.Compare(e.answers[b].Sent) })
		slices.SortStableFunc(s.presses, func(a, b pressing) int { return a.Began.Compare(b.Began) })
		slices.SortStableFunc(s.notices, func(a, b noticed) int { return a.When.Compare(b.When) })
	}
	for _, l := range experiments.Lives(e.samples) {
		s := &saying{Life: l, screen: e.screenOf[screenKey{l.Journey, l.User}], until: l.Died, text: e.normalize(l.Block.Text)}
		if s.until.IsZero() {
			s.until, s.Left = s.screen.last, true
		}
		if e.meetsBaseline(s.Born, s.until) {
			e.usual[usualText{s.Journey, s.text}] = true
		}
		e.sayings = append(e.sayings, s)
		s.screen.said[s.Visit] = append(s.screen.said[s.Visit], s)
	}
	for _, s := range e.sayings {
		s.new = !e.usual[usualText{s.Journey, s.text}]
	}
	e.foldRegions()
}

// meetsBaseline reports whether a time touches the baseline that counts.
func (e *evidence) meetsBaseline(from, to time.Time) bool {
	if e.baseline < 0 {
		return false
	}
	span := e.spans[e.baseline]
	return from.Before(span.End) && !to.Before(span.Start)
}

type usualText struct{ journey, text string }

// usually reports whether a journey's pages show a text when all is well.
func (e *evidence) usually(journey, text string) bool {
	return e.usual[usualText{journey, e.normalize(text)}]
}

// normalize makes texts that say the same comparable. They come again and again.
func (e *evidence) normalize(text string) string {
	n, known := e.normalized[text]
	if !known {
		n = patterns.Normalize(text, e.head.Prefix)
		e.normalized[text] = n
	}
	return n
}

// walk shows the page as the user saw it after each sample, and until when it was so.
func (s *screen) walk(look func(v *experiments.View, now sample, until time.Time)) {
	v := experiments.NewView()
	for i, now := range s.samples {
		v.Add(now.at, now.PageSeen)
		until := s.last
		if i+1 < len(s.samples) {
			until = s.samples[i+1].at
		}
		look(v, now, until)
	}
}

// saying is one text on a page, from its birth to its death.
type saying struct {
	experiments.Life
	screen *screen
	until  time.Time // it died, or nobody looked any more
	text   string    // normalised
	new    bool      // no page of its journey, in this step or another, shows it when all is well
	read   *patterns.Result
}

func (s *saying) step() stepKey { return stepKey{s.Journey, s.Step} }

// stayed reports whether it was there at a second look.
func (s *saying) stayed() bool { return s.until.Sub(s.Born) >= secondLook }

// seenAt reports whether it was there at some time between two.
func (s *saying) seenAt(from, to time.Time) bool { return !s.Born.After(to) && s.until.After(from) }

// says is what a saying means to a person.
func (e *evidence) says(s *saying) patterns.Result {
	if s.read == nil {
		r := e.means(s.Block.Text)
		s.read = &r
	}
	return *s.read
}

// means is what a text means to a person. Texts come again and again, and are read once.
func (e *evidence) means(text string) patterns.Result {
	if e.lexicon == nil {
		return patterns.Result{}
	}
	if r, known := e.meanings[text]; known {
		return r
	}
	r := e.lexicon.Classify(text)
	e.meanings[text] = r
	return r
}

// badNews are the classes of the lexicon of which one makes a text an error.
var badNews = [...]string{"unknown", "failure", "failure_general", "blame_network", "blame_input", "accusing", "cause_ours", "cause_maintenance", "cause_load", "cause_third_party"}

func isBad(r patterns.Result) bool {
	for _, class := range badNews {
		if r.Is(class) {
			return true
		}
	}
	return false
}

// signs name what makes a text an error: one of them alone proves nothing.
func (e *evidence) signs(s *saying) (signs []string) {
	said := e.says(s)
	if isBad(said) {
		signs = append(signs, "its words")
	}
	switch strings.ToLower(s.Block.Claim) {
	case "failed", "failure", "refused", "unknown":
		signs = append(signs, "its mark says "+strings.ToLower(s.Block.Claim))
	}
	good := said.Claim == experiments.ClaimSuccess || said.Claim == experiments.ClaimPending
	if len(signs) == 0 && (good || s.Block.Waiting || s.Block.Busy || s.Block.Control) {
		return nil // good news, or a control, is none for being announced
	}
	if s.Block.Live != "" || s.Block.Dialog {
		signs = append(signs, "it is announced")
	}
	if a := e.failedAsk(s.screen, s.Born.Add(-e.deadlines(s.Journey).Final), s.Born.Add(secondLook)); a != nil {
		signs = append(signs, "a request of the page failed")
	}
	return signs
}

// errors are the error regions of the run: texts that are new, stayed for a second look, and show two signs of an error.
func (e *evidence) errors() []*saying {
	if e.erred == nil {
		e.erred = []*saying{}
		for _, s := range e.sayings {
			if s.new && s.stayed() && !e.meetsBaseline(s.Born, s.Born) && len(e.signs(s)) > 1 {
				e.erred = append(e.erred, s)
			}
		}
	}
	return e.erred
}

// failedAsk is the last request of a user's pages that failed in a time, by when it was answered; nil without one.
func (e *evidence) failedAsk(s *screen, from, to time.Time) *answer {
	end, _ := slices.BinarySearchFunc(s.asks, to, func(i int, at time.Time) int {
		return cmp.Or(e.answers[i].Sent.Compare(at), -1)
	})
	for n := end - 1; n >= 0 && n >= end-maxBack; n-- {
		a := &e.answers[s.asks[n]]
		if !a.good() && !a.Ended.Before(from) && !a.Ended.After(to) {
			return a
		}
	}
	return nil
}

// soonAfter is how soon what belongs to a change has to follow it: a fifth of the explanation deadline, and a second look.
func (e *evidence) soonAfter(journey string) time.Duration {
	return max(e.deadlines(journey).Explanation/5, secondLook)
}

// maxBack bounds how many requests are looked at before a moment.
const maxBack = 64

// asked are the requests of a user's pages that were sent in a time.
func (e *evidence) asked(s *screen, from, to time.Time) []int {
	search := func(at time.Time) int {
		i, _ := slices.BinarySearchFunc(s.asks, at, func(i int, at time.Time) int { return cmp.Or(e.answers[i].Sent.Compare(at), 1) })
		return i
	}
	first := search(from)
	return s.asks[first:max(first, search(to.Add(1)))]
}

// shotOf is the line of the screenshot that was taken of a user's document nearest after a moment; 0 without one.
func (e *evidence) shotOf(w experiments.Where, at time.Time) int64 {
	for _, r := range e.shots {
		if r.Shot.Journey == w.Journey && r.Shot.User == w.User && r.Shot.Page == w.Page && !r.At.Before(at) {
			return r.Seq
		}
	}
	return 0
}

// onPage is the place of something that was seen on a page.
func (s *sheet) onPage(w experiments.Where, from, to time.Time) place {
	return s.at(stepKey{w.Journey, w.Step}, from, to)
}
