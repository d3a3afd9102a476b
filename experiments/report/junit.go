package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"

	"github.com/candor-chaos/candor/experiments"
)

type suites struct {
	XMLName  xml.Name `xml:"testsuites"`
	Name     string   `xml:"name,attr"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Errors   int      `xml:"errors,attr"`
	Skipped  int      `xml:"skipped,attr"`
	Suite    suite    `xml:"testsuite"`
}

type suite struct {
	Name       string     `xml:"name,attr"`
	Tests      int        `xml:"tests,attr"`
	Failures   int        `xml:"failures,attr"`
	Errors     int        `xml:"errors,attr"`
	Skipped    int        `xml:"skipped,attr"`
	Time       string     `xml:"time,attr"`
	Timestamp  string     `xml:"timestamp,attr,omitempty"`
	Properties []property `xml:"properties>property"`
	Cases      []testCase `xml:"testcase"`
}

type property struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type testCase struct {
	Class   string   `xml:"classname,attr"`
	Name    string   `xml:"name,attr"`
	Failure *outcome `xml:"failure"`
	Error   *outcome `xml:"error"`
	Skipped *outcome `xml:"skipped"`
}

type outcome struct {
	Type    string `xml:"type,attr,omitempty"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// writeJUnit writes one case for the run itself and one per expectation, rule and clause. What is not proven is an error,
// because a skipped case would read as a pass.
func writeJUnit(w io.Writer, run Run) error {
	r := run.Result
	s := suite{Name: word(r.System) + "/" + word(r.Experiment), Time: "0", Properties: []property{
		{"schema", "candor.junit/v1"}, {"run", word(r.Run)}, {"verdict", r.Verdict.String()}, {"ending", r.Ending.String()},
		{"seed", strconv.FormatUint(r.Seed, 10)}, {"candor", word(r.Candor)}}}
	if !r.Started.IsZero() {
		s.Timestamp = r.Started.UTC().Format("2006-01-02T15:04:05")
		s.Time = strconv.FormatFloat(r.Ended.Sub(r.Started).Seconds(), 'f', 3, 64)
	}
	s.Cases = append(s.Cases, endingCase(r), verdictCase(r), environmentCase(r))
	s.Cases = append(s.Cases, expectationCases(r)...)
	s.Cases = append(s.Cases, ruleCases(run)...)
	s.Cases = append(s.Cases, clauseCases(r)...)
	for _, c := range s.Cases {
		s.Tests++
		switch {
		case c.Failure != nil:
			s.Failures++
		case c.Error != nil:
			s.Errors++
		case c.Skipped != nil:
			s.Skipped++
		}
	}
	all := suites{Name: "candor", Tests: s.Tests, Failures: s.Failures, Errors: s.Errors, Skipped: s.Skipped, Suite: s}
	text, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return fmt.Errorf("render the JUnit report: %w", err)
	}
	if _, err := fmt.Fprintf(w, "%s%s\n", xml.Header, text); err != nil {
		return fmt.Errorf("write the JUnit report: %w", err)
	}
	return nil
}

func endingCase(r experiments.Result) testCase {
	c := testCase{Class: "run", Name: "the run goes to its end"}
	if r.Ending != experiments.Complete {
		c.Error = &outcome{Type: r.Ending.String(), Message: endingWords(r.Ending)}
	}
	return c
}

func verdictCase(r experiments.Result) testCase {
	c := testCase{Class: "run", Name: "the verdict is pass"}
	o := &outcome{Type: r.Verdict.String(), Message: r.Verdict.String()}
	for i, reason := range reasonsOf(r) {
		if i == 0 {
			o.Type, o.Message = reason.Code, reason.Text
		}
		o.Text += reason.Code + ": " + reason.Text + "\n"
	}
	switch r.Verdict {
	case experiments.Fail:
		c.Failure = o
	case experiments.Unproven:
		c.Error = o
	}
	return c
}

func environmentCase(r experiments.Result) testCase {
	c := testCase{Class: "run", Name: "the environment is clean afterwards"}
	if d := dangerOf(r); d != nil {
		c.Error = &outcome{Type: experiments.ReasonDirty, Message: d.Heading}
		for _, l := range d.Left {
			c.Error.Text += l + "\n"
		}
	} else if !r.Environment.Clean {
		c.Error = &outcome{Type: experiments.ReasonDirty, Message: environmentWords(r)}
	}
	return c
}

func expectationCases(r experiments.Result) []testCase {
	var cases []testCase
	for i, e := range r.Expectations {
		c := testCase{Class: "expectations", Name: fmt.Sprintf("%d: %s", i+1, line(e.Text))}
		o := &outcome{Type: e.Verdict.String(), Message: "measured: " + line(e.Measured)}
		switch e.Verdict {
		case experiments.RulePass:
		case experiments.RuleFail:
			o.Type = experiments.ReasonExpectation
			c.Failure = o
		case experiments.NotApplicable:
			c.Skipped = o
		default:
			c.Error = o
		}
		cases = append(cases, c)
	}
	return cases
}

// ruleCases has a case for each rule that came up or that decides the verdict. A rule that decides, was not required and
// did not come up does not spoil a pass, so it is skipped with that reason and not an error.
func ruleCases(run Run) []testCase {
	planned := map[string]experiments.PlannedRule{}
	for _, p := range run.Plan.Rules {
		planned[p.ID] = p
	}
	found := map[string][]experiments.Finding{}
	for _, f := range run.Result.Findings {
		found[f.Rule] = append(found[f.Rule], f)
	}
	var cases []testCase
	for _, r := range run.Result.Rules {
		p := planned[r.ID]
		if r.Exercised == 0 && !p.Gated && !p.Required && r.Verdict != experiments.RuleFail {
			continue
		}
		c := testCase{Class: "rules", Name: word(r.ID) + " " + ruleTitle(r.ID)}
		switch {
		case r.Verdict == experiments.RulePass:
		case r.Verdict == experiments.RuleFail:
			c.Failure = ruleFailure(p, found[r.ID])
		case r.Verdict == experiments.NotApplicable:
			c.Skipped = &outcome{Type: r.Verdict.String(), Message: line(p.Why)}
		case r.Verdict == experiments.Unverifiable:
			c.Error = &outcome{Type: r.Verdict.String(), Message: "could not be checked"}
		case p.Required:
			c.Error = &outcome{Type: experiments.ReasonRuleIdle, Message: "required, and its case did not come up"}
		default:
			c.Skipped = &outcome{Type: r.Verdict.String(), Message: "its case did not come up: it proves nothing"}
		}
		cases = append(cases, c)
	}
	return cases
}

func ruleFailure(p experiments.PlannedRule, found []experiments.Finding) *outcome {
	o := &outcome{Type: experiments.ReasonRuleFailed, Message: count(len(found), "finding")}
	if len(found) > 0 && found[0].Severity != "" {
		o.Message = word(string(found[0].Severity)) + ", " + o.Message
	}
	if !p.Gated {
		o.Message += ", reported and not deciding the verdict"
	}
	for i, f := range found {
		if i == 10 {
			o.Text += fmt.Sprintf("and %d more in result.json\n", len(found)-i)
			break
		}
		o.Text += fmt.Sprintf("%s, %s, %s %s: %s\n", word(f.Journey), word(f.Step), phaseWords(f.Phase), word(f.Marker), line(f.Text))
	}
	return o
}

func clauseCases(r experiments.Result) []testCase {
	var cases []testCase
	for _, s := range r.Standards {
		c := testCase{Class: "standards", Name: word(s.Clause)}
		o := &outcome{Type: word(s.State), Message: "target: " + line(s.Target) + "; measured: " + line(s.Measured)}
		switch s.State {
		case "met":
		case "missed":
			c.Failure = o
		case "waived", "not-applicable":
			c.Skipped = o
		default:
			c.Error = o
		}
		cases = append(cases, c)
	}
	return cases
}
