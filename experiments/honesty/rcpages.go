package honesty

import (
	"fmt"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// outages are the errors that speak of no single intent: they came up while a fault was in force.
func (e *evidence) outages() (all []*saying) {
	for _, s := range e.errors() {
		if s.Marker == "" && s.Block.Region == "" && len(e.inForce(s.Born, s.Born)) > 0 {
			all = append(all, s)
		}
	}
	return all
}

func bannerStaysRule() Rule {
	info := experiments.RuleInfo{ID: "RC-01", Name: "banner-stays", Severity: experiments.S2, Level: "B",
		Doc:     "Still “unavailable”.",
		Check:   "Violated when a text about the outage, which came up while a fault was in force and is not about a single intent, is still on the user's page, or on a later one, at the recovery deadline, counted from the end of the last fault, and stays for a second look, while the product is steady again. Exercised by each such text of a journey whose pages somebody looks at after that.",
		Guard:   "A message in a dialog, which the person has to acknowledge, is left alone. A product that is not steady again may say so.",
		Source:  "Carbon: until resolved; PikoCI#400, tarantool/cartridge#395.",
		Example: "The flag behind “Payments are unavailable” is set on failure and never cleared.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken sights
		later := map[usualText][]*saying{}
		for _, one := range e.sayings {
			if limit := e.deadline(one.Journey); one.new && !limit.IsZero() && one.until.After(limit.Add(secondLook)) && one.Marker == "" {
				later[usualText{one.Journey, one.text}] = append(later[usualText{one.Journey, one.text}], one)
			}
		}
		told := map[usualText]bool{}
		for _, one := range e.outages() {
			key := usualText{one.Journey, one.text}
			if told[key] || one.Block.Dialog {
				continue
			}
			told[key] = true
			p := s.onPage(one.Where, one.Born, one.Born)
			limit := e.deadline(one.Journey)
			whole := e.whole()
			still := stillThere(later[key], latest(limit, whole))
			switch {
			case limit.IsZero():
				s.idle(p, "a fault was never seen gone")
			case whole.IsZero():
				s.idle(p, "the product was not seen steady again")
			case !e.lookedAfter(one.Journey, latest(limit, whole)):
				s.idle(p, needsRecovery(e.deadlines(one.Journey).Recovery)+": nobody looked after that")
			case still != nil:
				w := one.wrong("banner", fmt.Sprintf("%s is still on the page %s after %s.", quote(one.Block.Text), round(latest(still.Born, limit).Sub(e.mended())), e.backAgain()), still.BornN, still.DiedN)
				broken.add(s, w)
			default:
				s.pass(p)
			}
		}
		broken.report(s, 1)
		return s.occasions
	}}
}

// stillThere is the first of some texts that is there for a second look after a moment.
func stillThere(all []*saying, after time.Time) *saying {
	for _, s := range all {
		if s.until.Sub(latest(s.Born, after)) >= secondLook {
			return s
		}
	}
	return nil
}

// backAgain says that what was broken is whole again.
func (e *evidence) backAgain() string {
	var last *strike
	for _, s := range e.strikes {
		if !s.reverted.IsZero() && (last == nil || s.reverted.After(last.reverted)) {
			last = s
		}
	}
	if last == nil {
		return "the fault was over"
	}
	return last.afterwards()
}

// lookedAfter reports whether somebody looked at a journey's pages after a moment, for long enough.
func (e *evidence) lookedAfter(journey string, at time.Time) bool {
	for _, s := range e.screens {
		if s.journey == journey && s.last.After(at.Add(secondLook)) {
			return true
		}
	}
	return false
}

func needsRefreshRule() Rule {
	info := experiments.RuleInfo{ID: "RC-02", Name: "needs-refresh", Severity: experiments.S3, Level: "B",
		Doc:     "Only F5 helps.",
		Check:   "Violated when a declared region that was not well while a fault was in force on what it needs is still not in the state content at the recovery deadline, counted from the end of the last fault, on the document that was open then, and the next document that has it shows content. Exercised by each such region of a document that was open from the fault until after the deadline.",
		Guard:   "A region that a later document does not show well either is another rule's.",
		Source:  "rhai-org-pulse#609.",
		Example: "“My orders” stays on its error text until a reload.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken sights
		seen := map[*stay]bool{}
		for i, one := range e.stays {
			limit := e.deadline(one.Journey)
			if one.state == regionContent || one.state == regionAbsent || limit.IsZero() || e.struck(one.region, one.from, one.until) == nil || !one.stayed() {
				continue
			}
			last := lastLook(e.stays[i:], one)
			if seen[last] {
				continue
			}
			seen[last] = true
			switch next := nextDocument(e.stays[i:], one); {
			case !last.until.After(limit.Add(secondLook)):
				s.idle(s.onRegion(one), needsRecovery(e.deadlines(one.Journey).Recovery)+": the page was left before that")
			case last.state == regionContent && !last.from.After(limit.Add(secondLook)):
				s.pass(s.onRegion(one))
			case next == nil:
				s.idle(s.onRegion(one), "nobody opened the page once more")
			case next.state != regionContent:
				s.idle(s.onRegion(one), "a later page does not show "+one.region.Name+" well either")
			default:
				w := one.wrong("refresh", fmt.Sprintf("%s was still %s at the recovery deadline, %s after %s, and the page that was opened next shows it.", quote(one.region.Name), one.state, round(limit.Sub(e.mended())), e.backAgain()), last.lastSeq, next.seq)
				broken.add(s, w)
			}
		}
		broken.report(s, 1)
		return s.occasions
	}}
}

// lastLook is the last look of the same region on the same document.
func lastLook(stays []*stay, one *stay) *stay {
	last := one
	for _, other := range stays {
		if other.screen != one.screen || other.Page != one.Page {
			break
		}
		if other.region == one.region {
			last = other
		}
	}
	return last
}

// nextDocument is the first look of the same region on a later document of the same user that is neither absent nor
// loading.
func nextDocument(stays []*stay, one *stay) *stay {
	for _, other := range stays {
		if other.screen != one.screen {
			break
		}
		if other.region == one.region && other.Page > one.Page && other.stayed() && other.state != regionLoading && other.state != regionAbsent {
			return other
		}
	}
	return nil
}
