package experiments

import (
	"maps"
	"slices"
	"time"
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
	defaultEvery       = time.Second
)

// Compile binds every name and compiles every expression, without any I/O. Every mistake comes back at once, with its
// place, as an ErrorList; those that Load found are among them.
func Compile(d *Definitions, c Catalog) (*Plan, error) {
	p := compile(d, c)
	if err := d.errs.Err(); err != nil {
		return nil, err
	}
	return p, nil
}

// compiler works on definitions of which parts may be missing: a journey that could not be read is nil, and what was
// wrong with it is said already.
type compiler struct {
	*Definitions
	catalog Catalog
	plan    *Plan
	bench   *bench
}

// newCompiler binds what belongs to a system.
func newCompiler(d *Definitions, c Catalog) *compiler {
	for _, s := range append([]*source{d.system, d.standards, d.experiment}, d.journeys...) {
		if s != nil {
			s.loaded = len(*d.errs)
		}
	}
	w := &compiler{Definitions: d, catalog: c, plan: &Plan{Schema: PlanSchema}, bench: newBench(nil)}
	if d.System != nil {
		w.bench = newBench(slices.Sorted(maps.Keys(d.System.Services)))
		w.bench.services = d.System.Services
	}
	if d.System != nil && d.Experiment != nil {
		w.bench.parameters = map[string]any{}
		maps.Copy(w.bench.parameters, d.System.Parameters)
		maps.Copy(w.bench.parameters, d.Experiment.Parameters)
	}
	return w
}

func compile(d *Definitions, c Catalog) *Plan {
	if d.System == nil || d.Experiment == nil {
		return nil
	}
	w := newCompiler(d, c)
	x, p := d.Experiment, w.plan
	p.System, p.Experiment, p.Title, p.Service, p.Hypothesis = d.System.Name, x.Name, x.Title, x.Service, x.Hypothesis
	p.Timeline, p.Expect = x.Timeline, x.Expect
	p.Canaries, p.Public, p.Cycles, p.Idempotency = d.System.Canaries, d.System.PublicNames, d.System.Cycles, d.System.Idempotency
	p.Exec = &Exec{System: d.System, Experiment: x, Journeys: d.Journeys, Root: d.Root()}
	setDefault(&p.Timeline.Baseline, defaultBaseline)
	setDefault(&p.Timeline.Recovery, defaultRecovery)
	setDefault(&p.Timeline.Settle, defaultSettle)
	setDefault(&p.Timeline.Reread, defaultReread)
	w.system()
	w.named(w.experiment, "name", x.Name)
	if w.known(w.experiment, "service", x.Service) {
		p.Tier, p.Deadlines = w.tier(x.Service)
	}
	w.checks()
	w.allJourneys()
	w.allFaults()
	w.expectations()
	w.rules()
	w.clauses()
	return p
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
	s.on(path, suggest(name, keys(w.System.Services)), "unknown service %q", name)
	return false
}

// checks binds the steady state and the abort rules.
func (w *compiler) checks() {
	x := w.Experiment
	for i := range x.Steady {
		w.check(&x.Steady[i], index("steady", i))
	}
	for i := range x.Abort {
		w.check(&x.Abort[i].Probe, index("abort", i)+".probe")
	}
	if len(x.Steady) == 0 {
		w.experiment.on("steady", "", "a steady state of no checks would always hold")
	}
	if w.System.Environment.Class == Protected && len(x.Abort) == 0 {
		w.experiment.on("abort", "", "%s is a protected environment, and there an experiment needs at least one abort rule", w.System.Name)
	}
}

func (w *compiler) check(c *Check, at string) {
	i := slices.IndexFunc(w.catalog.Probes, func(k ProbeKind) bool { return k.Name == c.Kind })
	if i < 0 {
		return // that there is no such kind is said already
	}
	w.bench.bind(c, w.catalog.Probes[i].Sees)
	if service := serviceOf(c.Probe); service != "" {
		w.known(w.experiment, at+"."+c.Kind+".service", service)
		w.within(at+"."+c.Kind+".service", service, "probe "+c.Kind+" looks at a service of the runtime")
	}
}
