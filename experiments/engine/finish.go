package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/faults/journal"
)

// finishPatience bounds all that is done after the phases, beside the reverts that have their own clock.
const finishPatience = 2 * time.Minute

// finish ends a run, however its phases ended: it reverts what is owed, stops users, reads the truth where an early end
// left it unread, looks whether the environment is clean and writes the last line. It reports whether the history is whole
// enough to be judged.
func (r *run) finish(ctx context.Context, phases error) (judgeable bool, err error) {
	ctx = context.WithoutCancel(ctx)
	ending := experiments.End{Ending: experiments.Complete, SteadyAfter: max(0, r.steadyAfter)}
	began := r.busy != nil
	if phases != nil && !errors.Is(phases, errUnproven) {
		ending.Ending = endingOf(phases)
		code := experiments.ReasonAborted
		if ending.Ending == experiments.Broken {
			code = experiments.ReasonBroken
		}
		err = r.trouble(code, firstCause(phases))
	}
	left := r.journal.RevertAll(ctx, r.world) // before users are let go: the last of them may take as long as they wait
	ctx, cancel := context.WithTimeout(ctx, finishPatience)
	defer cancel()
	err = errors.Join(err, r.stopUsers())
	if began && phases != nil && !errors.Is(phases, errUnproven) {
		err = errors.Join(err, r.lastTruth(ctx))
	}
	if r.stopWatch != nil {
		r.stopWatch()
	}
	r.owing = left != nil
	err = errors.Join(err, r.watching.Wait(), r.endVigil())
	var stays error
	if !r.owing {
		// What is looked at next must be clean of the guardian too, and of what an interrupt left half made.
		stays = errors.Join(r.dismiss(ctx), r.world.Sweep(ctx, r.id, false))
	}
	err = errors.Join(err, r.verify(ctx, left, stays))
	if left != nil {
		ending.Ending = experiments.Dirty
	}
	err = errors.Join(err, r.record(experiments.Record{End: &ending}), r.close(ctx))
	if ending.Ending == experiments.Broken && !began {
		return false, errors.Join(phases, left, err)
	}
	return true, errors.Join(left, err)
}

// firstCause is why the phases ended, in one line: what else went wrong on the way down is said elsewhere.
func firstCause(err error) string {
	line, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), ErrAborted.Error()+": "), "\n")
	return line
}

// endingOf tells an early end that somebody wanted from one that candor suffered.
func endingOf(phases error) experiments.Ending {
	if errors.Is(phases, ErrAborted) || errors.Is(phases, context.Canceled) || errors.Is(phases, context.DeadlineExceeded) {
		return experiments.Aborted
	}
	return experiments.Broken
}

// lastTruth reads once what is true after an early end, so that what was promised until then can still be judged.
func (r *run) lastTruth(ctx context.Context) error {
	if err := r.begin(experiments.PhaseSettle); err != nil {
		return err
	}
	if err := rest(ctx, r.plan.Timeline.Settle); err != nil {
		return err
	}
	return r.readAll(ctx, roundFirst)
}

// verify looks at the environment: what the journal believes is not enough.
func (r *run) verify(ctx context.Context, left, stays error) error {
	after, err := r.world.Survey(ctx, r.id)
	found := after.Left
	if err != nil {
		found = append(found, fmt.Sprintf("could not look: %v", err))
	}
	if stays != nil {
		found = append(found, stays.Error())
	}
	var owed *journal.InForceError
	if errors.As(left, &owed) {
		for _, l := range owed.Left {
			found = append(found, fmt.Sprintf("%s: %s", l.ID, l.Summary))
		}
	}
	r.unclean = len(found) > 0
	return r.record(experiments.Record{Environment: &experiments.Environs{Clean: len(found) == 0, Left: found, Changed: after.Changed}})
}
