package main

import (
	"strings"
	"testing"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// TestPlanSaysWhatPeopleDo: a persona's times are in the plan, and nothing of a patient one.
func TestPlanSaysWhatPeopleDo(t *testing.T) {
	quick := experiments.Deadlines{Feedback: 50 * time.Millisecond}
	for persona, want := range map[string]string{
		experiments.Patient:   "buy (http, patient): 1 user\n    signed in as 2 visitors",
		experiments.Impatient: "impatient: presses again when nothing happened within 100ms, up to 2 times",
		experiments.Hasty:     "hasty: submits twice at once, by click and Enter, and once more when nothing came within 75ms",
		experiments.Doubter:   "doubter: looks up after each act whether it is there, up to 4 times within 100ms",
	} {
		var b strings.Builder
		plan := &experiments.Plan{Journeys: []experiments.PlannedJourney{{Name: "buy", Surface: "http", Persona: persona, Traffic: "1 user", Visitors: 2,
			Acts: experiments.NewPersona(persona, quick)}}}
		if err := printPlan(&b, plan, 1); err != nil || !strings.Contains(b.String(), want) {
			t.Errorf("the plan of somebody %s does not say %q (%v):\n%s", persona, want, err, b.String())
		}
	}
}
