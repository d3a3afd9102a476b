package engine

import (
	"context"
	"errors"
	"testing"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/faults"
)

// eye is a probe that sees what it is told to.
type eye struct{ sights []sight }

type sight struct {
	ok  bool
	err error
}

func (e *eye) Observe(context.Context, experiments.Surroundings) (experiments.Observation, error) {
	s := e.sights[0]
	e.sights = e.sights[1:]
	return experiments.Observation{OK: s.ok, Summary: "seen"}, s.err
}

func TestBlindIsNeitherGoodNorBad(t *testing.T) {
	good, bad, blind := sight{ok: true}, sight{}, sight{err: errors.New("no light")}
	for _, c := range []struct {
		name    string
		sights  []sight
		needs   int
		steady  bool
		failing int
	}{
		{"nothing seen", nil, 1, false, 0},
		{"good", []sight{good}, 1, true, 0},
		{"not often enough", []sight{good}, 2, false, 0},
		{"twice", []sight{good, good}, 2, true, 0},
		{"bad after good", []sight{good, bad}, 1, false, 1},
		{"blind after good", []sight{good, blind}, 1, false, 0},
		{"blind between bad", []sight{bad, blind, bad}, 1, false, 2},
		{"good ends the count", []sight{bad, bad, good}, 1, true, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := &watch{name: "eye", check: experiments.Check{Probe: &eye{sights: c.sights}, Needs: c.needs}}
			for range c.sights {
				w.look(t.Context(), experiments.Surroundings{})
			}
			if w.steady() != c.steady || w.failing() != c.failing {
				t.Errorf("steady %v, failing %d; want %v, %d", w.steady(), w.failing(), c.steady, c.failing)
			}
			w.restart()
			if w.steady() || w.failing() != 0 {
				t.Error("after a restart it remembers what it saw")
			}
		})
	}
}

func TestALookThatCouldNotLookSaysSo(t *testing.T) {
	w := &watch{name: "eye", role: "steady", check: experiments.Check{Probe: &eye{sights: []sight{{ok: true, err: errors.New("no light")}}}}}
	if look := w.look(t.Context(), experiments.Surroundings{}); look.OK || look.Blind != "no light" {
		t.Errorf("a blind look is %+v", look)
	}
}

func TestTallyCountsOnlyWhoNeedsTheTarget(t *testing.T) {
	plan := &experiments.Plan{Journeys: []experiments.PlannedJourney{{Name: "buy", Service: "web", Steps: []experiments.PlannedStep{
		{Name: "look", Needs: []string{"catalog"}}, {Name: "order", Needs: []string{"orders"}}}}}}
	tally := newTally(plan)
	f := &armed{kind: faults.Kind{Reach: func(faults.Fault) faults.Reach { return faults.Reach{Services: []string{"orders"}} }}}
	ask := func(step string) { tally.see(&experiments.Exchange{Journey: "buy", Step: step}) }
	ask("order")
	stop := tally.open(f)
	ask("look")
	ask("order")
	ask("order")
	if n := tally.count(f); n != 2 {
		t.Errorf("%d requests felt the fault; want 2", n)
	}
	stop()
	ask("order")
	if n := tally.count(f); n != 0 {
		t.Errorf("after its end %d requests are counted", n)
	}
}

func TestOneRunHasASystem(t *testing.T) {
	dir := t.TempDir()
	first, err := lockSystem(dir, "shop/../odd name")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lockSystem(dir, "shop/../odd name"); !errors.Is(err, faults.ErrBusy) {
		t.Errorf("a second run got the system: %v", err)
	}
	if other, err := lockSystem(dir, "another"); err != nil {
		t.Errorf("another system is not free: %v", err)
	} else {
		other.Close()
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := lockSystem(dir, "shop/../odd name")
	if err != nil {
		t.Fatalf("after its end the system is not free: %v", err)
	}
	again.Close()
}
