package honesty

import (
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// feedback is what came of a click or a key, as far as a person could tell.
type feedback struct {
	pressing
	screen  *screen
	until   time.Time // the next act, or the last look
	changed time.Time // when the page first changed; zero: it did not before until
	sample  int64     // line of the sample that shows it
	asked   bool      // a request was sent within the feedback deadline
}

// within reports whether the page changed within a time.
func (f feedback) within(limit time.Duration) bool {
	return !f.changed.IsZero() && f.changed.Sub(f.Acted) <= limit+secondLook
}

// took is how long it was until the page changed, or how long it was not seen to.
func (f feedback) took() time.Duration {
	if f.changed.IsZero() {
		return f.until.Sub(f.Acted)
	}
	return f.changed.Sub(f.Acted)
}

// feedbacks are what came of every click and key that went in.
func (e *evidence) feedbacks() (all []feedback) {
	for _, s := range e.screens {
		for i, p := range s.presses {
			if p.Verb != "click" && p.Verb != "press" || p.Acted.IsZero() || p.Trouble != "" {
				continue
			}
			f := feedback{pressing: p, screen: s, until: s.last}
			for _, next := range s.presses[i+1:] {
				if !next.Acted.IsZero() && next.Acted.After(p.Acted) {
					f.until = next.Acted
					break
				}
			}
			f.changed, f.sample = e.firstChange(s, p, f.until)
			f.asked = len(e.asked(s, p.Acted, p.Acted.Add(e.deadlines(s.journey).Feedback+secondLook))) > 0
			all = append(all, f)
		}
	}
	return all
}

// firstChange is when a page first changed after an act, other than by a feed of its own or by the focus going to what was
// acted on.
func (e *evidence) firstChange(s *screen, p pressing, until time.Time) (time.Time, int64) {
	feeds := e.feedsOf(s.journey)
	first := sort.Search(len(s.samples), func(i int) bool { return s.samples[i].at.After(p.Acted) })
	changed, seq := time.Time{}, int64(0)
	for i := first; i < len(s.samples) && !s.samples[i].at.After(until); i++ {
		now := s.samples[i]
		moved := i > 0 && (now.URL != s.samples[i-1].URL || now.Title != s.samples[i-1].Title || now.Focus != s.samples[i-1].Focus && now.Focus != p.Block && now.Focus != 0)
		if now.First || moved || len(now.Gone) > 0 || slices.ContainsFunc(now.Born, func(b experiments.Block) bool { return !feeds[b.Region] }) {
			changed, seq = now.at, now.seq
			break
		}
	}
	for _, n := range s.noticed(p.Acted, until) {
		if tells(n.Kind) && (changed.IsZero() || n.When.Before(changed)) {
			return n.When, n.seq
		}
	}
	return changed, seq
}

// tells reports whether a person notices what happened around a page.
func tells(kind string) bool {
	return kind == experiments.NoticeDialog || kind == experiments.NoticeNavigated || kind == experiments.NoticeDownload || kind == experiments.NoticeWindow
}

// noticed is what happened around a user's pages after one time and up to another.
func (s *screen) noticed(after, to time.Time) []noticed {
	first := sort.Search(len(s.notices), func(i int) bool { return s.notices[i].When.After(after) })
	last := sort.Search(len(s.notices), func(i int) bool { return s.notices[i].When.After(to) })
	return s.notices[first:max(first, last)]
}

// feedsOf are the declared regions of a journey that change by themselves.
func (e *evidence) feedsOf(journey string) map[string]bool {
	feeds := map[string]bool{}
	if j := e.journeys[journey]; j != nil {
		for _, r := range j.Regions {
			feeds[r.Name] = r.Live != ""
		}
	}
	return feeds
}

func noFeedbackRule() Rule {
	info := experiments.RuleInfo{ID: "ST-11", Name: "no-feedback", Severity: experiments.S3, Level: "B",
		Doc:     "Nothing happens for seconds.",
		Check:   "Violated when for longer than the feedback deadline (1 s) after a click or a key nothing on the page changes that a person or a screen reader could notice, twice at a step. Exercised by each click and key while a fault is in force.",
		Guard:   "A result that comes at once is feedback. That the focus goes to what was clicked is none, nor what a declared live region shows. What is as silent in the baseline, or takes half as long there, is not judged; one look of the observer is allowed for.",
		Source:  "Nielsen's 1 s limit; RAIL.",
		Example: "Orders is slow by 4 s: after the click nothing changes until the result's page.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken sights
		all := e.feedbacks()
		silent, usual := e.silentWhenWell(all), e.usualFeedback(all)
		for _, f := range all {
			limit := e.deadlines(f.Journey).Feedback
			p := s.onPage(f.Where, f.Acted, f.Acted.Add(limit))
			if p.fault == "" || e.meetsBaseline(f.Acted, f.Acted) {
				continue
			}
			switch {
			case f.within(limit):
				s.pass(p)
			case silent[silentKey{f.Journey, f.Step, f.Target}]:
				s.idle(p, "it is as silent when all is well")
			case f.changed.IsZero() && f.until.Sub(f.Acted) <= limit+secondLook:
				s.idle(p, "the person went on before the deadline")
			case f.took() <= limit+2*usual[silentKey{f.Journey, f.Step, f.Target}]:
				s.idle(p, "it takes nearly as long when all is well")
			default:
				took := f.took()
				broken.add(s, wrongSight{where: f.Where, from: f.Acted, to: f.Acted.Add(took), kind: f.Target, lines: []int64{f.seq, f.sample},
					text: fmt.Sprintf("After %s on %s nothing changed for %s.", f.Verb, quote(f.Target), round(took))})
			}
		}
		broken.report(s, 2)
		return s.occasions
	}}
}

type silentKey struct{ journey, step, target string }

// silentWhenWell are the acts that the page leaves without feedback in the baseline too.
func (e *evidence) silentWhenWell(all []feedback) map[silentKey]bool {
	silent := map[silentKey]bool{}
	for _, f := range all {
		if limit := e.deadlines(f.Journey).Feedback; e.meetsBaseline(f.Acted, f.Acted) && !f.within(limit) && f.until.Sub(f.Acted) > limit+secondLook {
			silent[silentKey{f.Journey, f.Step, f.Target}] = true
		}
	}
	return silent
}

// usualFeedback is the longest that each act takes to change the page in the baseline.
func (e *evidence) usualFeedback(all []feedback) map[silentKey]time.Duration {
	usual := map[silentKey]time.Duration{}
	for _, f := range all {
		if key := (silentKey{f.Journey, f.Step, f.Target}); e.meetsBaseline(f.Acted, f.Acted) && !f.changed.IsZero() {
			usual[key] = max(usual[key], f.took())
		}
	}
	return usual
}

func silentNoOpRule() Rule {
	info := experiments.RuleInfo{ID: "CL-07", Name: "silent-no-op", Severity: experiments.S3, Level: "B",
		Doc:     "A click does nothing.",
		Check:   "Violated when within the feedback deadline (1 s) after a click or a key no request is sent, nothing on the page changes for a person or a screen reader, and no other page comes, and the same when it is done once more. Exercised by each click and key while a fault is in force.",
		Guard:   "A control that does as little in the baseline is not judged, nor is one that is disabled, which is ST-09.",
		Source:  "Nielsen, heuristic 1.",
		Example: "Payments is known to be down: the handler of “Buy” returns at once and says nothing.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken sights
		all := e.feedbacks()
		silent := e.silentWhenWell(all)
		for _, f := range all {
			limit := e.deadlines(f.Journey).Feedback
			p := s.onPage(f.Where, f.Acted, f.Acted.Add(limit))
			if p.fault == "" || e.meetsBaseline(f.Acted, f.Acted) {
				continue
			}
			switch {
			case f.asked || f.within(limit):
				s.pass(p)
			case silent[silentKey{f.Journey, f.Step, f.Target}]:
				s.idle(p, "it does as little when all is well")
			case f.until.Sub(f.Acted) <= limit+secondLook:
				s.idle(p, "the person went on before the deadline")
			default:
				broken.add(s, wrongSight{where: f.Where, from: f.Acted, to: f.Acted.Add(limit), kind: f.Target, lines: []int64{f.seq, f.sample},
					text: fmt.Sprintf("%s on %s did nothing: no request, no change, no other page within %s.", f.Verb, quote(f.Target), limit)})
			}
		}
		broken.report(s, 2)
		return s.occasions
	}}
}
