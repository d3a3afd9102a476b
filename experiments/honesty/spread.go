package honesty

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// try is one thing that a user wanted, or one walk through a journey that changes nothing, and how it went.
type try struct {
	at     time.Time
	failed bool
	seq    int64
}

// tries are those of a journey in the order of time. An intent failed when the user was neither told success nor that it
// is still under way; a walk failed when it ended early.
func (e *evidence) tries(j *experiments.PlannedJourney) (all []try) {
	if j.IntentStep != "" {
		for _, r := range e.rows {
			if r.Journey == j.Name && !r.unsent() {
				claim := r.claim()
				all = append(all, try{at: r.acted(), failed: claim != experiments.ClaimSuccess && claim != experiments.ClaimPending, seq: r.seq})
			}
		}
	} else {
		for _, v := range e.visits {
			if v.Journey == j.Name {
				all = append(all, try{at: v.Started, failed: !v.OK, seq: v.seq})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b try) int { return a.at.Compare(b.at) })
	return all
}

// distress is a time over which users of a journey failed.
type distress struct {
	journey  *experiments.PlannedJourney
	from, to time.Time // of the first and the last failure
	failed   int
	all      int
	seqs     []int64
	behind   []string // services behind it: what was broken, and what needs that
	roots    []string // those of them that were broken
}

func (d distress) lasted() time.Duration { return d.to.Sub(d.from) }

func (d distress) words() string {
	return fmt.Sprintf("%d of %d intents of %s failed for %s", d.failed, d.all, d.journey.Name, d.lasted().Round(100*time.Millisecond))
}

// leastTries is how many must have tried before a share of them says anything.
const leastTries = 10

// slices that a time is cut into: in each the share must be reached, so that one burst does not stand for all of it.
const distressSlices = 5

// distresses finds when at least the tier's share of a journey's users failed, since the first fault was in force. A
// journey that fails as much when all is well shows nothing.
func (e *evidence) distresses(j *experiments.PlannedJourney) (found []distress, usual bool) {
	share, over := j.Status.FailShare, j.Status.For
	if share <= 0 || over <= 0 || e.begun().IsZero() {
		return nil, false
	}
	tries := e.tries(j)
	normal, bad := 0, 0
	for _, t := range tries {
		if e.normalTime(t.at) {
			normal++
			if t.failed {
				bad++
			}
		}
	}
	if normal > 0 && float64(bad) >= share*float64(normal) {
		return nil, true
	}
	slice := max(over/distressSlices, 200*time.Millisecond)
	var now *distress
	end := func() {
		if now != nil && now.failed > 1 {
			now.behind, now.roots = e.behind(j, now.from, now.to)
			found = append(found, *now)
		}
		now = nil
	}
	for at := e.begun(); !at.After(e.ended); at = at.Add(slice) {
		here := within(tries, at, at.Add(slice))
		failed := 0
		for _, t := range here {
			if t.failed {
				failed++
			}
		}
		if len(here) == 0 {
			continue // nobody tried: that neither ends it nor goes on
		}
		if failed == 0 || float64(failed) < share*float64(len(here)) {
			end()
			continue
		}
		if now == nil {
			now = &distress{journey: j}
		}
		now.add(here)
	}
	end()
	return found, false
}

func (d *distress) add(tries []try) {
	d.all += len(tries)
	for _, t := range tries {
		if !t.failed {
			continue
		}
		if d.from.IsZero() {
			d.from = t.at
		}
		d.to = t.at
		d.failed++
		if len(d.seqs) < maxSamples {
			d.seqs = append(d.seqs, t.seq)
		}
	}
}

func within(tries []try, from, to time.Time) []try {
	search := func(at time.Time) int {
		i, _ := slices.BinarySearchFunc(tries, at, func(t try, at time.Time) int { return t.at.Compare(at) })
		return i
	}
	return tries[search(from):search(to)]
}

// behind are the services behind failures of a journey in a time: what was broken of what the journey needs, where the way
// to it was broken the one that could not reach it too, and all that the journey goes through and that needs it.
func (e *evidence) behind(j *experiments.PlannedJourney, from, to time.Time) (behind, roots []string) {
	uses := e.uses(j)
	for _, s := range e.strikes {
		// what was broken is felt for a while after it is mended
		if s.missed() != "" || to.Before(s.injecting) || from.After(s.until.Add(e.deadlines(j.Name).Recovery)) {
			continue
		}
		for _, broken := range s.planned.Reach.Services {
			if slices.Contains(uses, broken) {
				roots = append(roots, broken)
			}
		}
		if s.planned.Reach.Journey == j.Name {
			roots = append(roots, j.Service) // too many came there
		}
	}
	behind = slices.Clone(roots)
	for _, service := range uses {
		needs := e.serviceNeeds(service)
		if slices.ContainsFunc(roots, func(root string) bool { return slices.Contains(needs, root) }) {
			behind = append(behind, service)
		}
	}
	slices.Sort(roots)
	slices.Sort(behind)
	return slices.Compact(behind), slices.Compact(roots)
}

// uses are the services that a journey goes through, directly or not.
func (e *evidence) uses(j *experiments.PlannedJourney) []string {
	all := []string{j.Service}
	for _, step := range j.Steps {
		all = append(all, step.Needs...)
	}
	for _, service := range slices.Clone(all) {
		all = append(all, e.serviceNeeds(service)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// eachSpell visits the times over which a journey's users failed for at least as long as a limit, and says of a journey
// without one what it would need.
func (s *sheet) eachSpell(least func(experiments.StatusLimits) time.Duration, visit func(distress)) {
	for i := range s.e.plan.Journeys {
		j := &s.e.plan.Journeys[i]
		p := place{journey: j.Name}
		limit := least(j.Status)
		if limit <= 0 {
			continue
		}
		found, usual := s.e.distresses(j)
		causeless := false
		visited := false
		for _, d := range found {
			switch {
			case len(d.behind) == 0:
				causeless = true
			case d.lasted() >= limit && d.all >= leastTries:
				visited = true
				visit(d)
			}
		}
		switch {
		case visited:
		case usual:
			s.idle(p, "its users fail as often in the baseline")
		case causeless:
			s.idle(p, "its users failed, and nothing that was broken is behind it")
		case len(found) > 0:
			s.idle(p, fmt.Sprintf("needs %d users who try and fail for %s; %s", leastTries, limit, longest(found)))
		default:
			s.idle(p, fmt.Sprintf("needs a fault that makes %.0f %% of its users fail", j.Status.FailShare*100))
		}
	}
}

func longest(all []distress) string {
	return slices.MaxFunc(all, func(a, b distress) int { return cmp.Compare(a.lasted(), b.lasted()) }).words()
}

func (d distress) place(s *sheet) place { return s.at(stepKey{d.journey.Name, ""}, d.from, d.to) }

func list(names []string) string { return strings.Join(names, ", ") }
