package experiments_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-chaos/candor/experiments"
)

// withVisitors is what the good files say when somebody signs in, as a persona.
func withVisitors(persona string) map[string][]string {
	return map[string][]string{
		"journeys/buy-a-book.yaml": {"setup:", "visitors: [{env: SHOP_ANN}, {login: '{{ env.SHOP_BOB }}'}]\nsetup:"},
		"payments-outage.yaml":     {"journeys/buy-a-book.yaml,", "journeys/buy-a-book.yaml, persona: " + persona + ","},
	}
}

func TestVisitorsAreReadFromTheirPlaces(t *testing.T) {
	p, _ := mustCompile(t, withVisitors("doubter"))
	if j := p.Journeys[0]; j.Visitors != 2 || len(j.Lookup) != 1 || j.Lookup[0].Name != "place order"+experiments.LookedUp || len(j.Lookup[0].Needs) == 0 {
		t.Errorf("planned with %d visitors, look-up %+v", j.Visitors, j.Lookup)
	}
	resolve := func(ann, bob string) error {
		env := environment()
		env["SHOP_ANN"], env["SHOP_BOB"] = ann, bob
		return p.Exec.Resolve(env, experiments.RunNames{ID: "r1", Prefix: "cdr-"})
	}
	if err := resolve("ann:tea:and-cake", "bob:12345678"); err != nil {
		t.Fatal(err)
	}
	want := []experiments.Login{{Name: "ann", Password: "tea:and-cake"}, {Name: "bob", Password: "12345678"}}
	if diff := cmp.Diff(want, p.Exec.Visitors[0]); diff != "" {
		t.Errorf("visitors (-want +got):\n%s", diff)
	}
	secrets := p.Exec.Secrets()
	if secrets["password of visitor ann"] != "tea:and-cake" || secrets["password of visitor bob"] != "12345678" {
		t.Errorf("secrets of the run: %v", secrets)
	}
	for says, logins := range map[string][2]string{
		"visitor 1 is not written name:password": {"ann", "bob:long-enough"},
		"has fewer than 8 characters":            {"ann:short", "bob:long-enough"},
		"two visitors are called ann":            {"ann:long-enough", "ann:long-enough"},
	} {
		err := resolve(logins[0], logins[1])
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "long-enough") || strings.Contains(err.Error(), "short,") {
			t.Errorf("Resolve = %v; want it to say %q and no password", err, says)
		}
	}
	env := environment()
	env["SHOP_BOB"] = "bob:long-enough"
	if err := p.Exec.Resolve(env, experiments.RunNames{}); err == nil || !strings.Contains(err.Error(), "SHOP_ANN is not set") || !strings.Contains(err.Error(), "buy-a-book.yaml:") {
		t.Errorf("Resolve = %v; want the variable and its place", err)
	}
}

func TestPersonasLiveAtTheProductsPace(t *testing.T) {
	usual, quick := experiments.DefaultDeadlines(), experiments.Deadlines{Feedback: 50 * time.Millisecond}
	for _, c := range []struct {
		name      string
		deadlines experiments.Deadlines
		want      experiments.Persona
	}{
		{"patient", usual, experiments.Persona{}},
		{"impatient", usual, experiments.Persona{Again: 2 * time.Second, Reloads: true, Presses: 2}},
		{"impatient", experiments.Deadlines{}, experiments.Persona{Again: 2 * time.Second, Reloads: true, Presses: 2}},
		{"impatient", quick, experiments.Persona{Again: 100 * time.Millisecond, Reloads: true, Presses: 2}},
		{"hasty", usual, experiments.Persona{Twice: true, Again: 1500 * time.Millisecond, Presses: 1}},
		{"doubter", usual, experiments.Persona{Lag: 2 * time.Second, Looks: 4}},
	} {
		got := experiments.NewPersona(c.name, c.deadlines)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("NewPersona(%s) (-want +got):\n%s", c.name, diff)
		}
		if (got.Words() == "") != (c.name == "patient") {
			t.Errorf("%s: %q", c.name, got.Words())
		}
	}
}
