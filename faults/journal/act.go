package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/candor-chaos/candor/faults"
)

// Obligation is a prepared fault on its way into the journal.
type Obligation struct {
	ID      string // unique among what is owed: the fault's name in the experiment, or candor's own
	Kind    string // its kind's name in faults.Obligations
	Fault   faults.Fault
	Summary string    // the sentence of Prepare
	Until   time.Time // when it has to be settled at the latest, whatever its runner does; zero: with the run
}

// pace says how long the journal tries and waits.
type pace struct {
	inject time.Duration // for Inject itself
	bite   time.Duration // for State to say present, after it
	once   time.Duration // for one Revert and the look after it
	revert time.Duration // for all tries of one obligation
	late   time.Duration // for what a runner that died had asked for and nobody had done yet
	first  time.Duration // between two tries, doubled each time
	most   time.Duration
}

var patient = pace{inject: 45 * time.Second, bite: 15 * time.Second, once: 20 * time.Second, revert: 45 * time.Second,
	late: 700 * time.Millisecond, first: 50 * time.Millisecond, most: time.Second}

// inFlight is how long after an intent something of it may still be under way in the world.
const inFlight = time.Minute

// ErrNotPresent: Inject said that it was done, and a look at the world says otherwise.
var ErrNotPresent = errors.New("the fault did not take hold")

// Inject writes the intent, injects, waits until the world shows the fault, and writes that. When it fails after the
// intent the obligation stays owed, and Revert or RevertAll settles it as any other.
func (j *Journal) Inject(ctx context.Context, w faults.World, ob Obligation) error {
	if ctx.Err() != nil {
		return fmt.Errorf("inject %s: %w", ob.ID, context.Cause(ctx))
	}
	if _, ok := faults.Lookup(j.kinds, ob.Kind); !ok {
		return fmt.Errorf("inject %s: %q is no kind of fault that heal could mend", ob.ID, ob.Kind)
	}
	data, err := json.Marshal(ob.Fault)
	if err != nil {
		return fmt.Errorf("inject %s: save the fault: %w", ob.ID, err)
	}
	v := &live{fault: ob.Fault, world: w}
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := j.intend(Record{Phase: Intent, ID: ob.ID, Kind: ob.Kind, World: w.Name(), Summary: ob.Summary, Fault: data, Until: ob.Until}, v); err != nil {
		return fmt.Errorf("inject %s: %w", ob.ID, err)
	}
	if err := j.bite(ctx, w, ob.Fault); err != nil {
		return fmt.Errorf("inject %s: %w", ob.ID, err)
	}
	if err := j.write(Record{Phase: Injected, ID: ob.ID}); err != nil {
		return fmt.Errorf("inject %s: %w", ob.ID, err)
	}
	return nil
}

// intend makes the value known together with its intent, so that a Revert beside Inject finds it and waits.
func (j *Journal) intend(r Record, v *live) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.append(r); err != nil {
		return err
	}
	j.live[r.ID] = v
	return nil
}

func (j *Journal) bite(ctx context.Context, w faults.World, f faults.Fault) error {
	within, cancel := context.WithTimeout(ctx, j.pace.inject)
	defer cancel()
	if err := calmly(func() error { return f.Inject(within, w) }); err != nil {
		return err
	}
	within, cancel = context.WithTimeout(ctx, j.pace.bite)
	defer cancel()
	for wait := j.pace.first; ; wait = min(2*wait, j.pace.most) {
		s := faults.Unknown
		err := calmly(func() (err error) { s, err = f.State(within, w); return err })
		if err == nil && s == faults.Present {
			return nil
		}
		if !rest(within, wait) {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return errors.Join(fmt.Errorf("%w: it is %s", ErrNotPresent, s), err)
		}
	}
}

// Revert settles one obligation: it tries again and again, on a clock of its own that no interrupt stops, until the world
// shows that the fault is gone. What is settled already is left alone. It fails with an *InForceError.
func (j *Journal) Revert(ctx context.Context, w faults.World, id string) error {
	l := j.Log()
	e := l.find(id)
	if e == nil {
		return fmt.Errorf("revert %s: nothing of that name is owed", id)
	}
	if left := j.settle(ctx, w, *e); left != nil {
		return &InForceError{Run: l.Header.Run, Left: []Left{*left}}
	}
	return nil
}

// RevertAll settles everything, the last first. Every obligation is tried, and those that stay are reported together in
// an *InForceError. Whoever injects must have stopped before.
func (j *Journal) RevertAll(ctx context.Context, w faults.World) error {
	l := j.Log()
	var left []Left
	for _, e := range l.Owed() {
		if still := j.settle(ctx, w, e); still != nil {
			left = append(left, *still)
		}
	}
	if len(left) > 0 {
		return &InForceError{Run: l.Header.Run, Left: left}
	}
	return nil
}

// settle returns what is left, or nil.
func (j *Journal) settle(ctx context.Context, w faults.World, e Entry) *Left {
	if e.Phase == Reverted {
		return nil
	}
	v, err := j.value(e)
	if err == nil && e.World == faults.LoadWorld {
		if v.world == nil {
			return j.endedWithItsRunner(v, e)
		}
		w = v.world // this process is the runner
	}
	if err == nil && e.World != w.Name() {
		err = fmt.Errorf("it was made in a %s world, and this is a %s world", e.World, w.Name())
	}
	if err != nil {
		return &Left{Entry: e, Err: errors.Join(err, j.write(Record{Phase: RevertFailed, ID: e.ID, Error: err.Error()}))}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	now := j.Log()
	if now.find(e.ID).Phase == Reverted {
		return nil
	}
	note, err := j.mend(ctx, w, v.fault)
	if err == nil && e.Phase == Intent && time.Since(e.Since) < inFlight {
		// Nobody saw the end of the injection. What had been asked for may be done only now: look again.
		rest(context.WithoutCancel(ctx), j.pace.late)
		note, err = j.mend(ctx, w, v.fault)
	}
	if err != nil {
		left := &Left{Entry: e, Err: errors.Join(err, j.write(Record{Phase: RevertFailed, ID: e.ID, Error: err.Error()}))}
		if h, ok := v.fault.(faults.Handy); ok {
			left.ByHand = h.ByHand(w)
		}
		return left
	}
	if err := j.write(Record{Phase: Reverted, ID: e.ID, Note: note}); err != nil {
		return &Left{Entry: e, Err: fmt.Errorf("%w: %w", ErrUnwritten, err)}
	}
	return nil
}

// endedWithItsRunner settles for an heir what was made in the runner's own traffic.
func (j *Journal) endedWithItsRunner(v *live, e Entry) *Left {
	v.mu.Lock()
	defer v.mu.Unlock()
	if now := j.Log(); now.find(e.ID).Phase == Reverted {
		return nil
	}
	if err := j.write(Record{Phase: Reverted, ID: e.ID, Note: "it was in the traffic of its runner, and ended with it"}); err != nil {
		return &Left{Entry: e, Err: fmt.Errorf("%w: %w", ErrUnwritten, err)}
	}
	return nil
}

// value is the fault of an entry: this process's own, or what the journal saved.
func (j *Journal) value(e Entry) (*live, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if v, ok := j.live[e.ID]; ok {
		return v, nil
	}
	k, ok := faults.Lookup(j.kinds, e.Kind)
	if !ok {
		return nil, fmt.Errorf("line %d of %s: this candor knows no fault of kind %q", e.Line, j.log.Path, e.Kind)
	}
	v := &live{fault: k.New()}
	if err := json.Unmarshal(e.Fault, v.fault); err != nil {
		return nil, fmt.Errorf("line %d of %s: read the fault: %w", e.Line, j.log.Path, err)
	}
	j.live[e.ID] = v
	return v, nil
}

func (j *Journal) mend(ctx context.Context, w faults.World, f faults.Fault) (note string, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), j.pace.revert)
	defer cancel()
	for wait := j.pace.first; ; wait = min(2*wait, j.pace.most) {
		if note, err = j.mendOnce(ctx, w, f); err == nil || !rest(ctx, wait) {
			return note, err
		}
	}
}

// mendOnce takes it for settled when the thing is gone and something else has its name: that was never broken, and to
// try for ever would not bring back the other. The note says so.
func (j *Journal) mendOnce(ctx context.Context, w faults.World, f faults.Fault) (note string, err error) {
	ctx, cancel := context.WithTimeout(ctx, j.pace.once)
	defer cancel()
	err = calmly(func() error { return f.Revert(ctx, w) })
	replaced := errors.Is(err, faults.ErrReplaced)
	if err != nil && !replaced {
		return "", err
	}
	s := faults.Unknown
	lookErr := calmly(func() (err error) { s, err = f.State(ctx, w); return err })
	if lookErr != nil || s != faults.Absent {
		return "", errors.Join(fmt.Errorf("after Revert it is %s", s), lookErr)
	}
	if n, ok := f.(faults.Noter); ok {
		note = n.Note()
	}
	if note == "" && replaced {
		note = err.Error()
	}
	return note, nil
}

// calmly turns a panic into an error: whatever else is owed must still be mended.
func calmly(verb func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return verb()
}

// rest waits, and is false when ctx has ended.
func rest(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
