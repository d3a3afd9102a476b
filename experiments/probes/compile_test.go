package probes

import (
	"testing"

	"github.com/candor-chaos/candor/experiments"
)

func compile(t *testing.T, value any) {
	t.Helper()
	if err := experiments.Bind(value, nil, nil); err != nil {
		t.Fatal(err)
	}
}

func text(source string) experiments.Template { return experiments.Template{Source: source} }
