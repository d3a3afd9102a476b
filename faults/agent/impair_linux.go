package agent

import (
	"context"
	"errors"
	"fmt"

	"github.com/candor-chaos/candor/faults"
)

// impair makes an impairment on every lane of a path. Making it again is no error.
func (s *server) impair(ctx context.Context, r Request) error {
	if r.Impairment == nil || r.Name == "" {
		return errors.New("impair needs a name and an impairment")
	}
	if err := errors.Join(check(*r.Impairment), s.mixed(r.Path)); err != nil {
		return err
	}
	if r.Impairment.Flap != nil {
		return s.beginFlap(ctx, r)
	}
	state, err := s.impaired(ctx, r)
	if err != nil || state == faults.Present {
		return err
	}
	if state == faults.Partial && r.Impairment.Block != "" { // some rules are there: begin anew
		if err := s.unblock(r.Path, blockName(r.Path, r.Name)); err != nil {
			return err
		}
	}
	return s.each(r.Path, func(l *lane) error {
		if r.Impairment.Block != "" {
			return l.cutOff(ctx, s.table, blockName(r.Path, r.Name), *r.Impairment)
		}
		if r.Impairment.Reply != nil {
			l.reply(r.Name, *r.Impairment)
			l.toxic[r.Name] = true
		}
		for i, toxic := range r.Impairment.Toxics {
			if err := l.addToxic(ctx, toxicName(r.Name, i), toxic, *r.Impairment); err != nil {
				return err
			}
			l.toxic[toxicName(r.Name, i)] = true
		}
		return l.lay(s.table)
	})
}

// unimpair removes whatever carries the name. Nothing is no error, nor is a path that is not interposed.
func (s *server) unimpair(ctx context.Context, r Request) error {
	var errs []error
	delete(s.flaps, flapKey(r.Path, r.Name))
	errs = append(errs, s.unblock(r.Path, blockName(r.Path, r.Name)))
	for _, l := range s.ways[r.Path.Key()] {
		delete(l.cut, blockName(r.Path, r.Name))
		delete(l.toxic, r.Name)
		l.forward.repliers.remove(r.Name)
		for i := range mostToxics {
			errs = append(errs, l.removeToxic(ctx, toxicName(r.Name, i)))
		}
	}
	return errors.Join(errs...)
}

// impaired looks at the rules in the kernel, the toxics in the proxies and the replies behind them.
func (s *server) impaired(ctx context.Context, r Request) (faults.State, error) {
	lanes := s.ways[r.Path.Key()]
	if len(lanes) == 0 {
		return faults.Absent, nil
	}
	if r.Impairment == nil {
		return faults.Unknown, errors.New("impaired needs the impairment that is looked for")
	}
	if r.Impairment.Flap != nil {
		return s.flapping(r)
	}
	if r.Impairment.Block != "" {
		found, err := s.table.find(blockName(r.Path, r.Name))
		if err != nil {
			return faults.Unknown, err
		}
		return amount(len(found), len(lanes)*blockRules(*r.Impairment)), nil
	}
	if r.Impairment.Reply != nil {
		return s.fold(r.Path, func(l *lane) (faults.State, error) { return l.replying(r.Name), nil })
	}
	found := 0
	for _, l := range lanes {
		for i := range r.Impairment.Toxics {
			there, err := l.find(ctx, toxicName(r.Name, i))
			if err != nil {
				return faults.Unknown, err
			}
			if there != nil {
				found++
			}
		}
	}
	return amount(found, len(lanes)*len(r.Impairment.Toxics)), nil
}

// impacts adds up what an impairment has hit: packets of its rules, connections that it ended, chunks of its toxics, answers of its reply.
func (s *server) impacts(ctx context.Context, r Request) (int64, error) {
	total, err := s.table.packets(blockName(r.Path, r.Name))
	if err != nil {
		return 0, err
	}
	if f := s.flaps[flapKey(r.Path, r.Name)]; f != nil {
		total += f.counted
	}
	for _, l := range s.ways[r.Path.Key()] {
		total += int64(l.cut[blockName(r.Path, r.Name)]) + l.replied(r.Name)
		for i := range mostToxics {
			found, err := l.find(ctx, toxicName(r.Name, i))
			if err != nil {
				return 0, err
			}
			if found == nil {
				continue
			}
			counted, ok := found.Toxic.(counting)
			if !ok {
				return 0, fmt.Errorf("a %s cannot say what it hit", found.Type)
			}
			total += counted.count()
		}
	}
	return total, nil
}
