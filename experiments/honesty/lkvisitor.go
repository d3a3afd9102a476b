package honesty

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

func otherUserRule() Rule {
	info := experiments.RuleInfo{ID: "LK-07", Name: "other-user", Severity: experiments.S1, Level: "B/H",
		Doc:     "Somebody else's data during failover or cache fallback.",
		Check:   "Violated when the marker of one visitor's intent stands in an answer to another visitor, in its body or its headers, while or after a fault was in force. Exercised by each answer to a visitor after another visitor has wanted something.",
		Guard:   "Only what visitors do who are signed in is private. A step that shows every visitor's things when all is well is said to be shared, and not judged.",
		Source:  "Project rule; OWASP Top Ten A01, broken access control.",
		Example: "Orders is down: the shop serves /orders from a cache keyed by the address alone, so one visitor reads another's orders.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken groups
		wanted, shared := e.firstWants(), e.sharedSteps()
		e.eachTroubled(func(_ int, a answer) {
			if a.Visitor == "" || a.Status == 0 || !anotherBefore(wanted, a) {
				return
			}
			other := e.foreign(a)
			switch {
			case shared[a.step()]:
				s.idle(s.answer(a), "the step shows every visitor's things when all is well")
			case other != nil:
				broken.add(s.answer(a), other.Visitor, fmt.Sprintf("An answer of status %d to %s shows %s, which is %s's.", a.Status, quote(a.Visitor), other.Marker, quote(other.Visitor)), a, other.seq)
			case a.Body.Cut:
				s.blind(s.answer(a), "a body was cut")
			default:
				s.pass(s.answer(a))
			}
		})
		broken.report(s, 1)
		return s.occasions
	}}
}

// firstWants is when each visitor first wanted something.
func (e *evidence) firstWants() map[string]time.Time {
	first := map[string]time.Time{}
	for _, r := range e.rows {
		if at, known := first[r.Visitor]; r.Visitor != "" && (!known || r.at.Before(at)) {
			first[r.Visitor] = r.at
		}
	}
	return first
}

func anotherBefore(first map[string]time.Time, a answer) bool {
	for visitor, at := range first {
		if visitor != a.Visitor && at.Before(a.Ended) {
			return true
		}
	}
	return false
}

// sharedSteps are the steps that show other visitors' things in the baseline already.
func (e *evidence) sharedSteps() map[stepKey]bool {
	shared := map[stepKey]bool{}
	for step, n := range e.normals {
		for _, i := range n.answers {
			if e.answers[i].Visitor != "" && e.foreign(e.answers[i]) != nil {
				shared[step] = true
				break
			}
		}
	}
	return shared
}

// foreign is the first intent of another visitor whose marker stands in an answer.
func (e *evidence) foreign(a answer) *row {
	if r := e.foreignIn(a.Body.Text, a.Visitor); r != nil {
		return r
	}
	for _, name := range sorted(http.Header(a.Headers)) {
		if r := e.foreignIn(strings.Join(a.Headers[name], "\n"), a.Visitor); r != nil {
			return r
		}
	}
	return nil
}

func (e *evidence) foreignIn(text, visitor string) *row {
	prefix := e.head.Prefix
	if prefix == "" {
		return nil
	}
	for {
		at := strings.Index(text, prefix)
		if at < 0 {
			return nil
		}
		text = text[at+len(prefix):]
		digits := len(text) - len(strings.TrimLeft(text, "0123456789"))
		if r := e.marked[prefix+text[:digits]]; r != nil && r.Visitor != "" && r.Visitor != visitor {
			return r
		}
	}
}
