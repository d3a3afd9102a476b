package experiments

import (
	"fmt"
	"time"

	"github.com/candor-chaos/candor/faults"
)

// Experiment is one hypothesis and how it is tried: kind Experiment.
type Experiment struct {
	Name       string         `yaml:"name" json:"name" required:"true"`
	Title      string         `yaml:"title" json:"title,omitempty"`
	Service    string         `yaml:"service" json:"service" doc:"service that the hypothesis is about" required:"true"`
	Hypothesis string         `yaml:"hypothesis" json:"hypothesis" required:"true"`
	Parameters map[string]any `yaml:"parameters" json:"parameters,omitempty"`
	Timeline   Timeline       `yaml:"timeline" json:"timeline"`
	Steady     []Check        `yaml:"steady" json:"steady" required:"true"`
	Journeys   []JourneyUse   `yaml:"journeys" json:"journeys" required:"true"`
	Faults     []FaultUse     `yaml:"faults" json:"faults,omitempty"`
	Sweep      *Sweep         `yaml:"sweep" json:"sweep,omitempty" doc:"one journey, interrupted by the same fault once at each boundary between two steps"`
	Swept      []FaultUse     `yaml:"-" json:"-"` // the sweep's faults, one for each boundary: made by Compile
	Recovery   Recovery       `yaml:"recovery" json:"recovery,omitzero"`
	Expect     []Expectation  `yaml:"expect" json:"expect,omitempty"`
	Honesty    Honesty        `yaml:"honesty" json:"honesty"`
	Abort      []AbortRule    `yaml:"abort" json:"abort,omitempty"`
	Proves     []string       `yaml:"proves" json:"proves,omitempty" doc:"clauses of the standards"`
	Runbook    string         `yaml:"runbook" json:"runbook,omitempty"`
}

// Timeline is how long the phases last; the fault phase lasts until the last fault has ended.
type Timeline struct {
	Baseline time.Duration `yaml:"baseline" json:"baseline" doc:"30s when absent"`
	Recovery time.Duration `yaml:"recovery" json:"recovery" doc:"60s when absent"`
	Settle   time.Duration `yaml:"settle" json:"settle" doc:"margin before the truth is read; 1s when absent"`
	Reread   time.Duration `yaml:"reread" json:"reread" doc:"between the two readings of the truth; 10s when absent"`
}

// Check is a probe and what it must show.
type Check struct {
	Name   string    `yaml:"name" json:"name,omitempty"`
	Expect Expr      `yaml:"expect" json:"expect,omitempty" env:"probe"`
	During string    `yaml:"during" json:"during,omitempty" doc:"before, during, after or throughout; steady checks hold before and after" enum:"before,during,after,throughout"`
	Every  Duration  `yaml:"every" json:"every,omitempty" doc:"1s when absent"`
	Needs  int       `yaml:"consecutive" json:"consecutive,omitempty" doc:"how many looks in a row decide; 1 when absent"`
	Probe  ProbeSpec `yaml:",kind=probe" json:"-"`
	Kind   string    `yaml:"-" json:"kind"`
}

// Duration is a length of time in definitions: 500ms, 3s, 10m.
type Duration = time.Duration

// JourneyUse is a journey with its traffic: users in a loop, or arrivals at a rate whatever the answers.
type JourneyUse struct {
	Use     string   `yaml:"use" json:"use" doc:"file of kind Journey, relative to this one" required:"true"`
	Users   int      `yaml:"users" json:"users,omitempty" doc:"how many users walk it in a loop; 1 when neither users nor rate is given"`
	Every   Duration `yaml:"every" json:"every,omitempty" doc:"a user starts again this long after the last start; 1s when absent"`
	Rate    Rate     `yaml:"rate" json:"rate,omitzero" doc:"arrivals, as 50/s or 300/m"`
	Persona string   `yaml:"persona" json:"persona,omitempty" doc:"patient when absent" enum:"patient,impatient,hasty,doubter"`
}

// FaultUse is a fault on the timeline.
type FaultUse struct {
	Name  string       `yaml:"name" json:"name,omitempty" doc:"what reports call it"`
	At    Moment       `yaml:"at" json:"at,omitzero" doc:"from the start of the fault phase, or {journey, before|after: step}"`
	For   Duration     `yaml:"for" json:"for" required:"true"`
	Share faults.Share `yaml:"share" json:"share,omitempty" doc:"of the connections that are hit, as 30%; all when absent. For faults on the traffic between two services"`
	Ramp  Duration     `yaml:"ramp" json:"ramp,omitempty" doc:"over which the fault grows to its full strength; 0s when absent. For faults on the traffic between two services"`
	Pick  faults.Pick  `yaml:"pick" json:"pick,omitzero" doc:"of the replicas of a service that runs several times: all, one, a number, or a share such as 50%, drawn from the seed; all when absent. For faults on a service"`
	Every Duration     `yaml:"every" json:"every,omitempty" doc:"from one beginning to the next of a fault that comes again, longer than for"`
	Times int          `yaml:"times" json:"times,omitempty" doc:"how often a fault with every comes; 2 when absent"`
	Fault faults.Fault `yaml:",kind=fault" json:"-"`
	Kind  string       `yaml:"-" json:"kind"`
	After string       `yaml:"-" json:"after,omitempty"` // name of the same fault, which has to end before: made by Compile
	Brief bool         `yaml:"-" json:"brief,omitempty"` // it comes back while the product recovers: made by Compile
}

// Recovery is how clean the end of the faults is.
type Recovery struct {
	Profile string `yaml:"profile" json:"profile,omitempty" doc:"clean when absent; flapping: each fault comes back twice for 1s; partial: they end one after another, or half of a single one first; under-load: traffic is doubled for half the recovery" enum:"clean,flapping,partial,under-load"`
}

// The profiles of a recovery that is not clean.
const (
	RecoveryFlapping  = "flapping"
	RecoveryPartial   = "partial"
	RecoveryUnderLoad = "under-load"
)

// Words says what a profile does; empty for a clean one.
func (r Recovery) Words() string {
	switch r.Profile {
	case RecoveryFlapping:
		return fmt.Sprintf("flapping: each fault comes back twice, for %s, before it is gone", Brief)
	case RecoveryPartial:
		return "partial: the faults end one after another, or half of a single one first"
	case RecoveryUnderLoad:
		return "under load: traffic is doubled through the first half of it"
	}
	return ""
}

// Moment is when a fault begins: a time from the start of the fault phase, or a boundary between two steps of a journey, at
// which a visit is held until the fault is in force.
type Moment struct {
	Time     Duration
	Boundary *Boundary
}

// IsZero reports whether the fault begins with the fault phase.
func (m Moment) IsZero() bool { return m.Time == 0 && m.Boundary == nil }

// Boundary is a place between two steps, given by one of them.
type Boundary struct {
	Journey string `yaml:"journey" json:"journey" required:"true"`
	Before  string `yaml:"before" json:"before,omitempty" doc:"name of the step that begins under the fault"`
	After   string `yaml:"after" json:"after,omitempty" doc:"name of the last step without the fault"`
}

func (b Boundary) String() string {
	if b.Before != "" {
		return "before " + b.Before
	}
	return "after " + b.After
}

// Sweep walks a journey once for each boundary between two steps, with the fault exactly there: before the first step,
// between every two, and after the last.
type Sweep struct {
	Journey string   `yaml:"journey" json:"journey" doc:"name of the journey, which one user walks" required:"true"`
	Fault   FaultUse `yaml:"fault" json:"fault" required:"true"`
}

// Expectation is a bound on what users experience, judged beside the rules.
type Expectation struct {
	Journey string     `yaml:"journey" json:"journey,omitempty"`
	During  Phase      `yaml:"during" json:"during,omitempty" doc:"baseline, fault or recovery" enum:"baseline,fault,recovery"`
	Success Comparison `yaml:"success" json:"success,omitzero" doc:"share of requests that succeeded, as \">= 99%\""`
	P50     Comparison `yaml:"p50" json:"p50,omitzero"`
	P95     Comparison `yaml:"p95" json:"p95,omitzero"`
	P99     Comparison `yaml:"p99" json:"p99,omitzero"`
	Said    []Claim    `yaml:"said" json:"said,omitempty" doc:"the only claims that may be made"`
	Steady  Comparison `yaml:"steady" json:"steady,omitzero" doc:"time from the end of the last fault until steady, as \"<= 10s\""`
}

// Honesty says which rules decide the verdict.
type Honesty struct {
	Gate    []string    `yaml:"gate" json:"gate,omitempty" doc:"severities or rules that fail the run; [S1] when absent"`
	Require []string    `yaml:"require" json:"require,omitempty" doc:"rules that must be exercised"`
	Allow   []Exception `yaml:"allow" json:"allow,omitempty"`
}

// Exception lets a rule be broken until a day, for a reason.
type Exception struct {
	Rule    string `yaml:"rule" json:"rule" required:"true"`
	Because string `yaml:"because" json:"because" required:"true"`
	Until   Date   `yaml:"until" json:"until" required:"true"`
}

// AbortRule ends a run early when its probe fails so many times in a row.
type AbortRule struct {
	Name    string `yaml:"name" json:"name,omitempty"`
	Probe   Check  `yaml:"probe" json:"probe" required:"true"`
	Fails   int    `yaml:"fails" json:"fails,omitempty" doc:"in a row; 3 when absent"`
	Because string `yaml:"because" json:"because" required:"true"`
}
