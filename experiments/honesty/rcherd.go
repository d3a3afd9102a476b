package honesty

import (
	"fmt"
	"slices"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

const (
	herdTime   = 30 * time.Second // after the end of the last fault
	herdLeast  = 20               // requests below which no share says anything
	herdAgain  = 5 * time.Minute
	herdJitter = 0.05
)

// flow is the requests on one way in a time.
type flow struct {
	all     int
	fresh   int // without the first of each intent that had waited: a backlog is no herd
	retries int
	gaps    []time.Duration
	seqs    []int64
}

func herdRule() Rule {
	info := experiments.RuleInfo{ID: "RC-07", Name: "herd", Severity: experiments.S2, Level: "H",
		Doc:     "Back, and down again.",
		Check:   "Violated when, in the first 30 s after the end of the last fault, requests on a way that candor reads along are more than three times as many a second as in the baseline; or more than 10 % of them repeat one that was sent in that time, with no act of the person between; or the gaps between five such repeats or more agree within 5 %; or when the steady state fails twice in a row within 5 min after it was back. Exercised by each way with 20 requests or more in that time.",
		Guard:   "The first request of an intent that had waited is a backlog and is not counted into the rate. Repeats that are as many in the baseline are not judged.",
		Source:  "Metastable failures (HotOS 2021, OSDI 2022); SRE book: three tries a request, a budget of 10 % for retries; AWS on backoff and jitter.",
		Example: "The shop's workers all retry every 100 ms without jitter; orders returns and falls over.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s, off := e.sheet(info), e.mended()
		if off.IsZero() {
			s.idle(place{}, "a fault was never seen gone")
			return s.occasions
		}
		until := off.Add(herdTime)
		for _, span := range e.spans {
			if span.Name == experiments.PhaseSettle && span.Start.Before(until) {
				until = span.Start
			}
		}
		last := e.lastStrike()
		p := place{fault: last.planned.Name}
		var base experiments.PhaseSpan
		if e.baseline >= 0 {
			base = e.spans[e.baseline]
		}
		usual, now := e.flows(base.Start, base.End, base.Start), e.flows(off, until, off)
		for _, way := range sorted(now) {
			s.herd(p, way, usual[way], now[way], base.End.Sub(base.Start), until.Sub(off), last)
		}
		if len(now) == 0 {
			s.idle(p, "no request was seen on the ways that candor reads along after the fault was over")
		}
		s.relapse(p, last)
		return s.occasions
	}}
}

// lastStrike is the fault that ended last.
func (e *evidence) lastStrike() *strike {
	return slices.MaxFunc(e.strikes, func(a, b *strike) int { return a.reverted.Compare(b.reverted) })
}

// flows counts the requests on each way between two times.
func (e *evidence) flows(from, to, backlog time.Time) map[string]*flow {
	found, before := map[string]*flow{}, map[burstKey]time.Time{}
	waited := map[burstKey]bool{}
	for _, r := range e.seen {
		if r.Seen.At.Before(from) || !r.Seen.At.Before(to) {
			continue
		}
		way := r.Seen.Path.String()
		c := found[way]
		if c == nil {
			c = &flow{}
			found[way] = c
		}
		c.all++
		c.fresh++
		row := e.marked[r.Seen.Marker]
		if row == nil {
			continue
		}
		if any := seenKey(r.Seen, 0); row.acted().Before(backlog) && !waited[any] {
			waited[any] = true
			c.fresh--
		}
		key := seenKey(r.Seen, row.acts(e, r.Seen.At))
		if earlier, again := before[key]; again {
			c.retries++
			c.gaps = append(c.gaps, r.Seen.At.Sub(earlier))
			if len(c.seqs) < 2*maxSamples {
				c.seqs = append(c.seqs, r.Seq)
			}
		}
		before[key] = r.Seen.At
	}
	return found
}

func (s *sheet) herd(p place, way string, usual, now *flow, baseTime, lasts time.Duration, last *strike) {
	if usual == nil {
		usual = &flow{}
	}
	if now.all < herdLeast {
		s.idle(p, fmt.Sprintf("needs %d requests in the first %s after the fault; on %s there were %d", herdLeast, herdTime, way, now.all))
		return
	}
	lines := refs(append(slices.Clone(now.seqs), last.seq)...)
	rate, normal := float64(now.fresh)/lasts.Seconds(), float64(usual.all)/max(baseTime.Seconds(), 0.001)
	share, usually := float64(now.retries)/float64(now.all), float64(usual.retries)/max(float64(usual.all), 1)
	switch {
	case usual.all > 0 && rate > 3*normal:
		s.fail(p, found{at: last.until, lines: lines, text: fmt.Sprintf("After %s, %.1f requests a second came on %s; in the baseline there are %.1f.",
			last.afterwards(), rate, way, normal)})
	case share > 0.1 && share > usually:
		s.fail(p, found{at: last.until, lines: lines, text: fmt.Sprintf("After %s, %d of %d requests on %s were repeats.", last.afterwards(), now.retries, now.all, way)})
	case len(now.gaps) >= 5 && inStep(now.gaps):
		s.fail(p, found{at: last.until, lines: lines, text: fmt.Sprintf("After %s, %d repeats on %s came at the same distance of %s, without jitter.",
			last.afterwards(), len(now.gaps), way, round(now.gaps[0]))})
	default:
		s.pass(p)
	}
}

// inStep reports whether gaps agree.
func inStep(gaps []time.Duration) bool {
	least, most := slices.Min(gaps), slices.Max(gaps)
	return float64(most-least) <= herdJitter*float64(most)
}

// relapse looks for a second failure after the product was steady again.
func (s *sheet) relapse(p place, last *strike) {
	whole := s.e.whole()
	if whole.IsZero() {
		return
	}
	bad := map[string]int64{}
	for _, r := range s.e.looks {
		if r.Look.Role != "steady" || r.Look.Blind != "" || r.At.Before(whole) || r.At.After(whole.Add(herdAgain)) || len(s.e.inForce(r.At, r.At)) > 0 {
			continue
		}
		before := bad[r.Look.Probe]
		switch {
		case r.Look.OK:
			bad[r.Look.Probe] = 0
		case before != 0:
			s.fail(p, found{at: r.At, lines: refs(before, r.Seq, last.seq),
				text: fmt.Sprintf("The product was steady again, and %s later it failed once more: %s.", round(r.At.Sub(whole)), quote(r.Look.Summary))})
			return
		default:
			bad[r.Look.Probe] = r.Seq
		}
	}
}
