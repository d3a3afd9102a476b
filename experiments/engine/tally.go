package engine

import (
	"slices"
	"sync"

	"github.com/candor-chaos/candor/experiments"
)

// tally counts, for faults that cannot count where they act, the users' own requests that needed the target while the
// fault was being or had been injected.
type tally struct {
	needs map[string][]string // by journey and step

	mu   sync.Mutex
	hits map[*armed]int64 // of the faults that are open
}

func newTally(p *experiments.Plan) *tally {
	t := &tally{needs: map[string][]string{}, hits: map[*armed]int64{}}
	for _, j := range p.Journeys {
		for _, s := range slices.Concat(j.Steps, j.Lookup) {
			t.needs[j.Name+"\x00"+s.Name] = append([]string{j.Service}, s.Needs...)
		}
	}
	return t
}

// open begins to count for a fault, until the function that it returns is called.
func (t *tally) open(f *armed) func() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.hits[f] = 0
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.hits, f)
	}
}

func (t *tally) count(f *armed) int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.hits[f]
}

// see counts one request for every fault that it could feel.
func (t *tally) see(e *experiments.Exchange) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for f := range t.hits {
		for _, target := range f.kind.Reach(f.fault).Services {
			if slices.Contains(t.needs[e.Journey+"\x00"+e.Step], target) {
				t.hits[f]++
				break
			}
		}
	}
}
