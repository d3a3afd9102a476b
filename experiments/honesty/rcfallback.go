package honesty

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/candor-chaos/candor/experiments"
)

func poisonedFallbackRule() Rule {
	info := experiments.RuleInfo{ID: "RC-10", Name: "poisoned-fallback", Severity: experiments.S1, Level: "L",
		Doc:     "A default became my value.",
		Check:   "Violated when an answer under the fault showed another value than the one that the user wanted, where the same step shows the wanted one in the baseline, and the last reading of the truth has stored that shown value, which the user never sent. Exercised by each effect with a wanted value of an intent whose answers, of a step that needs what is broken, show it in the baseline and did not show it under the fault.",
		Guard:   "A value that the user sent is their choice. A stored value that was never shown is CL-02's. A body that was cut is unverifiable.",
		Source:  "Amazon Builders' Library, on avoiding fallback; project rule.",
		Example: "Catalog is down and delivery falls back to “standard”; afterwards “standard” is stored as the account's preference.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		shows := e.showing()
		visits := map[visitKey][]int{}
		for i, a := range e.answers {
			if !a.Setup {
				key := visitKey{a.Journey, a.Visit, a.User}
				visits[key] = append(visits[key], i)
			}
		}
		e.eachEffect(func(r *row, x *settlement) {
			want, valued := r.Wants[x.truth.effect.Name]
			if !valued || !x.truth.effect.Valued {
				return
			}
			for _, i := range visits[visitKey{r.Journey, r.Visit, r.User}] {
				a := e.answers[i]
				if !a.answered() || a.Status > 299 || !shows[shownKey{a.step(), x.truth.effect.Name}] || e.needed(a.step(), a.Sent, a.Ended) == nil || a.shows(want) {
					continue
				}
				switch f := x.fact; {
				case a.Body.Cut:
					s.blind(s.row(r), "a body was cut")
				case f.standing == unreadable:
					s.blind(s.row(r), f.why)
				case f.standing == wrong && f.value != nil && a.shows(*f.value) && !e.sent(visits[visitKey{r.Journey, r.Visit, r.User}], *f.value):
					s.broken(r, f, fmt.Sprintf("Step %s fell back to %s while %s was broken; %s was wanted, and %s is stored as if the user had chosen it.", quote(a.Step), quote(*f.value),
						list(e.needed(a.step(), a.Sent, a.Ended).planned.Reach.Services), quote(want), quote(*f.value)))
				case f.standing == absent:
					continue
				default:
					s.pass(s.row(r))
				}
				return
			}
		})
		return s.occasions
	}}
}

type shownKey struct {
	stepKey
	effect string
}

// showing finds the steps that show the wanted value of an effect whenever all is well.
func (e *evidence) showing() map[shownKey]bool {
	shows := map[shownKey]bool{}
	for step, n := range e.normals {
		for _, i := range n.answers {
			a := e.answers[i]
			r := e.visited[visitKey{a.Journey, a.Visit, a.User}]
			if r == nil || !a.answered() || a.Status > 299 {
				continue
			}
			for effect, want := range r.Wants {
				key := shownKey{step, effect}
				if before, known := shows[key]; known && !before {
					continue
				}
				shows[key] = a.shows(want)
			}
		}
	}
	return shows
}

// sent reports whether the user sent a value themselves.
func (e *evidence) sent(answers []int, value string) bool {
	for _, i := range answers {
		a := e.answers[i]
		if holds(a.RequestBody.Text, value) || strings.Contains(a.URL, value) {
			return true
		}
	}
	return false
}

// shows reports whether a value stands in an answer by itself, not as a part of a longer word or number.
func (a answer) shows(value string) bool { return holds(a.Body.Text, value) }

func holds(text, value string) bool {
	if value == "" {
		return false
	}
	quoted, err := json.Marshal(value)
	if err == nil && strings.Contains(text, string(quoted)) {
		return true
	}
	for at := 0; ; at += len(value) {
		i := strings.Index(text[at:], value)
		if i < 0 {
			return false
		}
		if at += i; !wordAt(text, at-1) && !wordAt(text, at+len(value)) {
			return true
		}
	}
}

// wordAt reports whether a letter or digit of a longer word stands at a place.
func wordAt(text string, i int) bool {
	if i < 0 || i >= len(text) {
		return false
	}
	c := text[i]
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}
