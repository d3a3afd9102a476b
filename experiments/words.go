package experiments

import (
	"fmt"
	"strings"
)

// Words says what is expected, in one line.
func (e Expectation) Words() string {
	var bounds []string
	for _, b := range []struct {
		name string
		c    Comparison
	}{{"success", e.Success}, {"p50", e.P50}, {"p95", e.P95}, {"p99", e.P99}} {
		if !b.c.IsZero() {
			bounds = append(bounds, b.name+" "+b.c.String())
		}
	}
	if len(e.Said) > 0 {
		var said []string
		for _, c := range e.Said {
			said = append(said, c.String())
		}
		bounds = append(bounds, "says only "+strings.Join(said, ", "))
	}
	text := ""
	if len(bounds) > 0 {
		text = fmt.Sprintf("%s during %s: %s", e.Journey, e.During, strings.Join(bounds, ", "))
	}
	if !e.Steady.IsZero() {
		if text != "" {
			text += "; "
		}
		text += "steady again " + e.Steady.String() + " after the last fault"
	}
	return text
}
