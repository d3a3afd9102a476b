package honesty

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// form is what stood in the fields of a page, by the name of each. Fields that are not looked at (passwords, cards, files,
// hidden ones) are left out, and so are two of the same name.
type form map[string]string

// fieldsOf gathers the fields of a page.
func fieldsOf(v *experiments.View) form {
	f, twice := form{}, []string{}
	for _, b := range v.Blocks {
		if !b.Control || b.Masked || b.Role == "button" || b.Role == "link" || b.Tag != "input" && b.Tag != "select" && b.Tag != "textarea" && b.Value == "" {
			continue
		}
		name := b.Name
		if name == "" {
			name = b.Selector
		}
		if _, known := f[name]; known {
			twice = append(twice, name)
		}
		f[name] = b.Value
	}
	for _, name := range twice {
		delete(f, name)
	}
	return f
}

// filled is how many fields have something in them.
func (f form) filled() (n int) {
	for _, value := range f {
		if value != "" && value != "off" {
			n++
		}
	}
	return n
}

// lost names the fields that held something and now do not, or hold something else; there is how many of the fields are
// still on the page.
func (f form) lost(now form) (lost []string, there int) {
	for _, name := range sorted(f) {
		value, still := now[name]
		if f[name] == "" || f[name] == "off" || !still {
			continue
		}
		there++
		if plainValue(value) != plainValue(f[name]) {
			lost = append(lost, name)
		}
	}
	return lost, there
}

// plainValue is a value without what products do to the look of one.
func plainValue(value string) string {
	return strings.ToLower(strings.Join(strings.FieldsFunc(value, func(r rune) bool { return r == ' ' || r == '-' || r == '\n' || r == '\r' || r == '\t' }), ""))
}

// submitted is what a person had entered when they clicked or pressed.
type submitted struct {
	pressing
	fields form
}

// mishap is an error after a person had entered something.
type mishap struct {
	*saying
	before submitted
	after  form
	seen   int64 // line of the sample that shows the fields after it
}

// mishaps are the errors that came after a person had filled in a form, with the form before and after.
func (e *evidence) mishaps() (all []mishap) {
	byScreen := map[*screen][]*saying{}
	for _, s := range e.errors() {
		byScreen[s.screen] = append(byScreen[s.screen], s)
	}
	for _, sc := range e.screens {
		waiting, next := byScreen[sc], 0
		if len(waiting) == 0 {
			continue
		}
		var last submitted
		var before form
		sc.walk(func(v *experiments.View, now sample, until time.Time) {
			entered := false // since the last look: what was on the page when the person clicked was not seen
			for next < len(sc.presses) && (sc.presses[next].Acted.IsZero() || sc.presses[next].Acted.Before(now.at)) {
				p := sc.presses[next]
				next++
				switch {
				case p.Acted.IsZero():
				case p.Verb == "fill" || p.Verb == "select":
					entered = true
				case p.Verb == "click" || p.Verb == "press":
					last = submitted{pressing: p}
					if !entered {
						last.fields = before
					}
				}
			}
			before = nil
			if next < len(sc.presses) && !sc.presses[next].Acted.IsZero() && sc.presses[next].Acted.Before(until.Add(time.Millisecond)) {
				before = fieldsOf(v)
			}
			for len(waiting) > 0 && !until.Before(waiting[0].Born.Add(secondLook)) {
				s := waiting[0]
				waiting = waiting[1:]
				if last.fields.filled() > 0 && last.Visit == s.Visit && s.Born.After(last.Acted) && s.seenAt(now.at, until) {
					all = append(all, mishap{saying: s, before: last, after: fieldsOf(v), seen: now.seq})
				}
			}
		})
	}
	slices.SortStableFunc(all, func(a, b mishap) int { return a.Born.Compare(b.Born) })
	return all
}

func inputLostRule() Rule {
	info := experiments.RuleInfo{ID: "IN-01", Name: "input-lost", Severity: experiments.S2, Level: "B",
		Doc:     "The form is empty after the error.",
		Check:   "Violated when a field that held something when the person clicked or pressed holds something else, or nothing, at a second look at the error that followed. Exercised by each error that follows a filled form while a fault is in force, where the form is still on the page or is there again.",
		Guard:   "Passwords, cards, files and hidden fields are not looked at. Spaces, dashes and case do not count. A form that was filled in and sent between two looks is not judged: nobody saw what was in it.",
		Source:  "WCAG 3.3.7; NN/g; Material Design 1.",
		Example: "Payments is down: checkout comes back with a blank address form.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken sights
		for _, m := range e.mishaps() {
			p := s.onPage(m.Where, m.before.Acted, m.until)
			if p.fault == "" {
				continue
			}
			switch lost, there := m.before.fields.lost(m.after); {
			case there == 0:
				s.idle(p, "the form is not on the page with the error")
			case len(lost) == 0:
				s.pass(p)
			default:
				broken.add(s, wrongSight{where: m.Where, from: m.before.Acted, to: m.until, kind: "lost", lines: []int64{m.before.seq, m.BornN, m.seen},
					text: fmt.Sprintf("After %s the person's input is gone from %d of %d fields: %s.", quote(m.Block.Text), len(lost), there, quote(strings.Join(lost, ", ")))})
			}
		}
		broken.report(s, 1)
		return s.occasions
	}}
}
