package honesty

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/candor-chaos/candor/experiments"
)

// slowest is the longest latency that is told from longer ones.
const slowest = time.Hour

// samples are the requests of a journey in one phase.
type samples struct {
	requests int
	good     int
	latency  *hdrhistogram.Histogram // microseconds
}

func (s *samples) add(a answer) {
	if s.latency == nil {
		s.latency = hdrhistogram.New(1, slowest.Microseconds(), 3)
	}
	s.requests++
	if a.good() {
		s.good++
	}
	// Beyond the range is the only thing that can go wrong, and the value was held within it.
	_ = s.latency.RecordValue(min(max(a.latency(), time.Microsecond), slowest).Microseconds())
}

func (s *samples) successRate() float64 { return rate(s.good, s.requests) }

// quantile is a latency in milliseconds, 0 where nothing was measured.
func (s *samples) quantile(percent float64) float64 {
	if s.latency == nil {
		return 0
	}
	return float64(s.latency.ValueAtQuantile(percent)) / 1000
}

func (s *samples) numbers() experiments.PhaseNumbers {
	return experiments.PhaseNumbers{Requests: s.requests, SuccessRate: s.successRate(), P50: s.quantile(50), P95: s.quantile(95), P99: s.quantile(99)}
}

func rate(k, n int) float64 {
	if n == 0 {
		return 0
	}
	return float64(k) / float64(n)
}

type phaseKey struct {
	journey string
	phase   experiments.Phase
}

// measure counts what users got, step by step, in the phases that they live through. Of two baselines the last counts.
func (e *evidence) measure() map[phaseKey]*samples {
	all := map[phaseKey]*samples{}
	for _, a := range e.answers {
		i := e.span(a.Sent)
		if !a.final || a.Setup || i < 0 {
			continue
		}
		phase := e.spans[i].Name
		if phase == experiments.PhaseBaseline && i != e.baseline || phase == experiments.PhaseWarmup || phase == experiments.PhaseSettle {
			continue
		}
		for _, key := range []phaseKey{{a.Journey, phase}, {"", phase}} {
			if all[key] == nil {
				all[key] = &samples{}
			}
			all[key].add(a)
		}
	}
	return all
}

// journeys counts each journey's rows and requests.
func (l ledger) journeys() []experiments.JourneyResult {
	measured := l.measure()
	results := make([]experiments.JourneyResult, 0, len(l.plan.Journeys))
	place := map[string]int{}
	for i, j := range l.plan.Journeys {
		r := experiments.JourneyResult{Name: j.Name, Persona: j.Persona, Claims: map[string]int{}, Outcomes: map[string]int{}, Phases: map[experiments.Phase]experiments.PhaseNumbers{}}
		for claim := experiments.ClaimNone; claim <= experiments.ClaimUnknown; claim++ {
			r.Claims[claim.String()] = 0
		}
		for _, name := range outcomeNames {
			r.Outcomes[name] = 0
		}
		for _, phase := range []experiments.Phase{experiments.PhaseBaseline, experiments.PhaseFault, experiments.PhaseRecovery} {
			if s := measured[phaseKey{j.Name, phase}]; s != nil {
				r.Phases[phase] = s.numbers()
			}
		}
		for _, effect := range j.Effects {
			r.Phantoms += len(l.phantoms(l.truths[effectKey{j.Name, effect.Name}]))
		}
		results, place[j.Name] = append(results, r), i
	}
	l.count(results, place)
	return results
}

// count adds the rows up and gives the three numbers that are only shown together.
func (l ledger) count(results []experiments.JourneyResult, place map[string]int) {
	tallies := make([]struct{ lies, straight, decided, saidSo int }, len(results))
	for _, r := range l.rows {
		i, known := place[r.Journey]
		if !known {
			continue
		}
		results[i].Intents++
		results[i].Claims[r.claim().String()]++
		results[i].Outcomes[r.outcome.String()]++
		t := &tallies[i]
		if r.outcome.lie() {
			t.lies++
		}
		if r.outcome.straight() {
			t.straight++
		}
		if r.outcome != open && r.outcome != unverifiable {
			t.decided++
		}
		if r.outcome == saidSo {
			t.saidSo++
		}
	}
	for i, t := range tallies {
		r := &results[i]
		r.LieRate, r.StraightAnswerRate, r.SaidSoShare = rate(t.lies, t.decided), rate(t.straight, r.Intents), rate(t.saidSo, r.Intents)
		r.LieRateBound95 = upperBound(t.lies, t.decided)
	}
}
