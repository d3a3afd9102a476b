package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// textWidth is what the summary for terminals keeps within; textRows bounds each of its lists.
const (
	textWidth = 80
	textRows  = 5
)

// writeText writes about 25 lines for a terminal, the verdict first, without any control codes.
func writeText(w io.Writer, run Run) error {
	v := viewOf(run)
	var b strings.Builder
	if v.Danger != nil {
		fmt.Fprintf(&b, "%s: mend it with candor heal\n", strings.ToUpper(v.Danger.Heading))
		for _, l := range v.Danger.Left[:min(len(v.Danger.Left), textRows)] {
			item(&b, "  ! ", l)
		}
	}
	item(&b, strings.ToUpper(v.Verdict)+"  ", v.Sentence)
	item(&b, "      ", v.Experiment+" on "+v.System+", run "+v.Run)
	for _, r := range v.Reasons[:min(len(v.Reasons), textRows)] {
		item(&b, "      ", r.Code+": "+r.Text)
	}
	if v.Ending != "" && v.Ending != "The run went to its end." {
		item(&b, "      ", v.Ending)
	}
	v.textTrust(&b)
	v.textFindings(&b)
	v.textSweep(&b)
	v.textMeasures(&b)
	heading(&b, "Faults")
	for _, f := range v.Faults[:min(len(v.Faults), textRows)] {
		item(&b, "  ", fmt.Sprintf("%s: hit %s times, in force from %s to %s, afterwards %s", f.Name, f.Hits, f.Effective, f.Reverted, f.After))
	}
	item(&b, "  ", v.Recovery+" "+v.Environment)
	heading(&b, "Not proven")
	item(&b, "  ", v.RulesLine)
	for _, n := range v.Gaps.Notes[:min(len(v.Gaps.Notes), 3)] {
		item(&b, "  ", n)
	}
	item(&b, "Again: ", v.Again.Run)
	if _, err := io.WriteString(w, plainSpaces(b.String())); err != nil {
		return fmt.Errorf("write the summary: %w", err)
	}
	return nil
}

func (v view) textTrust(b *strings.Builder) {
	heading(b, "Trust")
	shown := 0
	for _, t := range v.Each {
		if t.Intents == 0 || shown == textRows {
			continue
		}
		shown++
		item(b, "  ", fmt.Sprintf("%s: %s told the truth in time (%s of %s, at least %s)", t.Name, t.StraightRate(), grouped(t.Straight), grouped(t.Intents), t.AtLeast()))
		item(b, "    ", "lies: "+t.LieWords()+"; “we do not know” "+t.SaidSoShare())
	}
	if v.All.Lies == 0 {
		item(b, "  ", v.All.Shows())
	}
}

func (v view) textFindings(b *strings.Builder) {
	heading(b, "Findings")
	if len(v.Findings) == 0 {
		item(b, "  ", "none")
	}
	for i, g := range v.Findings {
		if i == textRows+1 {
			item(b, "  ", fmt.Sprintf("and %s", count(len(v.Findings)-i, "more rule")))
			break
		}
		item(b, "  ", fmt.Sprintf("%-5s %-2s  %s (%s)", g.Rule, g.Severity, g.Title, count(g.Total, "time")))
	}
}

// textMeasures lists what did not hold; what held is counted.
func (v view) textMeasures(b *strings.Builder) {
	all := append(append([]judged{}, v.Expectations...), v.Clauses...)
	if len(all) == 0 {
		return
	}
	heading(b, "Expectations and standards")
	held, shown := 0, 0
	for _, e := range all {
		if e.Tone == toneGood {
			held++
			continue
		}
		if shown++; shown <= textRows {
			item(b, "  ", strings.ToUpper(e.State)+"  "+e.Text+orNothing(": ", e.Measured))
		}
	}
	item(b, "  ", fmt.Sprintf("%d of %d held", held, len(all)))
}

func orNothing(before, text string) string {
	if text == "" {
		return ""
	}
	return before + text
}

func heading(b *strings.Builder, text string) { b.WriteString(text + "\n") }

// item writes a text behind its first words, wrapped and hung at their width.
func item(b *strings.Builder, first, text string) {
	hang := strings.Repeat(" ", utf8.RuneCountInString(first))
	b.WriteString(first)
	column := utf8.RuneCountInString(first)
	for i, w := range strings.Split(text, " ") {
		n := utf8.RuneCountInString(w)
		switch {
		case i == 0:
		case column+1+n > textWidth:
			b.WriteString("\n" + hang)
			column = len(hang)
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(w)
		column += n
	}
	b.WriteByte('\n')
}

// plainSpaces is for formats that are read by programs and people alike.
func plainSpaces(s string) string { return strings.ReplaceAll(s, "\u00a0", " ") }
