package honesty

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// eachStruck visits each look of a region that stayed while a fault was in force on what the region needs.
func (e *evidence) eachStruck(visit func(*stay)) {
	for _, one := range e.stays {
		if one.stayed() && !e.meetsBaseline(one.from, one.from) && e.struck(one.region, one.from, one.until) != nil {
			visit(one)
		}
	}
}

// onRegion is the place of a look of a region.
func (s *sheet) onRegion(one *stay) place { return s.onPage(one.Where, one.from, one.until) }

// wrong is a violation that a look of a region shows.
func (one *stay) wrong(kind, text string, lines ...int64) wrongSight {
	return wrongSight{where: one.Where, from: one.from, to: one.until, kind: one.region.Name + " " + kind, text: text, lines: append([]int64{one.seq, one.lastSeq}, lines...)}
}

// meanwhile are the readings of the truth that hold for a time: the last before it, and those in it. Blind ones are left out.
func meanwhile(reads []regionRead, from, to time.Time) (all []regionRead) {
	for _, r := range reads {
		switch {
		case r.Blind != "":
		case !r.Started.After(from):
			all = append(all[:0], r)
		case !r.Started.After(to):
			all = append(all, r)
		}
	}
	return all
}

func falseEmptyRule() Rule {
	info := experiments.RuleInfo{ID: "ST-01", Name: "false-empty", Severity: experiments.S1, Level: "B+L",
		Doc:     "“You have no orders.”",
		Check:   "Violated when a declared region says that there is nothing, has no rows, and stays so for a second look, while its truth counts more than none; where it has no truth, while a request of its page failed, or the same person saw rows in it before and sees rows afterwards. Exercised by each look of a region while a fault is in force on what it needs, except while it loads or is not there.",
		Guard:   "A place that really is empty shows nothing: its truth has to have a row at least.",
		Source:  "Carbon, empty states; artifact-keeper-web#478, qoodish-web#1149, PostHog PR#16448.",
		Example: "Orders is down: “You have no orders yet. Start shopping!” to somebody with three orders.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken sights
		e.eachStruck(func(one *stay) {
			if one.state == regionAbsent || one.state == regionLoading || one.state == regionBare {
				return
			}
			if one.state != regionEmpty {
				s.pass(s.onRegion(one))
				return
			}
			least, read := e.leastCount(one)
			failed := e.failedAsk(one.screen, one.from.Add(-e.deadlines(one.Journey).Final), one.from.Add(secondLook))
			switch {
			case read != nil && least > 0:
				broken.add(s, one.wrong("rows", fmt.Sprintf("%s says %s, and there are %d.", quote(one.region.Name), quote(one.seen.Text), least), read.seq))
			case read != nil:
				s.idle(s.onRegion(one), one.region.Name+" really is empty: seed a row at least")
			case failed != nil:
				broken.add(s, one.wrong("request", fmt.Sprintf("%s says %s, and the request for it failed (%s).", quote(one.region.Name), quote(one.seen.Text), failed.outcome()), failed.seq))
			case e.hadRows(one) != nil:
				before := e.hadRows(one)
				broken.add(s, one.wrong("before", fmt.Sprintf("%s says %s, and the same person saw %d rows before, and rows again afterwards.", quote(one.region.Name), quote(one.seen.Text), before.seen.Rows), before.seq))
			default:
				s.blind(s.onRegion(one), "nothing says whether "+one.region.Name+" is empty: needs a truth that can be read")
			}
		})
		broken.report(s, 1)
		return s.occasions
	}}
}

// hadRows is the last look at a region before one, by the same person, that had rows, if a later look of theirs has some
// too; nil otherwise.
func (e *evidence) hadRows(one *stay) (before *stay) {
	for _, other := range one.screen.stays[one.region.Name] {
		switch {
		case other.seen.Rows == 0 || !other.stayed():
		case other.until.After(one.until):
			return before
		case !other.from.After(one.from):
			before = other
		}
	}
	return nil
}

// leastCount is the least that the truth counted while a region looked so; nil where nobody counted.
func (e *evidence) leastCount(one *stay) (least int64, read *regionRead) {
	least = math.MaxInt64
	for _, r := range meanwhile(e.truthOf(one), one.from, one.until) {
		if r.Count != nil && *r.Count < least {
			least, read = *r.Count, &r
		}
	}
	return least, read
}

// outcome says how a request ended.
func (a *answer) outcome() string {
	if a.Status != 0 {
		return "status " + strconv.Itoa(a.Status)
	}
	if a.Trouble != "" {
		return a.Trouble
	}
	return "no answer"
}

func falseZeroRule() Rule {
	info := experiments.RuleInfo{ID: "ST-02", Name: "false-zero", Severity: experiments.S1, Level: "B+L",
		Doc:     "A balance of 0.00, a badge of 0, a sum of what happened to load.",
		Check:   "Violated when a declared region shows numbers, none of them is the value that its truth had at that time or just before, and it stays so past the settling time, a fifth of the explanation deadline. Exercised by each look of a region whose truth has a value, while a fault is in force on what it needs, as far as it shows a number.",
		Guard:   "Rounding to whole hundredths is allowed, and so is each value that the truth had meanwhile.",
		Source:  "Study of the eventual connectivity of apps.",
		Example: "Catalog prices two of three lines and fails on the third: the basket's total is the sum of two.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken sights
		e.eachStruck(func(one *stay) {
			if !one.region.Valued || one.state == regionAbsent || one.state == regionLoading {
				return
			}
			shown := numbersIn(one.seen.Text)
			if len(shown) == 0 {
				return
			}
			settle := e.deadlines(one.Journey).Explanation / 5
			valued, right, last := e.valueAmong(one, shown, settle)
			switch {
			case !valued:
				s.blind(s.onRegion(one), "the value of "+one.region.Name+" could not be read")
			case right:
				s.pass(s.onRegion(one))
			case one.lasted() < settle:
				s.idle(s.onRegion(one), "it was gone before it could settle")
			default:
				broken.add(s, one.wrong("value", fmt.Sprintf("%s shows %s, and the truth is %s.", quote(one.region.Name), quote(one.seen.Text), strconv.FormatFloat(*last.Value, 'f', -1, 64)), last.seq))
			}
		})
		broken.report(s, 1)
		return s.occasions
	}}
}

// valueAmong reports whether a number that a region shows is what its truth said, now or a settling time before.
func (e *evidence) valueAmong(one *stay, shown []float64, settle time.Duration) (valued, right bool, last regionRead) {
	for _, r := range meanwhile(e.truthOf(one), one.from.Add(-settle), one.until) {
		if r.Value == nil {
			continue
		}
		valued, last = true, r
		for _, n := range shown {
			right = right || math.Abs(n-*r.Value) <= 0.0051+1e-9*math.Abs(n)
		}
	}
	return valued, right, last
}

// figure is a number as pages write it: 1,234.50, 1.234,50, 1 234.
var figure = regexp.MustCompile(`[-−]?\d+(?:[.,'’\x{00a0}\x{202f} ]\d{3})*(?:[.,]\d+)?`)

// numbersIn are the numbers of a text.
func numbersIn(text string) (all []float64) {
	for _, f := range figure.FindAllString(text, 64) {
		f = strings.NewReplacer("−", "-", " ", "", "\u00a0", "", "\u202f", "", "'", "", "’", "").Replace(f)
		if i := strings.LastIndexAny(f, ".,"); i >= 0 {
			whole, part := f[:i], f[i+1:]
			if len(part) == 3 && !strings.ContainsAny(whole, ".,") && f[i] == ',' {
				whole, part = whole+part, "0" // a comma before three digits parts thousands
			}
			f = strings.NewReplacer(".", "", ",", "").Replace(whole) + "." + part
		}
		if n, err := strconv.ParseFloat(f, 64); err == nil {
			all = append(all, n)
		}
	}
	return all
}
