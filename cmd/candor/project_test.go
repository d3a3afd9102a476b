package main

import (
	"path/filepath"
	"testing"

	"github.com/candor-chaos/candor/experiments/demo"
)

// TestShopProjectCompiles compiles every experiment that comes with the bookshop, those of people in a browser too.
func TestShopProjectCompiles(t *testing.T) {
	dir := t.TempDir()
	i := demo.Instance{Project: "candor-practice", Speed: demoSpeed, Canary: demoCanary}
	if err := i.Write(dir, demo.Addresses{Web: "http://127.0.0.1:1", Status: "http://127.0.0.1:3", PaymentAdmin: "http://127.0.0.1:2", AccountAdmin: "http://127.0.0.1:4", OrdersDB: "sqlite:/orders.db"}); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "experiments", "*.yaml"))
	if err != nil || len(files) < 12 {
		t.Fatalf("the project has the experiments %v, %v", files, err)
	}
	planned := map[string]bool{}
	for _, file := range files {
		if _, err := compile(&global{}, file); err != nil {
			t.Errorf("%s:\n%v", filepath.Base(file), err)
		}
		name := filepath.Base(file)
		planned[name[:len(name)-len(".yaml")]] = true
	}
	lies, err := demo.PageLies()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lies {
		if !planned[l.Experiment] {
			t.Errorf("%s is told in %s, which the project does not have", l.ID, l.Experiment)
		}
	}
}
