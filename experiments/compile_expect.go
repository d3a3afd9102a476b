package experiments

import "slices"

// expectations binds the names of journeys, and wants each expectation to bound something.
func (w *compiler) expectations() {
	names, all := w.journeyNames()
	for i, e := range w.Experiment.Expect {
		at := index("expect", i)
		bounds := len(e.Said)
		for _, c := range []Comparison{e.Success, e.P50, e.P95, e.P99} {
			if !c.IsZero() {
				bounds++
			}
		}
		if bounds == 0 && e.Steady.IsZero() {
			w.experiment.on(at, "", "expects nothing: give success, p50, p95, p99, said or steady")
		}
		if bounds > 0 && e.Journey == "" {
			w.experiment.on(at+".journey", few(names), `"journey" is missing`)
		}
		if bounds > 0 && e.During == "" {
			w.experiment.on(at+".during", "one of baseline, fault, recovery", `"during" is missing`)
		}
		if e.Journey != "" && all && !slices.Contains(names, e.Journey) {
			w.experiment.on(at+".journey", suggest(e.Journey, names), "no journey of this experiment is called %q", e.Journey)
		}
		w.units(e, at)
	}
}

// journeyNames lists the journeys of the experiment; all is false when some of them could not be read.
func (w *compiler) journeyNames() (names []string, all bool) {
	for _, j := range w.Journeys {
		if j != nil {
			names = append(names, j.Name)
		}
	}
	return names, len(names) == len(w.Journeys)
}

// units holds each bound to the unit that its measure has.
func (w *compiler) units(e Expectation, at string) {
	for _, b := range []struct {
		key  string
		c    Comparison
		time bool
	}{{"success", e.Success, false}, {"p50", e.P50, true}, {"p95", e.P95, true}, {"p99", e.P99, true}, {"steady", e.Steady, true}} {
		switch {
		case b.c.IsZero():
		case b.time && b.c.Unit != "s" && b.c.Unit != "ms":
			w.experiment.on(at+"."+b.key, "", `%s is a time: want s or ms, as "<= 1s"`, b.key)
		case !b.time && b.c.Unit != "%":
			w.experiment.on(at+"."+b.key, "", `%s is a share: want %%, as ">= 99%%"`, b.key)
		case !b.time && (b.c.Value < 0 || b.c.Value > 1):
			w.experiment.on(at+"."+b.key, "", "%s is a share: want 0%% to 100%%", b.key)
		}
	}
}
