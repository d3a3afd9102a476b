package experiments

import "time"

// StatusPage is the product's public status page, which candor reads from outside while it breaks things (SP rules).
type StatusPage struct {
	HTTP     StatusSource      `yaml:"http" json:"http" required:"true" env:"probe"`
	Services map[string]string `yaml:"services" json:"services,omitempty" doc:"the service that each part of the page stands for"`
	States   StatusWords       `yaml:"states" json:"states,omitzero" doc:"its words, where they are not the usual ones"`
}

// StatusSource is where the page is read, and how.
type StatusSource struct {
	Get     Template `yaml:"get" json:"get" env:"always" required:"true" doc:"address, with http:// or https://; answers JSON"`
	Updated Expr     `yaml:"updated" json:"updated,omitzero" env:"answer" doc:"when the page says that it was made, as json.updated_at"`
	Parts   Expr     `yaml:"parts" json:"parts" env:"answer" required:"true" doc:"the list of its parts, as json.parts"`
	Part    Expr     `yaml:"part" json:"part" env:"item" required:"true" doc:"the name of a part, as item.name"`
	State   Expr     `yaml:"state" json:"state" env:"item" required:"true" doc:"its state, as item.state"`
}

// StatusWords are a page's own words for its states.
type StatusWords struct {
	Up    string `yaml:"up" json:"up,omitempty" doc:"all is well"`
	Shaky string `yaml:"shaky" json:"shaky,omitempty" doc:"something is amiss"`
	Down  string `yaml:"down" json:"down,omitempty" doc:"it does not work"`
}

// The states that a part of a status page can have.
const (
	PartUp    = "up"
	PartShaky = "shaky"
	PartDown  = "down"
)

// usualStates are the words of most status pages.
func usualStates() map[string]string {
	return map[string]string{"operational": PartUp, "up": PartUp, "ok": PartUp, "healthy": PartUp, "none": PartUp, "resolved": PartUp,
		"degraded": PartShaky, "degraded_performance": PartShaky, "partial_outage": PartShaky, "minor": PartShaky, "shaky": PartShaky,
		"monitoring": PartShaky, "under_maintenance": PartShaky,
		"major_outage": PartDown, "outage": PartDown, "down": PartDown, "major": PartDown, "critical": PartDown, "unhealthy": PartDown}
}

// StatusRead is one reading of the status page from outside.
type StatusRead struct {
	Started time.Time     `json:"started"`
	Elapsed time.Duration `json:"elapsed"`
	Updated string        `json:"updated,omitempty"` // what the page says, in its own words
	Parts   []StatusPart  `json:"parts,omitempty"`
	Failed  string        `json:"failed,omitempty"` // why the page did not say how things are
	Blind   string        `json:"blind,omitempty"`  // why candor could not look; then nothing else says anything
}

// StatusPart is one part of the page, in the page's own words.
type StatusPart struct {
	Name  string `json:"name"`
	State string `json:"state"`
}

// PlannedStatus is what the judge needs to know of the status page.
type PlannedStatus struct {
	Services map[string]string `json:"services,omitempty"` // by part
	States   map[string]string `json:"states"`             // up, shaky or down, by the page's word in lower case
	Dated    bool              `json:"dated,omitempty"`    // it says when it was made
}

// StatusLimits is what a tier asks of status pages and health checks. What is zero is not set.
type StatusLimits struct {
	FailShare   float64       `json:"fail_share,omitempty"` // from this share of failing intents on …
	For         time.Duration `json:"for,omitempty"`        // … over this time, green is a lie
	FirstNotice time.Duration `json:"first_notice,omitempty"`
	ClearWithin time.Duration `json:"clear_within,omitempty"`
}
