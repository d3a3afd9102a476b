package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestE2ELiars plants ten lies, drawn from a seed, each in a shop of its own in Docker, beside an honest shop. All of
// them, and ten honest runs, are `make honest`.
func TestE2ELiars(t *testing.T) {
	if !dockerWanted(t) {
		t.Skip("LEFT OUT: needs Docker")
	}
	seed := os.Getenv("CANDOR_TEST_SEED")
	if seed == "" {
		seed = "1"
	}
	dir := t.TempDir()
	run := exec.CommandContext(t.Context(), buildCandor(t), "selftest", "--sample", "10", "--honest", "1", "--parallel", "3",
		"--seed", seed, "--state-dir", filepath.Join(dir, "state"))
	run.Dir = dir
	out, err := run.CombinedOutput()
	if err != nil {
		t.Errorf("selftest with seed %s: %v\n%s", seed, err, out)
	}
	t.Logf("%s", out)
}

// TestE2EDemo is what a newcomer does first.
func TestE2EDemo(t *testing.T) {
	if !dockerWanted(t) {
		t.Skip("LEFT OUT: needs Docker")
	}
	dir := t.TempDir()
	run := exec.CommandContext(t.Context(), buildCandor(t), "demo", "--state-dir", filepath.Join(dir, "state"))
	run.Dir = dir
	if out, err := run.CombinedOutput(); err != nil {
		t.Errorf("demo: %v\n%s", err, out)
	}
	left, err := exec.CommandContext(t.Context(), "docker", "ps", "--all", "--quiet", "--filter", "label=candor.system", "--filter", "name=candor-demo").Output()
	if err != nil || len(left) > 0 {
		t.Errorf("containers are left: %s, %v", left, err)
	}
}
