package experiments

import (
	"fmt"
	"strings"
)

// Claim is what the product told a user about one intent.
type Claim uint8

// The five claims. The zero value is ClaimNone: nothing was said.
const (
	ClaimNone Claim = iota
	ClaimSuccess
	ClaimRefused
	ClaimPending
	ClaimUnknown
)

// Claims lists the claims in their order, for counting.
var claimNames = [...]string{"none", "success", "refused", "pending", "unknown"}

func (c Claim) String() string { return claimNames[c] }

// MarshalText writes the claim as a word.
func (c Claim) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads one of the five words; failed and failure mean refused.
func (c *Claim) UnmarshalText(text []byte) error {
	word := string(text)
	if word == "failed" || word == "failure" {
		word = "refused"
	}
	return parseWord(c, word, "claim", claimNames[:])
}

// Verdict is what a run has shown. The zero value is Unproven: nothing.
type Verdict uint8

// The three verdicts of a run.
const (
	Unproven Verdict = iota
	Pass
	Fail
)

var verdictNames = [...]string{"unproven", "pass", "fail"}

func (v Verdict) String() string { return verdictNames[v] }

// MarshalText writes the verdict as a word.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (v *Verdict) UnmarshalText(text []byte) error {
	return parseWord(v, string(text), "verdict", verdictNames[:])
}

// RuleVerdict is what one rule or expectation found. The zero value is NotExercised.
type RuleVerdict uint8

// The five values of a rule.
const (
	NotExercised RuleVerdict = iota
	RulePass
	RuleFail
	Unverifiable
	NotApplicable
)

var ruleVerdictNames = [...]string{"not-exercised", "pass", "fail", "unverifiable", "not-applicable"}

func (v RuleVerdict) String() string { return ruleVerdictNames[v] }

// MarshalText writes the value as a word.
func (v RuleVerdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (v *RuleVerdict) UnmarshalText(text []byte) error {
	return parseWord(v, string(text), "verdict", ruleVerdictNames[:])
}

// Ending is how a run ended. The zero value is Broken: the runner never said that it finished.
type Ending uint8

// The four endings.
const (
	Broken Ending = iota
	Complete
	Aborted
	Dirty
)

var endingNames = [...]string{"broken", "complete", "aborted", "dirty"}

func (e Ending) String() string { return endingNames[e] }

// MarshalText writes the ending as a word.
func (e Ending) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (e *Ending) UnmarshalText(text []byte) error {
	return parseWord(e, string(text), "ending", endingNames[:])
}

// Phase is a part of a run's timeline.
type Phase string

// The phases in their order. What users see are baseline, fault and recovery.
const (
	PhaseWarmup   Phase = "warmup"
	PhaseBaseline Phase = "baseline"
	PhaseFault    Phase = "fault"
	PhaseRecovery Phase = "recovery"
	PhaseSettle   Phase = "settle"
)

// Severity is fixed for each rule.
type Severity string

// S1 is a lie that leads to a wrong action or to loss; S4 is polish. The rules about candor itself have none.
const (
	S1 Severity = "S1"
	S2 Severity = "S2"
	S3 Severity = "S3"
	S4 Severity = "S4"
)

// Starter is who began an attempt.
type Starter string

// A person's own act, the client's code, or something between (a proxy, a service that repeats a call).
const (
	ByPerson       Starter = "person"
	ByClient       Starter = "client"
	ByIntermediary Starter = "intermediary"
)

func parseWord[T ~uint8](into *T, word, what string, names []string) error {
	for i, name := range names {
		if name == word {
			*into = T(i)
			return nil
		}
	}
	return fmt.Errorf("unknown %s %q (%s)", what, word, strings.Join(names, " · "))
}
