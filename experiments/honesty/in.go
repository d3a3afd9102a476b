package honesty

import (
	"fmt"
	"slices"

	"github.com/candor-chaos/candor/experiments"
)

func doubleSubmitRule() Rule {
	info := experiments.RuleInfo{ID: "IN-05", Name: "double-submit", Severity: experiments.S3, Level: "H/B+L",
		Doc:     "Clicks twice, buys twice; S1 when it duplicates.",
		Check:   "Violated when a person pressed twice or more for one intent, and the truth has more than one row for it in any effect (S1), or two of the requests or more had no key, or differing ones (S3). Exercised by each intent for which the person pressed again, by click and Enter at once or because nothing had come.",
		Guard:   "Repeats with one key that are deduplicated pass. What counts as a key beside Idempotency-Key is the system's to declare.",
		Source:  "govuk-frontend#2498 (a guard of 1 s against an answer of 4 s); whatwg/html#5312.",
		Example: "“Buy” becomes active again after 1 s while orders needs 4 s: the second click orders again.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		for _, r := range e.rows {
			keys := r.presses(e)
			if len(keys) < 2 {
				continue
			}
			twice, blind := r.severalOf()
			switch {
			case twice != nil:
				s.fail(s.row(r), found{at: r.acted(), marker: r.Marker, severity: experiments.S1, lines: r.pressLines(e, twice.fact),
					text: fmt.Sprintf("The person pressed %d times for one thing, and %s is there %d times.", len(keys), twice.truth.effect.Name, twice.fact.count)})
			case loose(keys) > 1:
				s.fail(s.row(r), found{at: r.acted(), marker: r.Marker, lines: r.pressLines(e, fact{}),
					text: fmt.Sprintf("The person pressed %d times for one thing, and nothing in the requests says that they are one: no key, or differing ones.", len(keys))})
			case blind != "":
				s.blind(s.row(r), blind)
			default:
				s.pass(s.row(r))
			}
		}
		return s.occasions
	}}
}

// presses are the keys of a person's requests for an intent, one for each press; empty without one.
func (r *row) presses(e *evidence) (keys []string) {
	for _, i := range r.attempts {
		if a := e.answers[i]; r.pressed(a) {
			keys = append(keys, e.keyOf(a))
		}
	}
	return keys
}

// pressed reports whether an answer is to a press of the person at the intent's step.
func (r *row) pressed(a answer) bool {
	return a.By == experiments.ByPerson && a.Hop == 0 && a.Step == r.Step && a.Method != "GET" && a.Method != "HEAD"
}

// pressLines are the evidence of a row with every press, or the first of many.
func (r *row) pressLines(e *evidence, f fact) []string {
	lines := r.lines(e, f)
	for n, i := 0, 0; i < len(r.attempts) && n < 2*maxSamples; i++ {
		if a := e.answers[r.attempts[i]]; r.pressed(a) && !slices.Contains(lines, ref(a.seq)) {
			lines = append(lines, ref(a.seq))
			n++
		}
	}
	return lines
}

// loose counts the requests that no key ties to another: those without one, or of so many keys.
func loose(keys []string) int {
	n, different := 0, map[string]bool{}
	for _, k := range keys {
		if k == "" {
			n++
			continue
		}
		different[k] = true
	}
	return n + len(different)
}

// severalOf is the effect of an intent that is there more than once; blind is why that cannot be told of one.
func (r *row) severalOf() (twice *settlement, blind string) {
	for i := range r.effects {
		switch f := r.effects[i].fact; {
		case f.standing == several:
			return &r.effects[i], ""
		case f.standing == unreadable && f.count == 0:
			blind = f.why
		}
	}
	return nil, blind
}
