package engine

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/effects"
	"github.com/candor-chaos/candor/experiments/honesty"
	"github.com/candor-chaos/candor/experiments/journeys"
	"github.com/candor-chaos/candor/experiments/patterns"
	"github.com/candor-chaos/candor/experiments/probes"
	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/faulttest"
	"github.com/candor-chaos/candor/faults/guardian"
	"github.com/candor-chaos/candor/faults/journal"
)

// rig runs whole experiments, quickly, over a fake world: a real site, real users, a real journal and a real guardian in a
// goroutine of its own.
type rig struct {
	site  *httptest.Server
	dir   string // of this rig: project and state
	state string
	words journeys.Lexicon
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{dir: t.TempDir()}
	r.state = filepath.Join(r.dir, "state")
	r.site = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "welcome") }))
	t.Cleanup(r.site.Close)
	english, err := patterns.English()
	if err != nil {
		t.Fatal(err)
	}
	r.words = english.Claims()
	return r
}

func (r *rig) catalog() experiments.Catalog {
	return experiments.Catalog{Faults: faults.All(), Surfaces: journeys.All(), Probes: probes.All(), Readers: effects.All(),
		Rules: honesty.Infos(), Worlds: []faults.World{faulttest.NewFake()}}
}

// plan compiles an experiment with these faults, each given as its own keys.
func (r *rig) plan(t testing.TB, name string, uses ...string) *experiments.Plan {
	t.Helper()
	return r.messy(t, name, "clean", uses...)
}

// messy is plan with a recovery of this profile.
func (r *rig) messy(t testing.TB, name, profile string, uses ...string) *experiments.Plan {
	t.Helper()
	dir := filepath.Join(r.dir, name)
	var list strings.Builder
	for i, use := range uses {
		fmt.Fprintf(&list, "  - {name: fault %d, %s, at: %dms, for: 60ms}\n", i+1, use, 20*i)
	}
	for file, text := range map[string]string{
		"candor.yaml": "apiVersion: candor/v1\nkind: System\nname: " + name + "\nenvironment: {max_parallel_faults: 9}\nruntime: {docker: {project: shop}}\nservices:\n" +
			"  web: {url: \"" + r.site.URL + "\", port: 8080, needs: [orders, payments, catalog, mail]}\n" +
			"  orders: {port: 8081}\n  payments: {port: 8083}\n  catalog: {port: 8082}\n  mail: {ports: {smtp: 25, imap: 143}}\n",
		"browse.yaml": "apiVersion: candor/v1\nkind: Journey\nname: browse\nsurface: http\nsteps:\n  - {name: home, get: \"{{ web.url }}/\"}\n",
		"x.yaml": "apiVersion: candor/v1\nkind: Experiment\nname: x\nservice: web\nhypothesis: it holds\n" +
			"timeline: {baseline: 40ms, recovery: 40ms, settle: 5ms, reread: 5ms}\nsteady:\n  - {http: {get: \"{{ web.url }}/\"}, every: 10ms}\n" +
			"journeys:\n  - {use: browse.yaml, users: 1, every: 10ms}\nrecovery: {profile: " + profile + "}\nfaults:\n" + list.String(),
	} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	defs, err := experiments.Load(filepath.Join(dir, "x.yaml"), experiments.LoadOptions{Catalog: r.catalog()})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := experiments.Compile(defs, r.catalog())
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// config is a run of a plan in a world.
func (r *rig) config(plan *experiments.Plan, w *faulttest.Fake) (Config, *guards) {
	g := &guards{world: w}
	return Config{Plan: plan, Catalog: r.catalog(), Version: "test", Seed: 1, Environ: map[string]string{}, StateDir: r.state,
		Home: filepath.Join(plan.Exec.Root, ".candor"), Lexicon: r.words,
		Inspect:   func([]byte) []experiments.PatternHit { return nil },
		OpenWorld: func(context.Context, WorldConfig) (World, error) { return w, nil },
		Heal:      func(ctx context.Context, system string) error { return r.heal(ctx, w, system) },
		Guards:    []GuardStarter{g.start},
		pace: pace{warmUp: 2 * time.Second, traffic: 20 * time.Millisecond, poll: 5 * time.Millisecond, guard: 20 * time.Millisecond,
			halt: 5 * time.Millisecond, others: 50 * time.Millisecond, flap: 5 * time.Millisecond, visit: 2 * time.Second},
	}, g
}

// heal is what a run does before it begins, and what a test does at the end.
func (r *rig) heal(ctx context.Context, w *faulttest.Fake, system string) error {
	dirty, err := journal.Dirty(r.state)
	if err != nil {
		return err
	}
	var mine []journal.Status
	for _, s := range dirty {
		if s.Log.Header.System == system {
			mine = append(mine, s)
		}
	}
	for _, h := range guardian.Heal(ctx, mine, func(context.Context, journal.World) (guardian.World, error) { return w, nil }) {
		if h.Err != nil {
			return fmt.Errorf("%w: %w", journal.ErrDirty, h.Err)
		}
	}
	return nil
}

// guards starts guardians in goroutines, and can end them as a death does.
type guards struct {
	world *faulttest.Fake

	mu  sync.Mutex
	cut func()
	all sync.WaitGroup
}

func (g *guards) start(context.Context, World, string) (guardian.Streams, error) {
	in, toGuardian := io.Pipe()
	fromGuardian, out := io.Pipe()
	g.mu.Lock()
	g.cut = func() { out.Close(); in.CloseWithError(io.ErrClosedPipe) }
	g.mu.Unlock()
	gone := make(chan struct{})
	g.all.Go(func() {
		defer close(gone)
		defer out.Close()
		_ = guardian.Serve(context.Background(), in, out, func(context.Context, journal.World) (guardian.World, error) { return g.world, nil })
	})
	return guardian.Streams{In: toGuardian, Out: fromGuardian, Wait: func(ctx context.Context) error {
		select {
		case <-gone:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}, Kill: func(context.Context) error { g.kill(); return nil }}, nil
}

func (g *guards) kill() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.cut != nil {
		g.cut()
	}
}
