package engine

import (
	"fmt"
	"net/http"
	"os"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/faulttest"
	"github.com/candor-chaos/candor/faults/journal"
)

// TestNothingLeaks runs 200 experiments in one process, with every kind of fault, and counts what stays open.
func TestNothingLeaks(t *testing.T) {
	const runs, side = 200, 8
	r := newRig(t)
	kinds := faults.All()
	one := func(n int) {
		plan := r.plan(t, fmt.Sprintf("leak%d", n), kinds[n%len(kinds)].Example, kinds[(n+1)%len(kinds)].Example)
		w := faulttest.NewFake()
		config, guards := r.config(plan, w)
		outcome, err := Run(t.Context(), config)
		if err != nil || !outcome.Result.Environment.Clean {
			t.Errorf("run %d: %v, environment %+v", n, err, outcome.Result.Environment)
		}
		guards.all.Wait()
	}
	one(0) // what is made once stays
	http.DefaultClient.CloseIdleConnections()
	before := goleak.IgnoreCurrent()
	open := descriptors(t)

	var all sync.WaitGroup
	for lane := range side {
		all.Go(func() {
			for n := lane + 1; n <= runs; n += side {
				one(n)
			}
		})
	}
	all.Wait()
	r.site.CloseClientConnections()
	if err := goleak.Find(before); err != nil {
		t.Errorf("goroutines: %v", err)
	}
	if now := descriptors(t); len(now) > len(open) {
		t.Errorf("%d descriptors were open before %d runs, and %d are after: %v", len(open), runs, len(now), now)
	}
	dirty, err := journal.Dirty(r.state)
	if err != nil || len(dirty) > 0 {
		t.Errorf("Dirty = %v, %v", dirty, err)
	}
}

// descriptors are what this process has open.
func descriptors(t *testing.T) []string {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range all {
		if to, err := os.Readlink("/proc/self/fd/" + f.Name()); err == nil {
			names = append(names, to)
		}
	}
	return names
}
