package experiments

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// always required of a journey that declares effects: the four ways to lie about one.
var ledgerRules = []string{"CL-01", "CL-02", "CL-03", "CL-04"}

// rules says before the run which rules can apply, why the others cannot, and which decide.
func (w *compiler) rules() {
	h := w.Experiment.Honesty
	ids := map[string]bool{}
	for _, r := range w.catalog.Rules {
		ids[r.ID] = true
	}
	w.ruleNames("honesty.gate", h.Gate, ids, true)
	w.ruleNames("honesty.require", h.Require, ids, false)
	for i, e := range h.Allow {
		w.ruleNames(index("honesty.allow", i)+".rule", []string{e.Rule}, ids, false)
	}
	gate := h.Gate
	if gate == nil {
		gate = []string{string(S1)}
	}
	effects, own := w.hasEffects()
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
		w.plan.Rules = append(w.plan.Rules, p)
	}
}

func (w *compiler) ruleNames(at string, given []string, ids map[string]bool, severities bool) {
	for i, name := range given {
		if ids[name] || severities && slices.Contains([]string{"S1", "S2", "S3", "S4"}, name) {
			continue
		}
		path := at
		if !strings.HasSuffix(at, ".rule") {
			path = index(at, i)
		}
		w.experiment.on(path, suggest(name, slices.Sorted(maps.Keys(ids))), "no rule is called %q", name)
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
	if id != "CL-02" {
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
	case (r.ID == "CL-05" || r.ID == "HT-09") && !writes:
		return "no journey changes anything"
	case r.ID == "CL-02" && w.unvalued(r.ID):
		return "no effect says what value it wants"
	case r.ID == "CL-09" && !w.several():
		return "no journey has several effects"
	case r.ID == "CL-11" && !own:
		return "no effect is in a tenant of this run alone (tenant: own)"
	case r.ID == "HT-09" && !w.interposes():
		return "no path is interposed on, so that nobody sees what services repeat"
	case family == "SP":
		return "the system declares no status page"
	}
	return ""
}

func (w *compiler) several() bool {
	return slices.ContainsFunc(w.plan.Journeys, func(j PlannedJourney) bool { return len(j.Effects) > 1 })
}

func (w *compiler) interposes() bool {
	return slices.ContainsFunc(w.plan.Faults, func(f PlannedFault) bool { return f.Reach.Path != nil })
}

// clauses binds what the experiment says it proves to the targets that its tier has.
func (w *compiler) clauses() {
	for i, name := range w.Experiment.Proves {
		value, known := w.clause(w.plan.Tier, name)
		if !known {
			w.experiment.on(index("proves", i), suggest(name, clauseNames), "the standards have no clause %q", name)
			continue
		}
		c := PlannedClause{Clause: name}
		if value != nil {
			data, err := json.Marshal(value)
			if err != nil {
				w.experiment.on(index("proves", i), "", "clause %q cannot be saved: %v", name, err)
			}
			c.Value, c.Target = data, targetWords(data)
		}
		if t := w.tierOf(); t.Waiver != nil && t.Waiver.Criterion == name {
			c.Waived = fmt.Sprintf("%s, by %s until %s", t.Waiver.Reason, t.Waiver.By, t.Waiver.Until.Format("2006-01-02"))
		}
		w.plan.Clauses = append(w.plan.Clauses, c)
	}
}

func (w *compiler) tierOf() Tier {
	if w.Standards == nil {
		return Tier{}
	}
	return w.Standards.Tiers[w.plan.Tier]
}

// clauseNames are all clauses that a tier can set.
var clauseNames = []string{"uptime", "latency", "data", "resilience.dependency_down", "resilience.spike", "resilience.recovery",
	"resilience.drill_allowance", "messaging", "logging", "status", "security"}

// maxInherits ends a chain of tiers that inherit from each other in a circle.
const maxInherits = 10

// clause is what a tier, or one that it inherits from, sets for a clause; nil when nobody does.
func (w *compiler) clause(tier, name string) (value any, known bool) {
	if !slices.Contains(clauseNames, name) {
		return nil, false
	}
	for range maxInherits {
		if w.Standards == nil || tier == "" {
			break
		}
		t := w.Standards.Tiers[tier]
		if v := t.clause(name); v != nil {
			return v, true
		}
		tier = t.Inherits
	}
	return nil, true
}

func (t Tier) clause(name string) any {
	switch name {
	case "uptime":
		return t.Uptime
	case "resilience.dependency_down":
		if t.Resilience.DependencyDown != nil {
			return t.Resilience.DependencyDown
		}
	case "resilience.recovery":
		if t.Resilience.Recovery != nil {
			return t.Resilience.Recovery
		}
	case "resilience.drill_allowance":
		if t.Resilience.DrillAllowance != "" {
			return t.Resilience.DrillAllowance
		}
	}
	for section, values := range map[string]map[string]any{"latency": t.Latency, "data": t.Data, "resilience.spike": t.Resilience.Spike,
		"messaging": t.Messaging, "logging": t.Logging, "status": t.Status, "security": t.Security} {
		if section == name && values != nil {
			return values
		}
	}
	return nil
}

// targetWords shows a target as flat text, in the order of its keys.
func targetWords(data []byte) string {
	return strings.NewReplacer(`{`, "", `}`, "", `"`, "", ":", ": ", ",", ", ").Replace(string(data))
}

// checkStandards finds the mistakes that standards can have by themselves.
func checkStandards(t *Standards, s *source) {
	for _, name := range slices.Sorted(maps.Keys(t.Tiers)) {
		parent := t.Tiers[name].Inherits
		if parent == "" {
			continue
		}
		at := "tiers." + name + ".inherits"
		if _, known := t.Tiers[parent]; !known {
			s.on(at, suggest(parent, slices.Sorted(maps.Keys(t.Tiers))), "unknown tier %q", parent)
			continue
		}
		for n, p := 0, parent; p != ""; n, p = n+1, t.Tiers[p].Inherits {
			if p == name || n > len(t.Tiers) {
				s.on(at, "", "tier %q inherits from itself", name)
				break
			}
		}
	}
}
