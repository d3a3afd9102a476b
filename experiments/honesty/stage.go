package honesty

import (
	"cmp"
	"fmt"
	"strconv"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// grave are the kinds of data where what is old leads to a wrong act.
func grave(kind string) bool { return kind == "money" || kind == "stock" || kind == "health" }

func unmarkedStaleRule() Rule {
	info := experiments.RuleInfo{ID: "ST-03", Name: "unmarked-stale", Severity: experiments.S2, Level: "B+L",
		Doc:     "An old price shown as now; S1 for money, stock and health.",
		Check:   "Violated when the version that a declared region shows was no longer the truth for longer than its allowed age, at two looks, and neither the region nor a text above it says anything about age. Exercised by each look of a region with a version and a truth while a fault is in force on what it needs.",
		Guard:   "An age within what the region allows is none. Since when a version is old goes by the reader's own time, else by the first reading that had a newer one.",
		Source:  "homebutler#106, nmea_dashboard#28; RFC 9111.",
		Example: "Catalog is down: yesterday's price is shown as today's, without a mark.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken sights
		e.eachStruck(func(one *stay) {
			if !one.showsVersion() {
				return
			}
			age, newer, blind := e.ageOf(one, one.until.Add(-secondLook))
			switch {
			case one.region.AllowedAge == 0:
				s.idle(s.onRegion(one), "nobody said how old "+one.region.Name+" may be: needs allowed_age")
			case blind != "":
				s.blind(s.onRegion(one), blind)
			case age <= one.region.AllowedAge || one.state == regionStale:
				s.pass(s.onRegion(one))
			default:
				w := one.wrong("old", fmt.Sprintf("%s shows version %s without a word about its age, %s after it was %s (allowed: %s).", quote(one.region.Name), quote(one.seen.Version),
					round(age), quote(newer.Version), one.region.AllowedAge), newer.seq)
				if grave(one.region.Kind) {
					w.severity = experiments.S1
				}
				broken.add(s, w)
			}
		})
		broken.report(s, 1)
		return s.occasions
	}}
}

// showsVersion reports whether a look of a region has data of a version.
func (one *stay) showsVersion() bool {
	return one.region.Truth && one.seen.Version != "" && (one.state == regionContent || one.state == regionStale)
}

// ageOf is how long the version that a region shows was no longer the truth at a moment: 0 while it was. newer is the
// reading that shows it; blind why nobody can tell.
func (e *evidence) ageOf(one *stay, at time.Time) (age time.Duration, newer regionRead, blind string) {
	known, sees := false, false
	var since time.Time
	for _, r := range e.truthOf(one) {
		switch {
		case r.Started.After(at):
		case r.Blind != "" || r.Version == "":
		case r.Version == one.seen.Version:
			known, sees, since = true, true, time.Time{}
		default:
			sees = true
			if later, comparable := isLater(r.Version, one.seen.Version); comparable && !later {
				known, since = true, time.Time{} // it shows more than this reading had
			} else if since.IsZero() && (comparable || known) {
				known, newer, since = true, r, r.Started
				if !r.When.IsZero() && r.When.Before(since) {
					since = r.When
				}
			}
		}
	}
	switch {
	case !sees:
		return 0, newer, "the truth of " + one.region.Name + " could not be read"
	case !known:
		return 0, newer, "no reading of " + one.region.Name + " had the version that it shows"
	case since.IsZero():
		return 0, newer, ""
	}
	return max(0, at.Sub(since)), newer, ""
}

// isLater reports whether one version comes after another, where both are numbers.
func isLater(a, b string) (later, comparable bool) {
	x, errA := strconv.ParseFloat(a, 64)
	y, errB := strconv.ParseFloat(b, 64)
	return x > y, errA == nil && errB == nil
}

func falseAgeRule() Rule {
	info := experiments.RuleInfo{ID: "ST-04", Name: "false-age", Severity: experiments.S1, Level: "B+L",
		Doc:     "“Updated just now” on old data.",
		Check:   "Violated when a declared region, or a text above it, gives an age, and the version that it shows was no longer the truth for longer than that by more than a tenth of it and the region's allowed age, or 60 s where none is set. Exercised by each look of a region with a version, a truth and an age that can be read, while a fault is in force on what it needs.",
		Guard:   "Times of day are read in the zone of the browser and in UTC, and the one that fits better counts. Who says older than it is misleads nobody here.",
		Source:  "homebutler#106.",
		Example: "“Prices updated just now” is filled with the time of rendering, over cached prices.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken sights
		e.eachStruck(func(one *stay) {
			if !one.showsVersion() {
				return
			}
			at := one.from.Add(secondLook)
			said, text, ok := ageSaid([]string{one.seen.Text, one.above}, at)
			if !ok {
				return
			}
			age, newer, blind := e.ageOf(one, at)
			allowed := cmp.Or(one.region.AllowedAge, time.Minute)
			switch {
			case blind != "":
				s.blind(s.onRegion(one), blind)
			case age > said.longest+max(allowed, age/10):
				broken.add(s, one.wrong("age", fmt.Sprintf("%s says %s, and the version that it shows was old for %s: the truth was %s.", quote(one.region.Name), quote(text), round(age), quote(newer.Version)), newer.seq))
			default:
				s.pass(s.onRegion(one))
			}
		})
		broken.report(s, 1)
		return s.occasions
	}}
}

func fakeLiveRule() Rule {
	info := experiments.RuleInfo{ID: "ST-05", Name: "fake-live", Severity: experiments.S2, Level: "B+L",
		Doc:     "A green “Live” dot on a dead feed.",
		Check:   "Violated when a declared region says that it is live, its page had no answer and no event for more than three of the intervals that are usual in the baseline, and the truth had two versions or more in that time. Exercised by each time that a region says so while a fault is in force on what it needs.",
		Guard:   "A feed that is quiet because nothing happens is none: the truth must have moved on.",
		Source:  "Project rule.",
		Example: "The stock feed from catalog is cut: “Live stock” stays green.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken sights
		came := map[*screen][]time.Time{}
		for _, one := range mergedStays(e.stays, func(one *stay) bool { return one.seen.Live && one.state != regionAbsent }) {
			if e.meetsBaseline(one.from, one.from) || e.struck(one.region, one.from, one.until) == nil || !one.stayed() {
				continue
			}
			if _, known := came[one.screen]; !known {
				came[one.screen] = e.feedTimes(one.screen)
			}
			usual := e.usualInterval(one.Journey)
			from, to := longestGap(came[one.screen], one.from, one.until)
			moved := map[string]bool{}
			var lines []int64
			for _, r := range meanwhile(e.truthOf(one), from, to) {
				if r.Version != "" && !moved[r.Version] {
					moved[r.Version] = true
					lines = append(lines, r.seq)
				}
			}
			switch {
			case usual == 0:
				s.idle(s.onRegion(one), "the baseline does not show how often its feed speaks")
			case to.Sub(from) <= 3*usual:
				s.pass(s.onRegion(one))
			case len(e.truthOf(one)) == 0:
				s.blind(s.onRegion(one), "the truth of "+one.region.Name+" could not be read")
			case len(moved) < 2:
				s.idle(s.onRegion(one), "nothing happened meanwhile that "+one.region.Name+" could have shown")
			default:
				broken.add(s, one.wrong("live", fmt.Sprintf("%s says that it is live, and nothing came for %s (usual: %s) while the truth moved on.", quote(one.region.Name), round(to.Sub(from)), round(usual)), lines[:2]...))
			}
		}
		broken.report(s, 1)
		return s.occasions
	}}
}
