package report

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

func goldenRuns() map[string]Run {
	return map[string]Run{
		"liar":   makeRun(shape{name: "shop-liar", liar: true, rate: 10, seed: 1}),
		"honest": makeRun(shape{name: "shop-honest", rate: 10, seed: 2}),
		"dirty":  makeRun(shape{name: "shop-liar", liar: true, rate: 10, seed: 1, change: dirty}),
	}
}

func TestGolden(t *testing.T) {
	runs := goldenRuns()
	for _, name := range sortedKeys(runs) {
		for _, f := range Formats() {
			t.Run(name+"/"+f.Name, func(t *testing.T) {
				matchGolden(t, name+"."+extension(f.Name), rendered(t, f, runs[name]))
			})
		}
	}
	t.Run("compare", func(t *testing.T) {
		var b bytes.Buffer
		if err := Compare(&b, []Run{runs["liar"], runs["honest"]}); err != nil {
			t.Fatal(err)
		}
		matchGolden(t, "compare.html", b.Bytes())
	})
}

func extension(format string) string {
	return map[string]string{"html": "html", "junit": "xml", "summary": "md", "json": "json", "text": "txt"}[format]
}

func rendered(t *testing.T, f Format, run Run) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := f.Render(&b, run); err != nil {
		t.Fatalf("render %s: %v", f.Name, err)
	}
	return b.Bytes()
}

func matchGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("..", "..", "testdata", "golden", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (write it with -update)", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got); if that is meant, write it with -update:\n%s", path, diff)
	}
}
