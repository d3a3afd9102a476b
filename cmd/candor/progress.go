package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// progress is what is known of a living run, folded from its records as they are appended: the terminal view and the
// plain lines are two ways to show it.
type progress struct {
	plan  *experiments.Plan
	label string // before each plain line, when several runs are shown
	plain io.Writer

	mu       sync.Mutex
	phase    experiments.Phase
	since    time.Time
	started  time.Time
	inForce  map[string]time.Time
	hits     map[string]int64
	journeys map[string]*traffic
	notes    []string
	ended    bool
}

// traffic counts one journey.
type traffic struct {
	requests int
	failed   int
	recent   []time.Time // of the last ten seconds
	claims   map[experiments.Claim]int
}

func newProgress(p *experiments.Plan, label string, plain io.Writer) *progress {
	return &progress{plan: p, label: label, plain: plain, started: time.Now(), inForce: map[string]time.Time{},
		hits: map[string]int64{}, journeys: map[string]*traffic{}}
}

// see takes one record.
func (p *progress) see(r experiments.Record) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case r.Phase != nil:
		p.phase, p.since = r.Phase.Name, r.At
		p.say("%s", phaseWords(p.plan, r.Phase.Name))
	case r.Exchange != nil:
		t := p.of(r.Exchange.Journey)
		t.requests++
		if r.Exchange.Status == 0 || r.Exchange.Status >= 400 {
			t.failed++
		}
		t.recent = append(t.recent, r.At)
	case r.Claim != nil:
		p.of(r.Claim.Journey).claims[r.Claim.Claim]++
	case r.Fault != nil:
		p.seeFault(r)
	case r.Trouble != nil:
		p.say("%s: %s", r.Trouble.Code, r.Trouble.Text)
	case r.Environment != nil:
		if !r.Environment.Clean {
			p.say("NOT CLEAN: %s", strings.Join(r.Environment.Left, "; "))
		}
		if len(r.Environment.Changed) > 0 {
			p.say("not as before the run, and left alone: %s", strings.Join(r.Environment.Changed, "; "))
		}
	case r.End != nil:
		p.ended = true
	}
}

func (p *progress) seeFault(r experiments.Record) {
	f := r.Fault
	switch f.Event {
	case "injected":
		p.inForce[f.Name] = r.At
		p.say("in force: %s", f.Said)
	case "hits":
		p.hits[f.Name] = f.Hits
	case "reverted":
		delete(p.inForce, f.Name)
		p.say("reverted: %s (%s)", f.Name, plural(int(p.hits[f.Name]), "hit"))
	case "failed":
		p.say("FAILED: %s: %s", f.Name, f.Error)
	}
}

func (p *progress) of(journey string) *traffic {
	t, known := p.journeys[journey]
	if !known {
		t = &traffic{claims: map[experiments.Claim]int{}}
		p.journeys[journey] = t
	}
	return t
}

// say keeps a note and, where nobody watches a screen, prints it at once.
func (p *progress) say(format string, args ...any) {
	note := clean(fmt.Sprintf(format, args...))
	p.notes = append(p.notes, note)
	if p.plain != nil {
		fmt.Fprintf(p.plain, "%s %s%s\n", time.Now().Format(time.TimeOnly), p.label, note)
	}
}

// clean keeps what a target said from moving the cursor or filling the screen.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || (r >= 0x7f && r < 0xa0) || (r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069) {
			return ' '
		}
		return r
	}, s)
	if runes := []rune(s); len(runes) > 300 {
		s = string(runes[:300]) + "…"
	}
	return s
}

func phaseWords(p *experiments.Plan, phase experiments.Phase) string {
	t := p.Timeline
	switch phase {
	case experiments.PhaseWarmup:
		return "warm up: waiting until the steady state holds"
	case experiments.PhaseBaseline:
		return fmt.Sprintf("baseline: measuring what is normal for %s", t.Baseline)
	case experiments.PhaseFault:
		return fmt.Sprintf("fault: %s, for %s", plural(len(p.Faults), "fault"), faultTime(p))
	case experiments.PhaseRecovery:
		return fmt.Sprintf("recovery: waiting until it is steady again, for %s", t.Recovery)
	case experiments.PhaseSettle:
		return fmt.Sprintf("settle: reading the truth, and again %s later", t.Reread)
	}
	return string(phase)
}

// faultTime is how long the fault phase lasts.
func faultTime(p *experiments.Plan) time.Duration {
	var longest, swept time.Duration
	for _, f := range p.Faults {
		if f.Swept {
			swept += f.For
			continue
		}
		longest = max(longest, f.At+f.For)
	}
	return max(longest, swept)
}

// planned is how long a phase is meant to last.
func (p *progress) planned(phase experiments.Phase) time.Duration {
	t := p.plan.Timeline
	switch phase {
	case experiments.PhaseBaseline:
		return t.Baseline
	case experiments.PhaseFault:
		return faultTime(p.plan)
	case experiments.PhaseRecovery:
		return t.Recovery
	case experiments.PhaseSettle:
		return t.Settle + t.Reread
	}
	return 0
}

// rate is requests a second over the last five seconds.
func (t *traffic) rate(now time.Time) float64 {
	const window = 5 * time.Second
	i, _ := slices.BinarySearchFunc(t.recent, now.Add(-window), time.Time.Compare)
	t.recent = slices.Delete(t.recent, 0, i)
	return float64(len(t.recent)) / window.Seconds()
}
