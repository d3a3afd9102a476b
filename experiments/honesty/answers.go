package honesty

import (
	"strings"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// answer is one exchange: a hop of an attempt at a step.
type answer struct {
	*experiments.Exchange
	seq   int64
	final bool      // the hop that the user ended on
	began time.Time // when the first hop of its attempt was sent, or was due
}

func (a answer) step() stepKey { return stepKey{a.Journey, a.Step} }

// answered reports whether a whole response came.
func (a answer) answered() bool { return a.Status != 0 && a.Trouble == "" }

// good reports whether the user got what they came for.
func (a answer) good() bool {
	if !a.answered() {
		return false
	}
	if a.Expect != nil {
		return *a.Expect
	}
	return a.Status < 400
}

func (a answer) latency() time.Duration { return max(0, a.Ended.Sub(a.began)) }

// header is a header's first value, by its canonical name.
func (a answer) header(name string) string {
	if values := a.Headers[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

type visitKey struct {
	journey string
	visit   int64
	user    int
}

type attemptKey struct {
	visitKey
	step    string
	attempt int
	setup   bool
}

// finishAnswers finds of every attempt its first and last hop. A first attempt at the first step of a visit counts from
// when the visit was due, if that was known: a late start is the product's latency too.
func (e *evidence) finishAnswers() {
	last := map[attemptKey]int{}
	began := map[attemptKey]time.Time{}
	opened := map[visitKey]bool{}
	for i := range e.answers {
		a := &e.answers[i]
		visit := visitKey{a.Journey, a.Visit, a.User}
		key := attemptKey{visit, a.Step, a.Attempt, a.Setup}
		if _, known := began[key]; !known || a.Hop == 0 {
			began[key] = a.Sent
			if !a.Setup && !opened[visit] {
				opened[visit] = true
				if !a.Due.IsZero() && a.Due.Before(a.Sent) {
					began[key] = a.Due
				}
			}
		}
		if j, known := last[key]; known && a.Hop > e.answers[j].Hop {
			e.answers[j].final = false
		}
		last[key], a.final, a.began = i, true, began[key]
	}
}

// normal is how a step went in the baseline that counts.
type normal struct {
	answers []int       // places in evidence.answers
	status  map[int]int // how often each was answered; 0 is no answer
	hits    map[string]bool
}

// fine reports whether the step succeeded before anything was broken.
func (n *normal) fine() bool {
	if n == nil {
		return false
	}
	for status := range n.status {
		if status >= 200 && status < 300 {
			return true
		}
	}
	return false
}

// hitKey is a pattern with the text that it met; numbers differ from one answer to the next.
func hitKey(h experiments.PatternHit) string { return h.Pattern + "\x00" + withoutNumbers(h.Text) }

// withoutNumbers makes every number one sign.
func withoutNumbers(text string) string {
	var b strings.Builder
	digits := false
	for _, r := range text {
		digit := r >= '0' && r <= '9'
		switch {
		case !digit:
			b.WriteRune(r)
		case !digits:
			b.WriteByte('#')
		}
		digits = digit
	}
	return b.String()
}

// learn keeps what is normal for each step: only what is new against it is judged.
func (e *evidence) learn() {
	for i, a := range e.answers {
		if !e.normalTime(a.Sent) {
			continue
		}
		n := e.normals[a.step()]
		if n == nil {
			n = &normal{status: map[int]int{}, hits: map[string]bool{}}
			e.normals[a.step()] = n
		}
		n.answers = append(n.answers, i)
		n.status[a.Status]++
		for _, h := range a.Hits {
			n.hits[hitKey(h)] = true
		}
	}
}
