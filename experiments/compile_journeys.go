package experiments

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
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
			checkJourney(j, s)
			w.bench.bind(j, nil)
		}
		w.plan.Journeys = append(w.plan.Journeys, w.journey(use, j, s))
	}
}

// journey is what the plan keeps of one.
func (w *compiler) journey(use JourneyUse, j *Journey, s *source) PlannedJourney {
	service := j.Service
	if service == "" {
		service = w.Experiment.Service
	} else {
		w.known(s, "service", service)
	}
	p := PlannedJourney{Name: j.Name, Surface: j.Surface, Interaction: j.Interaction, Service: service, Persona: use.Persona,
		Traffic: use.words(), Rate: float64(use.Rate)}
	setDefault(&p.Persona, "patient")
	setDefault(&p.Interaction, "page")
	_, p.Deadlines = w.tier(service)
	for i := range j.Steps {
		step := &j.Steps[i]
		setDefault(&step.Timeout, 2*p.Deadlines.Final)
		needs := step.Needs
		for n, need := range needs {
			w.known(s, index(index("steps", i)+".needs", n), need)
		}
		if needs == nil {
			needs = w.needs(service)
		}
		changes := step.Action != nil && step.Action.Changes()
		p.Steps = append(p.Steps, PlannedStep{Name: step.Name, Needs: needs, Timeout: step.Timeout, Changes: changes})
	}
	for i := range j.Setup {
		setDefault(&j.Setup[i].Timeout, 2*p.Deadlines.Final)
	}
	p.IntentStep = intentStep(j)
	for i, e := range j.Effects {
		if p.IntentStep == "" {
			s.on(index("effects", i), "", "effect %q has no step that could have made it: none changes anything or makes a claim", e.Name)
		}
		p.Effects = append(p.Effects, PlannedEffect{Name: e.Name, Own: e.Tenant == "own", Reader: e.Kind, Valued: !e.Want.IsZero(),
			Shares: w.shares(e)})
	}
	return p
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

// defaultEvery is how often a user comes back.
const defaultEvery = 1e9 // a second

// intentStep is the step that carries claims, else the last one that changes something.
func intentStep(j *Journey) string {
	last := ""
	for _, s := range j.Steps {
		if s.Claims != nil {
			return s.Name
		}
		if s.Action != nil && s.Action.Changes() {
			last = s.Name
		}
	}
	return last
}

// checkJourney finds the mistakes that a journey can have by itself, and names its steps.
func checkJourney(j *Journey, s *source) {
	if len(j.Steps) == 0 {
		s.on("steps", "", "a journey of no steps goes nowhere")
	}
	names, claiming := map[string]bool{}, ""
	for i := range j.Steps {
		step, at := &j.Steps[i], index("steps", i)
		setDefault(&step.Name, fmt.Sprintf("step %d", i+1))
		if names[step.Name] {
			s.on(at+".name", "", "two steps are called %q", step.Name)
		}
		names[step.Name] = true
		if step.Claims == nil {
			continue
		}
		if claiming != "" {
			s.on(at+".claims", "", "a journey has one intent, and %q has its claims already", claiming)
		}
		claiming = step.Name
	}
	for i := range j.Setup {
		setDefault(&j.Setup[i].Name, fmt.Sprintf("setup %d", i+1))
		if j.Setup[i].Claims != nil {
			s.on(index("setup", i)+".claims", "", "setup has no intent and makes no claim")
		}
	}
	effects := map[string]bool{}
	for i, e := range j.Effects {
		if effects[e.Name] {
			s.on(index("effects", i)+".name", "", "two effects are called %q", e.Name)
		}
		effects[e.Name] = true
	}
	for i := range j.Steps {
		if c := j.Steps[i].Claims; c != nil {
			for name := range c.PerEffect {
				if !effects[name] {
					s.on(index("steps", i)+".claims.per_effect."+name, "", "no effect is called %q", name)
				}
			}
		}
	}
}

var serviceName = regexp.MustCompile(`services\[['"]([^'"]+)['"]\]|services\.([A-Za-z_][A-Za-z0-9_]*)|\b([A-Za-z_][A-Za-z0-9_]*)\.[a-z]`)

// shares lists the services of the system through which a reader reads: its truth is theirs to break.
func (w *compiler) shares(e Effect) []string {
	var all []string
	for _, source := range sources(e.Reader) {
		for _, m := range serviceName.FindAllStringSubmatch(source, -1) {
			name := strings.Join(m[1:], "")
			if _, is := w.System.Services[name]; is && !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	slices.Sort(all)
	return all
}
