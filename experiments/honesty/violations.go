package honesty

import "github.com/candor-chaos/candor/experiments"

// Violations counts, for each rule, by how many answers or intents it was violated: what is one finding in a result may
// stand for many that are alike. Several effects of one intent count once.
func Violations(plan *experiments.Plan, h experiments.History) map[string]int {
	e := gather(plan, h)
	e.reckon()
	counts := map[string]int{}
	for rule, occasions := range judgeRules(e) {
		markers := map[string]bool{}
		for _, o := range occasions {
			if o.Verdict != experiments.RuleFail {
				continue
			}
			if marker := o.Finding.Marker; marker != "" && markers[marker] {
				continue
			}
			markers[o.Finding.Marker] = true
			counts[rule] += o.Times
		}
	}
	return counts
}
