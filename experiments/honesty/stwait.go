package honesty

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// waiting is a time over which a page showed that something was under way: a spinner, a placeholder, a busy part.
type waiting struct {
	experiments.Where // of the sample that it began with
	screen            *screen
	what              string // selector of the block, or name of the region
	from, until       time.Time
	seq, lastSeq      int64
	left              bool // it ended because the document was left, or nobody looked any more
	moves             int  // how often its text changed: it tells how far it is
	cancel            bool // a person could end it
	busy              bool // assistive technology is told that it is busy
}

func (w waiting) lasted() time.Duration { return w.until.Sub(w.from) }

// waitings are all times over which pages showed that something was under way, in the order of their beginnings.
func (e *evidence) waitings() []*waiting {
	var all []*waiting
	for _, s := range e.screens {
		open, said := map[int64]*waiting{}, map[int64]string{}
		end := func(id int64, at time.Time, left bool) {
			if w := open[id]; w != nil {
				w.until, w.left = at, left
				delete(open, id)
			}
		}
		s.walk(func(v *experiments.View, now sample, _ time.Time) {
			if now.First {
				for id := range open {
					end(id, now.at, true)
				}
			}
			for _, id := range now.Gone {
				end(id, now.at, false)
			}
			for _, b := range now.Born {
				w := open[b.ID]
				switch {
				case !b.Waiting && !b.Busy || b.Region != "":
					end(b.ID, now.at, false)
				case w == nil:
					w = &waiting{Where: now.Where, screen: s, what: b.Selector, from: now.at, seq: now.seq, busy: b.Busy}
					open[b.ID] = w
					all = append(all, w)
				case said[b.ID] != b.Text+b.Value+b.Name:
					w.moves++
				}
				said[b.ID] = b.Text + b.Value + b.Name
			}
			for _, w := range open {
				w.lastSeq = now.seq
			}
			if len(open) > 0 && canCancel(now.Born) {
				for _, w := range open {
					w.cancel = true
				}
			}
		})
		for id := range open {
			end(id, s.last, true)
		}
	}
	for _, one := range mergedStays(e.stays, func(one *stay) bool { return one.state == regionLoading }) {
		all = append(all, &waiting{Where: one.Where, screen: one.screen, what: one.region.Name, from: one.from, until: one.until, seq: one.seq, lastSeq: one.lastSeq, left: one.left, busy: one.seen.Busy})
	}
	slices.SortStableFunc(all, func(a, b *waiting) int { return a.from.Compare(b.from) })
	return all
}

// canCancel reports whether there is a control by which a person ends what is under way.
func canCancel(blocks []experiments.Block) bool {
	return slices.ContainsFunc(blocks, func(b experiments.Block) bool {
		name := strings.ToLower(b.Name + " " + b.Text)
		return b.Control && !b.Disabled && (strings.Contains(name, "cancel") || strings.Contains(name, "stop waiting") || strings.Contains(name, "abbrechen"))
	})
}

type waitKey struct{ journey, what string }

// usualWaits are the longest times that each of them is shown when all is well. What stands until its page is left may
// stand for ever.
func (e *evidence) usualWaits(all []*waiting) map[waitKey]time.Duration {
	usual := map[waitKey]time.Duration{}
	for _, w := range all {
		if !e.meetsBaseline(w.from, w.from) {
			continue
		}
		key, lasted := waitKey{w.Journey, w.what}, w.lasted()
		if w.left && lasted > e.deadlines(w.Journey).Feedback {
			lasted = forEver
		}
		usual[key] = max(usual[key], lasted)
	}
	return usual
}

const forEver = time.Duration(1<<62 - 1)

func endlessWaitRule() Rule {
	info := experiments.RuleInfo{ID: "ST-06", Name: "endless-wait", Severity: experiments.S3, Level: "B",
		Doc:     "A spinner or skeleton without end.",
		Check:   "Violated when a sign that something is under way, or a declared region that loads, is shown for longer than the explanation deadline while no request of the user's pages is on its way, or for longer than the final deadline in any case. Exercised by each such sign while a fault is in force, as long as somebody looked.",
		Guard:   "What shows how far it is, or can be cancelled, passes; what the baseline shows for as long is not judged.",
		Source:  "Nielsen's 10 s limit; medic/cht-core#6433, kobotoolbox/kpi#3781, pyroscope#506.",
		Example: "GET /api/orders answers 500 at once; the spinner in “My orders” keeps turning.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken sights
		all := e.waitings()
		usual := e.usualWaits(all)
		for _, w := range all {
			p := s.onPage(w.Where, w.from, w.until)
			if p.fault == "" || e.meetsBaseline(w.from, w.from) {
				continue
			}
			d := e.deadlines(w.Journey)
			quiet := e.longestQuiet(w)
			switch {
			case 2*usual[waitKey{w.Journey, w.what}] > w.lasted():
				s.idle(p, quote(w.what)+" is shown for as long when all is well")
			case w.moves > 1 || w.cancel:
				s.pass(p)
			case w.lasted() > d.Final:
				broken.add(s, w.wrong(fmt.Sprintf("%s showed for %s that something was under way.", quote(w.what), round(w.lasted()))))
			case quiet > d.Explanation:
				broken.add(s, w.wrong(fmt.Sprintf("%s showed for %s that something was under way, while no request was.", quote(w.what), round(quiet))))
			case w.left:
				s.idle(p, "the page was left before the deadline")
			default:
				s.pass(p)
			}
		}
		broken.report(s, 1)
		return s.occasions
	}}
}

func (w waiting) wrong(text string) wrongSight {
	return wrongSight{where: w.Where, from: w.from, to: w.until, kind: w.what, text: text, lines: []int64{w.seq, w.lastSeq}}
}

// longestQuiet is the longest time of a waiting in which no request of the user's pages was on its way.
func (e *evidence) longestQuiet(w *waiting) (longest time.Duration) {
	last := w.from
	for _, i := range e.asked(w.screen, w.from.Add(-2*e.deadlines(w.Journey).Final), w.until) {
		a := e.answers[i]
		if a.Sent.After(last) {
			longest = max(longest, a.Sent.Sub(last))
		}
		if a.Ended.After(last) {
			last = a.Ended
		}
	}
	return max(longest, w.until.Sub(last))
}

func blankRule() Rule {
	info := experiments.RuleInfo{ID: "ST-07", Name: "blank", Severity: experiments.S3, Level: "B",
		Doc:     "A white page.",
		Check:   "Violated when a page shows less than a tenth of the text that its step's pages show at least in the baseline, and neither an error nor a sign that something is under way, for three tenths of the explanation deadline (3 s); or when it shows none at all after an exception that nobody caught. Exercised by each document seen while a fault is in force in a step that the baseline knows.",
		Guard:   "A step whose pages have fewer than 40 characters in the baseline is not judged: it may draw what it shows. The browser's own error page is LK-05.",
		Source:  "LinkedOut, matchers for default pages.",
		Example: "Catalog answers with unexpected JSON: the page's script throws and leaves an empty root element.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken sights
		fullness, least := e.fullness()
		for _, f := range fullness {
			p := s.onPage(f.Where, f.from, f.until)
			usual := least[stepKey{f.Journey, f.Step}]
			if p.fault == "" || usual < 40 || e.meetsBaseline(f.from, f.from) {
				continue
			}
			limit := e.deadlines(f.Journey).Explanation * 3 / 10
			switch {
			case f.longest >= limit, f.longest >= secondLook && f.threw != 0 && f.most == 0:
				broken.add(s, wrongSight{where: f.Where, from: f.from, to: f.until, kind: "blank", lines: []int64{f.seq, f.threw},
					text: fmt.Sprintf("A page was blank for %s: at most %d characters, and no word or sign of why (usual: %d).", round(f.longest), f.most, usual)})
			case f.most*10 >= usual:
				s.pass(p)
			case f.excused:
				s.pass(p)
			default:
				s.idle(p, "the page was left before the deadline")
			}
		}
		broken.report(s, 1)
		return s.occasions
	}}
}

// full is how much text a document showed during a step.
type full struct {
	experiments.Where
	from, until time.Time
	seq         int64
	most        int           // characters at the fullest
	longest     time.Duration // over which it was nearly blank, without a word or a sign of why
	threw       int64         // line of an exception that nobody caught
	excused     bool          // it showed an error or a sign that something was under way
}

// fullness measures every document in every step, and the least that a step's documents show when all is well.
func (e *evidence) fullness() (all []*full, least map[stepKey]int) {
	least = map[stepKey]int{}
	for _, s := range e.screens {
		for _, f := range e.fullnessOf(s, nil) {
			step := stepKey{f.Journey, f.Step}
			if known, is := least[step]; e.meetsBaseline(f.until, f.until) && (!is || f.most < known) {
				least[step] = f.most
			}
		}
	}
	for _, s := range e.screens {
		all = append(all, e.fullnessOf(s, least)...)
	}
	return all, least
}

func (e *evidence) fullnessOf(s *screen, usual map[stepKey]int) (all []*full) {
	sizes, total := map[int64]int{}, 0
	excuses := map[int64]bool{}
	threw := map[int64]int64{}
	for _, n := range s.notices {
		if n.Kind == experiments.NoticeException && threw[n.Page] == 0 {
			threw[n.Page] = n.seq
		}
	}
	var now *full
	var blank time.Duration
	s.walk(func(v *experiments.View, one sample, until time.Time) {
		if one.First {
			clear(sizes)
			clear(excuses)
			total = 0
		}
		for _, id := range one.Gone {
			total -= sizes[id]
			delete(sizes, id)
			delete(excuses, id)
		}
		for _, b := range one.Born {
			total += visible(b) - sizes[b.ID]
			sizes[b.ID] = visible(b)
			delete(excuses, b.ID)
			if b.Waiting || b.Busy || b.Text != "" && isBad(e.means(b.Text)) {
				excuses[b.ID] = true
			}
		}
		if now == nil || now.Page != one.Page || now.Step != one.Step || now.Visit != one.Visit {
			now, blank = &full{Where: one.Where, from: one.at, seq: one.seq, threw: threw[one.Page]}, 0
			all = append(all, now)
		}
		now.until = until
		now.most = max(now.most, total)
		now.excused = now.excused || len(excuses) > 0
		own := strings.HasPrefix(one.URL, "chrome-error:") || one.URL == "about:blank"
		if total*10 < usual[stepKey{one.Journey, one.Step}] && len(excuses) == 0 && !own {
			blank += until.Sub(one.at)
			now.longest = max(now.longest, blank)
			return
		}
		blank = 0
	})
	return all
}

// visible is how much text of a block a person can see.
func visible(b experiments.Block) int {
	if b.Unseen {
		return 0
	}
	return len(b.Text)
}
