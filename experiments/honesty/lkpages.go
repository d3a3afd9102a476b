package honesty

import (
	"fmt"
	"strings"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

func runtimeGarbageRule() Rule {
	info := experiments.RuleInfo{ID: "LK-04", Name: "runtime-garbage", Severity: experiments.S3, Level: "B",
		Doc:     "“Failed to fetch”, undefined, NaN, [object Object], ECONNREFUSED, an exception class.",
		Check:   "Violated when debris of a program stands in a visible text that is new against the baseline and stays for a second look, while a fault is in force. Exercised by each new text that is seen then, and by each document whose texts are all as usual.",
		Guard:   "What people entered is no text of the page: fields are not looked at. The system's public names allow what looks like debris.",
		Source:  "Study of the eventual connectivity of Android apps (message with exception trace); RunLLM/aqueduct#221.",
		Example: "Catalog is down: each price reads “£NaN” and the notice says “TypeError: Failed to fetch”.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken sights
		usual := map[usualText]bool{}
		for _, one := range e.sayings {
			for _, h := range one.Block.Hits {
				if e.meetsBaseline(one.Born, one.until) {
					usual[usualText{one.Journey, hitKey(h)}] = true
				}
			}
		}
		for _, one := range e.sayings {
			p := s.onPage(one.Where, one.Born, one.until)
			if p.fault == "" || e.meetsBaseline(one.Born, one.Born) || one.until.Sub(one.Born) < time.Millisecond {
				continue
			}
			switch hit := e.debris(one, usual); {
			case hit == nil:
				s.pass(p)
			case !one.new || !one.stayed():
				s.idle(p, "it was gone at the second look, or is there when all is well")
			default:
				broken.add(s, one.wrong(hit.Pattern, fmt.Sprintf("The page shows %s in %s.", quote(hit.Text), quote(one.Block.Text))))
			}
		}
		broken.report(s, 1)
		return s.occasions
	}}
}

// debris is the first thing of a program's insides in a text that the baseline does not show.
func (e *evidence) debris(one *saying, usual map[usualText]bool) *experiments.PatternHit {
	for i, h := range one.Block.Hits {
		if strings.HasPrefix(h.Pattern, "LK-04/") && !e.public(h.Text) && !usual[usualText{one.Journey, hitKey(h)}] {
			return &one.Block.Hits[i]
		}
	}
	return nil
}
