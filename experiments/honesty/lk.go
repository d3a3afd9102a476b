package honesty

import (
	"fmt"
	"slices"
	"strings"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/patterns"
)

// leaky reports whether leaks are looked for in an answer: an error, or one that is called a success.
func (e *evidence) leaky(i int, a answer) bool {
	_, soft := e.softErrors()[i]
	return a.Status >= 400 || soft
}

// leaks is the check of all rules that look for a pattern in errors: what the search met under the rule's id, and is new
// against the baseline. A text is told from a chance likeness by a second sample.
func leaks(info experiments.RuleInfo, what string) func(*evidence) []Occasion {
	return func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken groups
		e.eachTroubled(func(i int, a answer) {
			if !e.leaky(i, a) {
				return
			}
			if hit := e.newHit(a, info.ID); hit != nil {
				broken.add(s.answer(a), hit.Pattern, fmt.Sprintf("An answer of status %d shows %s: %s.", a.Status, what, quote(hit.Text)), a)
				return
			}
			s.pass(s.answer(a))
		})
		broken.report(s, 2)
		return s.occasions
	}
}

// newHit is the first thing that a rule's patterns met in an answer and that the baseline of its step does not have.
// Names that users may see are none.
func (e *evidence) newHit(a answer, rule string) *experiments.PatternHit {
	for i, h := range a.Hits {
		if !strings.HasPrefix(h.Pattern, rule+"/") || e.public(h.Text) {
			continue
		}
		if n := e.normals[a.step()]; n == nil || !n.hits[hitKey(h)] {
			return &a.Hits[i]
		}
	}
	return nil
}

func (e *evidence) public(text string) bool {
	for _, name := range e.plan.Public {
		if name != "" && strings.Contains(text, name) {
			return true
		}
	}
	return false
}

func stackTraceRule() Rule {
	info := experiments.RuleInfo{ID: "LK-01", Name: "stack-trace", Severity: experiments.S2, Level: "H",
		Doc:     "File names and line numbers.",
		Check:   "Violated when a stack trace stands in the body of an answer of status 400 or more, or of one that calls an error a success, while or after a fault was in force. Exercised by each such answer.",
		Guard:   "What the baseline of the step shows as well is not judged; it must be seen in two answers.",
		Source:  "CWE-209; OWASP Web Security Testing Guide.",
		Example: "Orders is down: the checkout's error prints a Go panic, ending in checkout.go:118 +0x1d.",
	}
	return Rule{Info: info, check: leaks(info, "program code")}
}

func dbErrorRule() Rule {
	info := experiments.RuleInfo{ID: "LK-02", Name: "db-error", Severity: experiments.S2, Level: "H",
		Doc:     "SQL or driver text.",
		Check:   "Violated when a database's error or a statement stands in an answer as LK-01 looks at. Exercised by each such answer.",
		Guard:   "Statements count in upper case only: prose with “select … from” is none. It must be seen in two answers.",
		Source:  "OWASP ZAP application-error rule.",
		Example: "Catalog fails: under the search box stands relation \"books\" does not exist (SQLSTATE 42P01).",
	}
	return Rule{Info: info, check: leaks(info, "a database's error")}
}

func internalAddressRule() Rule {
	info := experiments.RuleInfo{ID: "LK-03", Name: "internal-address", Severity: experiments.S3, Level: "H",
		Doc:     "A private address, cluster host, port or server path.",
		Check:   "Violated when such an address stands in an answer as LK-01 looks at and is not among the system's public names. Exercised by each such answer.",
		Guard:   "Version numbers look like addresses: the public names allow them. It must be seen in two answers.",
		Source:  "OWASP ZAP private-address rule.",
		Example: "“payments at http://payments.shop.svc.cluster.local:8083 did not answer” on the checkout page.",
	}
	return Rule{Info: info, check: leaks(info, "an internal address")}
}

func defaultPageRule() Rule {
	info := experiments.RuleInfo{ID: "LK-05", Name: "default-page", Severity: experiments.S3, Level: "H/B",
		Doc:     "The naked error page of a proxy, framework or browser.",
		Check:   "Violated when the answer is a known default page, or an HTML page without any of the landmarks (header, navigation, main, footer) that the step's pages have in the baseline. Exercised by each answer as LK-01 looks at.",
		Guard:   "A product whose standard is the default page declares an exception. It must be seen in two answers. A part that a page fetches needs no landmarks.",
		Source:  "GOV.UK design system: a branded page is kept at the edge, because a dead application cannot serve one.",
		Example: "The shop is down: the edge proxy's bare “502 Bad Gateway” is served for /checkout.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s, framed, usual := e.sheet(info), e.framed(), e.usualPages()
		var broken groups
		e.eachTroubled(func(i int, a answer) {
			if !e.leaky(i, a) {
				return
			}
			switch name := e.defaultPage(a); {
			case name != "" && !usual[usualPage{a.step(), name}]:
				broken.add(s.answer(a), name, fmt.Sprintf("An answer of status %d is a default page (%s): %s.", a.Status, strings.TrimPrefix(name, info.ID+"/"), quote(a.Body.Text)), a)
			case framed[a.step()] && a.isPage() && !a.Body.Cut && !a.framed():
				broken.add(s.answer(a), "landmarks", fmt.Sprintf("A page of status %d has none of the landmarks that this step's pages have when all is well.", a.Status), a)
			default:
				s.pass(s.answer(a))
			}
		})
		broken.report(s, 2)
		return s.occasions
	}}
}

// defaultPage names the default page that an answer is: by what the search met, or by the whole of its body.
func (e *evidence) defaultPage(a answer) string {
	for _, h := range a.Hits {
		if strings.HasPrefix(h.Pattern, "LK-05/") {
			return h.Pattern
		}
	}
	if a.Body.Cut {
		return ""
	}
	return patterns.DefaultPage(a.Body.Text, a.header("Content-Type"))
}

type usualPage struct {
	stepKey
	name string
}

// usualPages are the default pages that steps show even when all is well.
func (e *evidence) usualPages() map[usualPage]bool {
	usual := map[usualPage]bool{}
	for step, n := range e.normals {
		for _, i := range n.answers {
			if a := e.answers[i]; e.leaky(i, a) {
				usual[usualPage{step, e.defaultPage(a)}] = true
			}
		}
	}
	return usual
}

// framed is the steps whose pages have landmarks in the baseline.
func (e *evidence) framed() map[stepKey]bool {
	framed := map[stepKey]bool{}
	for step, n := range e.normals {
		for _, i := range n.answers {
			if a := e.answers[i]; !framed[step] && a.isHTML() && a.framed() {
				framed[step] = true
			}
		}
	}
	return framed
}

// framed reports whether a page has a landmark. A heading alone is none: bare default pages have one.
func (a answer) framed() bool {
	return slices.ContainsFunc(patterns.Landmarks([]byte(a.Body.Text)), func(name string) bool { return name != "h1" })
}

func secretRule() Rule {
	info := experiments.RuleInfo{ID: "LK-06", Name: "secret", Severity: experiments.S1, Level: "H",
		Doc:     "A connection string, token or key.",
		Check:   "Violated when a secret stands anywhere in an answer: a planted one, one that the run itself uses, or what looks like one. Exercised by each answer of the run, in whatever phase.",
		Guard:   "Almost none with planted secrets; keys that are public by design stand among the system's public names.",
		Source:  "CWE-209, CWE-532.",
		Example: "Orders fails to connect: its 500 body carries the address of its database with the password.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken groups
		for _, a := range e.answers {
			hit := e.secret(a)
			switch {
			case hit != nil:
				broken.add(s.answer(a), hit.Pattern, fmt.Sprintf("An answer of status %d to step %s holds a secret (%s): %s.", a.Status, quote(a.Step), strings.TrimPrefix(hit.Pattern, info.ID+"/"), quote(hit.Text)), a)
			case a.Body.Unread:
				s.blind(s.answer(a), "an answer was too long to be read to its end")
			case a.Status != 0:
				s.pass(s.answer(a))
			}
		}
		broken.report(s, 1)
		return s.occasions
	}}
}

// secret is the first secret in an answer, planted or real. The baseline excuses none.
func (e *evidence) secret(a answer) *experiments.PatternHit {
	for i, h := range a.Hits {
		if strings.HasPrefix(h.Pattern, "LK-06/") && !e.public(h.Text) {
			return &a.Hits[i]
		}
	}
	for _, canary := range e.plan.Canaries {
		if canary != "" && strings.Contains(a.Body.Text, canary) {
			return &experiments.PatternHit{Pattern: "LK-06/canary", Text: canary}
		}
	}
	return nil
}
