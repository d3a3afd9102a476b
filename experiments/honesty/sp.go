package honesty

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// glance is one reading of the status page, in the judge's own words.
type glance struct {
	at     time.Time
	seq    int64
	blind  string
	failed string
	dated  string
	states map[string]string // of services: the worst of the parts that stand for it; "" where its word is not known
	words  map[string]string // what the page called it
}

func (s glance) sees() bool { return s.blind == "" && s.failed == "" }

var worstFirst = [...]string{experiments.PartDown, experiments.PartShaky, "", experiments.PartUp}

// glances reads all readings of the status page, in order of time.
func (e *evidence) glances() (all []glance) {
	page := e.plan.Status
	if page == nil {
		return nil
	}
	for _, r := range e.statuses {
		one := glance{at: r.Status.Started, seq: r.Seq, blind: r.Status.Blind, failed: r.Status.Failed, dated: r.Status.Updated,
			states: map[string]string{}, words: map[string]string{}}
		for _, part := range r.Status.Parts {
			service := page.Services[part.Name]
			if service == "" {
				continue
			}
			state := page.States[strings.ToLower(part.State)]
			known, twice := one.states[service]
			if !twice || slices.Index(worstFirst[:], state) < slices.Index(worstFirst[:], known) {
				one.states[service], one.words[service] = state, part.Name+": "+part.State
			}
		}
		all = append(all, one)
	}
	return all
}

// during are the readings between two times.
func during(all []glance, from, to time.Time) (some []glance) {
	for _, s := range all {
		if !s.at.Before(from) && !s.at.After(to) {
			some = append(some, s)
		}
	}
	return some
}

// says tells what a reading says of some services: red, green, or nothing that can be told.
func (s glance) says(of []string) (red, green bool) {
	unknown, found := false, false
	for _, service := range of {
		state, has := s.states[service]
		switch {
		case !has:
			continue
		case state == experiments.PartDown || state == experiments.PartShaky:
			red = true
		case state == "":
			unknown = true
		}
		found = true
	}
	return red, found && !red && !unknown
}

// named are the services that a reading says something is amiss with, beside those that were so before the fault.
func (s glance) named(before []string) (all []string) {
	for _, service := range sorted(s.states) {
		if state := s.states[service]; (state == experiments.PartDown || state == experiments.PartShaky) && !slices.Contains(before, service) {
			all = append(all, service)
		}
	}
	return all
}

// usuallyRed are the services that most readings name when all is well. One that is named now and then is not among them:
// what the page says of it later may well be about the fault.
func (e *evidence) usuallyRed(all []glance) (red []string) {
	readings, times := 0, map[string]int{}
	for _, s := range all {
		if e.normalTime(s.at) && s.sees() {
			readings++
			for _, service := range s.named(nil) {
				times[service]++
			}
		}
	}
	for _, service := range sorted(times) {
		if times[service]*2 > readings {
			red = append(red, service)
		}
	}
	return red
}

// onPage are the services of a list that the page has a part for.
func (e *evidence) onPage(services []string) (some []string) {
	for _, service := range services {
		for _, part := range sorted(e.plan.Status.Services) {
			if e.plan.Status.Services[part] == service && !slices.Contains(some, service) {
				some = append(some, service)
			}
		}
	}
	return some
}

func greenLieRule() Rule {
	info := experiments.RuleInfo{ID: "SP-01", Name: "green-lie", Severity: experiments.S1, Level: "B/H",
		Doc:     "“All systems operational.”",
		Check:   "Violated when at least the tier's share of a journey's intents (status.green_lie.fail_share) fail over its time (for), in each fifth of it, and every reading of the status page in that time calls all parts well that stand for what is behind it: what was broken, and what the journey goes through that needs it. Exercised by each such time.",
		Guard:   "The share comes from the plan. One part that is not called well is enough, at any moment of that time: whether it is the right one is SP-05, whether it came in time SP-02. Fewer than ten who tried prove nothing. What fails as often in the baseline, parts that most of its readings call unwell there already, and pages without a part for what is behind it are not judged; a page that could not be read is SP-03.",
		Source:  "Press on cloud status pages (The Register, 2022); gray failure (HotOS 2017).",
		Example: "The status page prints a constant “operational” for payments.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s, all := e.sheet(info), e.glances()
		s.eachSpell(func(l experiments.StatusLimits) time.Duration { return l.For }, func(d distress) {
			before := e.usuallyRed(all)
			parts := slices.DeleteFunc(e.onPage(d.behind), func(service string) bool { return slices.Contains(before, service) })
			seen := during(all, d.from, d.to)
			judged, lines := 0, slices.Clone(d.seqs)
			for _, one := range seen {
				if !one.sees() {
					continue
				}
				red, green := one.says(parts)
				if red {
					s.pass(d.place(s))
					return
				}
				if green {
					judged++
					lines = append(lines, one.seq)
				}
			}
			switch {
			case len(parts) == 0:
				s.idle(d.place(s), "the status page has no part for "+list(d.behind))
			case judged == 0 || judged*2 < len(seen):
				s.blind(d.place(s), fmt.Sprintf("of %d readings of the status page in that time %d said how things are", len(seen), judged))
			default:
				s.fail(d.place(s), found{at: d.from, lines: refs(trim(lines)...),
					text: fmt.Sprintf("%s, and the status page said that all is well (%s).", d.words(), quote(seen[len(seen)-1].wordsOf(parts)))})
			}
		})
		return s.occasions
	}}
}

// wordsOf is what the page called some services.
func (s glance) wordsOf(services []string) string {
	var said []string
	for _, service := range services {
		if word := s.words[service]; word != "" {
			said = append(said, word)
		}
	}
	return list(said)
}

// trim keeps the first and last lines of many.
func trim(lines []int64) []int64 {
	if len(lines) <= 2*maxSamples {
		return lines
	}
	return append(slices.Clone(lines[:maxSamples]), lines[len(lines)-maxSamples:]...)
}

func lateNoticeRule() Rule {
	info := experiments.RuleInfo{ID: "SP-02", Name: "late", Severity: experiments.S2, Level: "H",
		Doc:     "Told after an hour.",
		Check:   "Violated when users of a journey fail for as long as the tier allows until the first notice (status.first_notice), and no reading of the status page from the first failure to then calls any part unwell that stands for what is behind it. Exercised by each time in which users fail for that long, or in which a notice came.",
		Guard:   "Who fails and what is behind it are those of SP-01. A page that could not be read in that time is unverifiable. A drill reads a staging copy of the page.",
		Source:  "As SP-01.",
		Example: "The status page publishes with a delay of 30 minutes.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s, all := e.sheet(info), e.glances()
		s.eachSpell(func(l experiments.StatusLimits) time.Duration {
			if l.FirstNotice <= 0 {
				return 0
			}
			return 1 // any: whether it lasted until a notice was due is looked at with the notices
		}, func(d distress) {
			limit := d.journey.Status.FirstNotice
			parts := e.onPage(d.behind)
			due := d.from.Add(limit)
			readable := 0
			for _, one := range all {
				if one.at.Before(d.from) || !one.sees() {
					continue
				}
				red, _ := one.says(parts)
				if red && !one.at.After(due) {
					s.pass(d.place(s))
					return
				}
				if one.at.After(due) {
					break
				}
				readable++
			}
			switch {
			case len(parts) == 0:
				s.idle(d.place(s), "the status page has no part for "+list(d.behind))
			case d.lasted() < limit:
				s.idle(d.place(s), fmt.Sprintf("needs users who fail for %s; %s", limit, d.words()))
			case readable == 0:
				s.blind(d.place(s), "the status page could not be read before a notice was due")
			default:
				s.fail(d.place(s), found{at: d.from, lines: refs(trim(d.seqs)...),
					text: fmt.Sprintf("%s, and %s after the first failure the status page had no notice about %s.", d.words(), limit, list(parts))})
			}
		})
		return s.occasions
	}}
}
