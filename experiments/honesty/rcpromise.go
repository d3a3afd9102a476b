package honesty

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// promised is an answer that said until when it would be over.
type promised struct {
	from  int // place in answers
	at    time.Time
	words string
	vague string // why the time cannot be told
}

// What follows one of these words is a time at which something is to work again.
const comesBack = `(?i)\b(?:back|again|available|return\w*|restor\w*|resolv\w*|working|resum\w*|until)\b[^.!?<>{}]{0,40}?`

var (
	inTime = regexp.MustCompile(comesBack + `\b(?:in|within)\s+(?:about\s+|around\s+)?(\d{1,4})\s*(s|secs?|seconds?|m|mins?|minutes?|h|hours?)\b`)
	onDate = regexp.MustCompile(comesBack + `(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))`)
	atHour = regexp.MustCompile(comesBack + `\b(?:at|by|until|before)?\s*([01]?\d|2[0-3]):([0-5]\d)(?:\s*(UTC|GMT|Z)\b)?`)
)

// promises reads the header and the text of an answer.
func (a answer) promises(i int) (all []promised) {
	now := a.Ended
	if wait, given := a.retryAfter(); given && wait > 0 {
		all = append(all, promised{from: i, at: now.Add(wait), words: "Retry-After: " + a.header("Retry-After")})
	}
	text := a.Body.Text
	if m := onDate.FindStringSubmatch(text); m != nil {
		for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00"} {
			if at, err := time.Parse(layout, m[1]); err == nil {
				return append(all, promised{from: i, at: at, words: m[0]})
			}
		}
	}
	if m := inTime.FindStringSubmatch(text); m != nil {
		n, _ := strconv.Atoi(m[1])
		unit := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour}[strings.ToLower(m[2])[0]]
		return append(all, promised{from: i, at: now.Add(time.Duration(n) * unit), words: m[0]})
	}
	if m := atHour.FindStringSubmatch(text); m != nil {
		hour, _ := strconv.Atoi(m[1])
		minute, _ := strconv.Atoi(m[2])
		utc := now.UTC()
		at := time.Date(utc.Year(), utc.Month(), utc.Day(), hour, minute, 0, 0, time.UTC)
		if at.Before(utc.Add(-12 * time.Hour)) {
			at = at.AddDate(0, 0, 1)
		}
		p := promised{from: i, at: at, words: m[0]}
		if m[3] == "" {
			p.vague = "it names an hour without a time zone"
		}
		all = append(all, p)
	}
	return all
}

func brokenPromiseRule() Rule {
	info := experiments.RuleInfo{ID: "RC-09", Name: "broken-promise", Severity: experiments.S2, Level: "B/H",
		Doc:     "“Back at 14:00”, and it was not.",
		Check:   "Violated when an answer that refuses while what its step needs is broken names a time (in its text, or as Retry-After), and that time is over by more than 10 % of the wait, two seconds at least for a time of day, while the step fails twice more; and no answer of the step named a later time, or none any more, before it was over. Exercised by each such promise whose step was asked again after its time.",
		Guard:   "A promise that is moved or withdrawn before its time passes is kept, and so is one after which the step worked in time. What another fault broke by then is not held against it. An hour without a time zone is unverifiable.",
		Source:  "GOV.UK service-unavailable pages; RFC 9110 10.2.3.",
		Example: "“Payments will be back at” followed by now + 15 min, frozen when the outage began.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		steps := map[stepKey][]retry{}
		var made []promised
		e.eachTroubled(func(i int, a answer) {
			if !a.answered() || !e.bad(i) || e.needed(a.step(), a.Sent, a.Ended) == nil {
				return
			}
			for _, p := range a.promises(i) {
				steps[a.step()] = nil
				made = append(made, p)
			}
		})
		later := e.bySent(steps)
		var broken groups
		for _, p := range made {
			a := e.answers[p.from]
			if p.vague != "" {
				s.blind(s.answer(a), p.vague)
				continue
			}
			s.kept(&broken, p, later[a.step()])
		}
		broken.report(s, 1)
		return s.occasions
	}}
}

// bad reports whether an answer did not give the user what they came for, for a reason that is the product's.
func (e *evidence) bad(i int) bool {
	_, soft := e.softErrors()[i]
	return soft || e.answers[i].Status >= 500 || busy(e.answers[i].Status)
}

// kept holds one promise to what happened at its time.
func (s *sheet) kept(broken *groups, p promised, later []int) {
	e, a := s.e, s.e.answers[p.from]
	wait := p.at.Sub(a.Ended)
	limit := p.at.Add(max(wait/10, 100*time.Millisecond))
	if !strings.HasPrefix(p.words, "Retry-After") {
		limit = p.at.Add(max(wait/10, clockSkew))
	}
	still := e.needed(a.step(), a.Sent, a.Ended)
	var after []int
	for _, i := range later {
		b := e.answers[i]
		if i == p.from || b.Sent.Before(a.Ended) {
			continue
		}
		if !b.Ended.After(limit) && b.answered() && (!e.bad(i) || e.moved(b, i, p, min(time.Second, wait/4))) {
			s.pass(s.answer(a))
			return
		}
		if b.Sent.After(limit) && len(after) < 2 {
			after = append(after, i)
		}
	}
	switch {
	case len(after) == 0:
		s.idle(s.answer(a), "nobody asked again after the promised time")
	case !e.bad(after[0]) && e.answers[after[0]].answered():
		s.pass(s.answer(a))
	case len(after) < 2:
		s.blind(s.answer(a), "the step was asked only once after the promised time")
	case !e.bad(after[1]) && e.answers[after[1]].answered():
		s.pass(s.answer(a))
	case s.byAnother(still, e.answers[after[0]]):
		s.idle(s.answer(a), "another fault was in force at the promised time")
	default:
		broken.add(s.answer(a), withoutNumbers(p.words), fmt.Sprintf("Step %s said %s, and failed still when that time was over.", quote(a.Step), quote(p.words)), a,
			e.answers[after[0]].seq, e.answers[after[1]].seq)
	}
}

// moved reports whether a later refusal gave another time, or gave up on giving one.
func (e *evidence) moved(b answer, i int, p promised, least time.Duration) bool {
	for _, q := range b.promises(i) {
		if strings.HasPrefix(q.words, "Retry-After") == strings.HasPrefix(p.words, "Retry-After") {
			return q.at.After(p.at.Add(least))
		}
	}
	return true
}

// byAnother reports whether what was broken when the promise was made is mended, and something else is broken.
func (s *sheet) byAnother(first *strike, b answer) bool {
	under := s.e.inForce(b.Sent, b.Ended)
	for _, strike := range under {
		if strike == first {
			return false
		}
	}
	return len(under) > 0
}
