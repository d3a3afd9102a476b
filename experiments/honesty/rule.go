package honesty

import (
	"cmp"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// Rule is one machine check of honesty.
type Rule struct {
	Info experiments.RuleInfo
	// check returns the rule's occasions; none when it found nothing to look at.
	check func(*evidence) []Occasion
}

// Occasion is what a rule found at one place. Times counts how often; of fails each is an occasion of its own, or one for
// all alike at a place.
type Occasion struct {
	Fault, Journey, Step string
	Verdict              experiments.RuleVerdict
	Times                int
	Why                  string // of what is neither pass nor fail
	Finding              *experiments.Finding
}

// place is where an occasion arose: one fault, one journey, one step. Without a fault it was before or after all of them.
type place struct{ fault, journey, step string }

// sheet collects what one rule finds, place by place, in the order in which it came.
type sheet struct {
	e         *evidence
	info      experiments.RuleInfo
	occasions []Occasion
	known     map[sheetKey]int
}

type sheetKey struct {
	place
	verdict experiments.RuleVerdict
	why     string
}

func (e *evidence) sheet(info experiments.RuleInfo) *sheet {
	return &sheet{e: e, info: info, known: map[sheetKey]int{}}
}

// at is the place of something that lasted from one time to another: of the faults in force one that bit, if any did.
func (s *sheet) at(step stepKey, from, to time.Time) place {
	p := place{journey: step.journey, step: step.step}
	for _, strike := range s.e.inForce(from, to) {
		if p.fault == "" || strike.missed() == "" {
			p.fault = strike.planned.Name
		}
		if strike.missed() == "" {
			break
		}
	}
	return p
}

func (s *sheet) pass(p place)              { s.note(p, experiments.RulePass, "") }
func (s *sheet) idle(p place, why string)  { s.note(p, experiments.NotExercised, why) }
func (s *sheet) blind(p place, why string) { s.note(p, experiments.Unverifiable, why) }
func (s *sheet) cannotApply(why string)    { s.note(place{}, experiments.NotApplicable, why) }
func (s *sheet) fail(p place, f found)     { s.failTimes(p, f, 1) }
func (s *sheet) failTimes(p place, f found, n int) {
	if why := s.e.idleAt(p); why != "" {
		s.note(p, experiments.NotExercised, why)
		return
	}
	s.occasions = append(s.occasions, Occasion{Fault: p.fault, Journey: p.journey, Step: p.step, Verdict: experiments.RuleFail, Times: n,
		Finding: &experiments.Finding{Rule: s.info.ID, Severity: cmp.Or(f.severity, s.info.Severity), Journey: p.journey, Step: p.step,
			Marker: f.marker, Phase: s.e.phase(f.at), Text: f.text, Evidence: f.lines}})
}

// found is a violation: a text that a reader can confirm from the lines.
type found struct {
	at     time.Time
	marker string
	text   string
	lines  []string
	// severity is that of the finding, where it depends on more than the rule.
	severity experiments.Severity
}

func (s *sheet) note(p place, v experiments.RuleVerdict, why string) {
	if v == experiments.RulePass || v == experiments.Unverifiable {
		if idle := s.e.idleAt(p); idle != "" {
			v, why = experiments.NotExercised, idle
		}
	}
	key := sheetKey{p, v, why}
	i, known := s.known[key]
	if !known {
		i = len(s.occasions)
		s.known[key] = i
		s.occasions = append(s.occasions, Occasion{Fault: p.fault, Journey: p.journey, Step: p.step, Verdict: v, Why: why})
	}
	s.occasions[i].Times++
}

// idleAt says why nothing can be learnt at a place (MT-01): its fault did not bite, or none did.
func (e *evidence) idleAt(p place) string {
	if p.fault == "" {
		if e.bit() {
			return ""
		}
		return "no fault of this run bit"
	}
	for _, s := range e.strikes {
		if s.planned.Name == p.fault && s.missed() != "" {
			return "the fault “" + p.fault + "” did not bite: " + s.missed()
		}
	}
	return ""
}
