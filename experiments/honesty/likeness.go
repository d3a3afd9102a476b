package honesty

import (
	"math"
	"strconv"
	"strings"

	"github.com/candor-chaos/candor/experiments"
)

// How a product may write down what was wanted and still be right: as it is, trimmed, in another case, as another way to
// write the same number. Each includes those before it.
const (
	asIs = iota
	trimmed
	anyCase
	sameNumber
)

// learnLikeness finds the strictest likeness under which every confirmed value of the baseline is right: what the
// product does to values when all is well it may do under a fault as well. Without a baseline only spaces are forgiven.
func (e *evidence) learnLikeness(t *truth) int {
	level, last := -1, t.last()
	if !t.effect.Valued || last == nil {
		return trimmed
	}
	for _, r := range e.rows {
		want, valued := r.Wants[t.effect.Name]
		if r.Journey != t.journey || !valued || !e.normalTime(r.at) || r.claim() != experiments.ClaimSuccess {
			continue
		}
		stored := last.rows[r.Marker]
		if stored.Count != 1 || stored.Value == nil {
			continue
		}
		level = max(level, asIs)
		for level < sameNumber && !alike(want, *stored.Value, level) {
			level++
		}
	}
	if level < 0 {
		return trimmed
	}
	return level
}

// alike compares a wanted and a stored value.
func alike(want, stored string, level int) bool {
	if want == stored {
		return true
	}
	if level < trimmed {
		return false
	}
	want, stored = strings.Join(strings.Fields(want), " "), strings.Join(strings.Fields(stored), " ")
	if want == stored {
		return true
	}
	if level >= anyCase && strings.EqualFold(want, stored) {
		return true
	}
	if level < sameNumber {
		return false
	}
	a, aerr := strconv.ParseFloat(want, 64)
	b, berr := strconv.ParseFloat(stored, 64)
	return aerr == nil && berr == nil && math.Abs(a-b) <= 1e-9*max(1, math.Abs(a))
}
