package agent

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/candor-chaos/candor/faults"
)

// interpose starts one lane for each version of IP that the namespace has, and leads the path through them.
func (s *server) interpose(ctx context.Context, r Request) error {
	path := r.Path
	if _, there := s.ways[path.Key()]; there {
		if s.seekers[path.Key()] != nil {
			return nil // it knows better by now
		}
		return s.readdress(r)
	}
	var lanes []*lane
	for _, f := range families {
		if f.name == "v6" && !haveIPv6(ctx) {
			continue
		}
		l, err := s.newLane(ctx, path, f)
		if err == nil {
			lanes = append(lanes, l)
			s.ways[path.Key()] = lanes
			continue
		}
		return errors.Join(err, s.withdraw(ctx, path))
	}
	if err := s.readdress(r); err != nil {
		return errors.Join(err, s.withdraw(ctx, path))
	}
	if r.Host != "" {
		s.seekers[path.Key()] = seek(ctx, path, r.Host, r.Addresses)
	}
	return nil
}

// readdress follows the dependency.
func (s *server) readdress(r Request) error {
	return s.each(r.Path, func(l *lane) error {
		l.addresses, l.lifted = r.Addresses, r.Lifted
		return l.lay(s.table)
	})
}

// haveIPv6 reports whether the namespace's loopback speaks it.
func haveIPv6(ctx context.Context) bool {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp6", "[::1]:0")
	if err != nil {
		return false
	}
	return l.Close() == nil
}

// withdraw removes rules, proxies and sets of a path. One that is not there is no error.
func (s *server) withdraw(ctx context.Context, path faults.Path) error {
	var errs []error
	if k := s.seekers[path.Key()]; k != nil {
		k.end()
		delete(s.seekers, path.Key())
	}
	for _, l := range s.ways[path.Key()] {
		for name := range l.fates {
			errs = append(errs, l.endFate(s.table, name))
		}
		errs = append(errs, s.table.remove(l.ruleName()), l.end(ctx), s.table.removeSet(l.set))
	}
	delete(s.ways, path.Key())
	for key, f := range s.flaps {
		if f.request.Path.Key() == path.Key() {
			delete(s.flaps, key)
		}
	}
	return errors.Join(errs...)
}

func (s *server) each(path faults.Path, do func(*lane) error) error {
	lanes, there := s.ways[path.Key()]
	if !there {
		return fmt.Errorf("%s is not interposed", path)
	}
	var errs []error
	for _, l := range lanes {
		errs = append(errs, do(l))
	}
	return errors.Join(errs...)
}

// fold is the state of a path over its lanes: partial as soon as they differ. No lanes: absent.
func (s *server) fold(path faults.Path, look func(*lane) (faults.State, error)) (faults.State, error) {
	state := faults.Absent
	for i, l := range s.ways[path.Key()] {
		here, err := look(l)
		if err != nil {
			return faults.Unknown, err
		}
		if i > 0 && here != state {
			return faults.Partial, nil
		}
		state = here
	}
	return state, nil
}
