package main

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/candor-chaos/candor/experiments/demo"
	"github.com/candor-chaos/candor/experiments/history"
	"github.com/candor-chaos/candor/experiments/honesty"
	"github.com/candor-chaos/candor/experiments/report"
)

// savedHistories are runs of the bookshop as `candor selftest --matrix --keep` saved them: one for each lie, planted
// alone, and of the honest shop one, and one whose customers press again.
var savedHistories = filepath.Join("..", "..", "testdata", "history")

// TestSavedLies judges every saved run again: each lie is found by its rule for nine in ten of those who were told it, no
// rule fires but those that lies.yaml allows, and the honest shop is left in peace.
func TestSavedLies(t *testing.T) {
	lies, err := demo.Lies()
	if err != nil {
		t.Fatal(err)
	}
	lies = append(lies, demo.Lie{ID: "honest 1"}, demo.Lie{ID: "honest pressed-again"})
	for _, l := range lies {
		t.Run(l.ID, func(t *testing.T) {
			saved, told := loadSaved(t, filepath.Join(savedHistories, folderOf(l.ID)))
			saved.Result = honesty.Judge(&saved.Plan, saved.History)
			row := compareRow(l, saved, told)
			if !row.right() {
				t.Errorf("%s", row.line())
			}
		})
	}
}

func loadSaved(t *testing.T, folder string) (report.Run, []tale) {
	t.Helper()
	var saved report.Run
	plan := unpack(t, filepath.Join(folder, "plan.json.gz"))
	defer plan.Close()
	if err := json.NewDecoder(plan).Decode(&saved.Plan); err != nil {
		t.Fatal(err)
	}
	lines := unpack(t, filepath.Join(folder, "history.jsonl.gz"))
	defer lines.Close()
	var err error
	if saved.History, err = history.ReadFrom(folder, lines); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(folder, "told.json"))
	if err != nil {
		t.Fatal(err)
	}
	var told []tale
	if err := json.Unmarshal(data, &told); err != nil {
		t.Fatal(err)
	}
	return saved, told
}

func unpack(t *testing.T, file string) io.ReadCloser {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	return z
}
