// Package engine runs a plan: the only part of candor with side effects. Run reads as a list of phases, each of which
// only appends to the run's history; what the run means is decided afterwards, from that history alone.
//
//	open ─▶ prepare ─▶ interpose ─▶ warm up ─▶ baseline ─▶ fault ─▶ recovery ─▶ settle ─▶ finish ─▶ judge
//	  locks, read only   journal      steady     steady,     each      until      truth,    revert,
//	  heal,                           holds      or sick     must bite  steady     twice     look, close
//	  guardian
//
// However a run ends, finish reverts whatever the journal owes, on a clock that no interrupt stops, looks whether the
// environment is clean, and closes the history. A system that fails is a Result; an error means that candor could not do
// its job. Should this process die, its guardian does what finish would have done; should the guardian die, the lock be
// lost or somebody press halt, the run ends (vigil).
package engine

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/history"
	"github.com/candor-chaos/candor/experiments/honesty"
	"github.com/candor-chaos/candor/experiments/journeys"
	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/guardian"
)

// World is what a run needs of a world beyond what its faults and its guardian ask for.
type World interface {
	guardian.World
	// Lock takes the system for this process alone, across all that share the world. It fails with faults.ErrBusy.
	Lock(ctx context.Context, longest time.Duration, holder string) (faults.Lock, error)
	// Remember keeps how the system stands, for Survey. It reads only.
	Remember(ctx context.Context) error
	// Memo is what opens this world again, with what it remembers: for the journal.
	Memo() (json.RawMessage, error)
}

// loser is a world whose agents can end by themselves. What happened until they were replaced was not under their faults.
type loser interface {
	Lost() <-chan error
}

// raiser is a world that starts the system itself. It has to be up before anything is looked at.
type raiser interface {
	Up(ctx context.Context) error
}

// WorldConfig is what a world is opened with for a run.
type WorldConfig struct {
	Run       string
	Folder    string // of the run; empty where nothing is run
	Prefix    string // of the run's markers
	Seed      uint64
	Expiry    time.Duration // after which agents end by themselves
	OnRequest func(faults.Request)
}

// Config is one run.
type Config struct {
	Plan     *experiments.Plan
	Catalog  experiments.Catalog
	Version  string
	Seed     uint64
	Environ  map[string]string
	StateDir string // journals and locks
	Home     string // the folder .candor, where runs lie
	// OpenWorld opens the world of the plan's runtime.
	OpenWorld func(ctx context.Context, c WorldConfig) (World, error)
	// Heal settles what dead runs of the system left. It fails with journal.ErrDirty when something stays.
	Heal func(ctx context.Context, system string) error
	// Guards start guardians, each of which takes over from the one before: a process at once, which guards while a container
	// that outlives it is made.
	Guards  []GuardStarter
	Inspect func(piece []byte) []experiments.PatternHit // leak patterns and planted secrets, in every answer
	Lexicon journeys.Lexicon                            // what phrases claim
	// Watch sees every record as it is appended; it must return at once. May be nil.
	Watch func(experiments.Record)

	pace pace // of tests; patient when zero
}

// GuardStarter starts a guardian, which is given the folder of journals.
type GuardStarter func(ctx context.Context, w World, journals string) (guardian.Streams, error)

// Outcome is a finished run.
type Outcome struct {
	Result experiments.Result
	Folder history.Folder
}

// What ends a run early; context.Cause carries them.
var (
	// ErrAborted: an abort rule, a person or a deadline ended the run.
	ErrAborted = errors.New("aborted")
	// errUnproven: the run goes no further because nothing could be proved. Its reason is in the history.
	errUnproven = errors.New("nothing can be proved")
)

// Run performs the plan and judges it. An error without a result means that candor could not do its job and broke
// nothing that is not reverted; an error beside a result says what candor itself met on the way (evidence that was lost,
// a fault that may still be in force), and the result says so too.
func Run(ctx context.Context, c Config) (Outcome, error) {
	r, err := open(ctx, c)
	if err != nil {
		return Outcome{}, err
	}
	live, end := context.WithCancelCause(ctx)
	defer end(nil)
	r.abort = end
	r.keepVigil(live)
	for _, phase := range []func(context.Context) error{
		r.prepare,
		r.interpose,
		r.warmUp,
		r.baseline,
		r.faultPhase,
		r.recovery,
		r.settle,
	} {
		if err = phase(live); err != nil {
			break
		}
	}
	judgeable, err := r.finish(ctx, err)
	if !judgeable {
		return Outcome{}, err
	}
	outcome, jerr := r.judge()
	return outcome, errors.Join(err, jerr)
}

// judge reads back what was written: the same way as `candor judge` does with any old run.
func (r *run) judge() (Outcome, error) {
	h, err := history.Read(r.folder.History())
	if err != nil {
		return Outcome{}, err
	}
	result := honesty.Judge(r.plan, h)
	return Outcome{Result: result, Folder: r.folder}, r.folder.SaveResult(result)
}
