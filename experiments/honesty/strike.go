package honesty

import (
	"slices"
	"strings"
	"time"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/faults"
)

// strike is one fault of the plan as it went: when it was in force, what it hit.
type strike struct {
	planned   experiments.PlannedFault
	injecting time.Time // from here on it may be in force
	effective time.Time // seen in force
	reverting time.Time // from here on it may be gone
	reverted  time.Time // seen gone
	until     time.Time // reverted, or the end of the history
	hits      int64
	counted   bool // a count was had at all
	uncounted string
	felt      int   // users' requests that needed the target while it was in force
	seq       int64 // of the moment when it was in force, else of the first one
	after     string
	marker    string // of the visit that was held for it
}

func (e *evidence) addFault(r *experiments.Record) {
	i := slices.IndexFunc(e.strikes, func(s *strike) bool { return s.planned.Name == r.Fault.Name })
	if i < 0 {
		return // not a fault of the plan
	}
	s := e.strikes[i]
	switch r.Fault.Event {
	case "injecting":
		s.injecting, s.after, s.seq = r.At, faults.Unknown.String(), r.Seq
	case "injected":
		if r.Fault.State == faults.Present {
			s.effective, s.seq, s.marker = r.At, r.Seq, r.Fault.Marker
		}
	case "hits":
		if r.Fault.Error != "" {
			s.uncounted = r.Fault.Error
			return
		}
		s.counted, s.hits = true, max(s.hits, r.Fault.Hits)
	case "reverting":
		s.reverting = r.At
	case "reverted":
		s.reverted, s.after = r.At, faults.Absent.String()
	}
}

// closeStrikes ends the windows and counts what users felt of each fault.
func (e *evidence) closeStrikes() {
	for _, s := range e.strikes {
		s.until = s.reverted
		if s.until.IsZero() {
			s.until = e.ended
		}
		if s.after == "" {
			s.after = faults.Absent.String() // it was never begun
		}
	}
	for _, a := range e.answers {
		for _, s := range e.strikes {
			if s.covers(a.Sent, a.Ended) && (a.Journey == s.planned.Reach.Journey || e.touches(s, stepKey{a.Journey, a.Step})) {
				s.felt++
			}
		}
	}
}

// covers reports whether the fault was in force, or may have been, at some time between two.
func (s *strike) covers(from, to time.Time) bool {
	return !s.injecting.IsZero() && !to.Before(s.injecting) && from.Before(s.until)
}

// turns reports whether some fault came or went between two times: nobody can tell then on which side of it users were.
func (e *evidence) turns(from, to time.Time) bool {
	meets := func(began, ended time.Time) bool {
		return !began.IsZero() && !to.Before(began) && (ended.IsZero() || !from.After(ended))
	}
	for _, s := range e.strikes {
		if !s.effective.IsZero() && meets(s.injecting, s.effective) || meets(s.reverting, s.reverted) {
			return true
		}
	}
	return false
}

// missed says why nothing can be learnt from the fault, empty when it bit.
func (s *strike) missed() string {
	switch {
	case s.injecting.IsZero():
		return "it was never injected"
	case s.effective.IsZero():
		return "it was never seen in force"
	case s.planned.Brief:
		return "" // that it came back is what counts, and it may be gone before anybody comes
	case s.planned.Swept:
		return "" // at some boundaries there is nothing to hit: that is what a sweep looks for
	case !s.counted:
		return "what it hit could not be counted: " + s.uncounted
	case s.hits == 0:
		return "it hit nothing"
	case s.felt == 0:
		if s.planned.Reach.Journey != "" {
			return "no step of " + s.planned.Reach.Journey + " ran while it was in force"
		}
		return "no step that needs " + strings.Join(s.planned.Reach.Services, ", ") + " ran while it was in force"
	}
	return ""
}

// target is what the fault is about, in words.
func (s *strike) target() string {
	switch r := s.planned.Reach; {
	case r.Journey != "":
		return r.Journey
	case r.Path != nil:
		return r.Path.String()
	default:
		return strings.Join(r.Services, ", ")
	}
}

// meanwhile says what there was while the fault was in force: "payments was broken".
func (s *strike) meanwhile() string {
	if s.planned.Reach.Journey != "" {
		return s.planned.Reach.Journey + " had more users than usual"
	}
	return list(s.planned.Reach.Services) + " was broken"
}

// afterwards says what there was when it had ended: "payments was back".
func (s *strike) afterwards() string {
	if s.planned.Reach.Journey != "" {
		return s.planned.Reach.Journey + " had its usual users again"
	}
	return list(s.planned.Reach.Services) + " was back"
}

// touches reports whether a step needs what a fault broke: of a path both ends, since what somebody else asks of the same
// service is not on its way. A step that the plan does not know is taken not to.
func (e *evidence) touches(s *strike, step stepKey) bool {
	needs := e.needs[step]
	if p := s.planned.Reach.Path; p != nil && !slices.Contains(needs, p.From) {
		return false
	}
	return slices.ContainsFunc(s.planned.Reach.Services, func(service string) bool { return slices.Contains(needs, service) })
}

// inForce is the faults that were in force at some time between two.
func (e *evidence) inForce(from, to time.Time) (all []*strike) {
	for _, s := range e.strikes {
		if s.covers(from, to) {
			all = append(all, s)
		}
	}
	return all
}

// needed is the first fault in force between two times that broke what a step needs; nil without one.
func (e *evidence) needed(step stepKey, from, to time.Time) *strike {
	for _, s := range e.inForce(from, to) {
		if e.touches(s, step) {
			return s
		}
	}
	return nil
}

// begun is when the first fault may have been in force, mended when the last was seen gone; zero when that never was.
func (e *evidence) begun() (first time.Time) {
	for _, s := range e.strikes {
		if !s.injecting.IsZero() && (first.IsZero() || s.injecting.Before(first)) {
			first = s.injecting
		}
	}
	return first
}

func (e *evidence) mended() (last time.Time) {
	for _, s := range e.strikes {
		if s.injecting.IsZero() {
			continue
		}
		if s.reverted.IsZero() {
			return time.Time{}
		}
		if s.reverted.After(last) {
			last = s.reverted
		}
	}
	return last
}

// whole is when the product was steady again after the last fault; zero where nobody saw that.
func (e *evidence) whole() time.Time {
	i := slices.IndexFunc(e.spans, func(s experiments.PhaseSpan) bool { return s.Name == experiments.PhaseRecovery })
	if i < 0 || e.end == nil || e.end.SteadyAfter <= 0 {
		return time.Time{}
	}
	return e.spans[i].Start.Add(e.end.SteadyAfter)
}

// bit reports whether any fault of the run bit.
func (e *evidence) bit() bool {
	return slices.ContainsFunc(e.strikes, func(s *strike) bool { return s.missed() == "" })
}

func (e *evidence) faultResults() []experiments.FaultResult {
	results := []experiments.FaultResult{}
	for _, s := range e.strikes {
		results = append(results, experiments.FaultResult{Name: s.planned.Name, Kind: s.planned.Kind, Target: s.target(),
			Injected: s.injecting, Effective: s.effective, Reverted: s.reverted, Hits: s.hits, StateAfter: s.after})
	}
	return results
}
