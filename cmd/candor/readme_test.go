package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/candor-chaos/candor/experiments/demo"
)

// TestReadmeExperiment compiles the experiment that the README lets a newcomer write, in the project that it lets them
// start: what stands there has to work when it is pasted.
func TestReadmeExperiment(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(readme, -1)
	if len(blocks) != 1 {
		t.Fatalf("the README has %d YAML blocks; this test knows of one", len(blocks))
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
}
