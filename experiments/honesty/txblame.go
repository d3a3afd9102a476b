package honesty

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

func blamesNetworkRule() Rule {
	info := experiments.RuleInfo{ID: "TX-01", Name: "blames-network", Severity: experiments.S2, Level: "B",
		Doc:     "“Check your internet connection”, “You are offline”.",
		Check:   "Violated when an error blames the network of the person (lexicon: blame_network) while a fault is in force, which is always on the side of the product, and the same browser was answered at another address within half the explanation deadline (5 s) either way. Exercised by each error that comes up while a fault is in force.",
		Guard:   "A text that offers a cause on the side of the product too passes. Where nothing else was asked in that time, the browser's network is not known.",
		Source:  "MDN navigator.onLine; posit publisher#2450; cozy-desktop PR#2193.",
		Example: "Payments is down: “Check your internet connection and try again”.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken sights
		e.tellings(s, func(t *telling) {
			if !t.is("blame_network") || t.is("cause_ours") {
				s.pass(t.place)
				return
			}
			other := e.answeredElse(t)
			if other == nil {
				s.idle(t.place, "nothing else was asked within half the explanation deadline, so that the browser's network is not known")
				return
			}
			broken.add(s, e.lie(t, "network", fmt.Sprintf("The page said %s, and the same browser was answered by %s (status %d).", t.quoted("blame_network"), quote(other.URL), other.Status), other.seq))
		})
		broken.report(s, 1)
		return s.occasions
	}}
}

// answeredElse is a request of the same browser near an error that was answered, at another address than the one that
// failed; nil without one.
func (e *evidence) answeredElse(t *telling) *answer {
	near, failed := e.deadlines(t.Journey).Explanation/2, e.askBehind(t)
	for _, i := range e.asked(t.screen, t.Born.Add(-e.deadlines(t.Journey).Final), t.Born.Add(near)) {
		a := &e.answers[i]
		if a.answered() && !a.FromCache && (failed == nil || a.URL != failed.URL) && a.Ended.Sub(t.Born).Abs() <= near {
			return a
		}
	}
	return nil
}

func blamesInputRule() Rule {
	info := experiments.RuleInfo{ID: "TX-02", Name: "blames-input", Severity: experiments.S1, Level: "B",
		Doc:     "“Wrong password”, “Invalid card”, “Not found”, “No permission”.",
		Check:   "Violated when an error blames what the person entered or asked for (lexicon: blame_input) while a fault is in force on what the step needs, and visits of the journey with the same input go well in the baseline and when the fault is over, where nothing says so. Exercised by each error that comes up while such a fault is in force.",
		Guard:   "What is said after the recovery deadline too is no doing of the fault. A fault that answers below 500 in the place of what is needed may be passed on. An intent's own thing that is not there, or not yet, may be called missing. Rate limits by design have their own text: declare it.",
		Source:  "Microsoft error-message guidelines; Shopify Polaris; Material Design 1, errors.",
		Example: "Payments times out: “Your card number is invalid”.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken sights
		recurs := e.blamedLater()
		e.tellings(s, func(t *telling) {
			limit := e.mended()
			switch {
			case t.needed == nil:
				s.idle(t.place, "no fault was in force on what the step needs")
			case !t.is("blame_input"):
				s.pass(t.place)
			case !e.worked(t.Journey, func(at time.Time) bool { return e.meetsBaseline(at, at) }):
				s.idle(t.place, "no visit of the journey went well in the baseline")
			case limit.IsZero() || !e.worked(t.Journey, limit.Before):
				s.idle(t.place, "the same input was not seen to go well when the fault was over")
			case recurs[t.Journey]:
				s.idle(t.place, "the input is blamed after the recovery deadline too")
			case t.needed.refuses():
				s.idle(t.place, "the fault itself answers in the name of what is needed, and not that it is broken")
			case e.trulyMissing(t):
				s.idle(t.place, "it is about something that is pending, or that the truth does not have either")
			default:
				broken.add(s, e.lie(t, "input", fmt.Sprintf("The page said %s while %s; the same input goes well without that.", t.quoted("blame_input"), t.needed.meanwhile()), e.rowLine(t)))
			}
		})
		broken.report(s, 1)
		return s.occasions
	}}
}

// refuses reports whether a fault answers in the place of a service, and not by an error of its own: whoever passes that on
// has not made it up.
func (s *strike) refuses() bool {
	var reply struct{ Status int }
	return s.planned.Kind == "errors" && json.Unmarshal(s.planned.Fault, &reply) == nil && reply.Status < http.StatusInternalServerError
}

// blamedLater are the journeys in which a new text blames the input after the recovery deadline.
func (e *evidence) blamedLater() map[string]bool {
	later := map[string]bool{}
	for _, one := range e.sayings {
		if limit := e.deadline(one.Journey); one.new && one.stayed() && !one.Block.Control && !limit.IsZero() && one.Born.After(limit) && e.says(one).Is("blame_input") {
			later[one.Journey] = true
		}
	}
	return later
}

func (e *evidence) trulyMissing(t *telling) bool {
	a := e.askBehind(t)
	return a != nil && e.rightlyMissing(*a)
}

// rowLine is the line of the intent that an error is about; 0 without one.
func (e *evidence) rowLine(t *telling) int64 {
	if r := e.marked[t.Marker]; r != nil && t.Marker != "" {
		return r.seq
	}
	return 0
}

// causes are the classes of causes that a fault of ours may not have. Those that blame the person have rules of their own.
var causes = [...]struct{ class, words string }{
	{"cause_maintenance", "maintenance"},
	{"cause_load", "many users"},
	{"cause_third_party", "somebody else"},
}

// loadKinds are the faults that are felt as too much load.
var loadKinds = [...]string{"spike", "cpu", "memory"}

func inventedCauseRule() Rule {
	info := experiments.RuleInfo{ID: "TX-03", Name: "invented-cause", Severity: experiments.S2, Level: "B",
		Doc:     "“scheduled maintenance”, “high demand”, “your bank declined”.",
		Check:   "Violated when errors twice name a cause that no fault in force has: maintenance (none has it), load (spike, cpu and memory have it), a third party (what breaks a service outside has it). Exercised by each error that comes up while a fault is in force.",
		Guard:   "There may be a side fault that candor did not make: one occasion is not enough. A text that offers a cause on the side of the product too passes.",
		Source:  "Atlassian on incident communication (do not make one up); Windows UX guide.",
		Example: "Orders is killed: “We are down for scheduled maintenance”.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken sights
		e.tellings(s, func(t *telling) {
			for _, c := range causes {
				if t.is(c.class) && !t.is("cause_ours") && !e.hasCause(c.class, t.Born) {
					broken.add(s, e.lie(t, c.class, fmt.Sprintf("The page gave %s as the cause: %s. The cause was another: %s.", c.words, t.quoted(c.class), e.inForce(t.Born, t.Born)[0].meanwhile())))
					return
				}
			}
			s.pass(t.place)
		})
		broken.report(s, 2)
		return s.occasions
	}}
}

// hasCause reports whether a fault in force at a time has a cause of a class.
func (e *evidence) hasCause(class string, at time.Time) bool {
	return slices.ContainsFunc(e.inForce(at, at), func(s *strike) bool {
		switch class {
		case "cause_load":
			return s.planned.Reach.Journey != "" || slices.Contains(loadKinds[:], s.planned.Kind)
		case "cause_third_party":
			return slices.ContainsFunc(s.planned.Reach.Services, e.outside)
		}
		return false
	})
}

// outside reports whether a service is somebody else's, or on another machine.
func (e *evidence) outside(name string) bool {
	return slices.ContainsFunc(e.plan.Services, func(s experiments.PlannedService) bool { return s.Name == name && s.Outside })
}

func accusingRule() Rule {
	info := experiments.RuleInfo{ID: "TX-12", Name: "accusing", Severity: experiments.S4, Level: "B",
		Doc:     "“You entered”, “illegal”, “forbidden”, for a fault of ours.",
		Check:   "Violated when an error accuses the person (lexicon: accusing) while a fault is in force on what the step needs. Exercised by each error that comes up while such a fault is in force.",
		Guard:   "A text of the baseline is none. What blames the input is TX-02, and counts there alone.",
		Source:  "Microsoft error-message guidelines; Material Design 1, errors.",
		Example: "Payments is down: “You submitted an illegal request”.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken sights
		e.tellings(s, func(t *telling) {
			switch {
			case t.needed == nil:
				s.idle(t.place, "no fault was in force on what the step needs")
			case t.is("accusing") && !t.is("blame_input"):
				broken.add(s, e.lie(t, "accusing", fmt.Sprintf("The page said %s while %s.", t.quoted("accusing"), t.needed.meanwhile())))
			default:
				s.pass(t.place)
			}
		})
		broken.report(s, 1)
		return s.occasions
	}}
}
