package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/demo"
	"github.com/candor-chaos/candor/faults"
)

// TestReadmeExperiment compiles the experiment that the README lets a newcomer write, in the project that it lets them
// start: what stands there has to work when it is pasted.
func TestReadmeExperiment(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(readme, -1)
	if len(blocks) != 3 {
		t.Fatalf("the README has %d YAML blocks; this test knows of three", len(blocks))
	}
	dir := t.TempDir()
	i := demo.Instance{Project: "candor-practice", Speed: demoSpeed, Canary: demoCanary}
	if err := i.Write(dir, demo.Addresses{Web: "http://127.0.0.1:1", Status: "http://127.0.0.1:3", PaymentAdmin: "http://127.0.0.1:2", OrdersDB: "sqlite:/orders.db"}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "experiments", "payments-slow.yaml")
	if err := os.WriteFile(file, blocks[0][1], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := compile(&global{}, file); err != nil {
		t.Errorf("the README's experiment:\n%v", err)
	}
	system := filepath.Join(t.TempDir(), "candor.yaml")
	if err := os.WriteFile(system, blocks[1][1], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := experiments.Validate([]string{system}, experiments.LoadOptions{Catalog: catalog()}); err != nil {
		t.Errorf("the README's system:\n%v", err)
	}
	journey := filepath.Join(dir, "experiments", "buy-in-the-shop.yaml")
	if err := os.WriteFile(journey, blocks[2][1], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := experiments.Validate([]string{journey}, experiments.LoadOptions{Catalog: catalog()}); err != nil {
		t.Errorf("the README's journey through a browser:\n%v", err)
	}
}

// TestReadmeNamesEveryFault: what can be broken stands in the README, and nothing else does.
func TestReadmeNamesEveryFault(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	section := regexp.MustCompile("(?s)\n## What can be broken\n(.*?)\n## ").FindSubmatch(readme)
	if section == nil {
		t.Fatal("the README does not say what can be broken")
	}
	named := map[string]bool{}
	for _, row := range regexp.MustCompile(`(?m)^\| ([a-z, ]+) \|`).FindAllSubmatch(section[1], -1)[1:] {
		for _, name := range strings.Split(string(row[1]), ", ") {
			named[name] = true
		}
	}
	for _, kind := range faults.All() {
		if !named[kind.Name] {
			t.Errorf("the table of what can be broken in the README does not name %s", kind.Name)
		}
		delete(named, kind.Name)
	}
	if len(named) > 0 {
		t.Errorf("the README names %v, which are no faults", named)
	}
}
