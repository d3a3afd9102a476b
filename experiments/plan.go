package experiments

import (
	"encoding/json"
	"time"

	"github.com/candor-chaos/candor/faults"
)

// Plan is a compiled experiment: every name bound, nothing touched. All but Exec is plain data, saved as plan.json in
// the run's folder and enough to judge the run again.
type Plan struct {
	Schema      string                   `json:"schema"` // candor.plan/v1
	System      string                   `json:"system"`
	Experiment  string                   `json:"experiment"`
	Title       string                   `json:"title"`
	Service     string                   `json:"service"`
	Hypothesis  string                   `json:"hypothesis"`
	Timeline    Timeline                 `json:"timeline"`
	Tier        string                   `json:"tier"`
	Deadlines   Deadlines                `json:"deadlines"` // of the experiment's service
	Services    []PlannedService         `json:"services"`
	Journeys    []PlannedJourney         `json:"journeys"`
	Faults      []PlannedFault           `json:"faults"`
	Recovery    Recovery                 `json:"recovery,omitzero"` // how clean the end of the faults is
	Expect      []Expectation            `json:"expect"`
	Rules       []PlannedRule            `json:"rules"`
	Clauses     []PlannedClause          `json:"clauses"`
	Canaries    []string                 `json:"canaries,omitempty"`
	Public      []string                 `json:"public_names,omitempty"`
	Cycles      map[string]time.Duration `json:"cycles,omitempty"`
	Idempotency []string                 `json:"idempotency,omitempty"`
	Status      *PlannedStatus           `json:"status,omitempty"`

	Exec *Exec `json:"-"` // what Run needs; nil in a plan that was read back
}

// Exec is the executable side of a plan: the definitions with their expressions compiled.
type Exec struct {
	System     *System
	Experiment *Experiment
	Journeys   []*Journey // in the order of Experiment.Journeys
	Vars       Vars       // env, parameters, services and their names: what every expression sees
	Root       string     // the folder of the system's file

	// Visitors are the logins of each journey, in the order of Journeys; Resolve fills them.
	Visitors [][]Login `json:"-"`

	secrets map[string]string // values that expressions took from outside, by name
}

// PlannedService is what the judge needs to know of a service.
type PlannedService struct {
	Name    string   `json:"name"`
	Tier    string   `json:"tier,omitempty"`
	Needs   []string `json:"needs,omitempty"`   // all that it needs, directly or through others
	Outside bool     `json:"outside,omitempty"` // the runtime does not have it: somebody else's, or on another machine
	Ready   string   `json:"ready,omitempty"`   // path that answers 2xx when it can serve, asked from outside
	URLs    []string `json:"urls,omitempty"`    // where it was found, resolved; empty before Prepare
}

// PlannedJourney is a journey with its traffic, as far as the judge needs it.
type PlannedJourney struct {
	Name        string          `json:"name"`
	Surface     string          `json:"surface"`
	Interaction string          `json:"interaction,omitempty"`
	Service     string          `json:"service"`
	Persona     string          `json:"persona"`
	Acts        Persona         `json:"acts,omitzero"` // what the persona does beside walking
	Visitors    int             `json:"visitors,omitempty"`
	Traffic     string          `json:"traffic"`        // in words: "4 users, each every 500ms" or "50/s"
	Rate        float64         `json:"rate,omitempty"` // arrivals a second, in the open model
	Deadlines   Deadlines       `json:"deadlines"`
	Status      StatusLimits    `json:"status,omitzero"`
	IntentStep  string          `json:"intent_step,omitempty"`
	Steps       []PlannedStep   `json:"steps"`
	Lookup      []PlannedStep   `json:"lookup,omitempty"` // of a doubter
	Effects     []PlannedEffect `json:"effects,omitempty"`
	Regions     []PlannedRegion `json:"regions,omitempty"`
	Drafts      bool            `json:"drafts,omitempty"` // its tier promises that what people enter is kept
}

// PlannedStep is a step and the services that it needs.
type PlannedStep struct {
	Name    string        `json:"name"`
	Needs   []string      `json:"needs"`
	Timeout time.Duration `json:"timeout"`
	Changes bool          `json:"changes,omitempty"`
	Dated   bool          `json:"dated,omitempty"` // it says what version it shows
}

// PlannedEffect is an effect as the judge sees it.
type PlannedEffect struct {
	Name   string   `json:"name"`
	Own    bool     `json:"own,omitempty"`    // the tenant is this run's alone
	Reader string   `json:"reader"`           // its kind
	Valued bool     `json:"valued,omitempty"` // a want is declared
	Shares []string `json:"shares,omitempty"` // services of this system that the reader goes through
}

// PlannedFault is a fault on the timeline. Fault is its value as JSON; Said comes from Prepare.
type PlannedFault struct {
	Name  string          `json:"name"`
	Kind  string          `json:"kind"`
	At    time.Duration   `json:"at"`
	Where *Boundary       `json:"where,omitempty"` // instead of At: between which steps of a journey
	Swept bool            `json:"swept,omitempty"` // one of a sweep's: after the one before, whenever that has ended
	After string          `json:"after,omitempty"` // the same fault before, which has to have ended: this one is prepared anew then
	Brief bool            `json:"brief,omitempty"` // it comes back for a moment while the product recovers
	For   time.Duration   `json:"for"`
	Pick  faults.Pick     `json:"pick,omitzero"` // of the replicas
	Reach faults.Reach    `json:"reach"`
	Fault json.RawMessage `json:"fault"`
	Said  string          `json:"said,omitempty"`
}

// PlannedRule says before the run whether a rule can apply, and what it decides.
type PlannedRule struct {
	ID       string `json:"id"`
	Applies  bool   `json:"applies"`
	Why      string `json:"why,omitempty"` // why it cannot apply
	Gated    bool   `json:"gated,omitempty"`
	Required bool   `json:"required,omitempty"`
	Allowed  string `json:"allowed,omitempty"` // the reason of an exception
	Until    Date   `json:"until,omitzero"`
}

// PlannedClause is a clause of the standards that the experiment says it proves, with its target fixed beforehand.
type PlannedClause struct {
	Clause string          `json:"clause"` // such as resilience.dependency_down
	Target string          `json:"target"` // in words; empty when nobody set one
	Value  json.RawMessage `json:"value,omitempty"`
	Waived string          `json:"waived,omitempty"`
}
