package journeys

import (
	"strings"
	"testing"

	"github.com/candor-chaos/candor/experiments"
)

func TestCheckOfAStep(t *testing.T) {
	body := experiments.Tree{Value: map[string]any{}}
	for want, step := range map[string]Request{
		"":                      {Post: text("/"), JSON: body, Redirects: "none"},
		"needs one of get":      {},
		"this one has several":  {Get: text("/"), Post: text("/")},
		"sends one of json":     {Post: text("/"), JSON: body, Body: text("x")},
		"get sends no body":     {Get: text("/"), Body: text("x")},
		"it is follow or none":  {Get: text("/"), Redirects: "maybe"},
		"cannot be the name of": {Get: text("/"), Headers: map[string]experiments.Template{"a b": text("x")}},
	} {
		err := step.Check()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("Check of %+v = %v; want %q", step, err, want)
		}
	}
}
