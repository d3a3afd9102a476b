package report

import (
	"strconv"
	"strings"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// tape is a history indexed once, for looking things up.
type tape struct {
	start    time.Time
	bySeq    map[int64]*experiments.Record
	head     experiments.Head
	phases   []experiments.PhaseSpan
	order    []string // markers, as the intents were written down
	intents  map[string]*experiments.Record
	claims   map[string][]*experiments.Record
	attempts map[string][]*experiments.Record
	truths   map[string]*reading // by journey and effect
	rounds   map[string][]time.Time
	faults   []*experiments.Record
	troubles []experiments.Trouble
}

// reading is the last reading of one effect that could see, or why none could.
type reading struct {
	rows  map[string]experiments.TruthRow
	blind string
}

func effectKey(journey, effect string) string { return journey + "\x00" + effect }

func readTape(run Run) *tape {
	t := &tape{
		start: run.Result.Started, bySeq: map[int64]*experiments.Record{}, intents: map[string]*experiments.Record{},
		claims: map[string][]*experiments.Record{}, attempts: map[string][]*experiments.Record{},
		truths: map[string]*reading{}, rounds: map[string][]time.Time{},
	}
	var end time.Time
	for i := range run.History.Records {
		r := &run.History.Records[i]
		t.bySeq[r.Seq] = r
		t.add(r)
		end = r.At
	}
	if t.start.IsZero() && len(run.History.Records) > 0 {
		t.start = run.History.Records[0].At
	}
	if !run.Result.Ended.IsZero() {
		end = run.Result.Ended
	}
	if n := len(t.phases); n > 0 {
		t.phases[n-1].End = end
	} else {
		t.phases = run.Result.Phases
	}
	return t
}

func (t *tape) add(r *experiments.Record) {
	switch {
	case r.Head != nil:
		t.head = *r.Head
	case r.Phase != nil:
		if n := len(t.phases); n > 0 {
			t.phases[n-1].End = r.At
		}
		t.phases = append(t.phases, experiments.PhaseSpan{Name: r.Phase.Name, Start: r.At})
	case r.Intent != nil:
		t.order = append(t.order, r.Intent.Marker)
		t.intents[r.Intent.Marker] = r
	case r.Claim != nil:
		t.claims[r.Claim.Marker] = append(t.claims[r.Claim.Marker], r)
	case r.Exchange != nil && r.Exchange.Marker != "":
		t.attempts[r.Exchange.Marker] = append(t.attempts[r.Exchange.Marker], r)
	case r.Truth != nil:
		t.addTruth(r.Truth)
	case r.Fault != nil:
		t.faults = append(t.faults, r)
	case r.Trouble != nil:
		t.troubles = append(t.troubles, *r.Trouble)
	}
}

// addTruth keeps the last of the readings that were made for the verdict.
func (t *tape) addTruth(read *experiments.TruthRead) {
	if read.Round != "first" && read.Round != "second" {
		return
	}
	key := effectKey(read.Journey, read.Effect)
	if read.Blind != "" {
		if t.truths[key] == nil {
			t.truths[key] = &reading{blind: read.Blind}
		}
		return
	}
	rows := make(map[string]experiments.TruthRow, len(read.Rows))
	for _, row := range read.Rows {
		rows[row.Marker] = row
	}
	t.truths[key] = &reading{rows: rows}
	t.rounds[key] = append(t.rounds[key], read.Started)
}

// offset is when something was, counted from the start of the run.
func (t *tape) offset(at time.Time) string {
	if at.IsZero() || t.start.IsZero() {
		return "–"
	}
	return strconv.FormatFloat(at.Sub(t.start).Seconds(), 'f', 1, 64) + " s"
}

// claim is the last claim about a marker.
func (t *tape) claim(marker string) *experiments.Record {
	if all := t.claims[marker]; len(all) > 0 {
		return all[len(all)-1]
	}
	return nil
}

// resolve finds the record that a piece of evidence names as history.jsonl:N.
func (t *tape) resolve(evidence string) *experiments.Record {
	digits, found := strings.CutPrefix(evidence, "history.jsonl:")
	if !found {
		return nil
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return nil
	}
	return t.bySeq[n]
}

// effectsOf lists the effects that a journey's intents have, as planned.
func effectsOf(p experiments.Plan, journey string) []experiments.PlannedEffect {
	for _, j := range p.Journeys {
		if j.Name == journey {
			return j.Effects
		}
	}
	return nil
}

// truthLine says what one effect of one marker is.
type truthLine struct {
	Effect string
	Text   string
	Wanted string // empty when no value was declared, or it is the found one
	Found  string
}

// truth says what every effect of one intent is, as it was read last.
func (t *tape) truth(p experiments.Plan, journey, marker string) []truthLine {
	var lines []truthLine
	for _, e := range effectsOf(p, journey) {
		l := truthLine{Effect: word(e.Name)}
		read := t.truths[effectKey(journey, e.Name)]
		switch {
		case read == nil:
			l.Text = "was not read"
		case read.rows == nil:
			l.Text = "could not be read: " + line(read.blind)
		default:
			t.fill(&l, read.rows[marker], e.Name, marker)
		}
		lines = append(lines, l)
	}
	return lines
}

func (t *tape) fill(l *truthLine, row experiments.TruthRow, effect, marker string) {
	switch row.Count {
	case 0:
		l.Text = "not there"
		return
	case 1:
		l.Text = "there once"
	default:
		l.Text = "there " + grouped(int(row.Count)) + " times"
	}
	intent := t.intents[marker]
	if row.Value == nil || intent == nil {
		return
	}
	want, declared := intent.Intent.Wants[effect]
	l.Found = word(*row.Value)
	if declared && want != *row.Value {
		l.Wanted = word(want)
	}
}

// phaseAt is the phase that a moment lies in.
func (t *tape) phaseAt(at time.Time) experiments.Phase {
	for i := len(t.phases) - 1; i >= 0; i-- {
		if !at.Before(t.phases[i].Start) {
			return t.phases[i].Name
		}
	}
	return ""
}
