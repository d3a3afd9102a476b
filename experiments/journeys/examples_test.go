package journeys_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/effects"
	"github.com/candor-chaos/candor/experiments/journeys"
	"github.com/candor-chaos/candor/experiments/probes"
	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/docker"
)

// What the kinds show as examples has to load and compile as a user would write it.
func TestExamplesCompile(t *testing.T) {
	catalog := experiments.Catalog{Faults: faults.All(), Surfaces: journeys.All(), Probes: probes.All(), Readers: effects.All(),
		Worlds: []faults.World{new(docker.World)}}
	folder := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("candor.yaml", `apiVersion: candor/v1
kind: System
name: shop
environment: {name: local, class: sandbox}
runtime: {docker: {project: shop}}
services:
  web: {url: "http://127.0.0.1:18080", needs: [orders-db]}
  orders: {port: 8080}
  orders-db: {port: 5432}
`)
	journey := "apiVersion: candor/v1\nkind: Journey\nname: buy\nsurface: http\nsteps:\n  - name: order\n" + indent(journeys.HTTP.Example, 4) + "effects:\n"
	for i, k := range catalog.Readers {
		journey += fmt.Sprintf("  - name: effect-%d\n    %s:\n%s", i, k.Name, indent(k.Example, 6))
	}
	write("buy.yaml", journey)
	experiment := "apiVersion: candor/v1\nkind: Experiment\nname: all\nservice: web\nhypothesis: all is told\njourneys: [{use: buy.yaml}]\n" +
		"faults: [{outage: {from: web, to: orders-db, mode: refuse}, for: 5s}]\nsteady:\n"
	for _, k := range catalog.Probes {
		experiment += fmt.Sprintf("  - %s:\n%s", k.Name, indent(k.Example, 6))
	}
	definitions, err := experiments.Load(write("all.yaml", experiment), experiments.LoadOptions{Catalog: catalog})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := experiments.Compile(definitions, catalog); err != nil {
		t.Error(err)
	}
}

func indent(text string, by int) string {
	pad := strings.Repeat(" ", by)
	return pad + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n"+pad) + "\n"
}
