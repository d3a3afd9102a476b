package experiments

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/candor-chaos/candor/faults"
)

// Catalog lists every kind that definitions may name. cmd puts it together once; so do tests.
type Catalog struct {
	Faults   []faults.Kind
	Surfaces []SurfaceKind
	Probes   []ProbeKind
	Readers  []ReaderKind
	Rules    []RuleInfo
	Worlds   []faults.World // one unconnected value for each runtime, asked for abilities alone
}

// SurfaceKind is a way to act on the product as a user.
type SurfaceKind struct {
	Name, Doc, Example string
	NewAction          func() Action // an empty value for the keys of a step that are the surface's own
	Open               func(SurfaceConfig) (Surface, error)
	// Start starts what all users of one run share, such as a browser, and Open is then the stage's. nil: they share nothing.
	Start func(ctx context.Context, c StageConfig) (Stage, error)
}

// StageConfig is what a run gives to what its users share.
type StageConfig struct {
	Recorder Recorder
	Inspect  func(body []byte) []PatternHit
	Lexicon  func(texts []string) (Claim, string) // may be nil: then words make no claim
	Folder   string                               // of the run, for screenshots; empty: none are made
	Prefix   string                               // of every marker
}

// Stage is what all users of a surface share in one run.
type Stage interface {
	Open(c SurfaceConfig) (Surface, error)
	// Begin tells that a phase begins, and about how long it will be; 0 when nobody knows.
	Begin(p Phase, length time.Duration)
	Close() error
}

// ErrSurfaceGone means that what users act through has ended or was never there, and that this says nothing about the product.
var ErrSurfaceGone = errors.New("users have nothing to act through")

// Action is what one step does, in the words of its surface: a struct filled from YAML, with Templates and Exprs.
type Action interface {
	// Check finds mistakes that types do not catch, such as two verbs in one step. No I/O.
	Check() error
	// Changes reports whether the action may change something; the last such step is the intent when none has claims.
	Changes() bool
}

// SurfaceConfig is what one user's surface is opened with.
type SurfaceConfig struct {
	Client    *http.Client // nil: the surface's own
	Base      string       // what relative addresses are resolved against: the URL of the journey's service
	Inspect   func(body []byte) []PatternHit
	Canaries  []string
	Journey   string
	User      int
	Visitor   string                  // whose login it is, by name
	Service   func(url string) string // the service that an address belongs to; nil: nobody knows
	Regions   []Region                // of its pages
	BodyLimit int64                   // bytes kept of a body; the rest is counted and hashed
	ReadLimit int64                   // bytes read of a body at most
}

// Surface is where one user acts. One without a Stage records nothing itself, and the caller saves the Answer; one of a
// Stage, where things happen also between two acts, writes down itself what went over the wire and what was claimed.
type Surface interface {
	// Do performs one step as a user would. An error means that the surface broke; a product that says no, or nothing,
	// is an Answer.
	Do(ctx context.Context, act Act) (Answer, error)
	// Close releases the user's context and never changes the system.
	Close() error
}

// Act is one attempt at one step.
type Act struct {
	Action  Action
	Vars    Vars // what templates see
	Timeout time.Duration

	// For surfaces of a Stage, which record themselves.
	Visit   int64
	Step    string
	Marker  string // of the intent, from its act on
	Attempt int    // from 1
	Setup   bool
	Speaks  bool          // what the product says from now on is a claim about the intent
	Claims  *Claims       // what the journey declares; may be nil
	Final   time.Duration // the deadline for a final claim
}

// Answer is what came of an act: what went over the wire, and what expressions about it see.
type Answer struct {
	Exchanges []Exchange // every request with its answer, redirects hop by hop
	Vars      Vars       // status, headers, body, json, elapsed, hops …
	Answered  bool       // false: no response within the time, or a broken connection

	Recorded bool   // a surface of a Stage: exchanges and claims are in the history
	Claim    Claim  // what it claimed, of a recorded one
	Why      string // why it was not answered, or could not be acted, of a recorded one
}

// ProbeKind is a way to look at one fact.
type ProbeKind struct {
	Name, Doc, Example string
	New                func() ProbeSpec
	Sees               []string // names that its expect may use, such as status
}

// ProbeSpec is a probe as plain data from YAML.
type ProbeSpec interface {
	// Observe looks once. An error means that it could not look; a bad sight is an Observation.
	Observe(ctx context.Context, in Surroundings) (Observation, error)
}

// Observation is what a probe saw.
type Observation struct {
	OK      bool   // the kind's own judgement, used where no expect is given
	Vars    Vars   // what expect sees
	Summary string // one line for people, bounded
}

// ReaderKind is a way to read what is true.
type ReaderKind struct {
	Name, Doc, Example string
	New                func() ReaderSpec
}

// ReaderSpec is a reader as plain data from YAML.
type ReaderSpec interface {
	// Read lists all effects of the run in one go. An error means that the truth could not be read.
	Read(ctx context.Context, in Surroundings) ([]TruthRow, error)
}

// Surroundings is what probes and readers act in.
type Surroundings struct {
	Vars  Vars
	World faults.World
}

// TruthRow is one marker's effect as the world shows it.
type TruthRow struct {
	Marker string    `json:"marker"`
	Count  int64     `json:"count"`
	Value  *string   `json:"value,omitempty"`
	At     time.Time `json:"at,omitzero"` // when the effect happened, where the reader knows
}

// RuleInfo describes one rule of honesty; package honesty has the checks.
type RuleInfo struct {
	ID       string   `json:"id"`       // such as CL-01; never renumbered
	Name     string   `json:"name"`     // such as ack-lost
	Severity Severity `json:"severity"` // empty for the rules about candor itself
	Level    string   `json:"level"`    // H, B, L and their combinations: what the check needs
	Doc      string   `json:"doc"`      // what the person experiences, in one sentence
	Check    string   `json:"check"`    // when exactly it is violated, and when it is exercised
	Guard    string   `json:"guard"`    // what keeps it from false alarms
	Source   string   `json:"source"`   // RFC, paper, guideline
	Example  string   `json:"example"`  // a lie that it catches
	Built    bool     `json:"built"`    // this candor has its check
}
