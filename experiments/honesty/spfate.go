package honesty

import (
	"fmt"
	"slices"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

func sharedFateRule() Rule {
	info := experiments.RuleInfo{ID: "SP-03", Name: "shared-fate", Severity: experiments.S2, Level: "H",
		Doc:     "The status page is down or frozen too.",
		Check:   "Violated when the status page fails twice in a row while a fault is in force; or when the time that it says it was made at stands still for longer than three times as long as ever in the baseline, and two seconds, while a fault is in force. Exercised by each fault that bit and under which the page was read twice or more.",
		Guard:   "A page that fails in the baseline too, and a time that never moves there, are not judged.",
		Source:  "Reports on the S3 outage of 2017: the icons of the status page lay in S3.",
		Example: "The status page is served through web and dies with it.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s, all := e.sheet(info), e.glances()
		usual := slices.ContainsFunc(all, func(one glance) bool { return e.normalTime(one.at) && one.failed != "" })
		pause, moves := e.cadence(all)
		for _, strike := range e.strikes {
			if strike.injecting.IsZero() {
				continue
			}
			p := place{fault: strike.planned.Name}
			under := slices.DeleteFunc(during(all, strike.injecting, strike.until), func(one glance) bool { return one.blind != "" })
			frozen, stood := frozen(under)
			switch {
			case len(under) < 2:
				s.blind(p, "the status page was not read while it was in force")
			case usual:
				s.idle(p, "the status page fails in the baseline too")
			case failsTwice(under) >= 0:
				at := under[failsTwice(under)]
				s.fail(p, found{at: at.at, lines: refs(at.seq, under[failsTwice(under)+1].seq, strike.seq),
					text: fmt.Sprintf("While %s the status page failed too: %s.", strike.meanwhile(), quote(at.failed))})
			case moves && stood > 3*pause+clockSkew:
				s.fail(p, found{at: frozen.at, lines: refs(frozen.seq, under[len(under)-1].seq, strike.seq),
					text: fmt.Sprintf("While %s the status page stood still for %s (%s).", strike.meanwhile(), round(stood), quote(frozen.dated))})
			default:
				s.pass(p)
			}
		}
		return s.occasions
	}}
}

// failsTwice is where a page first fails twice in a row, -1 where it never does.
func failsTwice(all []glance) int {
	for i := 1; i < len(all); i++ {
		if all[i].failed != "" && all[i-1].failed != "" {
			return i - 1
		}
	}
	return -1
}

// frozen is the longest time over which a page says that it was made at the same moment.
func frozen(all []glance) (from glance, stood time.Duration) {
	start := -1
	for i, one := range all {
		if one.dated == "" || one.failed != "" {
			continue
		}
		if start < 0 || all[start].dated != one.dated {
			start = i
		}
		if d := one.at.Sub(all[start].at); d > stood {
			from, stood = all[start], d
		}
	}
	return from, stood
}

// cadence is the longest time over which the page stands still when all is well, and whether it ever moves then.
func (e *evidence) cadence(all []glance) (pause time.Duration, moves bool) {
	well := slices.DeleteFunc(slices.Clone(all), func(one glance) bool { return !e.normalTime(one.at) || !one.sees() })
	for i := 1; i < len(well); i++ {
		moves = moves || well[i].dated != well[i-1].dated
	}
	_, pause = frozen(well)
	return pause, moves
}
