// Package journeys walks through a product as its users do and writes down what each was told.
//
//	visit ─▶ setup, once per user ─▶ step ─▶ step ─▶ … ─▶ Visit
//	                                  │
//	                                  ├ Intent    before the act, its marker reserved on disk
//	                                  ├ Exchange  every request with its answer, redirects hop by hop
//	                                  └ Claim     what the answer told the user
//
// A Walker knows users, steps and claims; a Surface knows how to act. What a product answers is never trusted: it is
// bounded by package wire, and whatever it says is an observation, not an error.
package journeys

import "github.com/candor-chaos/candor/experiments"

// All lists the surfaces.
func All() []experiments.SurfaceKind { return []experiments.SurfaceKind{HTTP} }

// HTTP is acting as a program does that speaks HTTP, or a browser without scripts.
var HTTP = experiments.SurfaceKind{
	Name: "http",
	Doc:  "requests as a user's program sends them: cookies are kept, redirects are followed hop by hop",
	Example: `post: /api/orders
headers: {Idempotency-Key: "{{ marker }}"}
json: {book: 42, note: "{{ marker }}"}
`,
	NewAction: func() experiments.Action { return new(Request) },
	Open:      openHTTP,
}
