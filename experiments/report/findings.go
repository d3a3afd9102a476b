package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/candor-chaos/candor/experiments"
)

// How much of the findings is shown; all of them are in result.json.
const (
	shownPerRule     = 3
	evidencePerCase  = 6
	changesPerCase   = 4
	maxRulesInDetail = 40
)

// group is a rule that was broken, with its first cases.
type group struct {
	Rule     string
	Title    string
	Severity string
	Decides  bool // the rule is gated: it decides the verdict
	Allowed  string
	Total    int
	More     int
	Journeys string
	Cases    []brokenCase
}

// Tone is how loud the group is.
func (g group) Tone() string {
	if g.Severity == string(experiments.S1) {
		return toneBad
	}
	return toneHole
}

// brokenCase is one finding: what was said beside what is true, and the evidence.
type brokenCase struct {
	Text            string
	Journey, Step   string
	Phase           string
	Marker          string
	When            string
	Told            string
	ToldText        string
	ToldBy          string
	Changes         []string
	Truth           []truthLine
	Read            string
	Evidence        []evidence
	MoreEvidence    int
	HasTold, HasTru bool
}

// groupsOf sorts findings by rule, the gravest first.
func groupsOf(run Run, t *tape) []group {
	var groups []group
	at := map[string]int{}
	for _, f := range run.Result.Findings {
		i, known := at[f.Rule]
		if !known {
			i = len(groups)
			at[f.Rule] = i
			groups = append(groups, newGroup(run.Plan, f))
		}
		g := &groups[i]
		g.Total++
		if len(g.Cases) < shownPerRule {
			g.Cases = append(g.Cases, caseOf(run.Plan, t, f))
		}
		g.More = g.Total - len(g.Cases)
	}
	slices.SortStableFunc(groups, func(a, b group) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(b.Total, a.Total), cmp.Compare(a.Rule, b.Rule))
	})
	return groups[:min(len(groups), maxRulesInDetail)]
}

// rank puts what decides first, then severity; rules about candor itself, which have none, come last.
func (g group) rank() string {
	first := "1"
	if g.Decides {
		first = "0"
	}
	return first + cmp.Or(g.Severity, "S9")
}

func newGroup(p experiments.Plan, f experiments.Finding) group {
	g := group{Rule: word(f.Rule), Title: ruleTitle(f.Rule), Severity: word(string(f.Severity))}
	for _, r := range p.Rules {
		if r.ID == f.Rule {
			g.Decides = r.Gated
			if r.Allowed != "" {
				g.Allowed = line(r.Allowed) + " (until " + r.Until.Format("2 Jan 2006") + ")"
			}
		}
	}
	return g
}

func caseOf(p experiments.Plan, t *tape, f experiments.Finding) brokenCase {
	c := brokenCase{Text: clean(f.Text, textLimit), Journey: word(f.Journey), Step: word(f.Step), Marker: word(f.Marker), Phase: phaseWords(f.Phase)}
	if i := t.intents[f.Marker]; i != nil {
		c.When = t.offset(i.At)
		c.tell(t, f.Marker)
		c.Truth = t.truth(p, i.Intent.Journey, f.Marker)
		c.Read = readWords(p, t, i.Intent.Journey)
	}
	for _, e := range f.Evidence {
		if len(c.Evidence) == evidencePerCase {
			c.MoreEvidence++
			continue
		}
		c.Evidence = append(c.Evidence, t.evidence(e, f.Marker))
	}
	if !c.HasTold {
		c.tellAnswer()
	}
	c.HasTru = len(c.Truth) > 0
	return c
}

// tell fills what the user was told about an intent, and what they were told before.
func (c *brokenCase) tell(t *tape, marker string) {
	all := t.claims[marker]
	if len(all) == 0 {
		return
	}
	last := all[len(all)-1]
	c.HasTold, c.Told, c.ToldText, c.ToldBy = true, told(last.Claim.Claim), line(last.Claim.Text), toldHow(last.Claim)
	for _, before := range all[:len(all)-1][max(0, len(all)-1-changesPerCase):] {
		c.Changes = append(c.Changes, t.offset(before.Claim.Final)+": "+told(before.Claim.Claim)+" "+line(before.Claim.Text))
	}
}

// toldHow says how a claim was recognised, how long it took, and what was promised with it.
func toldHow(c *experiments.ClaimMade) string {
	if c.Claim == experiments.ClaimNone {
		return ""
	}
	how := said(c.By)
	if !c.Clicked.IsZero() && c.Final.After(c.Clicked) {
		how += ", " + span(c.Final.Sub(c.Clicked)) + " after the act"
	}
	if c.Promise > 0 {
		how += ", promised to be final within " + span(c.Promise)
	}
	return strings.TrimPrefix(how, ", ")
}

// tellAnswer fills it, where nobody spoke about an intent, from the last answer among the evidence.
func (c *brokenCase) tellAnswer() {
	for i := len(c.Evidence) - 1; i >= 0; i-- {
		if e := c.Evidence[i]; e.Kind == "exchange" {
			c.HasTold, c.Told, c.ToldText, c.ToldBy, c.When = true, e.Answer, e.AnswerBody, "the answer as it came", e.When
			return
		}
	}
}

// readWords says when the truth of a journey's effects was read.
func readWords(p experiments.Plan, t *tape, journey string) string {
	for _, e := range effectsOf(p, journey) {
		switch rounds := t.rounds[effectKey(journey, e.Name)]; len(rounds) {
		case 0:
		case 1:
			return "read once, at " + t.offset(rounds[0])
		default:
			return "read twice, at " + t.offset(rounds[0]) + " and " + t.offset(rounds[len(rounds)-1])
		}
	}
	return ""
}
