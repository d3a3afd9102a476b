package experiments

import (
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// clauseNames are all clauses that a tier can set. Those that hold keys can be cited by key, as latency.page.
var clauseNames = []string{"uptime", "latency", "data", "resilience.dependency_down", "resilience.spike", "resilience.recovery",
	"resilience.drill_allowance", "messaging", "logging", "status", "security"}

// unset is what a tier writes to say that it sets no target, whatever it inherits.
const unset = "UNSET"

// clauses binds what the experiment says it proves to the targets that its tier has.
func (w *compiler) clauses() {
	if w.Standards == nil && w.System.Standards != "" {
		return // that they cannot be read is said already
	}
	for i, name := range w.Experiment.Proves {
		at := index("proves", i)
		value, known := w.clause(w.plan.Tier, name)
		if !known {
			w.experiment.on(at, near(name, clauseNames), "the standards have no clause %q", name)
			continue
		}
		c := PlannedClause{Clause: name, Waived: w.waiver(name)}
		if value != nil {
			data, err := json.Marshal(value)
			if err != nil {
				w.experiment.on(at, "", "clause %q cannot be saved: %v", name, err)
			}
			c.Value, c.Target = data, targetWords(value)
		}
		w.plan.Clauses = append(w.plan.Clauses, c)
	}
}

// waiver is who accepts that a clause is not met, and until when.
func (w *compiler) waiver(clause string) string {
	if w.Standards == nil {
		return ""
	}
	v := w.Standards.Tiers[w.plan.Tier].Waiver
	if v == nil || v.Criterion != clause {
		return ""
	}
	return fmt.Sprintf("%s, by %s until %s", v.Reason, v.By, v.Until.Format(time.DateOnly))
}

// promisesDrafts reports whether a tier says that drafts are promised: the nearest word counts.
func (w *compiler) promisesDrafts(tier string) bool {
	for t := range w.inherited(tier) {
		if said, is := t.Data["drafts"]; is {
			return said == "promised"
		}
	}
	return false
}

// inherited gives a tier and those that it inherits from, nearest first.
func (w *compiler) inherited(tier string) iter.Seq[Tier] {
	return func(yield func(Tier) bool) {
		if w.Standards == nil {
			return
		}
		for range len(w.Standards.Tiers) { // ends what inherits from itself
			t, is := w.Standards.Tiers[tier]
			if !is || !yield(t) {
				return
			}
			tier = t.Inherits
		}
	}
}

// clause is what a tier, or the nearest that it inherits from, sets for a clause; nil when nobody does.
func (w *compiler) clause(tier, name string) (value any, known bool) {
	section, key := name, ""
	if !slices.Contains(clauseNames, name) {
		at := strings.LastIndexByte(name, '.')
		if at < 0 || !slices.Contains(clauseNames, name[:at]) || !w.hasKey(name[:at], name[at+1:]) {
			return nil, false
		}
		section, key = name[:at], name[at+1:]
	}
	for t := range w.inherited(tier) {
		value := t.clause(section)
		if keys, is := value.(map[string]any); is && key != "" {
			value = keys[key]
		}
		switch {
		case value == unset:
			return nil, true
		case value != nil:
			return value, true
		}
	}
	return nil, true
}

// hasKey reports whether any tier writes a key in a clause.
func (w *compiler) hasKey(section, key string) bool {
	if w.Standards == nil {
		return false
	}
	for _, t := range w.Standards.Tiers {
		if keys, is := t.clause(section).(map[string]any); is && keys[key] != nil {
			return true
		}
	}
	return false
}

// clause is what the tier itself sets; nil when it does not.
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
	sections := map[string]map[string]any{"latency": t.Latency, "data": t.Data, "resilience.spike": t.Resilience.Spike,
		"messaging": t.Messaging, "logging": t.Logging, "status": t.Status, "security": t.Security}
	if values := sections[name]; values != nil {
		return values
	}
	return nil
}

// targetWords shows a target as flat text, as it is written in the standards.
func targetWords(target any) string {
	v := reflect.Indirect(reflect.ValueOf(target))
	var parts []string
	switch v.Kind() {
	case reflect.Invalid:
		return "nothing"
	case reflect.Struct:
		for _, f := range fields(v.Type()) {
			if value := v.FieldByIndex(f.index); !value.IsZero() {
				parts = append(parts, f.name+": "+targetWords(value.Interface()))
			}
		}
	case reflect.Map:
		for _, key := range slices.Sorted(maps.Keys(target.(map[string]any))) {
			part := targetWords(target.(map[string]any)[key])
			if strings.Contains(part, ": ") {
				part = "(" + part + ")"
			}
			parts = append(parts, key+": "+part)
		}
	case reflect.Slice:
		for i := range v.Len() {
			parts = append(parts, targetWords(v.Index(i).Interface()))
		}
		return strings.Join(parts, " ")
	case reflect.Int64:
		if d, is := v.Interface().(time.Duration); is {
			return brief(d)
		}
		return fmt.Sprint(v.Interface())
	default:
		return fmt.Sprint(v.Interface())
	}
	return strings.Join(parts, ", ")
}

// checkStandards finds the mistakes that standards can have by themselves.
func (w *compiler) checkStandards() {
	tiers, s := w.Standards.Tiers, w.standards
	if len(tiers) == 0 {
		s.on("tiers", "", "standards without a tier")
	}
	for _, name := range keys(tiers) {
		t, at := tiers[name], "tiers."+name
		w.inherits(name, at+".inherits")
		if v := t.Waiver; v != nil && v.Criterion != "" {
			if _, known := w.clause(name, v.Criterion); !known {
				s.on(at+".waiver.criterion", near(v.Criterion, clauseNames), "the standards have no clause %q", v.Criterion)
			}
		}
		w.checkStatus(t, at+".status")
		if d := t.Resilience.DependencyDown; d != nil {
			w.share(d.StraightAnswerMin, at+".resilience.dependency_down.straight_answer_min")
			w.share(d.SaidSoMax, at+".resilience.dependency_down.said_so_max")
		}
	}
}

// inherits checks whom a tier inherits from.
func (w *compiler) inherits(name, at string) {
	tiers := w.Standards.Tiers
	parent := tiers[name].Inherits
	if parent == "" {
		return
	}
	if _, known := tiers[parent]; !known {
		w.standards.on(at, suggest(parent, keys(tiers)), "unknown tier %q", parent)
		return
	}
	for range len(tiers) {
		if parent == name {
			w.standards.on(at, "", "tier %q inherits from itself", name)
			return
		}
		parent = tiers[parent].Inherits
	}
}

func (w *compiler) share(value *float64, at string) {
	if value != nil && !(*value >= 0 && *value <= 1) {
		w.standards.on(at, "", "%v is no share: want a number from 0 to 1", *value)
	}
}
