package honesty

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

func forbiddenStaleRule() Rule {
	info := experiments.RuleInfo{ID: "HT-07", Name: "forbidden-stale", Severity: experiments.S2, Level: "H",
		Doc:     "An old copy that was not allowed.",
		Check:   "Violated when an answer is older than its lifetime and must-revalidate, no-cache, proxy-revalidate or s-maxage forbids to use it then, or older than its lifetime and the stale time that stale-if-error or stale-while-revalidate allow. Its age is the greater of the time since Date and of Age with the time that the answer took. Exercised by each read, from the first fault on, of a step that needs what was broken, whose answer gives a lifetime or no-cache.",
		Guard:   "Two seconds are left to clocks. Where only Date says that it is old, the same version (Date, ETag or body) must have been seen before; else it is unverifiable. A copy that is allowed or forbidden by nothing may be used by a cache that is cut off, and a step that gives forbidden copies in the baseline too is not judged.",
		Source:  "RFC 9111 4.2.3, 4.2.4; RFC 5861.",
		Example: "Catalog marks prices must-revalidate; while it is down the shop goes on serving its expired copy.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken groups
		before := e.versions()
		e.eachTroubled(func(i int, a answer) {
			if !a.answered() || a.Status >= 300 || a.Method != http.MethodGet || !e.wasNeeded(a) {
				return
			}
			c := a.caching()
			switch why := c.forbidden(); {
			case !c.dated || !c.explicit && c.forbidsStale() != "no-cache":
			case why == "" && c.staleFor() > 0 && c.forbidsStale() == "" && !c.windowed():
				s.idle(s.answer(a), "nothing allows or forbids its stale copies")
			case why == "":
				s.pass(s.answer(a))
			case e.usuallyForbidden(a.step()):
				s.idle(s.answer(a), "it gives forbidden copies in the baseline too")
			case !c.byAge && !before.seen(a, i):
				s.blind(s.answer(a), "only a Date says that it is old, and a clock may be wrong")
			default:
				broken.add(s.answer(a), why, fmt.Sprintf("Step %s was answered with a copy %s old; its lifetime is %s, and %s.", quote(a.Step), c.age.Round(time.Second), c.lifetime, why), a)
			}
		})
		broken.report(s, 1)
		return s.occasions
	}}
}

// wasNeeded reports whether a step needs what a fault broke before an answer came: copies may outlive the fault.
func (e *evidence) wasNeeded(a answer) bool {
	return slices.ContainsFunc(e.strikes, func(s *strike) bool {
		return !s.injecting.IsZero() && !a.Ended.Before(s.injecting) && e.touches(s, a.step())
	})
}

func (c caching) staleFor() time.Duration { return max(0, c.age-c.lifetime-clockSkew) }

func (c caching) windowed() bool {
	_, given := c.staleWindow()
	return given
}

// forbidden says what forbids to use the copy at its age; empty where nothing does.
func (c caching) forbidden() string {
	stale := c.staleFor()
	if stale == 0 {
		return ""
	}
	if by := c.forbidsStale(); by != "" {
		return by + " forbids to use it after that"
	}
	if window, given := c.staleWindow(); given && stale > window {
		return fmt.Sprintf("it may be stale for no more than %s", window)
	}
	return ""
}

// usuallyForbidden reports whether a step gives copies that are forbidden even when all is well.
func (e *evidence) usuallyForbidden(step stepKey) bool {
	n := e.normals[step]
	if n == nil {
		return false
	}
	for _, i := range n.answers {
		if c := e.answers[i].caching(); c.dated && (c.explicit || c.forbidsStale() == "no-cache") && c.forbidden() != "" {
			return true
		}
	}
	return false
}

// versions is where each version of what an address gives was seen first.
type versions map[string]int

func (a answer) versionKeys() (keys []string) {
	for _, v := range []string{a.header("Date"), a.header("Etag"), a.Body.SHA256} {
		if v != "" {
			keys = append(keys, a.Method+" "+a.URL+"\x00"+v)
		}
	}
	return keys
}

func (e *evidence) versions() versions {
	first := versions{}
	for i, a := range e.answers {
		if !a.answered() {
			continue
		}
		for _, key := range a.versionKeys() {
			if _, known := first[key]; !known {
				first[key] = i
			}
		}
	}
	return first
}

func (v versions) seen(a answer, i int) bool {
	for _, key := range a.versionKeys() {
		if first, known := v[key]; known && first < i {
			return true
		}
	}
	return false
}

// briefly is for how long an error may be kept where the experiment says so.
const briefly = 5 * time.Second

func cacheableErrorRule() Rule {
	info := experiments.RuleInfo{ID: "HT-08", Name: "cacheable-error", Severity: experiments.S2, Level: "H",
		Doc:     "The outage gets cached.",
		Check:   "Violated when an answer of 500 or more, or one that breaks HT-01, may be kept: max-age, s-maxage or Expires give it a lifetime, or nothing is said and its status lets a shared cache keep it by its own judgement. Exercised by each such answer.",
		Guard:   "no-store and no-cache keep it out of caches, whatever stands beside them; so do methods whose answers are not kept. A lifetime of 5 s or less is not judged where the experiment declares it (honesty.allow). A step that does the same in the baseline is not judged.",
		Source:  "RFC 9111 3, 4.2.1, 4.2.2.",
		Example: "The shop sends its 503 with Cache-Control: public, max-age=600.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s, soft := e.sheet(info), e.softErrors()
		var sure, byLook groups
		declared := e.allowed(e.planned(info))
		e.eachTroubled(func(i int, a answer) {
			found, is := soft[i]
			if !a.answered() || a.Status < 500 && !is {
				return
			}
			lifetime, why := a.keeps()
			switch {
			case why == "":
				s.pass(s.answer(a))
			case declared && lifetime > 0 && lifetime <= briefly:
				s.idle(s.answer(a), "the experiment declares that errors are kept for a few seconds")
			case e.usuallyKept(a.step()):
				s.idle(s.answer(a), "it does the same in the baseline")
			case is && found.page:
				byLook.add(s.answer(a), why, fmt.Sprintf("%s of step %s answered %d with an error on its page, which %s.", a.Method, quote(a.Step), a.Status, why), a)
			default:
				sure.add(s.answer(a), why, fmt.Sprintf("%s of step %s answered %d, which %s.", a.Method, quote(a.Step), a.Status, why), a)
			}
		})
		sure.report(s, 1)
		byLook.report(s, 2)
		return s.occasions
	}}
}

// usuallyKept reports whether a step has errors that may be kept even when all is well.
func (e *evidence) usuallyKept(step stepKey) bool {
	n := e.normals[step]
	if n == nil {
		return false
	}
	for _, i := range n.answers {
		if a := e.answers[i]; a.answered() && a.Status >= 500 {
			if _, why := a.keeps(); why != "" {
				return true
			}
		}
	}
	return false
}
