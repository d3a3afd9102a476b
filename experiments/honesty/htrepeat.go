package honesty

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/faults"
)

func unsafeRetryRule() Rule {
	info := experiments.RuleInfo{ID: "HT-09", Name: "unsafe-retry", Severity: experiments.S1, Level: "H",
		Doc:     "A machine repeats my payment.",
		Check:   "Violated when two POST or PATCH requests or more for one intent pass to the same target with no act of the person between them, and a key is missing or they differ; seen where the proxy reads along, and in the client's own repeats. Exercised by each intent with such a request since the first fault.",
		Guard:   "What a product sends to a target for one act when all is well (twice to the same one, say) is not judged. Repeats by the person are not judged.",
		Source:  "RFC 9110 9.2.2; IETF Idempotency-Key draft.",
		Example: "The shop's HTTP client sends POST /charges to payments three times on timeout, with no key.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		bursts, order := e.bursts()
		usual := map[targetKey]int{}
		for _, key := range order {
			if b := bursts[key]; e.normalTime(b.first) {
				usual[key.targetKey] = max(usual[key.targetKey], len(b.keys))
			}
		}
		begun := e.begun()
		for _, key := range order {
			b := bursts[key]
			if begun.IsZero() || b.last.Before(begun) || key.way == ownWay && len(b.keys) == 1 {
				continue // a request that was not repeated shows nothing where no proxy reads along
			}
			s.burst(key, b, max(1, usual[key.targetKey])*max(1, e.marked[key.marker].underWay(e, b)))
		}
		return s.occasions
	}}
}

// targetKey is where requests go, without the numbers in it; burstKey is one act's requests to one target.
type targetKey struct{ way, method, target string }

type burstKey struct {
	targetKey
	marker string
	exact  string // the target as sent
	act    int    // how often the person had acted before
}

// burst is requests of machines for one act of a person.
type burst struct {
	keys        []string // the idempotency key of each, empty without one
	lines       []int64
	first, last time.Time
}

func (b *burst) add(key string, at time.Time, seq int64) {
	if len(b.keys) == 0 {
		b.first = at
	}
	b.keys, b.last = append(b.keys, key), at
	if len(b.lines) < 2*maxSamples {
		b.lines = append(b.lines, seq)
	}
}

// safe reports whether a repeat can do no harm: all have the same key.
func (b *burst) safe() bool {
	return b.keys[0] != "" && !slices.ContainsFunc(b.keys, func(k string) bool { return k != b.keys[0] })
}

// bursts gathers the requests that the proxy saw and that the client sent by itself, by act of the person.
func (e *evidence) bursts() (map[burstKey]*burst, []burstKey) {
	all, order := map[burstKey]*burst{}, []burstKey{}
	put := func(key burstKey, idempotency string, at time.Time, seq int64) {
		if all[key] == nil {
			all[key] = &burst{}
			order = append(order, key)
		}
		all[key].add(idempotency, at, seq)
	}
	for _, r := range e.seen {
		if row := e.marked[r.Seen.Marker]; row != nil && unsafeMethod(r.Seen.Method) {
			put(seenKey(r.Seen, row.acts(e, r.Seen.At)), r.Seen.Key, r.Seen.At, r.Seq)
		}
	}
	for _, a := range e.answers {
		row := e.marked[a.Marker]
		if row == nil || !unsafeMethod(a.Method) || a.Setup || a.Hop != 0 {
			continue
		}
		key := burstKey{targetKey: targetKey{ownWay, a.Method, withoutNumbers(a.URL)}, marker: a.Marker, exact: a.URL, act: row.acts(e, a.Sent)}
		put(key, e.keyOf(a), a.Sent, a.seq)
	}
	return all, order
}

func seenKey(r *faults.Request, act int) burstKey {
	return burstKey{targetKey: targetKey{r.Path.String(), r.Method, withoutNumbers(r.Target)}, marker: r.Marker, exact: r.Target, act: act}
}

// ownWay stands for the user's client, which no proxy has to overhear.
const ownWay = "The client"

func unsafeMethod(method string) bool { return method == "POST" || method == "PATCH" }

// acts is how often the person had acted on the intent up to a time.
func (r *row) acts(e *evidence, at time.Time) (n int) {
	for _, i := range r.attempts {
		if a := e.answers[i]; a.By == experiments.ByPerson && a.Hop == 0 && !a.Sent.After(at) {
			n++
		}
	}
	return n
}

// underWay is how many acts of the person had no answer yet when a burst began. What was sent for each of them cannot be
// told apart, so each may have had its own request.
func (r *row) underWay(e *evidence, b *burst) (n int) {
	for _, i := range r.attempts {
		if a := e.answers[i]; a.By == experiments.ByPerson && a.Hop == 0 && !a.Sent.After(b.last) && !a.Ended.Before(b.first) {
			n++
		}
	}
	return n
}

// keyOf is the idempotency key of a request of the user's own.
func (e *evidence) keyOf(a answer) string {
	for _, what := range append([]string{"header Idempotency-Key"}, e.plan.Idempotency...) {
		if name, is := strings.CutPrefix(what, "header "); is {
			for given, value := range a.RequestHeaders {
				if strings.EqualFold(given, strings.TrimSpace(name)) && value != "" {
					return value
				}
			}
		}
		if name, is := strings.CutPrefix(what, "json."); is {
			sent := answer{Exchange: &experiments.Exchange{Body: a.RequestBody}}
			if d := sent.document(); d != nil && d.text(name) != "" {
				return d.text(name)
			}
		}
	}
	return ""
}

func (s *sheet) burst(key burstKey, b *burst, usual int) {
	row := s.e.marked[key.marker]
	p := s.at(stepKey{row.Journey, row.Step}, b.first, b.last)
	if len(b.keys) <= usual || b.safe() {
		s.pass(p)
		return
	}
	how := "without a key"
	if !slices.Contains(b.keys, "") {
		how = "with differing keys"
	}
	lines := append([]int64{row.seq}, b.lines...)
	for _, strike := range s.e.inForce(b.first, b.last) {
		lines = append(lines, strike.seq)
	}
	s.fail(p, found{at: b.first, marker: key.marker, lines: refs(lines...),
		text: fmt.Sprintf("%s sent %s %s %d times for one act of the person, %s.", sender(key.way), key.method, quote(key.exact), len(b.keys), how)})
}

// sender is who sent the requests of a way such as "web → payments".
func sender(way string) string {
	from, _, _ := strings.Cut(way, " → ")
	return from
}
