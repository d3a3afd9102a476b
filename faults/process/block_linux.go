package process

import (
	"context"
	"errors"
	"time"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/agent"
)

// block is one block in force: of all connections or a share, for good or coming and going.
type block struct {
	mode  string
	draws *agent.Draws // nil: all connections
	flap  *faults.Flapping
	rests bool // a flap that is in its whole half
	hits  int64
	wrong error // why a turn failed
	stop  context.CancelFunc
}

// all reports whether it hits everybody now.
func (b *block) all() bool { return b.draws == nil && !b.rests }

// meets reports whether it hits a connection now.
func (b *block) meets(p *pair) bool { return !b.rests && (b.draws == nil || b.draws.Hit(p.number)) }

// begin puts a block in force. It wants the mutex.
func (f *front) begin(ctx context.Context, name string, i faults.Impairment, seed uint64) error {
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	b := &block{mode: i.Block, flap: i.Flap, stop: stop}
	if i.Partial() {
		b.draws = agent.NewDraws(seed, f.path, i)
	}
	f.blocks[name] = b
	if i.Flap != nil || i.Ramp > 0 {
		f.going.Go(func() { f.turn(life, b) })
	}
	return f.strike(ctx, b)
}

// strike ends the open connections that a block resets, and settles. It wants the mutex.
func (f *front) strike(ctx context.Context, b *block) error {
	if b.mode != blockHole && b.all() {
		b.hits += int64(f.cut())
	}
	return f.settle(ctx)
}

// growEvery is how often a share that grows is looked at.
const growEvery = 250 * time.Millisecond

// turn lets a block come and go, or grow, until it is ended. A half that is late is not made up for.
func (f *front) turn(ctx context.Context, b *block) {
	for {
		wait := growEvery
		f.mu.Lock()
		turns := time.Time{}
		if b.flap != nil {
			turns = time.Now().Add(time.Duration(b.flap.Down) * time.Millisecond)
			if b.rests {
				turns = time.Now().Add(time.Duration(b.flap.Up) * time.Millisecond)
			}
		}
		f.mu.Unlock()
		for turned := false; !turned; {
			if !turns.IsZero() {
				wait = min(growEvery, time.Until(turns))
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait):
			}
			turned = !turns.IsZero() && !time.Now().Before(turns)
			f.mu.Lock()
			if ctx.Err() == nil {
				b.rests = b.rests != turned
				b.wrong = f.strike(ctx, b)
			}
			f.mu.Unlock()
		}
	}
}

// end takes a block away; nothing is as wanted. It wants the mutex, and the front has to settle afterwards.
func (f *front) end(name string) {
	if b := f.blocks[name]; b != nil {
		b.stop()
		delete(f.blocks, name)
	}
}

func (f *front) endAll() {
	for name := range f.blocks {
		f.end(name)
	}
}

// shares is a block of a mode that hits a connection as one of its share. It wants the mutex.
func (f *front) shares(p *pair, mode string) *block {
	for _, b := range f.blocks {
		if b.mode == mode && b.draws != nil && b.meets(p) {
			return b
		}
	}
	return nil
}

// settleShares makes of every open connection what the blocks of shares want. It wants the mutex.
func (f *front) settleShares() error {
	var err error
	for p := range f.pairs {
		if b := f.shares(p, blockReset); b != nil {
			b.hits++
			f.cutOne(p)
			continue
		}
		err = errors.Join(err, f.settleShare(p))
	}
	return err
}

// settleShare makes a black hole of one connection, or ends it. The kernel has accepted it by then: what is dropped is all
// that comes after.
func (f *front) settleShare(p *pair) error {
	switch holed := f.shares(p, blockHole) != nil; {
	case holed && p.hole == nil:
		p.hole, p.before = make(chan struct{}), dropped(p.client)
		return drop(p.client)
	case holed:
		return drop(p.client)
	case p.hole != nil:
		f.count()
		close(p.hole)
		p.hole = nil
		if f.hole == nil {
			return undrop(p.client)
		}
	}
	return nil
}
