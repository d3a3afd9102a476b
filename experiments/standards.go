package experiments

import "time"

// Standards is what the organisation asks of each tier: kind Standards. Experiments cite its clauses as section.name.
type Standards struct {
	Name    string          `yaml:"name" json:"name" required:"true"`
	Version int             `yaml:"version" json:"version,omitempty"`
	Owner   string          `yaml:"owner" json:"owner,omitempty"`
	Tiers   map[string]Tier `yaml:"tiers" json:"tiers" required:"true"`
}

// Tier is one level of importance.
type Tier struct {
	Inherits   string         `yaml:"inherits" json:"inherits,omitempty"`
	Deadlines  Deadlines      `yaml:"deadlines" json:"deadlines,omitzero"`
	Uptime     any            `yaml:"uptime" json:"uptime,omitempty"`
	Latency    map[string]any `yaml:"latency" json:"latency,omitempty"`
	Data       map[string]any `yaml:"data" json:"data,omitempty"`
	Resilience Resilience     `yaml:"resilience" json:"resilience,omitzero"`
	Messaging  map[string]any `yaml:"messaging" json:"messaging,omitempty"`
	Logging    map[string]any `yaml:"logging" json:"logging,omitempty"`
	Status     map[string]any `yaml:"status" json:"status,omitempty"`
	Security   map[string]any `yaml:"security" json:"security,omitempty"`
	Waiver     *Waiver        `yaml:"waiver" json:"waiver,omitempty"`
}

// Deadlines are the limits of human patience. Feedback 1 s and explanation 10 s follow Nielsen's response-time limits.
type Deadlines struct {
	Feedback    time.Duration `yaml:"feedback" json:"feedback" doc:"something happened after the act; 1s"`
	Explanation time.Duration `yaml:"explanation" json:"explanation" doc:"the user knows what is going on, the first byte came; 10s"`
	Final       time.Duration `yaml:"final" json:"final" doc:"a final claim or a promise; 30s"`
	Recovery    time.Duration `yaml:"recovery" json:"recovery" doc:"right again after the fault, without help; 60s"`
}

// Resilience is what a tier promises under faults.
type Resilience struct {
	DependencyDown *DependencyDown `yaml:"dependency_down" json:"dependency_down,omitempty"`
	Spike          map[string]any  `yaml:"spike" json:"spike,omitempty"`
	Recovery       *RecoveryClause `yaml:"recovery" json:"recovery,omitempty"`
	DrillAllowance string          `yaml:"drill_allowance" json:"drill_allowance,omitempty"`
}

// DependencyDown bounds lies and evasions while a dependency is lost. Rates are shares from 0 to 1.
type DependencyDown struct {
	Each              bool     `yaml:"each" json:"each"`
	S1                *int     `yaml:"s1" json:"s1,omitempty"`
	StraightAnswerMin *float64 `yaml:"straight_answer_min" json:"straight_answer_min,omitempty"`
	SaidSoMax         *float64 `yaml:"said_so_max" json:"said_so_max,omitempty"`
}

// RecoveryClause bounds the time until users see the product whole again.
type RecoveryClause struct {
	Visible    time.Duration `yaml:"visible" json:"visible,omitempty"`
	QueueEmpty time.Duration `yaml:"queue_empty" json:"queue_empty,omitempty"`
}

// Waiver is a named person's acceptance of a gap until a day.
type Waiver struct {
	Criterion string `yaml:"criterion" json:"criterion" required:"true"`
	Reason    string `yaml:"reason" json:"reason" required:"true"`
	By        string `yaml:"by" json:"by" required:"true"`
	Until     Date   `yaml:"until" json:"until" required:"true"`
}

// DefaultDeadlines apply where a tier sets none.
func DefaultDeadlines() Deadlines {
	return Deadlines{Feedback: time.Second, Explanation: 10 * time.Second, Final: 30 * time.Second, Recovery: time.Minute}
}
