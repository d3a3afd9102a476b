package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/faults/faulttest"
)

const (
	manyServices = 200
	manyPaths    = 500
)

// manyDefinitions writes a system of many services, and an experiment with a fault on each of many paths.
func manyDefinitions(b *testing.B, w *faulttest.Fake) (experiment string) {
	dir := b.TempDir()
	var services, list strings.Builder
	left := manyPaths
	for i := range manyServices {
		from := fmt.Sprintf("service-%d", i)
		w.Add(from, 8080)
		var needs []string
		for k := range min(left, (manyPaths+manyServices-1)/manyServices) {
			to := fmt.Sprintf("service-%d", (i+7*k+1)%manyServices)
			needs = append(needs, to)
			fmt.Fprintf(&list, "  - {latency: {from: %s, to: %s, delay: 100ms}, at: %dms, for: 60ms}\n", from, to, 100*left)
			left--
		}
		slices.Sort(needs)
		fmt.Fprintf(&services, "  %s: {url: \"http://127.0.0.1:1\", port: 8080, needs: [%s]}\n", from, strings.Join(needs, ", "))
	}
	if left != 0 {
		b.Fatalf("%d paths were not laid", left)
	}
	for file, text := range map[string]string{
		"candor.yaml": "apiVersion: candor/v1\nkind: System\nname: many\nruntime: {docker: {project: many}}\nservices:\n" + services.String(),
		"browse.yaml": "apiVersion: candor/v1\nkind: Journey\nname: browse\nsurface: http\nsteps:\n  - {name: home, get: /}\n",
		"x.yaml": "apiVersion: candor/v1\nkind: Experiment\nname: x\nservice: service-0\nhypothesis: it holds\nsteady:\n" +
			"  - {http: {get: \"http://127.0.0.1:1/\"}}\njourneys:\n  - {use: browse.yaml}\nfaults:\n" + list.String(),
	} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	return filepath.Join(dir, "x.yaml")
}

// BenchmarkPlan plans a system of 200 services with a fault on each of 500 paths: at most a second.
func BenchmarkPlan(b *testing.B) {
	r, w := newRig(b), faulttest.NewFake()
	file := manyDefinitions(b, w)
	for b.Loop() {
		defs, err := experiments.Load(file, experiments.LoadOptions{Catalog: r.catalog()})
		if err != nil {
			b.Fatal(err)
		}
		plan, err := experiments.Compile(defs, r.catalog())
		if err != nil {
			b.Fatal(err)
		}
		all, err := Prepare(b.Context(), plan, r.catalog(), w, 1)
		if err != nil || len(all) != manyPaths {
			b.Fatalf("%d faults are prepared, %v", len(all), err)
		}
	}
}
