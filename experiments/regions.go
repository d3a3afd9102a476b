package experiments

import "time"

// PlannedRegion is a part of a page as the judge sees it: what is declared of it, and what a reading of its truth gives.
type PlannedRegion struct {
	Region
	Truth   bool     `json:"truth,omitempty"`   // what is true of it is read
	Counted bool     `json:"counted,omitempty"` // that counts its rows
	Valued  bool     `json:"valued,omitempty"`  // that gives the one number that it is about
	Shares  []string `json:"shares,omitempty"`  // services of this system that the reading goes through
}

// RegionRead is one reading of what is true of a region: what it ought to show.
type RegionRead struct {
	Journey string    `json:"journey"`
	Region  string    `json:"region"`
	Visitor string    `json:"visitor,omitempty"` // whose it is, by name; empty: everybody's
	Started time.Time `json:"started"`
	Count   *int64    `json:"count,omitempty"`   // rows that there are
	Version string    `json:"version,omitempty"` // as the region writes it: a number that only grows, or any text
	Value   *float64  `json:"value,omitempty"`   // the one number that the region is about: a sum, a balance
	When    time.Time `json:"when,omitzero"`     // since when that version is the one, where the reader knows
	Blind   string    `json:"blind,omitempty"`   // why it could not be read
}
