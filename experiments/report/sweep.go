package report

import (
	"strings"

	"github.com/candor-chaos/candor/experiments"
)

// sweepView is one boundary of a sweep, in words.
type sweepView struct {
	Boundary, Told, Became, Rules, Tone string
}

func sweepOf(r experiments.Result) []sweepView {
	var all []sweepView
	for _, s := range r.Sweep {
		v := sweepView{Boundary: word(s.Boundary), Told: s.Claim.String(), Became: word(s.Outcome), Rules: names(s.Findings, 6), Tone: toneGood}
		switch s.Outcome {
		case "not-reached", "no-intent", "unverifiable", "open":
			v.Tone = toneHole
		}
		if len(s.Findings) > 0 || lied(s.Outcome) {
			v.Tone = toneBad
		}
		all = append(all, v)
	}
	return all
}

// lied reports whether an outcome is one of the lies.
func lied(outcome string) bool {
	switch outcome {
	case "duplicated", "rejected-happened", "ack-lost", "ack-wrong", "pending-dropped":
		return true
	}
	return false
}

// sweepLine says one boundary in a line of text.
func (s sweepView) line() string {
	text := s.Boundary + ": told " + s.Told + ", " + s.Became
	if s.Rules != "" {
		text += " (" + s.Rules + ")"
	}
	return text
}

func (v view) textSweep(b *strings.Builder) {
	if len(v.Sweep) == 0 {
		return
	}
	heading(b, "Sweep: what became of the visit that was interrupted there")
	for _, s := range v.Sweep {
		item(b, "  "+toneWord(s.Tone)+" ", s.line())
	}
}

func (v view) summarySweep(b *strings.Builder) {
	if len(v.Sweep) == 0 {
		return
	}
	b.WriteString("\n### Sweep\n\n| Interrupted | Told | Became | Rules |\n|---|---|---|---|\n")
	for _, s := range v.Sweep {
		b.WriteString("| " + md(s.Boundary) + " | " + md(s.Told) + " | " + toneWord(s.Tone) + " " + md(s.Became) + " | " + md(s.Rules) + " |\n")
	}
}
