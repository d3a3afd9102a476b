package honesty

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// evidence is one run, indexed once: what rules are small functions over.
type evidence struct {
	plan     *experiments.Plan
	rules    map[string]int // place in plan.Rules
	journeys map[string]*experiments.PlannedJourney
	needs    map[stepKey][]string // services that a step touches: its journey's own, and what it needs

	head     experiments.Head
	torn     bool
	started  time.Time
	ended    time.Time
	spans    []experiments.PhaseSpan
	baseline int // place in spans of the last baseline, -1 without one

	strikes  []*strike
	answers  []answer
	visits   []seenVisit
	looks    []experiments.Record
	sights   []experiments.Record
	statuses []experiments.Record
	troubles []experiments.Trouble
	seen     []experiments.Record
	blocks   []experiments.MarkerBlock
	environs *experiments.Environs
	end      *experiments.End

	rows    []*row // the ledger, in the order in which the intents were written down
	marked  map[string]*row
	visited map[visitKey]*row // the row of each visit
	truths  map[effectKey]*truth
	normals map[stepKey]*normal // the baseline of each step

	sickness string           // why the baseline shows no product that works; empty when it does
	soft     map[int]softness // see softErrors

	onScreen
}

type stepKey struct{ journey, step string }

type effectKey struct{ journey, effect string }

type seenVisit struct {
	*experiments.Visit
	at  time.Time
	seq int64
}

// ref points at a line of the history, as findings do.
func ref(seq int64) string { return fmt.Sprintf("history.jsonl:%d", seq) }

// refs points at lines, each once and in order; 0 is no line.
func refs(seqs ...int64) []string {
	seqs = slices.DeleteFunc(slices.Clone(seqs), func(s int64) bool { return s == 0 })
	slices.Sort(seqs)
	out := []string{}
	for _, s := range slices.Compact(seqs) {
		out = append(out, ref(s))
	}
	return out
}

// gather indexes a history. Whatever is missing from it is missing from the evidence too; nothing is made up.
func gather(plan *experiments.Plan, h experiments.History) *evidence {
	e := &evidence{plan: plan, rules: map[string]int{}, journeys: map[string]*experiments.PlannedJourney{}, needs: map[stepKey][]string{},
		torn: h.Torn, baseline: -1, marked: map[string]*row{}, visited: map[visitKey]*row{}, truths: map[effectKey]*truth{}, normals: map[stepKey]*normal{}, onScreen: newOnScreen()}
	e.readPlan()
	for i := range h.Records {
		e.read(&h.Records[i])
	}
	if n := len(h.Records); n > 0 {
		e.started, e.ended = h.Records[0].At, h.Records[n-1].At
	}
	e.closeSpans()
	e.closeStrikes()
	e.finishAnswers()
	e.learn()
	e.weighTruths()
	e.foldPages()
	return e
}

func (e *evidence) readPlan() {
	for i, rule := range e.plan.Rules {
		e.rules[rule.ID] = i
	}
	for i := range e.plan.Journeys {
		j := &e.plan.Journeys[i]
		e.journeys[j.Name] = j
		for _, s := range slices.Concat(j.Steps, j.Lookup) {
			e.needs[stepKey{j.Name, s.Name}] = append([]string{j.Service}, s.Needs...)
		}
		for _, effect := range j.Effects {
			e.truths[effectKey{j.Name, effect.Name}] = &truth{journey: j.Name, effect: effect}
		}
	}
	for _, f := range e.plan.Faults {
		e.strikes = append(e.strikes, &strike{planned: f})
	}
}

// read puts one record where it belongs.
func (e *evidence) read(r *experiments.Record) {
	switch {
	case r.Head != nil:
		e.head = *r.Head
	case r.Phase != nil:
		e.spans = append(e.spans, experiments.PhaseSpan{Name: r.Phase.Name, Start: r.At})
	case r.Block != nil:
		e.blocks = append(e.blocks, *r.Block)
	case r.Intent != nil:
		e.addIntent(r)
	case r.Exchange != nil:
		e.answers = append(e.answers, answer{Exchange: r.Exchange, seq: r.Seq})
	case r.Claim != nil:
		e.addClaim(r)
	case r.Sight != nil:
		e.sights = append(e.sights, *r)
	case r.Visit != nil:
		e.visits = append(e.visits, seenVisit{r.Visit, r.At, r.Seq})
	case r.Page != nil, r.Press != nil, r.Notice != nil, r.Shot != nil, r.Region != nil:
		e.addPage(r)
	case r.Fault != nil:
		e.addFault(r)
	case r.Truth != nil:
		e.addTruth(r)
	case r.Look != nil:
		e.looks = append(e.looks, *r)
	case r.Status != nil:
		e.statuses = append(e.statuses, *r)
	case r.Seen != nil:
		e.seen = append(e.seen, *r)
	case r.Trouble != nil:
		e.troubles = append(e.troubles, *r.Trouble)
	case r.Environment != nil:
		e.environs = r.Environment
	case r.End != nil:
		e.end = r.End
	}
}

// closeSpans ends each phase where the next begins. A sick baseline is measured again; the last one counts.
func (e *evidence) closeSpans() {
	for i := range e.spans {
		e.spans[i].End = e.ended
		if i+1 < len(e.spans) {
			e.spans[i].End = e.spans[i+1].Start
		}
		if e.spans[i].Name == experiments.PhaseBaseline {
			e.baseline = i
		}
	}
}

// span is where in the phases a time lies, -1 before the first.
func (e *evidence) span(at time.Time) int {
	i, found := slices.BinarySearchFunc(e.spans, at, func(s experiments.PhaseSpan, at time.Time) int { return s.Start.Compare(at) })
	if !found {
		i--
	}
	return i
}

// phase is the phase that a time lies in.
func (e *evidence) phase(at time.Time) experiments.Phase {
	if i := e.span(at); i >= 0 {
		return e.spans[i].Name
	}
	return ""
}

// normalTime reports whether a time lies in the baseline that counts.
func (e *evidence) normalTime(at time.Time) bool {
	return e.baseline >= 0 && e.span(at) == e.baseline
}

// reached reports whether the run came to a phase.
func (e *evidence) reached(p experiments.Phase) bool {
	return slices.ContainsFunc(e.spans, func(s experiments.PhaseSpan) bool { return s.Name == p })
}

func (e *evidence) phaseSpans() []experiments.PhaseSpan {
	return append([]experiments.PhaseSpan{}, e.spans...)
}

// deadlines are those of a journey, with the usual ones where it sets none.
func (e *evidence) deadlines(journey string) experiments.Deadlines {
	usual := experiments.DefaultDeadlines()
	j := e.journeys[journey]
	if j == nil {
		return usual
	}
	d := j.Deadlines
	d.Feedback = cmp.Or(d.Feedback, e.plan.Deadlines.Feedback, usual.Feedback)
	d.Explanation = cmp.Or(d.Explanation, e.plan.Deadlines.Explanation, usual.Explanation)
	d.Final = cmp.Or(d.Final, e.plan.Deadlines.Final, usual.Final)
	d.Recovery = cmp.Or(d.Recovery, e.plan.Deadlines.Recovery, usual.Recovery)
	return d
}
