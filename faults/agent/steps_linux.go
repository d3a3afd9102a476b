package agent

import (
	"context"
	"errors"
	"time"

	"github.com/candor-chaos/candor/faults"
)

// What an agent does on its own clock, between two requests: shares that grow, flaps that turn, hosts that move, and what blocks leave.

// sweepFor is how long after a block has ended the proxy's ends of what it reset are looked for.
const (
	sweepFor          = 2 * time.Second
	sweepOrphansEvery = 250 * time.Millisecond
)

// step does what is due.
func (s *server) step(ctx context.Context) error {
	var errs []error
	for _, f := range s.flaps {
		if !time.Now().Before(f.next) {
			errs = append(errs, s.turn(ctx, f))
		}
	}
	for _, k := range s.seekers {
		errs = append(errs, s.pursue(k))
	}
	for _, way := range s.ways {
		for _, l := range way {
			for _, f := range l.fates {
				errs = append(errs, l.spread(s.table, f))
			}
			if len(l.blocked) > 0 {
				l.sweepUntil = time.Now().Add(sweepFor)
			}
			l.sweepOrphans()
		}
	}
	return errors.Join(errs...)
}

// flap is an outage that comes and goes.
type flap struct {
	request  Request
	down, up time.Duration
	broken   bool // it is in its outage
	next     time.Time
	counted  int64 // packets that outages which are over have hit
}

// sweepOrphans looks now and then, while it is due. What could not be reset now is met by the next sweep.
func (l *lane) sweepOrphans() {
	if now := time.Now(); now.Before(l.sweepUntil) && !now.Before(l.sweepNext) {
		l.sweepNext = now.Add(sweepOrphansEvery)
		l.missed, _ = resetOrphans(l.listener, l.path.Port, l.missed)
	}
}

func flapKey(path faults.Path, name string) string { return path.Key() + " " + name }

// beginFlap begins with an outage. One that is there already goes on.
func (s *server) beginFlap(ctx context.Context, r Request) error {
	key := flapKey(r.Path, r.Name)
	if s.flaps[key] != nil {
		return nil
	}
	if len(s.ways[r.Path.Key()]) == 0 {
		return s.each(r.Path, nil) // says that it is not interposed
	}
	i := r.Impairment
	f := &flap{request: r, down: time.Duration(i.Flap.Down) * time.Millisecond, up: time.Duration(i.Flap.Up) * time.Millisecond, next: time.Now()}
	s.flaps[key] = f
	return s.turn(ctx, f)
}

// turn goes on to the other half. The rules of the outage give way to one that does nothing, so that whoever looks from
// outside sees the fault in both. A half that is late is not made up for.
func (s *server) turn(ctx context.Context, f *flap) error {
	r, name := f.request, blockName(f.request.Path, f.request.Name)
	if f.broken {
		n, err := s.table.packets(name)
		if err != nil {
			return err
		}
		f.counted += n
	}
	if err := s.unblock(r.Path, name); err != nil {
		return err
	}
	f.broken = !f.broken
	if !f.broken {
		f.next = time.Now().Add(f.up)
		return s.each(r.Path, func(l *lane) error {
			return s.table.add(rule{name: name, chain: chainBefore, exprs: toward(l.family, l.set, l.path.Port)})
		})
	}
	f.next = time.Now().Add(f.down)
	return s.each(r.Path, func(l *lane) error { return l.cutOff(ctx, s.table, name, *r.Impairment) })
}

// flapping is the state of a flap: it is whole when the rules of its present half are there.
func (s *server) flapping(r Request) (faults.State, error) {
	f := s.flaps[flapKey(r.Path, r.Name)]
	found, err := s.table.find(blockName(r.Path, r.Name))
	if err != nil {
		return faults.Unknown, err
	}
	whole := 1
	if f != nil && f.broken {
		whole = blockRules(*r.Impairment)
	}
	return amount(len(found), len(s.ways[r.Path.Key()])*whole), nil
}

// unblock removes the rules of a block, and the sets that go with it.
func (s *server) unblock(path faults.Path, name string) error {
	var errs []error
	for _, l := range s.ways[path.Key()] {
		errs = append(errs, l.endSweep(name))
		delete(l.blocked, name)
	}
	errs = append(errs, s.table.remove(name))
	for _, l := range s.ways[path.Key()] {
		errs = append(errs, l.endFate(s.table, name))
	}
	return errors.Join(errs...)
}
