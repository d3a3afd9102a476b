package honesty

import (
	"fmt"
	"slices"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

func wrongEndRule() Rule {
	info := experiments.RuleInfo{ID: "SP-04", Name: "wrong-end", Severity: experiments.S3, Level: "H",
		Doc:     "Resolved too early, or red for hours.",
		Check:   "Violated when a part that the status page called unwell is called well again, with all others that stand for what is behind it, while users of the journey fail as in SP-01, and they go on to fail for as long as makes green a lie; or when it is still not called well twice in a row later than the tier allows (status.clear_within) after the product was steady again. Exercised by each time of SP-01 in which the page had a notice.",
		Guard:   "A page that goes to and fro with what it tells of has closed nothing. A watch that is kept after the end is declared by the tier: clear_within is its length. A run that ends before shows nothing of the end.",
		Source:  "Project rule.",
		Example: "The incident is closed after one minute while checkout still fails.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s, all := e.sheet(info), e.glances()
		s.eachSpell(func(l experiments.StatusLimits) time.Duration { return l.For }, func(d distress) {
			parts := e.onPage(d.behind)
			from := slices.IndexFunc(all, func(one glance) bool {
				red, _ := one.says(parts)
				return one.sees() && red && !one.at.Before(d.from) && !one.at.After(d.to.Add(d.journey.Status.For))
			})
			if from < 0 {
				s.idle(d.place(s), "the status page had no notice about it")
				return
			}
			early := closedEarly(all[from:], parts, d.to, d.journey.Status.For)
			whole, limit := e.whole(), d.journey.Status.ClearWithin
			late := whole.Add(limit)
			red := lastReds(all[from:], parts)
			switch {
			case early != nil:
				s.fail(d.place(s), found{at: early.at, lines: refs(append(slices.Clone(d.seqs), all[from].seq, early.seq)...),
					text: fmt.Sprintf("The status page called %s well again, and users of %s failed for another %s.", list(parts), d.journey.Name, round(d.to.Sub(early.at)))})
			case len(red) == 0:
				s.pass(d.place(s))
			case limit <= 0:
				s.idle(d.place(s), "the page is still red, and no tier says until when it may be (status.clear_within)")
			case whole.IsZero():
				s.idle(d.place(s), "the page is still red, and the product was never seen steady again")
			case len(red) > 1 && !red[len(red)-2].at.Before(late):
				last := red[len(red)-1]
				s.fail(d.place(s), found{at: last.at, lines: refs(all[from].seq, red[len(red)-2].seq, last.seq),
					text: fmt.Sprintf("The product was steady again, and %s later the status page still said %s.", round(last.at.Sub(whole)), quote(last.wordsOf(parts)))})
			default:
				s.idle(d.place(s), needsRecovery(limit)+": the page was still red when the run ended")
			}
		})
		return s.occasions
	}}
}

// closedEarly is the first of the readings that call all well again until users stopped failing, where that took as long
// as it takes to make green a lie. A page that goes to and fro with what it tells of has closed nothing.
func closedEarly(all []glance, parts []string, until time.Time, over time.Duration) *glance {
	var first *glance
	for i := range all {
		if !all[i].at.Before(until) {
			break
		}
		if !all[i].sees() {
			continue
		}
		if _, green := all[i].says(parts); !green {
			first = nil
		} else if first == nil {
			first = &all[i]
		}
	}
	if first == nil || until.Sub(first.at) < over {
		return nil
	}
	return first
}

// lastReds are the readings at the end, as far as all of them call a part unwell.
func lastReds(all []glance, parts []string) []glance {
	seen := slices.DeleteFunc(slices.Clone(all), func(one glance) bool { return !one.sees() })
	for i := len(seen); i > 0; i-- {
		if red, _ := seen[i-1].says(parts); !red {
			return seen[i:]
		}
	}
	return seen
}

func wrongScopeRule() Rule {
	info := experiments.RuleInfo{ID: "SP-05", Name: "wrong-scope", Severity: experiments.S3, Level: "H",
		Doc:     "Names the wrong part.",
		Check:   "Violated when users of a journey fail as in SP-01, and the status page, twice in a row, calls a part unwell that stands for nothing that is behind any failing journey, or calls parts unwell and none that is behind this one. Exercised by each such time in which the page names a part.",
		Guard:   "A coarse page maps many parts to one service. What needs what was broken may be named as well as that itself, in any journey that failed at the time, and all that a journey goes through whose traffic grew; what most readings of the baseline call unwell too is not judged.",
		Source:  "Project rule.",
		Example: "Payments is down: the page says “catalog: degraded”.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s, all := e.sheet(info), e.glances()
		before := e.usuallyRed(all)
		s.eachSpell(func(l experiments.StatusLimits) time.Duration { return l.For }, func(d distress) {
			behind := e.affected(d)
			var named, wrong []glance
			for _, one := range during(all, d.from, d.to) {
				if !one.sees() {
					continue
				}
				names := one.named(before)
				if len(names) == 0 {
					continue
				}
				named = append(named, one)
				stray := slices.ContainsFunc(names, func(n string) bool { return !slices.Contains(behind, n) })
				hit := slices.ContainsFunc(names, func(n string) bool { return slices.Contains(behind, n) })
				if stray || !hit {
					wrong = append(wrong, one)
				}
			}
			switch {
			case len(named) == 0:
				s.idle(d.place(s), "the status page named no part while its users failed")
			case len(wrong) >= 2:
				last := wrong[len(wrong)-1]
				s.fail(d.place(s), found{at: wrong[0].at, lines: refs(append(slices.Clone(d.seqs), wrong[0].seq, last.seq)...),
					text: fmt.Sprintf("Behind the failures of %s is %s; the status page said %s.", d.journey.Name, list(d.behind), quote(last.wordsOf(last.named(before))))})
			default:
				s.pass(d.place(s))
			}
		})
		return s.occasions
	}}
}

// affected are the services of a run that what was broken can make unwell: it, and all that need it.
func (e *evidence) affected(d distress) []string {
	behind := slices.Clone(d.behind)
	for _, s := range e.strikes {
		if s.missed() != "" || d.to.Before(s.injecting) || d.from.After(s.until.Add(e.deadlines(d.journey.Name).Recovery)) {
			continue
		}
		for i := range e.plan.Journeys {
			if j := &e.plan.Journeys[i]; j.Name == s.planned.Reach.Journey {
				behind = append(behind, e.uses(j)...) // a page may name any part that too many users can overwhelm
			}
		}
		for _, broken := range s.planned.Reach.Services {
			behind = append(behind, broken)
			for _, service := range e.plan.Services {
				if slices.Contains(service.Needs, broken) {
					behind = append(behind, service.Name)
				}
			}
		}
	}
	return behind
}

func healthLiesRule() Rule {
	info := experiments.RuleInfo{ID: "SP-06", Name: "health-lies", Severity: experiments.S3, Level: "H",
		Doc:     "/health is 200 and users fail.",
		Check:   "Violated when users of a journey fail as in SP-01, and every service behind it that declares a readiness path (ready) answers it with 2xx all through that time. Behind it are what was broken, unless only the way to it was, and what the journey goes through that needs it. Exercised by each such time for which such a service was asked.",
		Guard:   "Liveness may be green; only readiness is asked. One service that says that it is not ready is enough. A service that is red in the baseline, or could not be asked, is not judged.",
		Source:  "Gray failure (HotOS 2017).",
		Example: "/readyz of orders returns 200 by constant while its database is cut off.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		s.eachSpell(func(l experiments.StatusLimits) time.Duration { return l.For }, func(d distress) {
			var asked []string
			lines := slices.Clone(d.seqs)
			blind := ""
			for _, service := range e.answerable(d) {
				green, looks := 0, 0
				for _, r := range e.looks {
					if r.Look.Role != "ready" || r.Look.Probe != service || r.At.Before(d.from) || r.At.After(d.to) {
						continue
					}
					switch {
					case r.Look.Blind != "":
						blind = r.Look.Blind
						continue
					case r.Look.OK:
						green++
						lines = append(lines, r.Seq)
					}
					looks++
				}
				if looks > green {
					s.pass(d.place(s))
					return
				}
				if looks > 0 {
					asked = append(asked, service)
				}
			}
			switch {
			case len(asked) > 0:
				s.fail(d.place(s), found{at: d.from, lines: refs(trim(lines)...),
					text: fmt.Sprintf("%s, and %s went on to say that it was ready.", d.words(), list(asked))})
			case blind != "":
				s.blind(d.place(s), blind)
			default:
				s.idle(d.place(s), "no service behind it was asked whether it is ready: "+list(d.behind))
			}
		})
		return s.occasions
	}}
}

// answerable are the services behind a failure that could know of it, with a path for readiness, and that say yes when all
// is well. Of a way that is broken its far end knows nothing.
func (e *evidence) answerable(d distress) (services []string) {
	spared := map[string]bool{}
	for _, s := range e.strikes {
		if s.planned.Reach.Path != nil {
			for _, far := range s.planned.Reach.Services {
				spared[far] = true
			}
		}
	}
	for _, s := range e.strikes {
		if s.planned.Reach.Path == nil && !d.to.Before(s.injecting) && d.from.Before(s.until) {
			for _, broken := range s.planned.Reach.Services {
				delete(spared, broken)
			}
		}
	}
	red := map[string]bool{}
	for _, r := range e.looks {
		if r.Look.Role == "ready" && e.normalTime(r.At) && !r.Look.OK {
			red[r.Look.Probe] = true
		}
	}
	for _, s := range e.plan.Services {
		if s.Ready != "" && slices.Contains(d.behind, s.Name) && !spared[s.Name] && !red[s.Name] {
			services = append(services, s.Name)
		}
	}
	return services
}
