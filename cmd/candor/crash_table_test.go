package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

const (
	crashP50 = time.Second
	crashP99 = 3 * time.Second
)

// crashRow sums up some of the trials.
type crashRow struct {
	name                                         string
	trials, nothing, inForce, helpless, unhealed int
	times                                        []time.Duration
}

// add counts a trial. Times are of those that had something in force and that the accident hit: the others are clean at
// once and would only flatter.
func (r *crashRow) add(c crashResult) {
	r.trials++
	if c.nothing {
		r.nothing++
	}
	if c.owed > 0 {
		r.inForce++
	}
	if len(c.helpless) > 0 {
		r.helpless++
	}
	if len(c.unhealed) > 0 {
		r.unhealed++
	}
	if c.owed > 0 && !c.nothing && len(c.helpless) == 0 {
		r.times = append(r.times, c.clean)
	}
}

// percentile is the time within which so many of a hundred were clean.
func (r *crashRow) percentile(p int) time.Duration {
	if len(r.times) == 0 {
		return 0
	}
	slices.Sort(r.times)
	return r.times[(len(r.times)*p+99)/100-1]
}

func (r *crashRow) line() string {
	times := "–"
	if len(r.times) > 0 {
		times = fmt.Sprintf("%.2f s / %.2f s", r.percentile(50).Seconds(), r.percentile(99).Seconds())
	}
	return fmt.Sprintf("| %s | %d | %d | %d | %d | %d | %s |\n", r.name, r.trials, r.nothing, r.inForce, r.helpless, r.unhealed, times)
}

const crashHead = ` | trials | nothing there to hit | faults in force | left over after 5 s | left over after heal | time until clean, p50 / p99 |
|---|---|---|---|---|---|---|
`

// report prints the tables and holds the campaign to its goals.
func (c *campaign) report(took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var text strings.Builder
	total := crashRow{name: "all but the daemon's, and where both die"}
	strict := crashRow{name: "of these, where the runner or its guardian dies"}
	text.WriteString("| accident" + crashHead)
	for _, a := range accidents() {
		row := crashRow{name: a.name}
		for _, r := range c.results {
			if r.accident.name != a.name {
				continue
			}
			row.add(r)
			if !a.daemon && !a.alone {
				total.add(r)
			}
			if a.dies && !a.alone {
				strict.add(r)
			}
		}
		text.WriteString(row.line())
	}
	text.WriteString(total.line() + strict.line())
	text.WriteString("\n| fault" + crashHead)
	for _, k := range c.kinds {
		row := crashRow{name: k.Name}
		for _, r := range c.results {
			if r.kind == k.Name && !r.accident.daemon {
				row.add(r)
			}
		}
		text.WriteString(row.line())
	}
	fmt.Fprintf(&text, "\n%d trials from seed %d in %s.\n", len(c.results), c.seed, took.Round(time.Second))
	c.t.Log("\n" + text.String())
	if file := os.Getenv("CRASH_TABLE"); file != "" {
		if err := os.WriteFile(file, []byte(text.String()), 0o644); err != nil {
			c.t.Error(err)
		}
	}
	if p50, p99 := total.percentile(50), total.percentile(99); len(c.results) >= crashJudged && (p50 >= crashP50 || p99 >= crashP99) {
		c.t.Errorf("clean after %s (p50) and %s (p99); want less than %s and %s", p50, p99, crashP50, crashP99)
	}
}
