package honesty

import (
	"fmt"
	"slices"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

func timeTravelRule() Rule {
	info := experiments.RuleInfo{ID: "RC-05", Name: "time-travel", Severity: experiments.S2, Level: "L/B",
		Doc:     "New, old, new.",
		Check:   "Violated when a user who was shown a version of a thing is shown a lower one later, at the same address. Exercised by each answer since the first fault whose step says what version it shows, to a user who was shown one before.",
		Guard:   "Answers that were under way at the same time are not compared, nor are those of different addresses: another sort or filter is another query.",
		Source:  "Jepsen, monotonic reads; Terry et al. 1994.",
		Example: "Two copies of catalog answer in turn: the new price, the old price, the new price.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken groups
		highest := map[readKey]int{}
		for _, i := range e.dated() {
			a := e.answers[i]
			key := readKey{a.step(), a.User, a.Visitor, a.URL}
			h, known := highest[key]
			if known && !e.answers[h].Ended.After(a.Sent) && e.troubled(a) {
				if high := e.answers[h]; *a.Version < *high.Version {
					broken.add(s.answer(a), a.URL, fmt.Sprintf("%s of step %s showed version %v after version %v.", a.request(), quote(a.Step), *a.Version, *high.Version), a, high.seq)
				} else {
					s.pass(s.answer(a))
				}
			}
			if !known || *a.Version > *e.answers[h].Version {
				highest[key] = i
			}
		}
		broken.report(s, 1)
		return s.occasions
	}}
}

// readKey is one thing as one user sees it.
type readKey struct {
	stepKey
	user    int
	visitor string
	url     string
}

// dated lists the answers that say what version they show, in the order in which they were asked for.
func (e *evidence) dated() (all []int) {
	for i, a := range e.answers {
		if a.Version != nil && a.answered() && !a.Setup {
			all = append(all, i)
		}
	}
	slices.SortStableFunc(all, func(i, j int) int { return e.answers[i].Sent.Compare(e.answers[j].Sent) })
	return all
}

func ownWriteMissingRule() Rule {
	info := experiments.RuleInfo{ID: "RC-06", Name: "own-write-missing", Severity: experiments.S2, Level: "L/B",
		Doc:     "My change is not there.",
		Check:   "Violated when a user who was told success looks it up, and it is not in sight even when the allowed time (twice the feedback deadline) has passed. Exercised by each look-up of a doubter who was told success since the first fault.",
		Guard:   "A look-up that is not answered, or with neither a sight nor a “not found”, is unverifiable. What the truth does not have either is CL-01. A view that says that it may take a minute says so in its look-up's expect.",
		Source:  "Read your writes (Terry et al. 1994).",
		Example: "“Address saved”, and the account page shows the old one from the shop's cache for minutes.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s, begun := e.sheet(info), e.begun()
		for _, record := range e.sights {
			x, r := record.Sight, e.marked[record.Sight.Marker]
			if r == nil || begun.IsZero() || x.Told != experiments.ClaimSuccess || r.told().Before(begun) {
				continue
			}
			p := s.at(stepKey{x.Journey, x.Step}, r.acted(), record.At)
			switch {
			case x.Seen:
				s.pass(p)
			case x.Blind != "":
				s.blind(p, "the look-up shows nothing: "+x.Blind)
			case x.After < e.lag(x.Journey):
				s.idle(p, "the run ended before the time that is allowed")
			case slices.ContainsFunc(r.effects, func(x settlement) bool { return x.fact.standing == absent }):
				s.idle(p, "the truth does not have it either: CL-01 judges that")
			default:
				s.fail(p, found{at: r.told(), marker: r.Marker, lines: refs(r.seq, r.final().seq, x.Exchange, record.Seq),
					text: fmt.Sprintf("%s, and in %d looks over %s by the same user it was not in sight.", r.heard(x.Told), x.Looks, round(x.After))})
			}
		}
		return s.occasions
	}}
}

// lag is how long a user's own change may stay out of sight.
func (e *evidence) lag(journey string) time.Duration {
	if j := e.journeys[journey]; j != nil && j.Acts.Lag > 0 {
		return j.Acts.Lag
	}
	return experiments.NewPersona(experiments.Doubter, e.deadlines(journey)).Lag
}
