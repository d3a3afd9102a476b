package engine

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/history"
	"github.com/candor-chaos/candor/experiments/journeys"
	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/faulttest"
)

// TestWithoutABrowserNothingIsProved: users who have nothing to act through are not walked, the others are, and the run
// says so.
func TestWithoutABrowserNothingIsProved(t *testing.T) {
	for name, opens := range map[string]bool{"none": false, "dies": true} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.plan(t, name, faults.Kill.Example)
			write := func(file, text string) {
				if err := os.WriteFile(filepath.Join(r.dir, name, file), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			write("look.yaml", "apiVersion: candor/v1\nkind: Journey\nname: look\nsurface: browser\nsteps:\n  - {name: home, get: /}\n")
			file := filepath.Join(r.dir, name, "x.yaml")
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			write("x.yaml", strings.Replace(string(text), "recovery: {profile", "  - {use: look.yaml}\nrecovery: {profile", 1))
			catalog := r.catalog()
			catalog.Surfaces = append(catalog.Surfaces, experiments.SurfaceKind{Name: "browser", NewAction: journeys.HTTP.NewAction,
				Start: func(context.Context, experiments.StageConfig) (experiments.Stage, error) {
					if !opens {
						return nil, fmt.Errorf("%w: no browser here", experiments.ErrSurfaceGone)
					}
					return deadStage{}, nil
				}})
			defs, err := experiments.Load(file, experiments.LoadOptions{Catalog: catalog})
			if err != nil {
				t.Fatal(err)
			}
			plan, err := experiments.Compile(defs, catalog)
			if err != nil {
				t.Fatal(err)
			}
			config, _ := r.config(plan, faulttest.NewFake())
			config.Catalog = catalog
			outcome, err := Run(t.Context(), config)
			if err != nil {
				t.Fatal(err)
			}
			if v := outcome.Result.Verdict; v != experiments.Unproven {
				t.Errorf("verdict %s", v)
			}
			if !slices.ContainsFunc(outcome.Result.Reasons, func(r experiments.Reason) bool {
				return r.Code == experiments.ReasonNoBrowser && strings.Contains(r.Text, "journey look was not walked")
			}) {
				t.Errorf("reasons %+v", outcome.Result.Reasons)
			}
			h, err := history.Read(outcome.Folder.History())
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(h.Records, func(r experiments.Record) bool { return r.Visit != nil && r.Visit.OK && r.Visit.Journey == "browse" }) {
				t.Error("nobody walked the other journey")
			}
		})
	}
}

// deadStage opens users whose browser is gone.
type deadStage struct{}

func (deadStage) Open(experiments.SurfaceConfig) (experiments.Surface, error) {
	return deadStage{}, nil
}

func (deadStage) Do(context.Context, experiments.Act) (experiments.Answer, error) {
	return experiments.Answer{}, experiments.ErrSurfaceGone
}

func (deadStage) Begin(experiments.Phase, time.Duration) {}

func (deadStage) Close() error { return nil }
