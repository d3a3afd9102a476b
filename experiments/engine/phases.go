package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/journal"
)

// pace says how long a run waits for what its timeline does not say.
type pace struct {
	warmUp  time.Duration // until the steady state holds at all
	traffic time.Duration // users are busy before anything is measured: pools fill, caches warm
	poll    time.Duration
	guard   time.Duration // how often the truth is looked at while users are still busy
	halt    time.Duration // how often a run asks whether it is to stop
	others  time.Duration // for what another run left in the world to go by itself
	flap    time.Duration // until a fault that flaps is back
	visit   time.Duration // for a visit to come where a fault waits for it, and between two faults of a sweep
}

var patient = pace{warmUp: 60 * time.Second, traffic: 2 * time.Second, poll: 50 * time.Millisecond, guard: 2 * time.Second,
	halt: 200 * time.Millisecond, others: 10 * time.Second, flap: experiments.Brief, visit: 30 * time.Second}

// prepare reads the world for every fault and says what will become true. It writes nothing.
func (r *run) prepare(ctx context.Context) error {
	armed, err := arm(ctx, r.plan, r.config.Catalog, r.world, r.loads, r.config.Seed)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, f := range armed {
		if err := r.tell(f, "prepared", faults.Unknown, nil); err != nil {
			return err
		}
		if way := f.kind.Reach(f.fault).Path; way != nil && !seen[way.Key()] {
			seen[way.Key()] = true
			r.paths = append(r.paths, *way)
		}
	}
	r.armed = armed
	return nil
}

// Prepare arms the faults of a plan in a world and puts what was learnt into the plan. It only reads; `candor plan` is
// this and nothing more. The seed draws what a run with it would draw.
func Prepare(ctx context.Context, p *experiments.Plan, c experiments.Catalog, w faults.World, seed uint64) ([]*armed, error) {
	return arm(ctx, p, c, w, newLoads(p), seed)
}

// arm prepares each fault where it acts: in the system's world, or in the run's own traffic.
func arm(ctx context.Context, p *experiments.Plan, c experiments.Catalog, w, loads faults.World, seed uint64) ([]*armed, error) {
	var all []*armed
	for i, use := range slices.Concat(p.Exec.Experiment.Faults, p.Exec.Experiment.Swept) {
		kind, known := faults.Lookup(c.Faults, use.Kind)
		if !known {
			return nil, fmt.Errorf("fault %s: no kind %q in the catalog", p.Faults[i].Name, use.Kind)
		}
		where := w
		if kind.World == faults.LoadWorld {
			where = loads
		}
		planned := &p.Faults[i]
		kind, fault, err := faults.Spread(ctx, where, kind, use.Fault, use.Name, use.Pick, seed)
		if err != nil {
			return nil, fmt.Errorf("fault %s: %w", planned.Name, err)
		}
		said, err := fault.Prepare(ctx, where)
		if err != nil {
			return nil, fmt.Errorf("fault %s: %w", planned.Name, err)
		}
		planned.Said, planned.Reach = said, kind.Reach(fault)
		if planned.Fault, err = json.Marshal(fault); err != nil {
			return nil, fmt.Errorf("fault %s: save it: %w", planned.Name, err)
		}
		one := &armed{name: planned.Name, kind: kind, at: use.At.Time, where: use.At.Boundary, swept: planned.Swept,
			hold: use.For, fault: fault, said: said, world: where,
			brief: use.Brief, done: make(chan struct{})}
		if n := slices.IndexFunc(all, func(f *armed) bool { return f.name == use.After }); n >= 0 {
			one.after = all[n]
		}
		all = append(all, one)
	}
	return all, nil
}

// interpose puts candor's proxy on every path that a fault of this run names, before anything is measured.
func (r *run) interpose(ctx context.Context) error {
	for _, way := range r.paths {
		f := faults.InterposeOn(way)
		said, err := f.Prepare(ctx, r.world)
		if err != nil {
			return fmt.Errorf("interpose on %s: %w", way, err)
		}
		ob := journal.Obligation{ID: "interpose " + way.Key(), Kind: faults.Interpose.Name, Fault: f, Summary: said}
		if err := r.journal.Inject(ctx, r.world, ob); err != nil {
			return err
		}
	}
	return nil
}

// warmUp waits until the steady state holds, then lets users in.
func (r *run) warmUp(ctx context.Context) error {
	if err := r.begin(experiments.PhaseWarmup); err != nil {
		return err
	}
	if err := r.readAll(ctx, roundBefore); err != nil {
		return err
	}
	r.startWatching(ctx)
	within, cancel := context.WithTimeoutCause(ctx, r.pace.warmUp, errUnproven)
	defer cancel()
	if err := r.untilSteady(within); err != nil {
		if ctx.Err() != nil {
			return err
		}
		return r.unproven(experiments.ReasonSickBaseline, "the steady state did not hold before anything was broken: "+r.complaints())
	}
	busy, err := r.letUsersIn(ctx)
	if err != nil {
		return err
	}
	r.busy = busy
	return rest(ctx, r.pace.traffic)
}

// baseline measures what is normal. A sick one is repeated once; after that nothing can be proved, and nothing is broken.
func (r *run) baseline(ctx context.Context) error {
	for try := 1; ; try++ {
		if err := r.begin(experiments.PhaseBaseline); err != nil {
			return err
		}
		r.busy.restart()
		for _, w := range r.steady {
			w.restart()
		}
		if err := rest(ctx, r.plan.Timeline.Baseline); err != nil {
			return err
		}
		sick := r.busy.sick()
		if !r.isSteady() {
			sick = r.complaints()
		}
		if sick == "" {
			return nil
		}
		if try == 2 {
			return r.unproven(experiments.ReasonSickBaseline, "the product was sick before anything was broken: "+sick)
		}
	}
}

// recovery waits until the product is steady without help, and goes on until its time is over: what comes back may
// vanish again.
func (r *run) recovery(ctx context.Context) error {
	began := time.Now()
	if err := r.begin(experiments.PhaseRecovery); err != nil {
		return err
	}
	for _, w := range r.steady {
		w.restart()
	}
	var loaded errgroup.Group
	loaded.Go(func() error { return r.orAbort(r.underLoad(ctx)) })
	ends := began.Add(r.plan.Timeline.Recovery)
	within, cancel := context.WithDeadlineCause(ctx, ends, errUnproven)
	defer cancel()
	if r.untilSteady(within) == nil {
		r.steadyAfter = time.Since(began)
	}
	within, stop := context.WithDeadline(ctx, ends)
	defer stop()
	err := r.keepReading(within, roundEarly)
	if err = errors.Join(err, loaded.Wait()); err != nil {
		return err
	}
	return cause(ctx)
}

// settle lets what is under way end, then reads the truth twice.
func (r *run) settle(ctx context.Context) error {
	if err := r.stopUsers(); err != nil {
		return err
	}
	if err := r.begin(experiments.PhaseSettle); err != nil {
		return err
	}
	if err := rest(ctx, r.plan.Timeline.Settle); err != nil {
		return err
	}
	if err := r.readAll(ctx, roundFirst); err != nil {
		return err
	}
	if err := rest(ctx, r.plan.Timeline.Reread); err != nil {
		return err
	}
	return r.readAll(ctx, roundSecond)
}

// unproven writes the reason down and ends the phases.
func (r *run) unproven(code, text string) error {
	if err := r.trouble(code, text); err != nil {
		return err
	}
	return errUnproven
}

func (r *run) untilSteady(ctx context.Context) error {
	for !r.isSteady() {
		if err := rest(ctx, r.pace.poll); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) isSteady() bool {
	for _, w := range r.steady {
		if !w.steady() {
			return false
		}
	}
	return true
}

func (r *run) complaints() string {
	var text string
	for _, w := range r.steady {
		if w.steady() {
			continue
		}
		if text != "" {
			text += "; "
		}
		text += w.complaint()
	}
	return text
}

// startWatching begins the looks that last as long as the run: the steady state, and the rules that may end it.
func (r *run) startWatching(ctx context.Context) {
	ctx, r.stopWatch = context.WithCancel(ctx)
	r.watchOutside(ctx)
	for _, w := range r.steady {
		r.watching.Go(func() error { return r.orAbort(w.run(ctx, r.surroundings, r)) })
	}
	for i, w := range r.aborts {
		rule := r.plan.Exec.Experiment.Abort[i]
		limit := rule.Fails
		if limit == 0 {
			limit = 3
		}
		w.seen = func() {
			if n := w.failing(); n >= limit {
				r.abort(fmt.Errorf("%w by a rule: %s (%s, %d times in a row)", ErrAborted, rule.Because, w.complaint(), n))
			}
		}
		r.watching.Go(func() error { return r.orAbort(w.run(ctx, r.surroundings, r)) })
	}
}

// orAbort ends the run when something beside the phases could not do its job.
func (r *run) orAbort(err error) error {
	if err != nil {
		r.abort(err)
	}
	return err
}
