package agent

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/candor-chaos/candor/faults"
)

// pursue leads a path to where its host is by now.
func (s *server) pursue(k *seeker) error {
	now := k.addresses()
	if slices.Equal(now, k.laid) {
		return nil
	}
	if err := s.readdress(Request{Path: k.path, Addresses: now}); err != nil {
		return err
	}
	k.laid = now
	return nil
}

// where is where a path's host is known to be.
func (s *server) where(p faults.Path) ([]netip.Addr, error) {
	k := s.seekers[p.Key()]
	if k == nil {
		return nil, fmt.Errorf("%s leads to no host outside", p)
	}
	return k.addresses(), nil
}

// mixed is an error while a path to a host and another one lead to the same address and port: what is done to one would be
// done to both.
func (s *server) mixed(p faults.Path) error {
	for key, way := range s.ways {
		if key == p.Key() || len(way) == 0 || way[0].path.Port != p.Port || s.seekers[key] == nil && s.seekers[p.Key()] == nil {
			continue
		}
		for _, l := range s.ways[p.Key()] {
			for _, a := range l.addresses {
				if slices.Contains(way[0].addresses, a) {
					return fmt.Errorf("%s and %s are both at %s now, port %d: what breaks one would break both", p.To, way[0].path.To, a, p.Port)
				}
			}
		}
	}
	return nil
}
