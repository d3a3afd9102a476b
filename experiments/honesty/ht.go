package honesty

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/candor-chaos/candor/experiments"
)

// eachTroubled walks over every answer, hop by hop, of the time that rules about the wire look at. Setup is not judged.
func (e *evidence) eachTroubled(visit func(i int, a answer)) {
	for i, a := range e.answers {
		if !a.Setup && e.troubled(a) {
			visit(i, a)
		}
	}
}

func (s *sheet) answer(a answer) place { return s.at(a.step(), a.Sent, a.Ended) }

func (a answer) request() string { return a.Method + " " + quote(a.URL) }

func softErrorRule() Rule {
	info := experiments.RuleInfo{ID: "HT-01", Name: "soft-error", Severity: experiments.S2, Level: "H",
		Doc:     "200 with an error in the body.",
		Check:   "Violated when an answer is 2xx and its JSON is a problem document, has a filled error or errors, success or ok false, or a short field with a word of failure; or its HTML shows two signs of failure or more; and the same step shows no such sign in the baseline. Exercised by each answer of a step that needs what is broken.",
		Guard:   "A body that was cut is unverifiable. Signs on a page must be seen in two answers.",
		Source:  "RFC 9110 15.3; soft-404 practice.",
		Example: "Orders is down: POST /api/orders answers 200 with {\"success\":false,\"error\":\"orders unavailable\"}.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s, soft := e.sheet(info), e.softErrors()
		var inJSON, onPages groups
		e.eachTroubled(func(i int, a answer) {
			found, is := soft[i]
			switch {
			case !is && (!a.answered() || e.needed(a.step(), a.Sent, a.Ended) == nil):
			case is && found.page:
				onPages.add(s.answer(a), "page", fmt.Sprintf("%s answered %d, and %s.", a.Method, a.Status, strings.Join(found.signs, ", ")), a)
			case is:
				inJSON.add(s.answer(a), strings.Join(found.signs, ", "), fmt.Sprintf("%s answered %d, and its body says: %s.", a.Method, a.Status, strings.Join(found.signs, ", ")), a)
			case a.Status < 300 && a.Body.Cut && a.isJSON():
				s.blind(s.answer(a), "a body was cut")
			default:
				s.pass(s.answer(a))
			}
		})
		inJSON.report(s, 1)
		onPages.report(s, 2)
		return s.occasions
	}}
}

func statusMismatchRule() Rule {
	info := experiments.RuleInfo{ID: "HT-02", Name: "status-mismatch", Severity: experiments.S3, Level: "H",
		Doc:     "The body says 503, the status line 500, or the reverse.",
		Check:   "Violated when the status member of a problem document differs from the status line, or a body of success stands under a status of 400 or more. Exercised by each JSON answer that is a problem document or has such a status.",
		Guard:   "A gateway that rewrites the status is the finding.",
		Source:  "RFC 9457 3.1.2.",
		Example: "The problem document says \"status\":503 under a status line of 500.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken groups
		e.eachTroubled(func(_ int, a answer) {
			d := a.document()
			if d == nil || !a.answered() || a.Status < 400 && !d.isProblem() {
				return
			}
			said, has := d.number("status")
			switch {
			case d.isProblem() && has && said != a.Status:
				broken.add(s.answer(a), fmt.Sprint(a.Status), fmt.Sprintf("The status line says %d, the problem document %d.", a.Status, said), a)
			case a.Status >= 400 && d.succeeds() != "" && len(d.failures()) == 0:
				broken.add(s.answer(a), fmt.Sprint(a.Status), fmt.Sprintf("The status line says %d, the body %s.", a.Status, d.succeeds()), a)
			default:
				s.pass(s.answer(a))
			}
		})
		broken.report(s, 1)
		return s.occasions
	}}
}

func clientBlamedRule() Rule {
	info := experiments.RuleInfo{ID: "HT-03", Name: "client-blamed", Severity: experiments.S2, Level: "H",
		Doc:     "An outage of ours is answered 400, 401, 403, 404, 422.",
		Check:   "Violated when a fault is in force on what the step needs, the step is 2xx in the baseline, and it is answered with a 4xx now, except 408, 425, 429, and 409 to a repeat. Exercised by each answer of such a step while such a fault is in force.",
		Guard:   "A status that the step also had in the baseline is not judged, nor is a 404 about an intent's own thing that is still pending or that the truth does not have either. An experiment that breaks sign-in on purpose declares an exception.",
		Source:  "RFC 9110 15.5, 15.6; qoodish-web#1149.",
		Example: "Catalog is down: GET /api/books/17 answers 404 “no such book” for a seeded book.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken groups
		e.eachTroubled(func(_ int, a answer) {
			n := e.normals[a.step()]
			if !a.answered() || !n.fine() || e.needed(a.step(), a.Sent, a.Ended) == nil {
				return
			}
			if e.rightlyMissing(a) {
				s.idle(s.answer(a), "a 404 about something that is pending, or that the truth does not have either")
				return
			}
			if a.Status >= 400 && a.Status < 500 && !ours(a) && n.status[a.Status] == 0 {
				broken.add(s.answer(a), fmt.Sprint(a.Status), fmt.Sprintf("%s is 2xx when all is well, and was answered %d while %s was broken.", a.Method+" of step "+quote(a.Step), a.Status,
					e.needed(a.step(), a.Sent, a.Ended).planned.Reach.Services[0]), a)
				return
			}
			s.pass(s.answer(a))
		})
		broken.report(s, 1)
		return s.occasions
	}}
}

// ours reports whether a 4xx is an honest way to say that it is the server that cannot.
func ours(a answer) bool {
	switch a.Status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	case http.StatusConflict:
		return a.Attempt > 1
	}
	return false
}

// rightlyMissing reports whether a 404 or 410 speaks of an intent's own thing, and that does not exist, or not yet.
func (e *evidence) rightlyMissing(a answer) bool {
	r := e.visited[visitKey{a.Journey, a.Visit, a.User}]
	if r == nil || a.Status != http.StatusNotFound && a.Status != http.StatusGone || a.Step == r.Step || a.Sent.Before(r.acted()) {
		return false
	}
	return slices.ContainsFunc(r.effects, func(x settlement) bool {
		return x.fact.standing == absent || x.claim == experiments.ClaimPending
	})
}

func unstructuredRule() Rule {
	info := experiments.RuleInfo{ID: "HT-06", Name: "unstructured", Severity: experiments.S3, Level: "H",
		Doc:     "HTML or plain text to a client that asked for JSON.",
		Check:   "Violated when a status of 400 or more comes to a request that accepts JSON and its type is neither JSON nor problem+json. Exercised by each such status to such a request.",
		Guard:   "An error made at the edge stays a finding; its owner is another.",
		Source:  "RFC 9457.",
		Example: "Payments is down: POST /api/checkout with Accept: application/json gets an HTML page.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken groups
		e.eachTroubled(func(_ int, a answer) {
			if !a.answered() || a.Status < 400 || !strings.Contains(strings.ToLower(a.RequestHeaders["Accept"]), "json") {
				return
			}
			if kind := a.mediaType(); kind != "application/json" && !strings.HasSuffix(kind, "+json") {
				broken.add(s.answer(a), fmt.Sprint(a.Status), fmt.Sprintf("%s asked for JSON and was answered %d as %s.", a.Method, a.Status, quote(a.header("Content-Type"))), a)
				return
			}
			s.pass(s.answer(a))
		})
		broken.report(s, 1)
		return s.occasions
	}}
}

func hangRule() Rule {
	info := experiments.RuleInfo{ID: "HT-10", Name: "hang", Severity: experiments.S3, Level: "H",
		Doc:     "The connection is open and nothing comes.",
		Check:   "Violated when no byte of an answer came by the explanation deadline while the client still waited. Exercised by each request while a fault is in force, unless the client ended it before the deadline.",
		Guard:   "The first byte of a stream counts.",
		Source:  "Nielsen's 10 s limit.",
		Example: "Orders is cut off without a reset: the shop accepts POST /checkout and never writes a byte.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken groups
		e.eachTroubled(func(_ int, a answer) {
			if len(e.inForce(a.Sent, a.Ended)) == 0 {
				return
			}
			limit := e.deadlines(a.Journey).Explanation
			waited := a.Ended.Sub(a.Sent)
			if !a.FirstByte.IsZero() {
				waited = a.FirstByte.Sub(a.Sent)
			}
			switch {
			case waited > limit:
				broken.add(s.answer(a), fmt.Sprint(a.Status), fmt.Sprintf("%s of step %s had no byte of an answer within %s.", a.Method, quote(a.Step), limit), a)
			case a.FirstByte.IsZero() && a.Trouble == "timeout":
				s.idle(s.answer(a), fmt.Sprintf("the client gave up after %s, before the deadline of %s", round(waited), limit))
			default:
				s.pass(s.answer(a))
			}
		})
		broken.report(s, 1)
		return s.occasions
	}}
}
