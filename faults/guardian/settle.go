package guardian

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/journal"
)

// World is what settling needs of a world beyond what the faults ask for.
type World interface {
	faults.World
	// Sweep removes everything of a run of candor's own that only its runner could still use, and at the end, when nothing
	// is owed any more, its lock on the system too. The runner must be gone.
	Sweep(ctx context.Context, run string, end bool) error
	// Survey looks at what is there after a run, or of any run of the system when run is empty.
	Survey(ctx context.Context, run string) (faults.Aftermath, error)
	// Close lets go of the world. It reverts nothing that a journal knows.
	Close(ctx context.Context) error
}

// OpenWorld opens the world that a journal names. It fails with faults.ErrUnreachable when the world does not answer.
type OpenWorld func(ctx context.Context, w journal.World) (World, error)

// ErrNotClean: all is reverted as far as the journal knows, and yet a look at the world finds something.
var ErrNotClean = errors.New("all is reverted, and yet there is still")

// Settled is what came of settling one journal.
type Settled struct {
	Run       string
	Entries   []journal.Entry // that were owed, as they stand now
	Aftermath faults.Aftermath
}

// Settle mends what a journal owes and looks whether the world is clean. First goes what a dead runner left half asked
// for: a container that was about to send a signal must not send it after the mending. With end its runner is gone for
// good, and its lock on the system goes too.
func Settle(ctx context.Context, j *journal.Journal, open OpenWorld, end bool) (s Settled, err error) {
	owed := j.Owed()
	l := j.Log()
	s.Run = l.Header.Run
	world, err := open(ctx, l.Header.World)
	if err != nil {
		s.Entries = owed
		return s, fmt.Errorf("run %s: %w", s.Run, err)
	}
	defer func() { err = errors.Join(err, world.Close(context.WithoutCancel(ctx))) }()
	swept := world.Sweep(ctx, s.Run, false)
	err = j.RevertAll(ctx, world)
	s.Entries = now(j, owed)
	if err = errors.Join(err, swept); err != nil {
		return s, err
	}
	if s.Aftermath, err = world.Survey(ctx, s.Run); err != nil {
		return s, fmt.Errorf("run %s: look whether all is clean: %w", s.Run, err)
	}
	if left := s.Aftermath.Left; len(left) > 0 {
		return s, fmt.Errorf("run %s: %w: %s", s.Run, ErrNotClean, strings.Join(left, "; "))
	}
	if end {
		err = world.Sweep(ctx, s.Run, true)
	}
	return s, err
}

// now is how entries stand by now.
func now(j *journal.Journal, before []journal.Entry) []journal.Entry {
	l := j.Log()
	all := l.Entries()
	entries := make([]journal.Entry, 0, len(before))
	for _, b := range before {
		for _, e := range all {
			if e.Line == b.Line {
				entries = append(entries, e)
			}
		}
	}
	return entries
}
