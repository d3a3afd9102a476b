package experiments

import "time"

// Result is what a run has shown: schema candor.result/v1, result.json in the run's folder. Times are RFC 3339.
type Result struct {
	Schema       string              `json:"schema"`
	Run          string              `json:"run"`
	Experiment   string              `json:"experiment"`
	System       string              `json:"system"`
	Verdict      Verdict             `json:"verdict"`
	Ending       Ending              `json:"ending"`
	Reasons      []Reason            `json:"reasons"`
	ExitCode     int                 `json:"exit_code"`
	Seed         uint64              `json:"seed"`
	Started      time.Time           `json:"started"`
	Ended        time.Time           `json:"ended"`
	Candor       string              `json:"candor"`
	Phases       []PhaseSpan         `json:"phases"`
	Faults       []FaultResult       `json:"faults"`
	Sweep        []SweepResult       `json:"sweep,omitempty"`
	Journeys     []JourneyResult     `json:"journeys"`
	Expectations []ExpectationResult `json:"expectations"`
	Rules        []RuleResult        `json:"rules"`
	Findings     []Finding           `json:"findings"`
	Standards    []ClauseResult      `json:"standards"`
	Recovery     RecoveryResult      `json:"recovery"`
	Environment  EnvironmentResult   `json:"environment"`
}

// Reason is why a run is not a pass, by a code that machines can read.
type Reason struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// The codes of reasons.
const (
	ReasonSickBaseline    = "sick-baseline"
	ReasonDidNotBite      = "fault-did-not-bite"
	ReasonInterrupted     = "fault-interrupted"
	ReasonRuleIdle        = "rule-idle"
	ReasonTruthUnreadable = "truth-unreadable"
	ReasonTooFewSamples   = "too-few-samples"
	ReasonAborted         = "aborted"
	ReasonBroken          = "broken"
	ReasonDirty           = "dirty"
	ReasonLoadBehind      = "load-behind"
	ReasonEvidenceLost    = "evidence-lost"
	ReasonNoBrowser       = "no-browser"
	ReasonNoRecovery      = "no-recovery"
	ReasonNothingGated    = "nothing-gated"
	ReasonRuleFailed      = "rule-failed"
	ReasonExpectation     = "expectation-failed"
)

// PhaseSpan is when a phase was.
type PhaseSpan struct {
	Name  Phase     `json:"name"`
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// FaultResult is what became of a fault.
type FaultResult struct {
	Name       string    `json:"name"`
	Kind       string    `json:"kind"`
	Target     string    `json:"target"`
	Injected   time.Time `json:"injected,omitzero"`
	Effective  time.Time `json:"effective,omitzero"`
	Reverted   time.Time `json:"reverted,omitzero"`
	Hits       int64     `json:"hits"`
	StateAfter string    `json:"state_after"`
}

// SweepResult is one boundary of a sweep: what became of the visit that was interrupted there.
type SweepResult struct {
	Boundary string   `json:"boundary"` // before or after which step
	Journey  string   `json:"journey"`
	Marker   string   `json:"marker"`
	Claim    Claim    `json:"claim"`    // the last
	Outcome  string   `json:"outcome"`  // as in JourneyResult.Outcomes; not-reached where no visit came, no-intent where it had none yet
	Findings []string `json:"findings"` // rules that this visit's intent violated
}

// JourneyResult counts one journey's intents by claim and by outcome. Rates are shares from 0 to 1.
type JourneyResult struct {
	Name               string                 `json:"name"`
	Persona            string                 `json:"persona"`
	Intents            int                    `json:"intents"`
	Claims             map[string]int         `json:"claims"`
	Outcomes           map[string]int         `json:"outcomes"`
	Phantoms           int                    `json:"phantoms"`
	LieRate            float64                `json:"lie_rate"`
	StraightAnswerRate float64                `json:"straight_answer_rate"`
	SaidSoShare        float64                `json:"said_so_share"`
	LieRateBound95     float64                `json:"lie_rate_bound95"`
	Phases             map[Phase]PhaseNumbers `json:"phases"`
}

// PhaseNumbers are a journey's requests in one phase. Latencies are milliseconds.
type PhaseNumbers struct {
	Requests    int     `json:"requests"`
	SuccessRate float64 `json:"success_rate"`
	P50         float64 `json:"p50_ms"`
	P95         float64 `json:"p95_ms"`
	P99         float64 `json:"p99_ms"`
}

// ExpectationResult is an expectation and what was measured.
type ExpectationResult struct {
	Text     string      `json:"text"`
	Verdict  RuleVerdict `json:"verdict"`
	Measured string      `json:"measured"`
}

// RuleResult is a rule folded over its occasions. Exercised counts passes and fails.
type RuleResult struct {
	ID        string      `json:"id"`
	Verdict   RuleVerdict `json:"verdict"`
	Exercised int         `json:"exercised"`
}

// Finding is a rule violated, with its evidence: files of the run's folder, or history.jsonl:N for line N.
type Finding struct {
	Rule     string   `json:"rule"`
	Severity Severity `json:"severity"`
	Journey  string   `json:"journey"`
	Step     string   `json:"step"`
	Marker   string   `json:"marker"`
	Phase    Phase    `json:"phase"`
	Text     string   `json:"text"`
	Evidence []string `json:"evidence"`
}

// ClauseResult is where one clause of the standards stands.
type ClauseResult struct {
	Clause   string `json:"clause"`
	Target   string `json:"target"`
	Measured string `json:"measured"`
	State    string `json:"state"` // met, missed, not-measured, target-unset, waived, not-applicable
}

// RecoveryResult is the time from the end of the last fault until the system was steady; -1 when it never was.
type RecoveryResult struct {
	SteadyAfter int64 `json:"steady_after_ms"`
}

// EnvironmentResult is what was found when the environment was verified at the end.
type EnvironmentResult struct {
	Clean   bool     `json:"clean"`
	Left    []string `json:"left"`
	Changed []string `json:"changed,omitempty"` // not as before the run, and not candor's doing: left alone
}
