package experiments

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/candor-chaos/candor/faults"
)

// PlanSchema names the format of a saved plan.
const PlanSchema = "candor.plan/v1"

// What holds where nothing is written.
const (
	defaultMaxFault    = 10 * time.Minute
	defaultMaxParallel = 2
	defaultTier        = "standard"
	defaultBaseline    = 30 * time.Second
	defaultRecovery    = time.Minute
	defaultSettle      = time.Second
	defaultReread      = 10 * time.Second
)

// Compile binds every name and compiles every expression, without any I/O. Every mistake comes back at once, with its
// place, as an ErrorList.
func Compile(d *Definitions, c Catalog) (*Plan, error) {
	if len(*d.errs) > 0 || d.System == nil {
		return nil, d.errs.Err()
	}
	p := compile(d, c)
	return p, d.errs.Err()
}

// compiler works on one experiment. It is only made when everything was loaded without a mistake.
type compiler struct {
	*Definitions
	catalog Catalog
	plan    *Plan
	bench   *bench
}

func compile(d *Definitions, c Catalog) *Plan {
	if d.System == nil || d.Experiment == nil || slices.Contains(d.Journeys, nil) {
		return nil
	}
	x := d.Experiment
	w := &compiler{Definitions: d, catalog: c, bench: newBench(slices.Sorted(maps.Keys(d.System.Services)))}
	w.plan = &Plan{Schema: PlanSchema, System: d.System.Name, Experiment: x.Name, Title: x.Title, Service: x.Service,
		Hypothesis: x.Hypothesis, Timeline: x.Timeline, Expect: x.Expect, Canaries: d.System.Canaries,
		Public: d.System.PublicNames, Cycles: d.System.Cycles, Idempotency: d.System.Idempotency,
		Exec: &Exec{System: d.System, Experiment: x, Journeys: d.Journeys, Root: d.Root()}}
	setDefault(&w.plan.Timeline.Baseline, defaultBaseline)
	setDefault(&w.plan.Timeline.Recovery, defaultRecovery)
	setDefault(&w.plan.Timeline.Settle, defaultSettle)
	setDefault(&w.plan.Timeline.Reread, defaultReread)
	w.system()
	if w.known(w.experiment, "service", x.Service) {
		w.plan.Tier, w.plan.Deadlines = w.tier(x.Service)
	}
	w.checks()
	w.allJourneys()
	w.allFaults()
	w.expectations()
	w.rules()
	w.clauses()
	return w.plan
}

func setDefault[T comparable](into *T, value T) {
	var zero T
	if *into == zero {
		*into = value
	}
}

// known reports whether a service is in the system.
func (w *compiler) known(s *source, path, name string) bool {
	if name == "" {
		return false // that it is missing is said already
	}
	if _, is := w.System.Services[name]; is {
		return true
	}
	s.on(path, suggest(name, slices.Sorted(maps.Keys(w.System.Services))), "unknown service %q", name)
	return false
}

// system binds the names within the system, and gives the plan its services.
func (w *compiler) system() {
	setDefault(&w.System.Environment.MaxFault, defaultMaxFault)
	setDefault(&w.System.Environment.MaxParallelFaults, defaultMaxParallel)
	if w.System.Runtime.Docker == nil {
		w.Definitions.system.on("runtime", "", `"runtime" names no runtime: want docker`)
	} else if d := w.System.Runtime.Docker; (d.Project == "") == (len(d.Labels) == 0) {
		w.Definitions.system.on("runtime.docker", "", `runtime docker wants either "project" or "labels", so that it finds the system's containers and no others`)
	}
	for _, name := range slices.Sorted(maps.Keys(w.System.Services)) {
		s := w.System.Services[name]
		for i, need := range s.Needs {
			w.known(w.Definitions.system, index("services."+name+".needs", i), need)
		}
		if s.Port != 0 && len(s.Ports) > 0 {
			w.Definitions.system.on("services."+name+".ports", "", `either "port" or "ports"`)
		}
		setDefault(&s.Tier, defaultTier)
		if w.Standards != nil {
			if _, is := w.Standards.Tiers[s.Tier]; !is && w.System.Services[name].Tier != "" {
				w.Definitions.system.on("services."+name+".tier", suggest(s.Tier, slices.Sorted(maps.Keys(w.Standards.Tiers))), "unknown tier %q", s.Tier)
			}
		}
		w.plan.Services = append(w.plan.Services, PlannedService{Name: name, Tier: s.Tier, Needs: w.needs(name)})
	}
	w.bench.bind(w.System, nil)
	if w.Standards != nil {
		checkStandards(w.Standards, w.standards)
	}
}

// needs is everything that a service needs, directly or through others, in alphabetical order.
func (w *compiler) needs(service string) []string {
	seen := map[string]bool{}
	var visit func(string)
	visit = func(name string) {
		for _, need := range w.System.Services[name].Needs {
			if !seen[need] {
				seen[need] = true
				visit(need)
			}
		}
	}
	visit(service)
	return slices.Sorted(maps.Keys(seen))
}

// tier is a service's tier and its deadlines, those of the tiers that it inherits from included.
func (w *compiler) tier(service string) (string, Deadlines) {
	name := w.System.Services[service].Tier
	setDefault(&name, defaultTier)
	return name, w.deadlines(name)
}

func (w *compiler) deadlines(tier string) Deadlines {
	var d Deadlines
	for range maxInherits {
		if w.Standards == nil || tier == "" {
			break
		}
		t := w.Standards.Tiers[tier]
		setDefault(&d.Feedback, t.Deadlines.Feedback)
		setDefault(&d.Explanation, t.Deadlines.Explanation)
		setDefault(&d.Final, t.Deadlines.Final)
		setDefault(&d.Recovery, t.Deadlines.Recovery)
		tier = t.Inherits
	}
	usual := DefaultDeadlines()
	setDefault(&d.Feedback, usual.Feedback)
	setDefault(&d.Explanation, usual.Explanation)
	setDefault(&d.Final, usual.Final)
	setDefault(&d.Recovery, usual.Recovery)
	return d
}

// checks binds the steady state and the abort rules.
func (w *compiler) checks() {
	for i := range w.Experiment.Steady {
		w.check(&w.Experiment.Steady[i])
	}
	for i := range w.Experiment.Abort {
		w.check(&w.Experiment.Abort[i].Probe)
	}
	if len(w.Experiment.Steady) == 0 {
		w.experiment.on("steady", "", "a steady state of no checks would always hold")
	}
}

func (w *compiler) check(c *Check) {
	i := slices.IndexFunc(w.catalog.Probes, func(k ProbeKind) bool { return k.Name == c.Kind })
	if i >= 0 {
		w.bench.bind(c, w.catalog.Probes[i].Sees)
	}
}

// allFaults binds the faults to services and abilities, and holds them to the environment's rails.
func (w *compiler) allFaults() {
	x, env := w.Experiment, w.System.Environment
	if len(x.Faults) == 0 {
		w.experiment.on("faults", "", "an experiment without a fault proves nothing about faults")
	}
	names := map[string]bool{}
	for i := range x.Faults {
		use, at := &x.Faults[i], index("faults", i)
		setDefault(&use.Name, fmt.Sprintf("%s %d", use.Kind, i+1))
		if names[use.Name] {
			w.experiment.on(at+".name", "", "two faults are called %q", use.Name)
		}
		names[use.Name] = true
		switch {
		case use.For == 0:
			w.experiment.on(at+".for", "", "a fault has to last")
		case use.For > env.MaxFault:
			w.experiment.on(at+".for", "", "%s is longer than this system allows (max_fault: %s)", use.For, env.MaxFault)
		}
		if use.Fault == nil {
			continue
		}
		kind, _ := faults.Lookup(w.catalog.Faults, use.Kind)
		reach := kind.Reach(use.Fault)
		w.reached(kind, reach, at+"."+use.Kind)
		w.able(kind, at+"."+use.Kind)
		value, err := json.Marshal(use.Fault)
		if err != nil {
			w.experiment.on(at, "", "cannot be saved: %v", err)
		}
		w.plan.Faults = append(w.plan.Faults, PlannedFault{Name: use.Name, Kind: use.Kind, At: use.At, For: use.For, Reach: reach, Fault: value})
	}
	if n, at := overlap(x.Faults); n > env.MaxParallelFaults {
		w.experiment.on(index("faults", at), "", "%d faults are in force at once; this system allows %d (max_parallel_faults)", n, env.MaxParallelFaults)
	}
}

// reached checks that whom a fault touches is in the system, and reached by whom it says.
func (w *compiler) reached(kind faults.Kind, r faults.Reach, at string) {
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
	if r.Path.From == r.Path.To {
		w.experiment.on(at+".to", "", "%q is both ends of the path", r.Path.To)
		return
	}
	if s := w.System.Services[r.Path.From]; !slices.Contains(s.Needs, r.Path.To) {
		w.experiment.on(at+".to", fmt.Sprintf("add it to the needs of %s in the system, or take one of them: %v", r.Path.From, s.Needs),
			"%q does not need %q", r.Path.From, r.Path.To)
	}
	if s := w.System.Services[r.Path.To]; s.Port == 0 && len(s.Ports) == 0 {
		w.experiment.on(at+".to", "", "service %q has no port in the system", r.Path.To)
	}
}

// able checks that the system's runtime can do what a kind asks for.
func (w *compiler) able(kind faults.Kind, at string) {
	for _, world := range w.catalog.Worlds {
		if world.Name() == w.System.Runtime.name() && !kind.Needs(world) {
			w.experiment.on(at, "", "%s asks for something that runtime %s cannot do", kind.Name, world.Name())
		}
	}
}

func (r Runtime) name() string {
	if r.Docker != nil {
		return "docker"
	}
	return ""
}

// overlap is the largest number of faults in force at once, and the one that makes it so.
func overlap(all []FaultUse) (most, at int) {
	for i, f := range all {
		n := 0
		for _, other := range all {
			if other.At <= f.At && f.At < other.At+other.For {
				n++
			}
		}
		if n > most {
			most, at = n, i
		}
	}
	return most, at
}

// expectations binds the names of journeys, and wants each to bound something.
func (w *compiler) expectations() {
	var names []string
	for _, j := range w.plan.Journeys {
		names = append(names, j.Name)
	}
	for i, e := range w.Experiment.Expect {
		at := index("expect", i)
		bounds := 0
		for _, c := range []Comparison{e.Success, e.P50, e.P95, e.P99} {
			if !c.IsZero() {
				bounds++
			}
		}
		if len(e.Said) > 0 {
			bounds++
		}
		if bounds > 0 && e.Journey == "" {
			w.experiment.on(at, "", `"journey" is missing`)
		}
		if bounds == 0 && e.Steady.IsZero() {
			w.experiment.on(at, "", "expects nothing: give success, p50, p95, p99, said or steady")
		}
		if e.Journey != "" && !slices.Contains(names, e.Journey) {
			w.experiment.on(at+".journey", suggest(e.Journey, names), "no journey of this experiment is called %q", e.Journey)
		}
		if bounds > 0 && e.During == "" {
			w.experiment.on(at, "one of baseline, fault, recovery", `"during" is missing`)
		}
		w.units(e, at)
	}
}

// units holds each bound to the unit that its measure has.
func (w *compiler) units(e Expectation, at string) {
	for _, b := range []struct {
		key  string
		c    Comparison
		time bool
	}{{"success", e.Success, false}, {"p50", e.P50, true}, {"p95", e.P95, true}, {"p99", e.P99, true}, {"steady", e.Steady, true}} {
		switch {
		case b.c.IsZero():
		case b.time && b.c.Unit != "s" && b.c.Unit != "ms":
			w.experiment.on(at+"."+b.key, "", "%s is a time: want s or ms, as \"<= 1s\"", b.key)
		case !b.time && b.c.Unit != "%":
			w.experiment.on(at+"."+b.key, "", "%s is a share: want %%, as \">= 99%%\"", b.key)
		}
	}
}
