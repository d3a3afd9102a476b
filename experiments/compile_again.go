package experiments

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/candor-chaos/candor/faults"
)

// Brief is how long a fault that flaps stays away, and how long it is back then.
const Brief = time.Second

const (
	flaps     = 2
	mostTimes = 100
)

// series makes the plan's faults of what the experiment says: those that come again, and those that a messy recovery adds.
// It says where each stands in the file.
func (w *compiler) series(uses []FaultUse) (all []FaultUse, places []string) {
	flapping := w.Experiment.Recovery.Profile == RecoveryFlapping
	for i, use := range uses {
		at := index("faults", i)
		w.repeats(use, at, flapping)
		times := 1
		if use.Every > 0 && use.At.Boundary == nil {
			times = min(max(use.Times, 2), mostTimes)
		}
		last := ""
		for n := 1; n <= times; n++ {
			one := use
			if n > 1 {
				one = w.copied(use, use.Name+", "+ordinal(n)+" time", last)
				one.At.Time += time.Duration(n-1) * use.Every
			}
			all, places, last = append(all, one), append(places, at), one.Name
			for back := 1; flapping && back <= flaps; back++ {
				again := w.copied(one, fmt.Sprintf("%s, back %d", one.Name, back), last)
				again.At.Time, again.For, again.Ramp, again.Brief = one.At.Time+one.For+time.Duration(2*back-1)*Brief, Brief, 0, true
				all, places, last = append(all, again), append(places, at), again.Name
			}
		}
	}
	if w.Experiment.Recovery.Profile == RecoveryPartial {
		all, places = w.inPart(all, places)
	}
	return all, places
}

// copied is the same fault once more, after one of this name has ended.
func (w *compiler) copied(use FaultUse, name, after string) FaultUse {
	use.Name, use.After = name, after
	if use.Fault != nil {
		use.Fault = w.another(use)
	}
	return use
}

// repeats holds a fault that comes again to what can be.
func (w *compiler) repeats(use FaultUse, at string, flapping bool) {
	busy := use.For
	if flapping {
		busy += 2 * flaps * Brief
	}
	switch {
	case use.Every == 0 && use.Times != 0:
		w.experiment.on(at+".times", `add "every"`, `"times" says how often a fault comes that has "every"`)
	case use.Every == 0:
	case use.At.Boundary != nil:
		w.experiment.on(at+".every", "", "a fault that waits for a visit comes once")
	case use.Every <= use.For:
		w.experiment.on(at+".every", "", "%s is not longer than the fault lasts (for: %s): it would never be gone", brief(use.Every), brief(use.For))
	case use.Every <= busy:
		w.experiment.on(at+".every", "", "%s is not longer than the fault and its flapping last (%s)", brief(use.Every), brief(busy))
	case use.Times == 1 || use.Times > mostTimes:
		w.experiment.on(at+".times", "", "a fault that comes again comes 2 to %d times", mostTimes)
	}
}

// inPart lets faults go one after another, over a third of the recovery: the one that ends first goes then, and the last
// that much later. A single one goes to half its share first.
func (w *compiler) inPart(all []FaultUse, places []string) ([]FaultUse, []string) {
	third := w.plan.Timeline.Recovery / 3
	for i, use := range all {
		if use.Every > 0 {
			w.experiment.on(places[i]+".every", "", "a fault that comes again cannot end in part (recovery: partial)")
			return all, places
		}
	}
	if len(all) == 1 {
		return w.halved(all[0], places[0], third)
	}
	order := make([]int, len(all))
	for i := range all {
		order[i] = i
	}
	ends := func(i int) time.Duration { return all[i].At.Time + all[i].For }
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(ends(a), ends(b)) })
	for rank, i := range order {
		more := third * time.Duration(rank) / time.Duration(max(1, len(all)-1))
		if limit := w.System.Environment.MaxFault; all[i].For <= limit && all[i].For+more > limit {
			w.experiment.on("recovery.profile", "", "fault %q would be in force for %s, and this system allows %s (max_fault)", all[i].Name, brief(all[i].For+more), brief(limit))
		}
		all[i].For += more
	}
	return all, places
}

// halved lets half of a single fault stay for a time.
func (w *compiler) halved(use FaultUse, at string, third time.Duration) ([]FaultUse, []string) {
	_, can := use.Fault.(faults.Shareable)
	if !can || use.At.Boundary != nil {
		if use.Fault != nil {
			w.experiment.on("recovery.profile", "use several faults, or one on the traffic between two services that begins at a time", "a single %s cannot end in part", use.Kind)
		}
		return []FaultUse{use}, []string{at}
	}
	half := w.copied(use, use.Name+", half of it", use.Name)
	half.At.Time, half.For, half.Ramp, half.Share = use.At.Time+use.For, third, 0, faults.Share(0.5)
	if use.Share > 0 {
		half.Share = use.Share / 2
	}
	return []FaultUse{use, half}, []string{at, at}
}

func ordinal(n int) string {
	suffix := "th"
	if n%100 < 11 || n%100 > 13 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return fmt.Sprint(n) + suffix
}
