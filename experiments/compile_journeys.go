package experiments

import (
	"fmt"
	"slices"
)

// allJourneys binds every use of a journey.
func (w *compiler) allJourneys() {
	if len(w.Experiment.Journeys) == 0 {
		w.experiment.on("journeys", "", "without users nobody is told anything")
	}
	names := map[string]bool{}
	bound := map[*Journey]bool{}
	for i, use := range w.Experiment.Journeys {
		at, j, s := index("journeys", i), w.Journeys[i], w.journeys[i]
		if j == nil {
			continue
		}
		if use.Users > 0 && use.Rate > 0 {
			w.experiment.on(at+".rate", "", `either "users" or "rate"`)
		}
		if use.Rate > 0 && use.Every > 0 {
			w.experiment.on(at+".every", "", `"every" is for users; a rate says itself how often`)
		}
		if names[j.Name] {
			w.experiment.on(at+".use", "", "journey %q is used twice", j.Name)
		}
		names[j.Name] = true
		if !bound[j] {
			bound[j] = true
			w.bindJourney(j, s)
		}
		w.plan.Journeys = append(w.plan.Journeys, w.journey(use, j))
	}
}

// journey is what the plan keeps of one.
func (w *compiler) journey(use JourneyUse, j *Journey) PlannedJourney {
	service := j.Service
	setDefault(&service, w.Experiment.Service)
	p := PlannedJourney{Name: j.Name, Surface: j.Surface, Interaction: j.Interaction, Service: service, Persona: use.Persona,
		Traffic: use.words(), Rate: float64(use.Rate)}
	setDefault(&p.Persona, Patient)
	setDefault(&p.Interaction, "page")
	tier, deadlines := w.tier(service)
	p.Deadlines, p.Status = deadlines, w.statusLimits(tier)
	p.Drafts = w.promisesDrafts(tier)
	p.Acts, p.Visitors = NewPersona(p.Persona, p.Deadlines), len(j.Visitors)
	for i := range j.Steps {
		p.Steps = append(p.Steps, w.step(&j.Steps[i], service, p.Deadlines))
	}
	for i := range j.Lookup {
		if planned := w.step(&j.Lookup[i], service, p.Deadlines); p.Persona == Doubter {
			p.Lookup = append(p.Lookup, planned)
		}
	}
	for i := range j.Setup {
		setDefault(&j.Setup[i].Timeout, 2*p.Deadlines.Final)
	}
	p.IntentStep = intentStep(j)
	if i := slices.IndexFunc(p.Steps, func(s PlannedStep) bool { return s.Name == p.IntentStep }); i >= 0 && p.Persona == Doubter && len(p.Lookup) == 0 {
		own := p.Steps[i]
		p.Lookup = []PlannedStep{{Name: own.Name + LookedUp, Needs: own.Needs, Timeout: own.Timeout}}
	}
	for _, e := range j.Effects {
		p.Effects = append(p.Effects, PlannedEffect{Name: e.Name, Own: e.Tenant == "own", Reader: e.Kind, Valued: !e.Want.IsZero(),
			Shares: w.shares(e)})
	}
	for _, r := range j.Regions {
		if r.Needs == nil {
			r.Needs = append([]string{}, w.needs(service)...)
		}
		setDefault(&r.Kind, "other")
		p.Regions = append(p.Regions, PlannedRegion{Region: r})
	}
	return p
}

// step is what the plan keeps of a step; its timeout is set where none was written.
func (w *compiler) step(step *Step, service string, d Deadlines) PlannedStep {
	setDefault(&step.Timeout, 2*d.Final)
	needs := step.Needs
	if needs == nil {
		needs = w.needs(service)
	}
	changes := step.Action != nil && step.Action.Changes()
	return PlannedStep{Name: step.Name, Needs: append([]string{}, needs...), Timeout: step.Timeout, Changes: changes, Dated: !step.Version.IsZero()}
}

// words says the traffic of a journey.
func (u JourneyUse) words() string {
	if u.Rate > 0 {
		return fmt.Sprintf("%g arrivals a second", float64(u.Rate))
	}
	every := u.Every
	setDefault(&every, defaultEvery)
	if u.Users <= 1 {
		return fmt.Sprintf("1 user, every %s", every)
	}
	return fmt.Sprintf("%d users, each every %s", u.Users, every)
}

// intentStep is the step that carries claims, else the last one that changes something.
func intentStep(j *Journey) string {
	last := ""
	for _, s := range j.Steps {
		if s.Intent {
			return s.Name
		}
		if s.Claims != nil {
			return s.Name
		}
		if s.Action != nil && s.Action.Changes() {
			last = s.Name
		}
	}
	return last
}

// bindJourney binds a journey's names and compiles its expressions.
func (w *compiler) bindJourney(j *Journey, s *source) {
	s.loaded = len(*w.errs)
	checkJourney(j, s)
	if j.Service != "" {
		w.known(s, "service", j.Service)
	}
	w.bench.steps = []string{}
	for _, part := range []struct {
		key   string
		steps []Step
	}{{"setup", j.Setup}, {"steps", j.Steps}, {"lookup", j.Lookup}} {
		for i, step := range part.steps {
			w.bench.steps = append(w.bench.steps, step.Name)
			for n, need := range step.Needs {
				w.known(s, index(index(part.key, i)+".needs", n), need)
			}
		}
	}
	w.checkRegions(j, s)
	w.bench.visitor, w.bench.pages = visitorNames(j), j.Surface == "browser"
	w.bench.bind(j, nil)
	w.bench.steps, w.bench.visitor, w.bench.pages = nil, nil, false
}

// checkRegions wants regions to have names of their own, on pages that somebody looks at.
func (w *compiler) checkRegions(j *Journey, s *source) {
	names := map[string]bool{}
	for i, r := range j.Regions {
		unique(s, names, "regions", r.Name, index("regions", i))
		for n, need := range r.Needs {
			w.known(s, index(index("regions", i)+".needs", n), need)
		}
		if j.Surface != "browser" {
			s.on(index("regions", i), "", "regions are parts of pages, and on surface %s nobody sees any", j.Surface)
		}
	}
}

// checkJourney finds the mistakes that a journey can have by itself, and names its steps.
func checkJourney(j *Journey, s *source) {
	if len(j.Steps) == 0 {
		s.on("steps", "", "a journey of no steps goes nowhere")
	}
	names, claiming, begun := map[string]bool{}, "", false
	for i := range j.Setup {
		setDefault(&j.Setup[i].Name, fmt.Sprintf("setup %d", i+1))
		unique(s, names, "steps", j.Setup[i].Name, index("setup", i))
		if j.Setup[i].Claims != nil {
			s.on(index("setup", i)+".claims", "", "setup has no intent and makes no claim")
		}
	}
	for i := range j.Steps {
		step, at := &j.Steps[i], index("steps", i)
		setDefault(&step.Name, fmt.Sprintf("step %d", i+1))
		unique(s, names, "steps", step.Name, at)
		if step.Intent && (claiming != "" || begun) {
			s.on(at+".intent", "", "what a user wants begins once, before its claims")
		}
		begun = begun || step.Intent
		if step.Claims == nil {
			continue
		}
		if claiming != "" {
			s.on(at+".claims", "", "a journey has one intent, and %q has its claims already", claiming)
		}
		claiming = step.Name
	}
	checkLookup(j, s, names)
	checkVisitors(j, s)
	checkEffects(j, s)
}

// checkEffects wants effects to have names of their own, and somebody who makes them.
func checkEffects(j *Journey, s *source) {
	effects, maker := map[string]bool{}, intentStep(j)
	for i, e := range j.Effects {
		unique(s, effects, "effects", e.Name, index("effects", i))
		if maker == "" {
			s.on(index("effects", i), "", "effect %q has no step that could have made it: none changes anything or makes a claim", e.Name)
		}
	}
	for i := range j.Steps {
		c := j.Steps[i].Claims
		if c == nil {
			continue
		}
		at := index("steps", i) + ".claims"
		for _, name := range keys(c.PerEffect) {
			if !effects[name] {
				s.on(at+".per_effect."+name, suggest(name, keys(effects)), "no effect is called %q", name)
			}
		}
		if c.Success.IsZero() && c.Refused.IsZero() && c.Pending.IsZero() && c.Unknown.IsZero() && len(c.PerEffect) == 0 {
			s.on(at, "", "claims of nothing: give success, refused, pending, unknown or per_effect")
		}
		if !c.Promise.IsZero() && c.Pending.IsZero() {
			s.on(at+".promise", "", "a promise is about what is pending, and no answer is")
		}
	}
}

// unique reports a name that was there before.
func unique(s *source, seen map[string]bool, what, name, at string) {
	if name == "" {
		return
	}
	if seen[name] {
		s.on(at+".name", "", "two %s are called %q", what, name)
	}
	seen[name] = true
}

// shares lists the services of the system through which a reader reads: its truth is theirs to break.
func (w *compiler) shares(e Effect) []string {
	var all []string
	for _, expr := range expressionsOf(e.Reader) {
		for _, u := range expr.uses {
			if u.root == "services" {
				all = append(all, u.name)
			}
		}
	}
	if service := serviceOf(e.Reader); service != "" {
		all = append(all, service)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
