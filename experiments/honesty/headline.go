package honesty

import (
	"fmt"
	"strings"

	"github.com/candor-chaos/candor/experiments"
)

// Headline says how much the rules have shown, with those that showed nothing listed by id. There is no score: a mean
// would hide what was not exercised. The rules about candor itself do not count.
func Headline(rules []experiments.RuleResult) string {
	var count [experiments.NotApplicable + 1]int
	var idle []string
	total := 0
	for _, r := range rules {
		if strings.HasPrefix(r.ID, "MT-") {
			continue
		}
		total++
		count[r.Verdict]++
		if r.Verdict == experiments.NotExercised {
			idle = append(idle, r.ID)
		}
	}
	exercised := count[experiments.RulePass] + count[experiments.RuleFail]
	text := fmt.Sprintf("%d of %d rules exercised: %d pass, %d fail; %d unverifiable; %d not applicable; %d not exercised",
		exercised, total, count[experiments.RulePass], count[experiments.RuleFail], count[experiments.Unverifiable], count[experiments.NotApplicable], count[experiments.NotExercised])
	if len(idle) > 0 {
		text += " (" + strings.Join(idle, ", ") + ")"
	}
	return text
}
