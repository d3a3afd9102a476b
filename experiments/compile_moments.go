package experiments

import (
	"encoding/json"
	"slices"

	"github.com/candor-chaos/candor/faults"
)

// boundary binds a place between two steps to a journey of the experiment.
func (w *compiler) boundary(b *Boundary, at string) {
	steps, known := w.stepsOf(b.Journey, at+".journey")
	if !known {
		return
	}
	for key, step := range map[string]string{"before": b.Before, "after": b.After} {
		if step != "" && !slices.Contains(steps, step) {
			w.experiment.on(at+"."+key, suggest(step, steps), "journey %q has no step %q", b.Journey, step)
		}
	}
}

// stepsOf names the steps of a journey that the experiment uses.
func (w *compiler) stepsOf(journey, at string) (steps []string, known bool) {
	var names []string
	for _, j := range w.plan.Journeys {
		names = append(names, j.Name)
		if j.Name != journey {
			continue
		}
		for _, s := range j.Steps {
			steps = append(steps, s.Name)
		}
		return steps, true
	}
	w.experiment.on(at, suggest(journey, names), "the experiment uses no journey %q", journey)
	return nil, false
}

// sweep gives the plan one fault for each boundary of the journey. They come one after the other: each waits for a visit of
// its own.
func (w *compiler) sweep(s *Sweep) {
	steps, known := w.stepsOf(s.Journey, "sweep.journey")
	use := s.Fault
	w.lasts(&use, "sweep.fault")
	if use.Every != 0 {
		w.experiment.on("sweep.fault.every", "", "a sweep says itself how often its fault comes")
	}
	if !use.At.IsZero() {
		w.experiment.on("sweep.fault.at", "", "a sweep says itself when its fault begins")
	}
	if !known || use.Fault == nil {
		return
	}
	for i, j := range w.plan.Journeys {
		if traffic := w.Experiment.Journeys[i]; j.Name == s.Journey && (traffic.Users > 1 || !traffic.Rate.IsZero()) {
			w.experiment.on("sweep.journey", "", "a journey that is swept is walked by one user, so that one visit meets one fault")
		}
	}
	name := use.Name
	setDefault(&name, use.Kind)
	where := []Boundary{}
	for _, step := range steps {
		where = append(where, Boundary{Journey: s.Journey, Before: step})
	}
	if len(steps) > 0 {
		where = append(where, Boundary{Journey: s.Journey, After: steps[len(steps)-1]})
	}
	for _, b := range where {
		one := use
		one.Name, one.At, one.Fault = name+", "+b.String(), Moment{Boundary: &b}, w.another(use)
		if one.Fault == nil {
			return
		}
		before := len(w.plan.Faults)
		w.fault(&one, "sweep.fault")
		for i := before; i < len(w.plan.Faults); i++ {
			w.plan.Faults[i].Swept = true
		}
		w.Experiment.Swept = append(w.Experiment.Swept, one)
	}
}

// another is a value of its own with the same keys: each injection completes and saves its own.
func (w *compiler) another(use FaultUse) faults.Fault {
	kind, known := faults.Lookup(w.catalog.Faults, use.Kind)
	if !known {
		return nil // said already
	}
	data, err := json.Marshal(use.Fault)
	made := kind.New()
	if err == nil {
		err = json.Unmarshal(data, made)
	}
	if err != nil {
		w.experiment.on("sweep.fault", "", "cannot be copied: %v", err)
		return nil
	}
	return made
}
