package honesty

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

func retryAfterRule() Rule {
	info := experiments.RuleInfo{ID: "HT-05", Name: "retry-after", Severity: experiments.S3, Level: "H",
		Doc:     "No hint when to come back, or a false one.",
		Check:   "Violated when a 503 or 429 has no Retry-After; or when obeying one that was given after the fault fails: of the first requests to the same step at or after the time that it names, sent when no fault was in force and the steady state was back, three of five in a row, or at least three and 60 % of all, are answered 503 or 429 again. Exercised by each 503 or 429.",
		Guard:   "What is named while the fault is in force is a guess at its length, and is not held against anybody here. Where the length is not known and the user is told so (the claim is unknown), the header may be missing. A request long after the named time shows nothing.",
		Source:  "RFC 9110 10.2.3.",
		Example: "After the fault is lifted checkout refuses for another 60 s, each time with Retry-After: 1.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken groups
		refused := map[stepKey][]retry{}
		var order []stepKey
		e.eachTroubled(func(i int, a answer) {
			if !a.answered() || !busy(a.Status) {
				return
			}
			wait, given := a.retryAfter()
			switch {
			case !given && e.admitted(a):
				s.idle(s.answer(a), "the user was told that it is not known")
			case !given:
				broken.add(s.answer(a), fmt.Sprint(a.Status), fmt.Sprintf("A %d of step %s says nothing of when to come back.", a.Status, quote(a.Step)), a)
			default:
				if refused[a.step()] == nil {
					order = append(order, a.step())
				}
				refused[a.step()] = append(refused[a.step()], retry{from: i, at: a.Ended.Add(wait), wait: wait})
			}
		})
		later := e.bySent(refused)
		for _, step := range order {
			s.obeyed(step, refused[step], later[step])
		}
		broken.report(s, 1)
		return s.occasions
	}}
}

func busy(status int) bool {
	return status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests
}

// retry is an answer that said when to come back.
type retry struct {
	from int
	at   time.Time
	wait time.Duration
}

// retryAfter reads the header as RFC 9110 has it: seconds, or a date by the server's own clock.
func (a answer) retryAfter() (time.Duration, bool) {
	text := a.header("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second, true
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	now := a.Ended
	if theirs, err := http.ParseTime(a.header("Date")); err == nil {
		now = theirs
	}
	return max(0, at.Sub(now)), true
}

// admitted reports whether the user was told that the product does not know.
func (e *evidence) admitted(a answer) bool {
	r := e.marked[a.Marker]
	return r != nil && r.claim() == experiments.ClaimUnknown
}

// bySent lists the answers of each of the steps in the order in which they were asked for.
func (e *evidence) bySent(steps map[stepKey][]retry) map[stepKey][]int {
	later := map[stepKey][]int{}
	for i, a := range e.answers {
		if _, wanted := steps[a.step()]; wanted && a.Hop == 0 {
			later[a.step()] = append(later[a.step()], i)
		}
	}
	for _, places := range later {
		slices.SortStableFunc(places, func(a, b int) int { return e.answers[a].Sent.Compare(e.answers[b].Sent) })
	}
	return later
}

// obeyed looks at who came back when they were told to. Whoever was told a time at which others were refused was misled.
func (s *sheet) obeyed(step stepKey, refused []retry, later []int) {
	e := s.e
	slices.SortStableFunc(refused, func(a, b retry) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.from, b.from)) })
	var tried, failed []retry
	var misses []bool
	var lines []int64
	used, misled := -1, 0
	for _, r := range refused {
		at, _ := slices.BinarySearchFunc(later, r.at, func(i int, at time.Time) int { return e.answers[i].Sent.Compare(at) })
		if at >= len(later) {
			continue
		}
		back, said := e.answers[later[at]], e.answers[r.from]
		if len(e.inForce(said.Sent, said.Ended)) > 0 {
			continue // while it was broken nobody could know how long it would last
		}
		if back.Sent.Before(e.whole()) {
			continue // what was broken is not whole yet: a service that starts again is no lie
		}
		if back.Sent.After(r.at.Add(max(2*time.Second, r.wait))) || len(e.inForce(back.Sent, back.Ended)) > 0 || !back.answered() {
			continue
		}
		if busy(back.Status) {
			misled++
		}
		if at == used {
			continue // many were told to come back at that time; the request that shows it counts once
		}
		used = at
		tried = append(tried, r)
		misses = append(misses, busy(back.Status))
		if busy(back.Status) {
			failed = append(failed, r)
			lines = append(lines, e.answers[r.from].seq, back.seq)
		}
	}
	if len(failed) < 3 || !threeOfFive(misses) && len(failed)*10 < len(tried)*6 {
		for _, r := range refused {
			s.pass(s.answer(e.answers[r.from]))
		}
		return
	}
	first := e.answers[failed[0].from]
	s.failTimes(s.answer(first), found{at: first.Sent, marker: first.Marker, lines: refs(lines[:min(len(lines), 2*maxSamples)]...),
		text: fmt.Sprintf("Step %s named a time to come back; of %d requests at that time, with nothing broken any more, %d were refused again.", quote(step.step), len(tried), len(failed))}, misled)
}

// threeOfFive reports whether three of any five in a row are true.
func threeOfFive(misses []bool) bool {
	n := 0
	for i, miss := range misses {
		if miss {
			n++
		}
		if i >= 5 && misses[i-5] {
			n--
		}
		if n >= 3 {
			return true
		}
	}
	return false
}
