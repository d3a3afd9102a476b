// Package faults is what candor breaks, and surely mends: the contract of a fault, one file for each kind, and the
// catalog that lists them.
//
// # A fault is plain data with four verbs
//
//	Prepare ──▶ (the journal syncs the value) ──▶ Inject ──▶ State: present ──▶ … ──▶ Revert ──▶ State: absent
//
// The struct that YAML fills is completed by Prepare (identities, what was there before), saved as JSON in the journal,
// and only then injected. After a crash another process makes an empty value with Kind.New, fills it from the journal and
// calls Revert. There is no second object to keep in step, and no closure that dies with its process.
//
// # Adding one
//
// A no-op fault, whole:
//
//	// Noop does nothing to nobody.
//	var Noop = Kind{
//		Name: "noop", Doc: "does nothing", Example: "noop: {service: web}",
//		New:   func() Fault { return new(noop) },
//		Needs: func(w World) bool { return true },
//		Reach: func(f Fault) Reach { return Reach{Services: []string{f.(*noop).Service}} },
//	}
//
//	type noop struct {
//		Service string   `yaml:"service" json:"service"`
//		ID      Identity `yaml:"-" json:"id"`
//	}
//
//	func (n *noop) Prepare(ctx context.Context, w World) (said string, err error) {
//		n.ID, err = w.Find(ctx, n.Service)
//		return "nothing happens to " + n.Service, err
//	}
//	func (n *noop) Inject(ctx context.Context, w World) error          { return nil }
//	func (n *noop) State(ctx context.Context, w World) (State, error)  { return Absent, nil }
//	func (n *noop) Revert(ctx context.Context, w World) error          { return nil }
//
// Write it in a file of its own, add the line `Noop,` to All in catalog.go, and the conformance suite of faulttest, the
// schema, `candor faults` and `candor plan` know it. What a fault needs of a world it asks for by a private interface in
// its own file (pause.go has the shortest).
package faults

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Fault is one thing to break. Implementations are pointers to structs whose exported fields carry yaml and json tags:
// what YAML fills is `yaml:"name"`, what Prepare fills is `yaml:"-"`, and all of it is saved as JSON.
type Fault interface {
	// Prepare reads the world, completes the value and says in one sentence what will become true. It writes nothing.
	Prepare(ctx context.Context, w World) (string, error)
	// Inject breaks the thing. It may be half done when it fails, and must be revertible all the same.
	Inject(ctx context.Context, w World) error
	// State only reads. Unknown always comes with an error.
	State(ctx context.Context, w World) (State, error)
	// Revert mends the thing: idempotent, and right after any prefix of Inject, also after none. A thing that is gone
	// counts as reverted; another thing that took its name is left alone (ErrReplaced).
	Revert(ctx context.Context, w World) error
}

// Counter is implemented by faults that can count what they hit at the place where they act (packets refused, chunks
// delayed). For the others the engine counts the user's own steps that needed the target while the fault was present.
type Counter interface {
	Hits(ctx context.Context, w World) (int64, error)
}

// Noter is implemented by faults that may end in another way than they began. After Revert, Note is a sentence for a
// person when something is gone for good, and empty when all is as it was.
type Noter interface {
	Note() string
}

// Handy is implemented by faults that a person can mend with one command when candor cannot. ByHand is that command, and
// empty where the world has none.
type Handy interface {
	ByHand(w World) string
}

// Validator is implemented by faults whose values can be wrong in ways that YAML types do not catch. It does no I/O.
// A *FieldError names the field, and the loader adds the place in the file; several mistakes are joined by errors.Join.
type Validator interface {
	Validate() error
}

// Suited is implemented by faults that suit only some of the worlds with the abilities that their kind needs. It does no
// I/O; the error says what the world cannot do. A *FieldError names the common key that asks for it.
type Suited interface {
	Suits(w World) error
}

// FieldError is a mistake in one field of a fault's own keys, named as in YAML.
type FieldError struct {
	Field, Msg, Hint string
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Msg }

// World is where a fault acts: docker, process, toxiproxy. What it can do beyond finding things it shows by having the
// methods that a fault asks for; it has no stubs for what it cannot.
type World interface {
	// Name is "docker", "process" or "toxiproxy".
	Name() string
	// Find reads only. It fails with ErrNotFound when nothing matches and ErrAmbiguous when several do.
	Find(ctx context.Context, service string) (Identity, error)
}

// Can reports whether a world has an ability.
func Can[Ability any](w World) bool {
	_, ok := w.(Ability)
	return ok
}

// Identity is the exact thing that was meant, so that nothing else is ever touched in its place.
type Identity struct {
	Service   string    `json:"service"`             // the name used in definitions
	ID        string    `json:"id"`                  // the world's own identifier, such as a full container ID
	Born      time.Time `json:"born,omitzero"`       // when this incarnation started: a restart changes it
	Name      string    `json:"name,omitempty"`      // what people call it, for messages
	Process   int       `json:"process,omitempty"`   // its first process, as the host numbers it
	Protected bool      `json:"protected,omitempty"` // carries the label candor.protect: never touched
}

// Path is the way from one service to another: what a network fault breaks.
type Path struct {
	From string `json:"from"` // service that connects
	To   string `json:"to"`   // service that answers
	Port int    `json:"port"` // TCP port it answers on; 0 before Prepare
}

func (p Path) String() string { return p.From + " → " + p.To }

// Key is the path with its port, unique within a system.
func (p Path) Key() string { return fmt.Sprintf("%s>%s:%d", p.From, p.To, p.Port) }

// Reach says whom a fault touches, as far as its own keys tell.
type Reach struct {
	Path     *Path    `json:"path,omitempty"`     // for network faults
	Services []string `json:"services,omitempty"` // whose dependants notice: the path's To, or the service itself
	Journey  string   `json:"journey,omitempty"`  // whose traffic it is about; then nothing is broken
}

// Aftermath is what a look at a world found after a run, by looking and not by believing, in words for a person.
type Aftermath struct {
	Left    []string // candor's own, or its doing: nothing of it may stay
	Changed []string // not as it was before the run, and not candor's to mend: somebody restarted it, or it did not survive
}

// Lock is the right to work on a system, across all that share its world.
type Lock interface {
	// Lost is closed when the right is gone: whoever holds it must end.
	Lost() <-chan struct{}
	// Release gives it back and waits until others can have it.
	Release(ctx context.Context) error
}

// State is what a look at the world found.
type State uint8

// The states of a fault. Unknown is what a failed look yields.
const (
	Unknown State = iota
	Absent
	Partial
	Present
)

var stateNames = [...]string{"unknown", "absent", "partial", "present"}

func (s State) String() string { return stateNames[s] }

// MarshalText writes the state as a word.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (s *State) UnmarshalText(text []byte) error {
	for i, name := range stateNames {
		if name == string(text) {
			*s = State(i)
			return nil
		}
	}
	return fmt.Errorf("unknown state %q", text)
}

// Kind describes one kind of fault: what the catalog lists.
type Kind struct {
	Name, Doc string
	Example   string           // YAML: printed by `candor faults`, run by faulttest, checked in the docs
	New       func() Fault     // an empty value with its defaults, for YAML or the journal to fill
	Needs     func(World) bool // whether a world has the abilities that the kind asks for; no I/O
	Reach     func(Fault) Reach
	World     string // where it acts when not in the world of the system: LoadWorld
	Whole     string // the key that names the service which it acts on as a whole, replica by replica; empty for all others
	Internal  bool   // an obligation of candor's own that users cannot write
}

// What callers branch on.
var (
	ErrNotFound  = errors.New("not found")
	ErrAmbiguous = errors.New("ambiguous")
	// ErrReplaced: something else has the name now, and it is left alone.
	ErrReplaced = errors.New("replaced by another one")
	// ErrProtected: the thing carries the label candor.protect.
	ErrProtected = errors.New("protected by its label candor.protect")
	// ErrBusy: another candor works on the system.
	ErrBusy = errors.New("another run has this system")
	// ErrUncounted: the world cannot count there what a fault hits.
	ErrUncounted = errors.New("cannot be counted there")
	// ErrUnreachable: the world itself (an engine, a server) does not answer.
	ErrUnreachable = errors.New("does not answer")
)
