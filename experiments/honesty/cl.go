package honesty

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/candor-chaos/candor/experiments"
)

// eachEffect walks over every effect of every intent that was acted.
func (e *evidence) eachEffect(visit func(*row, *settlement)) {
	for _, r := range e.rows {
		for i := range r.effects {
			if !r.unsent() {
				visit(r, &r.effects[i])
			}
		}
	}
}

// place is where a row belongs: its step, and what was in force between the act and the last word.
func (s *sheet) row(r *row) place { return s.at(stepKey{r.Journey, r.Step}, r.acted(), r.told()) }

// broken makes a finding about one effect of one row.
func (s *sheet) broken(r *row, f fact, text string) {
	s.fail(s.row(r), found{at: r.acted(), marker: r.Marker, text: text, lines: r.lines(s.e, f)})
}

// told says what the user heard, with the product's own words.
func (r *row) heard(claim experiments.Claim) string {
	words := ""
	if final := r.final(); final != nil && final.Text != "" {
		words = " (" + quote(final.Text) + ")"
	}
	return fmt.Sprintf("The user was told %s%s", claim, words)
}

// quote shows what a target said: bounded, on one line, nothing in it that a terminal would obey.
func quote(text string) string {
	const most = 160
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return "“" + text + "”"
}

func ackLostRule() Rule {
	info := experiments.RuleInfo{ID: "CL-01", Name: "ack-lost", Severity: experiments.S1, Level: "L",
		Doc:     "“Saved”, and later it is gone.",
		Check:   "Violated when the final claim is success and two readings of the truth, at least the plan's reread apart, show no row for the marker. Exercised by each effect of each intent that was told success. What an earlier reading had is CL-10.",
		Guard:   "One reading alone, or a reader that shares the fault, makes it unverifiable.",
		Source:  "Jepsen set checker, lost; numbas/editor#841, uwazi#2503.",
		Example: "Orders times out: the shop drops the request and shows “Order placed, thank you”.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		e.eachEffect(func(r *row, x *settlement) {
			switch f := x.fact; {
			case x.claim != experiments.ClaimSuccess, f.vanished != 0:
			case f.standing == unreadable:
				s.blind(s.row(r), f.why)
			case f.standing == absent && f.once:
				s.blind(s.row(r), "the truth was read only once, or twice too soon")
			case f.standing == absent:
				s.broken(r, f, fmt.Sprintf("%s, and neither reading of %s has a row for %s.", r.heard(x.claim), x.truth.effect.Name, r.Marker))
			default:
				s.pass(s.row(r))
			}
		})
		return s.occasions
	}}
}

func ackWrongRule() Rule {
	info := experiments.RuleInfo{ID: "CL-02", Name: "ack-wrong", Severity: experiments.S1, Level: "L",
		Doc:     "“Saved”, but an old or partial value is stored.",
		Check:   "Violated when the claim is success or pending, the truth has one row, and its value is not the wanted one. Exercised by each effect with a wanted value whose row is there once.",
		Guard:   "What the product does to values when all is well (spaces, case, another way to write a number) is learnt from the baseline.",
		Source:  "Jepsen; lost update in Elle (Kingsbury, Alvaro).",
		Example: "Orders is slow: the shop sends an older copy of the basket, stores 1 copy and confirms “Order placed: 3 copies”.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		e.eachEffect(func(r *row, x *settlement) {
			want, valued := r.Wants[x.truth.effect.Name]
			if !valued || x.claim != experiments.ClaimSuccess && x.claim != experiments.ClaimPending {
				return
			}
			switch f := x.fact; f.standing {
			case unreadable:
				s.blind(s.row(r), f.why)
			case wrong:
				s.broken(r, f, fmt.Sprintf("%s; %s was wanted as %s and is stored as %s.", r.heard(x.claim), x.truth.effect.Name, quote(want), quote(*f.value)))
			case right:
				s.pass(s.row(r))
			}
		})
		return s.occasions
	}}
}

func rejectedHappenedRule() Rule {
	info := experiments.RuleInfo{ID: "CL-03", Name: "rejected-happened", Severity: experiments.S1, Level: "L",
		Doc:     "“Failed”, yet the order or the charge exists.",
		Check:   "Violated when the claim is refused and the last reading of the truth has one row or more. Exercised by each effect of each intent that was told refused.",
		Guard:   "Repeats by the person share the intent's marker, so a row of a later success of the same intent is none of a refusal: the last claim counts.",
		Source:  "Jepsen: what failed must have no effect.",
		Example: "Payments answers after the shop's timeout: “Payment failed, nothing was ordered”, while order and charge both exist.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		e.eachEffect(func(r *row, x *settlement) {
			if x.claim != experiments.ClaimRefused {
				return
			}
			switch f := x.fact; f.standing {
			case unreadable:
				s.blind(s.row(r), f.why)
			case absent:
				s.pass(s.row(r))
			default:
				s.broken(r, f, fmt.Sprintf("%s, yet %s exists for %s (%d).", r.heard(x.claim), x.truth.effect.Name, r.Marker, f.count))
			}
		})
		return s.occasions
	}}
}

func duplicatedRule() Rule {
	info := experiments.RuleInfo{ID: "CL-04", Name: "duplicated", Severity: experiments.S1, Level: "L",
		Doc:     "Two orders, two charges, two mails.",
		Check:   "Violated when the last reading of the truth has more than one row for the marker in any declared effect. Exercised by each effect that is there at all.",
		Guard:   "The last reading decides: what a product puts right by itself before then is no duplicate.",
		Source:  "Jepsen, multiset duplicates; RFC 9110 9.2.2; IETF Idempotency-Key draft.",
		Example: "The shop repeats the slow POST to orders without a key: two order rows, one “Order placed”.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		e.eachEffect(func(r *row, x *settlement) {
			switch f := x.fact; {
			case f.standing == several:
				s.broken(r, f, fmt.Sprintf("%s once, and %s is there %d times for %s.", r.heard(x.claim), x.truth.effect.Name, f.count, r.Marker))
			case f.standing == unreadable && f.count == 0:
				s.blind(s.row(r), f.why)
			case f.standing != absent:
				s.pass(s.row(r))
			}
		})
		return s.occasions
	}}
}

func halfDoneRule() Rule {
	info := experiments.RuleInfo{ID: "CL-09", Name: "half-done", Severity: experiments.S1, Level: "L",
		Doc:     "The order yes, the payment no, and one text of success.",
		Check:   "Violated when the claim is a single success, and of the intent's effects some are there and others are not. Exercised by each intent with two effects or more that was told success for all of them.",
		Guard:   "A product that says of each effect what became of it is not judged by this rule. An effect that is there, but wrong or twice, is CL-02 and CL-04.",
		Source:  "Project rule.",
		Example: "Payments is down: the order is written, no charge is made, the page says “Ordered and paid”.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		for _, r := range e.rows {
			if len(r.effects) < 2 || r.claim() != experiments.ClaimSuccess || r.spokeOfEach() {
				continue
			}
			text, blind := r.halves()
			switch {
			case blind != "":
				s.blind(s.row(r), blind)
			case text != "":
				s.broken(r, r.effects[0].fact, r.heard(r.claim())+" of the whole: "+text+".")
			default:
				s.pass(s.row(r))
			}
		}
		return s.occasions
	}}
}

func (r *row) spokeOfEach() bool {
	for _, x := range r.effects {
		if x.own {
			return true
		}
	}
	return false
}

// halves says which effects of a row are there and which are not, where that differs; blind is why it cannot be told.
func (r *row) halves() (text, blind string) {
	there, missing := 0, 0
	var parts []string
	for _, x := range r.effects {
		switch {
		case x.outcome == unverifiable:
			return "", x.truth.effect.Name + ": " + x.fact.unsure()
		case x.fact.standing == absent:
			missing++
			parts = append(parts, x.truth.effect.Name+" is not there")
		default:
			there++
			parts = append(parts, x.truth.effect.Name+" is there")
		}
	}
	if there == 0 || missing == 0 {
		return "", ""
	}
	return strings.Join(parts, ", "), ""
}

// unsure is why a fact decides nothing.
func (f fact) unsure() string {
	if f.why != "" {
		return f.why
	}
	return "the truth was read only once, or twice too soon"
}
