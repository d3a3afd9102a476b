package report

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/candor-chaos/candor/experiments"
)

// evidence is one piece of it, as a person reads it. A request shows its answer too.
type evidence struct {
	Ref         string // where it stands, such as history.jsonl:17
	When        string
	Kind        string // exchange, or plain
	Text        string
	Request     string
	RequestBody string
	Answer      string
	AnswerBody  string
}

func (t *tape) evidence(ref, marker string) evidence {
	e := evidence{Ref: word(ref), Kind: "plain"}
	r := t.resolve(ref)
	if r == nil {
		e.Text = "in the run’s folder"
		return e
	}
	e.When = t.offset(r.At)
	switch {
	case r.Exchange != nil:
		e.exchange(r.Exchange)
		e.When = t.offset(r.Exchange.Sent)
	case r.Intent != nil:
		e.Text = "the user wants this once: " + word(r.Intent.Marker) + wants(r.Intent.Wants)
	case r.Claim != nil:
		e.Text = strings.TrimSpace("told " + told(r.Claim.Claim) + " " + line(r.Claim.Text))
	case r.Truth != nil:
		e.Text = truthText(r.Truth, marker)
	case r.Fault != nil:
		e.Text = faultText(r.Fault)
	case r.Look != nil:
		e.Text = lookText(r.Look)
	case r.Status != nil:
		e.Text = statusText(r.Status)
	case r.Seen != nil:
		e.Text = fmt.Sprintf("seen between %s: %s %s", word(r.Seen.Path.String()), word(r.Seen.Method), line(r.Seen.Target))
	case r.Visit != nil:
		e.Text = "a walk through " + word(r.Visit.Journey) + " ended: " + line(r.Visit.Stopped)
	case r.Trouble != nil:
		e.Text = "candor met: " + line(r.Trouble.Text)
	case r.Environment != nil:
		e.Text = "the environment was verified"
	default:
		e.Text = "recorded"
	}
	return e
}

func (e *evidence) exchange(x *experiments.Exchange) {
	e.Kind = "exchange"
	e.Request = word(x.Method) + " " + line(x.URL)
	e.RequestBody = bodyText(x.RequestBody)
	took := ms(latency(x))
	switch {
	case x.Status > 0:
		e.Answer = strings.TrimSpace(fmt.Sprintf("%d %s", x.Status, http.StatusText(x.Status))) + " after " + took
		e.AnswerBody = bodyText(x.Body)
	case x.Trouble != "":
		e.Answer = "no answer: " + word(x.Trouble) + " after " + took
		e.AnswerBody = line(x.Why)
	default:
		e.Answer = "no answer after " + took
	}
	if x.Attempt > 1 {
		e.Request += fmt.Sprintf(" (attempt %d, by %s)", x.Attempt, starter(x.By))
	}
}

func starter(by experiments.Starter) string {
	switch by {
	case experiments.ByPerson:
		return "the person"
	case experiments.ByClient:
		return "the client’s code"
	case experiments.ByIntermediary:
		return "something in between"
	}
	return word(string(by))
}

func bodyText(t experiments.Text) string {
	text := clean(t.Text, bodyLimit)
	if t.Cut && text != "" {
		text += fmt.Sprintf(" (%s in all)", count(int(t.Length), "byte"))
	}
	return text
}

func wants(w map[string]string) string {
	if len(w) == 0 {
		return ""
	}
	var parts []string
	for _, effect := range sortedKeys(w) {
		parts = append(parts, word(effect)+" = "+word(w[effect]))
	}
	return " (" + names(parts, 6) + ")"
}

func truthText(read *experiments.TruthRead, marker string) string {
	what := word(read.Effect) + ", " + word(read.Round) + " reading: "
	if read.Blind != "" {
		return what + "could not look: " + line(read.Blind)
	}
	if marker == "" {
		return what + count(len(read.Rows), "row")
	}
	for _, row := range read.Rows {
		if row.Marker != marker {
			continue
		}
		text := what + count(int(row.Count), "row") + " for " + word(marker)
		if row.Value != nil {
			text += ", value " + word(*row.Value)
		}
		return text
	}
	return what + "no row for " + word(marker) + " among " + grouped(len(read.Rows))
}

func faultText(f *experiments.FaultEvent) string {
	text := "fault " + word(f.Name) + ": " + word(f.Event)
	if f.Event == "hits" {
		text += fmt.Sprintf(" %d", f.Hits)
	}
	if f.Error != "" {
		text += ": " + line(f.Error)
	}
	return text
}

func lookText(l *experiments.Look) string {
	text := "looked at " + word(l.Probe) + ": "
	switch {
	case l.Blind != "":
		return text + "could not look: " + line(l.Blind)
	case l.OK:
		text += "fine "
	default:
		text += "not fine "
	}
	return strings.TrimSpace(text + line(l.Summary))
}

func statusText(s *experiments.StatusRead) string {
	switch {
	case s.Blind != "":
		return "the status page could not be looked at: " + line(s.Blind)
	case s.Failed != "":
		return "the status page failed: " + line(s.Failed)
	}
	var parts []string
	for _, p := range s.Parts {
		parts = append(parts, word(p.Name)+": "+word(p.State))
	}
	return "the status page said " + strings.Join(parts, ", ")
}
