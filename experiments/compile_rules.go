package experiments

import (
	"slices"
	"strings"
)

// always required of a journey that declares effects: the four ways to lie about one.
var ledgerRules = []string{"CL-01", "CL-02", "CL-03", "CL-04"}

// truthRules go by what the truth shows, as those of the ledger do.
var truthRules = []string{"RC-03", "RC-04", "RC-10"}

// rules says before the run which rules can apply, why the others cannot, and which decide.
func (w *compiler) rules() {
	h := w.Experiment.Honesty
	ids := map[string]bool{}
	for _, r := range w.catalog.Rules {
		ids[r.ID] = true
	}
	for i, name := range h.Gate {
		w.ruleName(index("honesty.gate", i), name, ids, true)
	}
	for i, name := range h.Require {
		w.ruleName(index("honesty.require", i), name, ids, false)
	}
	for i, e := range h.Allow {
		w.ruleName(index("honesty.allow", i)+".rule", e.Rule, ids, false)
	}
	gate := h.Gate
	if gate == nil {
		gate = []string{string(S1)}
	}
	effects, own := w.hasEffects()
	all := len(w.plan.Journeys) == len(w.Journeys)
	for _, r := range w.catalog.Rules {
		p := PlannedRule{ID: r.ID, Why: w.cannot(r, effects, own)}
		p.Applies = p.Why == ""
		p.Gated = p.Applies && (slices.Contains(gate, r.ID) || r.Severity != "" && slices.Contains(gate, string(r.Severity)))
		p.Required = p.Applies && (slices.Contains(h.Require, r.ID) || effects && slices.Contains(ledgerRules, r.ID) && !w.unvalued(r.ID))
		for _, e := range h.Allow {
			if e.Rule == r.ID {
				p.Allowed, p.Until = e.Because, e.Until
			}
		}
		if i := slices.Index(h.Require, r.ID); i >= 0 && !p.Applies && all {
			w.experiment.on(index("honesty.require", i), "", "%s cannot apply here: %s", r.ID, p.Why)
		}
		w.plan.Rules = append(w.plan.Rules, p)
	}
}

// ruleName wants the ID of a rule or, where the gate is set, a severity.
func (w *compiler) ruleName(at, name string, ids map[string]bool, gate bool) {
	severity := slices.Contains([]string{"S1", "S2", "S3", "S4"}, name)
	switch {
	case ids[name] || severity && gate || name == "":
	case severity:
		w.experiment.on(at, "", "a single rule is wanted here, as CL-01, and %q is a severity", name)
	case gate:
		w.experiment.on(at, near(name, keys(ids)), "%q is no rule, and no severity from S1 to S4", name)
	default:
		w.experiment.on(at, near(name, keys(ids)), "no rule is called %q", name)
	}
}

func (w *compiler) hasEffects() (effects, own bool) {
	for _, j := range w.plan.Journeys {
		for _, e := range j.Effects {
			effects, own = true, own || e.Own
		}
	}
	return effects, own
}

// unvalued reports whether a rule about values has none to compare.
func (w *compiler) unvalued(id string) bool {
	if id != "CL-02" && id != "RC-10" {
		return false
	}
	for _, j := range w.plan.Journeys {
		for _, e := range j.Effects {
			if e.Valued {
				return false
			}
		}
	}
	return true
}

// cannot is why a rule cannot apply in this experiment, and empty when it can.
func (w *compiler) cannot(r RuleInfo, effects, own bool) string {
	browser := slices.ContainsFunc(w.plan.Journeys, func(j PlannedJourney) bool { return j.Surface == "browser" })
	writes := slices.ContainsFunc(w.plan.Journeys, func(j PlannedJourney) bool { return j.IntentStep != "" })
	family, _, _ := strings.Cut(r.ID, "-")
	wire := strings.Contains(r.Level, "H") || !strings.Contains(r.Level, "B") || strings.Contains(r.Level, "L/B")
	switch {
	case !r.Built:
		return "this candor has no check for it yet"
	case !browser && !wire:
		return "no journey goes through a browser"
	case family == "CL" && r.ID != "CL-05" && r.ID != "CL-07" && !effects:
		return "no journey declares an effect that could be read"
	case (r.ID == "CL-05" || r.ID == "HT-09" || r.ID == "TX-05") && !writes:
		return "no journey changes anything"
	case slices.Contains(truthRules, r.ID) && !effects:
		return "no journey declares an effect that could be read"
	case (r.ID == "CL-02" || r.ID == "RC-10") && w.unvalued(r.ID):
		return "no effect says what value it wants"
	case r.ID == "CL-09" && !w.several():
		return "no journey has several effects"
	case r.ID == "CL-11" && !own:
		return "no effect is in a tenant of this run alone (tenant: own)"
	case (r.ID == "HT-09" || r.ID == "RC-07") && !w.interposes():
		return "no path is interposed on, so that nobody sees what services repeat"
	case r.ID == "LK-07" && !w.anyJourney(func(j PlannedJourney) bool { return j.Visitors > 1 }):
		return "no journey has two visitors"
	case r.ID == "IN-05" && !w.anyJourney(func(j PlannedJourney) bool { return j.IntentStep != "" && (j.Acts.Twice || j.Acts.Again > 0) }):
		return "nobody presses twice: no journey that changes anything has a persona hasty or impatient"
	case r.ID == "RC-05" && !w.anyJourney(PlannedJourney.dated):
		return "no step says what version it shows"
	case r.ID == "RC-06" && !w.anyJourney(func(j PlannedJourney) bool { return j.Acts.Looks > 0 }):
		return "nobody looks it up: no journey has the persona doubter"
	case family == "SP":
		return w.cannotStatus(r.ID)
	}
	return w.cannotShow(r.ID, writes)
}

// cannotShow is why a rule about pages cannot apply, and empty when it can.
func (w *compiler) cannotShow(id string, writes bool) string {
	dated := func(r PlannedRegion) bool { return r.Truth && r.Version != "" }
	switch {
	case (id == "ST-01" || id == "RC-02") && !w.anyRegion(func(PlannedRegion) bool { return true }):
		return "no journey declares a region"
	case id == "ST-02" && !w.anyRegion(func(r PlannedRegion) bool { return r.Valued }):
		return "no region has a truth that gives a value"
	case (id == "ST-03" || id == "ST-04") && !w.anyRegion(dated):
		return "no region has a version and a truth"
	case id == "ST-05" && !w.anyRegion(func(r PlannedRegion) bool { return dated(r) && r.Live != "" }):
		return "no region says when it is live, and has a version and a truth"
	case id == "ST-08" && !w.anyRegion(func(r PlannedRegion) bool { return r.Essential }):
		return "no region is essential"
	case (id == "ST-10" || id == "ST-12" || id == "ST-14" || id == "AX-04") && !writes:
		return "no journey changes anything"
	case id == "IN-02" && !w.anyJourney(func(j PlannedJourney) bool { return j.Drafts }):
		return "no tier promises drafts"
	}
	return ""
}

func (w *compiler) anyRegion(is func(PlannedRegion) bool) bool {
	return w.anyJourney(func(j PlannedJourney) bool { return slices.ContainsFunc(j.Regions, is) })
}

func (w *compiler) anyJourney(is func(PlannedJourney) bool) bool {
	return slices.ContainsFunc(w.plan.Journeys, is)
}

// dated reports whether a step says what version it shows.
func (j PlannedJourney) dated() bool {
	return slices.ContainsFunc(slices.Concat(j.Steps, j.Lookup), func(s PlannedStep) bool { return s.Dated })
}

func (w *compiler) several() bool {
	return slices.ContainsFunc(w.plan.Journeys, func(j PlannedJourney) bool { return len(j.Effects) > 1 })
}

func (w *compiler) interposes() bool {
	return slices.ContainsFunc(w.plan.Faults, func(f PlannedFault) bool { return f.Reach.Path != nil })
}
