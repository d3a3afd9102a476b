package report

import (
	"fmt"
	"io"
	"strings"
)

// summaryLimit bounds the Markdown summary, in bytes; what is cut is said.
const (
	summaryLimit = 60 << 10
	summaryRows  = 30
)

// writeSummary writes Markdown for the step summary of a pipeline.
func writeSummary(w io.Writer, run Run) error {
	v := viewOf(run)
	var b strings.Builder
	if v.Danger != nil {
		fmt.Fprintf(&b, "> **%s.** Mend it first: `candor heal`\n", v.Danger.Heading)
		for _, l := range v.Danger.Left[:min(len(v.Danger.Left), summaryRows)] {
			fmt.Fprintf(&b, "> - %s\n", md(l))
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "## %s %s: %s\n\n**%s** %s\n\n", verdictMark(v.Tone), v.Verdict, md(v.Title), md(v.Sentence), v.Ending)
	if v.Hypothesis != "" {
		fmt.Fprintf(&b, "What was believed: %s\n\n", md(v.Hypothesis))
	}
	for _, r := range v.Reasons {
		fmt.Fprintf(&b, "- %s (%s)\n", md(r.Text), md(r.Code))
	}
	v.summaryTrust(&b)
	v.summaryFindings(&b)
	v.summarySweep(&b)
	v.summaryMeasures(&b)
	v.summaryRest(&b)
	text := plainSpaces(b.String())
	if len(text) > summaryLimit {
		note := "\n\nThe rest was cut: the summary may have 60 KiB. The HTML report has it all.\n"
		text = text[:summaryLimit-len(note)]
		text = text[:strings.LastIndexByte(text, '\n')+1] + note
	}
	if _, err := io.WriteString(w, text); err != nil {
		return fmt.Errorf("write the summary: %w", err)
	}
	return nil
}

func verdictMark(tone string) string {
	switch tone {
	case toneGood:
		return "✅"
	case toneBad:
		return "❌"
	}
	return "❓"
}

func (v view) summaryTrust(b *strings.Builder) {
	fmt.Fprintf(b, "\n### Trust\n\n%s\n\n", md(v.All.Shows()))
	if len(v.Each) == 0 {
		return
	}
	b.WriteString("| Journey | Actions | Told the truth in time | Lies, of decided | “We do not know” | Nothing said | Open | Not readable |\n|---|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, t := range v.Each[:min(len(v.Each), summaryRows)] {
		if t.Intents == 0 {
			fmt.Fprintf(b, "| %s | 0 | changes nothing | – | – | – | – | – |\n", md(t.Name))
			continue
		}
		fmt.Fprintf(b, "| %s | %s | %s (%s, at least %s) | %s | %s | %s | %s | %s |\n", md(t.Name), grouped(t.Intents),
			t.StraightRate(), grouped(t.Straight), t.AtLeast(), t.LieWords(), t.SaidSoShare(),
			grouped(t.Silent), grouped(t.Open), grouped(t.Unverifiable))
	}
	b.WriteString("\n“At least” and “at most” hold with 95 % confidence.\n")
}

func (v view) summaryFindings(b *strings.Builder) {
	b.WriteString("\n### Findings\n\n")
	if len(v.Findings) == 0 {
		b.WriteString("None.\n")
		return
	}
	b.WriteString("| Rule | Severity | What | Times | First | Told | True |\n|---|---|---|--:|---|---|---|\n")
	for _, g := range v.Findings[:min(len(v.Findings), summaryRows)] {
		c := g.Cases[0]
		var truth []string
		for _, t := range c.Truth {
			truth = append(truth, t.Effect+" "+t.Text)
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s %s | %s |\n", md(g.Rule), md(g.Severity), md(g.Title), grouped(g.Total), md(c.Text), md(c.Told),
			md(clean(c.ToldText, wordLimit)), md(names(truth, 4)))
	}
	for i, s := range v.Severities {
		if i > 0 {
			b.WriteString(" · ")
		} else {
			b.WriteByte('\n')
		}
		fmt.Fprintf(b, "**%s** %s", s.Severity, s.Words)
	}
	b.WriteByte('\n')
}

func (v view) summaryMeasures(b *strings.Builder) {
	if len(v.Expectations) > 0 {
		b.WriteString("\n### Expectations\n\n| Expected | Measured | Stands |\n|---|---|---|\n")
	}
	for _, e := range v.Expectations[:min(len(v.Expectations), summaryRows)] {
		fmt.Fprintf(b, "| %s | %s | %s %s |\n", md(e.Text), md(e.Measured), toneWord(e.Tone), md(e.State))
	}
	if len(v.Clauses) > 0 {
		fmt.Fprintf(b, "\n### Standards: %s\n\n| Clause | Target | Measured | Stands |\n|---|---|---|---|\n", v.ClausesMet)
	}
	for _, c := range v.Clauses[:min(len(v.Clauses), summaryRows)] {
		fmt.Fprintf(b, "| %s | %s | %s | %s %s |\n", md(c.Text), md(c.Target), md(c.Measured), toneWord(c.Tone), md(c.State))
	}
}

func (v view) summaryRest(b *strings.Builder) {
	b.WriteString("\n### Faults\n\n")
	for _, f := range v.Faults[:min(len(v.Faults), summaryRows)] {
		fmt.Fprintf(b, "- **%s**: hit %s times, in force from %s to %s, afterwards %s\n", md(f.Name), f.Hits, f.Effective, f.Reverted, md(f.After))
	}
	fmt.Fprintf(b, "\n%s %s\n\n### Not proven\n\n%s\n", v.Recovery, v.Environment, v.RulesLine)
	for _, part := range []struct {
		words string
		gaps  []gap
	}{{"Required, and did not come up", v.Gaps.Required}, {"Could not be checked", v.Gaps.Unverifiable}, {"Did not come up", v.Gaps.Idle}} {
		var ids []string
		for _, g := range part.gaps {
			ids = append(ids, g.Rule)
		}
		if len(ids) > 0 {
			fmt.Fprintf(b, "- %s: %s\n", part.words, md(names(ids, 100)))
		}
	}
	for _, n := range v.Gaps.Notes {
		fmt.Fprintf(b, "- %s\n", md(n))
	}
	fmt.Fprintf(b, "\nRun it again: %s (plan %s, candor %s)\n", code(v.Again.Run), md(v.Again.PlanHash), md(v.Again.Version))
}

// code shows a command as code, unless it holds what would end the code or act in it.
func code(s string) string {
	if strings.ContainsAny(s, "`<>@|") {
		return md(s)
	}
	return "`" + s + "`"
}

// md makes text stand in Markdown as it is: nothing in it is markup, a link, a mention or the end of a cell.
func md(s string) string {
	var b strings.Builder
	for i, r := range s {
		switch r {
		case '<':
			b.WriteString("&lt;")
		case '>':
			b.WriteString("&gt;")
		case '&':
			b.WriteString("&amp;")
		case '@':
			b.WriteString("&#64;")
		case ':': // only before a slash does it make a link
			if strings.HasPrefix(s[i:], ":/") {
				b.WriteString("&#58;")
			} else {
				b.WriteRune(r)
			}
		case '\\', '`', '*', '_', '[', ']', '#', '|', '~', '$':
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return strings.ReplaceAll(b.String(), "www.", "www&#46;")
}
