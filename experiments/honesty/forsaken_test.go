package honesty

import (
	"testing"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// An intent that was under way when the browser died is nobody's silence; one whose visit ended is.
func TestABrowserThatDiedIsNoSilence(t *testing.T) {
	plan := &experiments.Plan{Journeys: []experiments.PlannedJourney{{Name: "buy", Surface: "browser", IntentStep: "buy"}}}
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	var h experiments.History
	add := func(r experiments.Record) {
		r.Seq, r.At = int64(len(h.Records)+1), at.Add(time.Duration(len(h.Records))*time.Second)
		h.Records = append(h.Records, r)
	}
	for visit, marker := range map[int64]string{1: "m-1", 2: "m-2"} {
		add(experiments.Record{Intent: &experiments.Intent{Marker: marker, Journey: "buy", Step: "buy", Visit: visit}})
		add(experiments.Record{Exchange: &experiments.Exchange{Marker: marker, Journey: "buy", Step: "buy", Visit: visit, Method: "POST", Status: 200, Sent: at, Ended: at}})
	}
	add(experiments.Record{Visit: &experiments.Visit{ID: 1, Journey: "buy"}})
	count := func() (unsent int) {
		for _, r := range gather(plan, h).reckon().rows {
			if r.unsent() {
				unsent++
			}
		}
		return unsent
	}
	if n := count(); n != 0 {
		t.Errorf("%d intents are taken for unsent although no browser died", n)
	}
	add(experiments.Record{Trouble: &experiments.Trouble{Code: experiments.ReasonNoBrowser, Text: "gone"}})
	rows := gather(plan, h).reckon()
	if n := count(); n != 1 || !rows.marked["m-2"].unsent() {
		t.Errorf("%d intents are taken for unsent, want that of the visit that never ended", n)
	}
}
