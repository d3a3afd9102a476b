package experiments

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/candor-chaos/candor/faults"
)

// allFaults binds the faults to services and abilities, and holds them to the environment's rails.
func (w *compiler) allFaults() {
	x, env := w.Experiment, w.System.Environment
	if len(x.Faults) == 0 && x.Sweep == nil {
		w.experiment.on("faults", "", "an experiment without a fault proves nothing about faults")
	}
	names := map[string]bool{}
	for i := range x.Faults {
		use, at := &x.Faults[i], index("faults", i)
		setDefault(&use.Name, strings.TrimSpace(fmt.Sprintf("%s %d", use.Kind, i+1)))
		if names[use.Name] {
			w.experiment.on(at+".name", "", "two faults are called %q", use.Name)
		}
		names[use.Name] = true
		w.lasts(use, at)
		if use.At.Boundary != nil {
			w.boundary(use.At.Boundary, at+".at")
		}
	}
	messy := x.Recovery.Profile == RecoveryFlapping || x.Recovery.Profile == RecoveryPartial
	if messy && len(x.Faults) == 0 {
		w.experiment.on("recovery.profile", "", "it is about the end of faults, and those of a sweep end with their visit")
	}
	var places []string
	x.Faults, places = w.series(x.Faults)
	w.plan.Recovery = x.Recovery
	for i := range x.Faults {
		if x.Faults[i].Fault != nil {
			w.fault(&x.Faults[i], places[i])
		}
	}
	if x.Sweep != nil {
		w.sweep(x.Sweep)
	}
	if n, at := overlap(x.Faults); n > env.MaxParallelFaults {
		w.experiment.on(places[at], "", "%d faults are in force at once; this system allows %d (max_parallel_faults)", n, env.MaxParallelFaults)
	}
}

// lasts holds the time of a fault to the environment's.
func (w *compiler) lasts(use *FaultUse, at string) {
	limit := w.System.Environment.MaxFault
	switch {
	case use.For == 0:
		w.experiment.on(at+".for", "", "a fault has to last")
	case use.For > limit:
		w.experiment.on(at+".for", "", "%s is longer than this system allows (max_fault: %s)", brief(use.For), brief(limit))
	}
}

// fault binds one fault and gives it to the plan.
func (w *compiler) fault(use *FaultUse, at string) {
	w.bench.bind(use.Fault, nil)
	kind, _ := faults.Lookup(w.catalog.Faults, use.Kind)
	reach := kind.Reach(use.Fault)
	w.reached(reach, at+"."+use.Kind)
	w.touched(kind, reach, at+"."+use.Kind)
	w.dosed(kind, use, at)
	w.able(kind, use, at)
	value, err := json.Marshal(use.Fault)
	if err != nil {
		w.experiment.on(at, "", "cannot be saved: %v", err)
	}
	w.plan.Faults = append(w.plan.Faults, PlannedFault{Name: use.Name, Kind: use.Kind, At: use.At.Time, Where: use.At.Boundary, After: use.After, Brief: use.Brief, For: use.For, Pick: use.Pick, Reach: reach, Fault: value})
}

// dosed hands the common keys of some faults on to the fault, which saves them.
func (w *compiler) dosed(kind faults.Kind, use *FaultUse, at string) {
	if !use.Pick.IsZero() && kind.Whole == "" {
		hint, why := "leave it out, or say share", "hits a path, with all the replicas at both of its ends, and has no pick; faults on a service do"
		if kind.World == faults.LoadWorld {
			hint, why = "leave it out", "is about users, and has no pick; faults on a service do"
		}
		w.experiment.on(at+".pick", hint, "%s %s", use.Kind, why)
	}
	if use.Share != 0 {
		if f, can := use.Fault.(faults.Shareable); can {
			f.HitShare(use.Share)
		} else if kind.World == faults.LoadWorld {
			w.experiment.on(at+".share", "leave it out", "%s breaks no connections and has no share", use.Kind)
		} else {
			w.experiment.on(at+".share", "leave it out", "%s hits a service as a whole and has no share; faults on the traffic between two services do", use.Kind)
		}
	}
	if use.Ramp == 0 {
		return
	}
	f, can := use.Fault.(faults.Rampable)
	switch {
	case !can:
		w.experiment.on(at+".ramp", "leave it out", "%s happens at once and has no ramp; faults on the traffic between two services and spikes do", use.Kind)
	case use.Ramp > use.For:
		w.experiment.on(at+".ramp", "", "a ramp of %s is longer than the fault lasts (for: %s)", brief(use.Ramp), brief(use.For))
	default:
		f.GrowOver(use.Ramp)
	}
}

// reached checks that whom a fault touches is in the system, and reached by whom it says.
func (w *compiler) reached(r faults.Reach, at string) {
	if r.Journey != "" {
		w.stepsOf(r.Journey, at+".journey")
		return
	}
	if r.Path == nil {
		for _, s := range r.Services {
			w.known(w.experiment, at+".service", s)
		}
		return
	}
	from, to := w.known(w.experiment, at+".from", r.Path.From), w.known(w.experiment, at+".to", r.Path.To)
	if !from || !to {
		return
	}
	if needs := w.System.Services[r.Path.From].Needs; !slices.Contains(needs, r.Path.To) {
		hint := fmt.Sprintf("%s needs nothing; if that is wrong, add it to the needs in the system", r.Path.From)
		if len(needs) > 0 {
			hint = fmt.Sprintf("%s needs %s; if that is wrong, add it to the needs in the system", r.Path.From, strings.Join(needs, ", "))
		}
		w.experiment.on(at+".to", hint, "%q does not need %q", r.Path.From, r.Path.To)
	}
	w.port(r.Path, at+".to")
	if t := w.System.Runtime.Toxiproxy; t != nil && t.Proxy(r.Path.From, r.Path.To) == "" {
		w.experiment.on(at+".to", "", "runtime toxiproxy names no proxy for %s → %s", r.Path.From, r.Path.To)
	}
}

// port checks that the port at the end of a path can be told.
func (w *compiler) port(p *faults.Path, at string) {
	s := w.System.Services[p.To]
	var all []string
	for _, name := range keys(s.Ports) {
		all = append(all, fmt.Sprintf("%s:%d", p.To, s.Ports[name]))
	}
	switch {
	case s.Port == 0 && len(s.Ports) == 0 && p.Port == 0:
		w.experiment.on(at, "", "service %q has no port in the system", p.To)
	case s.Port == 0 && p.Port == 0 && len(s.Ports) > 1:
		w.experiment.on(at, few(all), "service %q has several ports; name one", p.To)
	}
}

// able checks that the system's runtime can do what a fault asks for.
func (w *compiler) able(kind faults.Kind, use *FaultUse, at string) {
	if kind.World == faults.LoadWorld {
		return // every run has its traffic
	}
	for _, world := range w.catalog.Worlds {
		if world.Name() != w.System.Runtime.name() {
			continue
		}
		if !kind.Needs(world) {
			w.experiment.on(at+"."+kind.Name, "", "%s asks for something that runtime %s cannot do", kind.Name, world.Name())
			continue
		}
		if s, is := use.Fault.(faults.Suited); is {
			w.unsuited(s.Suits(world), kind.Name, at)
		}
	}
}

// unsuited says what a runtime cannot do, at the key that asks for it.
func (w *compiler) unsuited(err error, kind, at string) {
	var field *faults.FieldError
	switch {
	case err == nil:
	case errors.As(err, &field):
		w.experiment.on(at+"."+field.Field, field.Hint, "%s: %s", kind, field.Msg)
	default:
		w.experiment.on(at+"."+kind, "", "%s: %v", kind, err)
	}
}

// overlap is the largest number of faults in force at once, and the one that makes it so.
func overlap(all []FaultUse) (most, at int) {
	for i, f := range all {
		n := 0
		for _, other := range all {
			// One that waits for a visit may meet any other.
			met := f.At.Boundary != nil || other.At.Boundary != nil
			if met || other.At.Time <= f.At.Time && f.At.Time < other.At.Time+other.For {
				n++
			}
		}
		if n > most {
			most, at = n, i
		}
	}
	return most, at
}
