package faults

import "time"

// Request is an HTTP request that the proxy saw pass on an interposed path: the machine's own attempts, which no user
// sees (HT-09). The agent reads along; it never holds traffic up for it.
type Request struct {
	At     time.Time `json:"at"`
	Path   Path      `json:"path"`
	Method string    `json:"method"`
	Target string    `json:"target"`           // the request target as sent, bounded to 2 KiB
	Marker string    `json:"marker,omitempty"` // the run's marker found in target, headers or the first 64 KiB of body
	Key    string    `json:"key,omitempty"`    // SHA-256 prefix of the idempotency key's value, empty without one
}
