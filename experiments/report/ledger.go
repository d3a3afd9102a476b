package report

import (
	"slices"

	"github.com/candor-chaos/candor/experiments"
)

// ledger is what one journey's users were told against what is true: claims down, truth across. Each outcome of the
// result has one place in the matrix, so nothing is judged here again.
type ledger struct {
	Journey string
	Intents int
	Claims  map[string]cell
	Cells   map[string]cell
}

// cell is a number with its denominator.
type cell struct {
	N, Of int
	Words string
	Tone  string
}

func (c cell) Share() string { return percent(c.N, c.Of) }
func (c cell) Count() string { return grouped(c.N) }

// outcomeWords are the twelve outcomes for people.
var outcomeWords = map[string]struct{ words, tone string }{
	"ack-true":          {"confirmed, and true", toneGood},
	"ack-lost":          {"confirmed, but lost", toneBad},
	"ack-wrong":         {"confirmed, but wrong", toneBad},
	"rejected-honest":   {"refused, and true", toneGood},
	"rejected-happened": {"refused, but it happened", toneBad},
	"settled":           {"promised, and kept", toneGood},
	"open":              {"promised, still in time", toneQuiet},
	"pending-dropped":   {"promised, but dropped", toneBad},
	"said-so":           {"“we do not know”, openly", toneGood},
	"silent":            {"nothing was said", toneHole},
	"duplicated":        {"done more than once", toneBad},
	"unverifiable":      {"truth not readable", toneHole},
}

func ledgersOf(r experiments.Result) []ledger {
	var all []ledger
	for _, j := range r.Journeys {
		l := ledger{Journey: word(j.Name), Intents: j.Intents, Claims: map[string]cell{}, Cells: map[string]cell{}}
		for _, c := range []string{"success", "refused", "pending", "unknown", "none"} {
			l.Claims[c] = cell{N: j.Claims[c], Of: j.Intents}
		}
		for outcome, w := range outcomeWords {
			c := cell{N: j.Outcomes[outcome], Of: j.Intents, Words: w.words, Tone: w.tone}
			if c.N == 0 {
				c.Tone = toneQuiet
			}
			l.Cells[outcome] = c
		}
		all = append(all, l)
	}
	return all
}

// sample is one intent of the ledger.
type sample struct {
	Marker, Journey string
	When            string
	Phase           string
	Told, Text      string
	Truth           []truthLine
	Rules           []string
}

// How many rows of the ledger are shown: of each rule that intents broke, and of each claim without a finding.
const (
	samplesPerRule  = 2
	samplesPerClaim = 2
	maxSamples      = 24
)

// samples picks rows: first intents with findings, of every rule some, then others, of every claim some.
func samples(run Run, t *tape) []sample {
	rules := map[string][]string{} // by marker
	var picked []string
	perRule := map[string]int{}
	for _, f := range run.Result.Findings {
		if t.intents[f.Marker] == nil {
			continue
		}
		if !slices.Contains(rules[f.Marker], word(f.Rule)) {
			rules[f.Marker] = append(rules[f.Marker], word(f.Rule))
		}
		if perRule[f.Rule] < samplesPerRule && !slices.Contains(picked, f.Marker) {
			perRule[f.Rule]++
			picked = append(picked, f.Marker)
		}
	}
	perClaim := map[string]int{}
	for _, marker := range t.order {
		key := claimKey(t, marker)
		if rules[marker] == nil && perClaim[key] < samplesPerClaim {
			perClaim[key]++
			picked = append(picked, marker)
		}
	}
	var rows []sample
	for _, marker := range picked[:min(len(picked), maxSamples)] {
		rows = append(rows, sampleOf(run.Plan, t, marker, rules[marker]))
	}
	return rows
}

// claimKey sorts intents by journey, phase and what was said.
func claimKey(t *tape, marker string) string {
	i := t.intents[marker]
	key := i.Intent.Journey + "\x00" + string(t.phaseAt(i.At))
	if c := t.claim(marker); c != nil {
		key += "\x00" + c.Claim.Claim.String()
	}
	return key
}

func sampleOf(p experiments.Plan, t *tape, marker string, rules []string) sample {
	i := t.intents[marker]
	s := sample{Marker: word(marker), Journey: word(i.Intent.Journey), When: t.offset(i.At), Rules: rules,
		Phase: phaseWords(t.phaseAt(i.At)), Truth: t.truth(p, i.Intent.Journey, marker), Told: told(experiments.ClaimNone)}
	if c := t.claim(marker); c != nil {
		s.Told, s.Text = told(c.Claim.Claim), line(c.Claim.Text)
	}
	return s
}
