package report

import (
	"fmt"
	"strings"

	"github.com/candor-chaos/candor/experiments"
)

// The tones of the page. Each always stands beside a word.
const (
	toneGood  = "good"
	toneBad   = "bad"
	toneHole  = "hole" // not proven, not measured: as loud as bad
	toneQuiet = "quiet"
)

// ruleTitles says what each rule is about, as a user would.
var ruleTitles = map[string]string{
	"LK-01": "Error pages show program code",
	"LK-02": "Error pages show database errors",
	"LK-03": "Error pages show internal addresses",
	"LK-05": "A bare default error page",
	"LK-06": "A secret was shown",
	"LK-07": "One user saw another user’s data",
	"CL-01": "Confirmed, but not there",
	"CL-02": "Confirmed, but stored wrong",
	"CL-03": "“It failed”, but it happened",
	"CL-04": "Wanted once, done more than once",
	"CL-05": "No answer at all",
	"CL-06": "“We are on it”, and then nothing",
	"CL-07": "A press that does nothing",
	"CL-08": "Confirmed too early, never corrected",
	"CL-09": "Half done, reported as done",
	"CL-10": "It was there, and vanished later",
	"CL-11": "Something that nobody asked for",
	"HT-01": "“OK” on the outside, an error inside",
	"HT-02": "Two different error codes in one answer",
	"HT-03": "The user was blamed for our outage",
	"HT-04": "“Accepted”, with no way to follow it",
	"HT-05": "No hint when to come back, or a false one",
	"HT-06": "An error that programs cannot read",
	"HT-07": "An old copy where none was allowed",
	"HT-08": "The error may be stored and shown again",
	"HT-09": "A machine repeated the user’s act unsafely",
	"HT-10": "The line stayed open and nothing came",
	"ST-13": "A part failed that did not need what was broken",
	"TX-09": "A text with a blank left unfilled",
	"RC-03": "Promised for later, stuck after recovery",
	"RC-04": "Done again after recovery",
	"RC-05": "New, old, new again",
	"RC-06": "The user’s own change is not shown to them",
	"RC-07": "Everyone came back at once and broke it again",
	"RC-08": "The error outlived the outage",
	"RC-09": "Promised to be back by a time, and was not",
	"RC-10": "A stand-in value was kept as the user’s choice",
	"SP-01": "The status page said all is well",
	"SP-02": "The status page was late",
	"SP-03": "The status page failed with the product",
	"SP-04": "The status page cleared at the wrong time",
	"SP-05": "The status page named the wrong part",
	"SP-06": "The health check said ready, and users failed",
	"MT-01": "The fault really hit something",
	"MT-02": "The case of each rule came up",
	"MT-03": "The truth could be read",
	"MT-04": "All was well before the fault",
	"MT-05": "The checks can fail",
	"MT-06": "The run was long enough",
}

// unnamed stands where a run does not say its name.
const unnamed = "not named"

func ruleTitle(id string) string {
	if title := ruleTitles[id]; title != "" {
		return title
	}
	return "Rule " + word(id)
}

// severityWords explains the four severities, once.
var severityWords = []struct{ Severity, Words string }{
	{"S1", "a lie that leads to a wrong act or to loss of money, data or privacy"},
	{"S2", "misleads"},
	{"S3", "leaves people stuck"},
	{"S4", "could be said better"},
}

// told is a claim in the words of the person who heard it.
func told(c experiments.Claim) string {
	return [...]string{"nothing", "“done”", "“refused”", "“in progress”", "“we do not know”"}[c]
}

// said is who or what made a claim readable.
func said(by string) string {
	switch by {
	case "declared":
		return "as the journey declares"
	case "markup":
		return "by the page’s own mark"
	case "lexicon":
		return "by its words"
	case "status":
		return "by its status code"
	}
	return ""
}

func endingWords(e experiments.Ending) string {
	switch e {
	case experiments.Complete:
		return "The run went to its end."
	case experiments.Aborted:
		return "The run was ended early."
	case experiments.Dirty:
		return "The run ended, but not everything could be put back."
	}
	return "candor itself could not finish the run."
}

func verdictWord(v experiments.Verdict) (word, tone string) {
	switch v {
	case experiments.Pass:
		return "Pass", toneGood
	case experiments.Fail:
		return "Fail", toneBad
	}
	return "Unproven", toneHole
}

// verdictSentence says in one sentence what the verdict means here.
func verdictSentence(r experiments.Result, all tally) string {
	gatedLies := all.Lies > 0
	switch {
	case r.Verdict == experiments.Pass && all.Intents == 0:
		return "What was believed held while things were broken. No user wanted to change anything in this run."
	case r.Verdict == experiments.Pass:
		return "What was believed held while things were broken, and no lie was found."
	case r.Verdict == experiments.Fail && gatedLies:
		return fmt.Sprintf("While things were broken the product told users something untrue: %s in %s.",
			count(all.Lies, "lie"), count(all.Decided, "decided action"))
	case r.Verdict == experiments.Fail:
		return "The product did not do what was believed of it."
	}
	return "This run shows neither that the belief holds nor that it does not."
}

func expectationWord(v experiments.RuleVerdict) (word, tone string) {
	switch v {
	case experiments.RulePass:
		return "met", toneGood
	case experiments.RuleFail:
		return "not met", toneBad
	case experiments.Unverifiable:
		return "could not be checked", toneHole
	case experiments.NotApplicable:
		return "cannot apply", toneQuiet
	}
	return "not measured", toneHole
}

func stateWord(state string) (word, tone string) {
	switch state {
	case "met":
		return "met", toneGood
	case "missed":
		return "missed", toneBad
	case "not-measured":
		return "not measured", toneHole
	case "target-unset":
		return "no target set", toneHole
	case "waived":
		return "waived", toneQuiet
	case "not-applicable":
		return "cannot apply", toneQuiet
	}
	return clean(state, wordLimit), toneHole
}

func phaseWords(p experiments.Phase) string {
	switch p {
	case experiments.PhaseWarmup:
		return "while warming up"
	case experiments.PhaseBaseline:
		return "before anything was broken"
	case experiments.PhaseFault:
		return "while things were broken"
	case experiments.PhaseRecovery:
		return "after it was mended"
	case experiments.PhaseSettle:
		return "after users had left"
	}
	return word(string(p))
}

// names joins a list for a sentence, and counts what is beyond the limit.
func names(list []string, limit int) string {
	if len(list) > limit {
		return strings.Join(list[:limit], ", ") + fmt.Sprintf(" and %d more", len(list)-limit)
	}
	return strings.Join(list, ", ")
}
