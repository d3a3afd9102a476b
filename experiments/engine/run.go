package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/history"
	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/guardian"
	"github.com/candor-chaos/candor/faults/journal"
)

// run is one run while it lives.
type run struct {
	config  Config
	plan    *experiments.Plan
	pace    pace
	id      string
	folder  history.Folder
	writer  *history.Writer
	markers *history.Markers
	file    *systemLock // of the system, within this state directory
	lock    faults.Lock // of the system, within its world
	journal *journal.Journal
	guards  *guardian.Guardian
	world   World
	owing   bool // something could not be reverted: the guardian goes on trying
	unclean bool // a look at the end found something: the journal stays open for heal

	armed  []*armed
	gates  gates
	paths  []faults.Path
	steady []*watch
	aborts []*watch
	tally  *tally
	busy   *traffic
	loads  *loads
	prefix string            // of every marker
	stages map[string]staged // of surfaces, by name

	abort       context.CancelCauseFunc
	watching    errgroup.Group // looks and readings beside the phases
	stopWatch   context.CancelFunc
	vigil       errgroup.Group
	stopVigil   context.CancelFunc
	steadyAfter time.Duration
}

// open takes the system, mends what dead runs left in it, and begins journal, guardian, folder and history, in this order:
// nothing is made in the world before somebody would take it away again. What fails half way is closed again.
func open(ctx context.Context, c Config) (r *run, err error) {
	r = &run{config: c, plan: c.Plan, pace: c.pace, steadyAfter: -1, tally: newTally(c.Plan), loads: newLoads(c.Plan), stages: map[string]staged{}}
	if r.pace == (pace{}) {
		r.pace = patient
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.close(ctx))
		}
	}()
	r.id = history.NewRun(c.Plan.Experiment)
	prefix := history.NewPrefix()
	if err = c.Plan.Exec.Resolve(c.Environ, experiments.RunNames{ID: r.id, Prefix: prefix}); err != nil {
		return r, err
	}
	for _, step := range []func(context.Context, string) error{r.start, r.guard, r.takeSystem, r.openHistory, r.raise} {
		if err = step(ctx, prefix); err != nil {
			return r, err
		}
	}
	r.steady, r.aborts = newWatches(c.Plan.Exec.Experiment)
	return r, nil
}

// raise starts the system where the world does that.
func (r *run) raise(ctx context.Context, _ string) error {
	w, raises := r.world.(raiser)
	if !raises {
		return nil
	}
	return w.Up(ctx)
}

func (r *run) openHistory(_ context.Context, prefix string) (err error) {
	if r.folder, err = history.NewFolder(r.config.Home, r.id); err != nil {
		return err
	}
	hash, err := r.folder.SavePlan(r.plan)
	if err != nil {
		return err
	}
	head := experiments.Head{Schema: history.Schema, Run: r.id, Experiment: r.plan.Experiment, System: r.plan.System,
		Prefix: prefix, Seed: r.config.Seed, Candor: r.config.Version, PlanHash: hash}
	if r.writer, err = history.Create(r.folder, head, r.plan.Exec.Secrets()); err != nil {
		return err
	}
	r.markers, r.prefix = history.NewMarkers(r.writer, prefix), prefix
	return nil
}

// longest is when the run should long have ended: all phases, and patience for what surrounds them. Agents, guardian and
// lock end by it.
func (r *run) longest() time.Duration {
	t := r.plan.Timeline
	total := 2*t.Baseline + t.Recovery + t.Settle + t.Reread + 5*time.Minute
	for _, f := range r.plan.Faults {
		total += f.At + f.For + 2*experiments.Brief
		if f.Where != nil {
			total += 2 * r.pace.visit
		}
	}
	return total
}

// overhear keeps what the proxy saw pass. The world calls it beside the phases.
func (r *run) overhear(seen faults.Request) {
	if err := r.record(experiments.Record{Seen: &seen}); err != nil && r.abort != nil {
		r.abort(err)
	}
}

// record appends to the history. Lost evidence ends the run.
func (r *run) record(rec experiments.Record) error {
	_, err := r.Append(rec)
	return err
}

// Append makes the run the recorder of all that acts in it.
func (r *run) Append(rec experiments.Record) (int64, error) {
	if rec.Exchange != nil {
		r.tally.see(rec.Exchange)
	}
	if rec.At.IsZero() {
		rec.At = time.Now().UTC()
	}
	seq, err := r.writer.Append(rec)
	if err != nil {
		return seq, fmt.Errorf("keep evidence: %w", err)
	}
	rec.Seq = seq
	if r.config.Watch != nil {
		r.config.Watch(rec)
	}
	return seq, nil
}

// begin starts a phase of the timeline.
func (r *run) begin(p experiments.Phase) error {
	err := r.record(experiments.Record{Phase: &experiments.PhaseStart{Name: p}})
	r.tellStages(p)
	return err
}

// trouble writes down what the verdict must know.
func (r *run) trouble(code, text string) error {
	return r.record(experiments.Record{Trouble: &experiments.Trouble{Code: code, Text: text}})
}

func (r *run) surroundings() experiments.Surroundings {
	return experiments.Surroundings{Vars: r.plan.Exec.Vars, World: r.world}
}

// close lets go of everything in the opposite order. The journal says itself when it still owes something; then the
// guardian is left without a goodbye, and takes over.
func (r *run) close(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	err := errors.Join(r.closeStages(), r.dismiss(ctx))
	switch {
	case r.journal == nil:
	case r.owing || r.unclean:
		err = errors.Join(err, r.journal.Leave())
	default:
		err = errors.Join(err, r.journal.Close())
	}
	if r.lock != nil && !r.owing { // else it stays until the guardian is done
		err = errors.Join(err, r.lock.Release(ctx))
	}
	if r.world != nil {
		if !r.owing && r.journal != nil {
			err = errors.Join(err, r.world.Sweep(ctx, r.id, true))
		}
		err = errors.Join(err, r.world.Close(ctx))
	}
	if r.writer != nil {
		err = errors.Join(err, r.writer.Close())
	}
	if r.file != nil {
		err = errors.Join(err, r.file.Close())
	}
	return err
}
