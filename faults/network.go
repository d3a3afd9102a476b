package faults

// Impairment is what is done to the traffic of one path: plain data that can be sent to an agent.
type Impairment struct {
	// Block is refuse (a TCP reset to every packet) or blackhole (every packet dropped); empty for a toxic.
	Block string `json:"block,omitempty"`
	// Toxics are toxics of Toxiproxy with their attributes, added together.
	Toxics []Toxic `json:"toxics,omitempty"`
}

// Toxic is one toxic of Toxiproxy: type and attributes in its own words, times in milliseconds.
type Toxic struct {
	Type       string         `json:"type"`
	Stream     string         `json:"stream"` // upstream (request) or downstream (answer)
	Attributes map[string]any `json:"attributes"`
}

// onPath is what all network faults have in common.
type onPath struct {
	From   string   `yaml:"from" json:"from"`
	To     string   `yaml:"to" json:"to"` // a service, or service:port where it has several
	Label  string   `yaml:"-" json:"label"`
	Way    Path     `yaml:"-" json:"way"`
	FromID Identity `yaml:"-" json:"from_id"`
	ToID   Identity `yaml:"-" json:"to_id"`
}
