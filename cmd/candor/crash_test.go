package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/docker"
)

// The crash campaign kills things at moments that are drawn from a seed and asks what is left. The asking is done by
// testdata/crash/left, which shares no code with candor.
//
//	CRASH_TRIALS=500 CRASH_SEED=7 CRASH_TABLE=table.md go test -count=1 -timeout 60m -run TestCrashCampaign -v ./cmd/candor
//	CRASH_SEED=7 CRASH_ONLY=17 …   repeats trial 17 alone
//
// Three systems beside each other on this machine's engine take the trials in turn; those that restart the engine have one
// of their own. Every kind of fault in the catalog is drawn, so a new one comes in unasked.
const (
	crashTrials  = 18 // in make test
	crashSeed    = 1
	crashSystems = 3
	crashJudged  = 200 // trials from which on the percentiles are held to their bounds
)

// campaign is all that its trials share.
type campaign struct {
	t      *testing.T
	seed   uint64
	work   string // folder of the campaign, with a short path: sockets lie in it
	candor string // programs
	left   string
	target string
	kinds  []crashKind

	mu      sync.Mutex
	results []crashResult
}

// crashKind is a kind of fault, whom its example touches, and how long a whole run of it takes that nobody disturbs.
type crashKind struct {
	faults.Kind
	services []string
	path     bool // it acts on the way between two services, and so by an agent
	typical  func(context.Context, *crashSystem) (time.Duration, error)
}

// crashTrial is one trial as it was drawn.
type crashTrial struct {
	number   int
	accident accident
	kind     crashKind
	inForce  bool    // wait until a fault is in force first
	moment   float64 // as a share of the whole run, or of the fault's own time
	target   string  // the service that is restarted or removed
	guardian string  // process or container
}

func (c crashTrial) String() string {
	when := "of the whole run"
	if c.inForce {
		when = "of the fault's time"
	}
	return fmt.Sprintf("trial %d: %s during %s, at %.3f %s; target %s, guardian a %s", c.number, c.accident.name, c.kind.Name, c.moment, when, c.target, c.guardian)
}

func TestCrashCampaign(t *testing.T) {
	if !dockerWanted(t) {
		t.Skip("LEFT OUT: needs Docker")
	}
	if os.Geteuid() != 0 {
		t.Fatal("needs root: it mounts small disks, starts an engine of its own and looks into the namespaces of others")
	}
	c := newCampaign(t)
	c.candor = buildCandor(t)
	began := time.Now()
	c.run(t.Context(), c.draw())
	c.report(time.Since(began))
}

func newCampaign(t *testing.T) *campaign {
	t.Helper()
	c := &campaign{t: t, seed: uint64(crashNumber(t, "CRASH_SEED", crashSeed))}
	var err error
	if c.work, err = os.MkdirTemp("", "crash-"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(c.work); err != nil {
			t.Error(err)
		}
	})
	build := exec.CommandContext(t.Context(), "go", "build", "-o", c.work, "../../testdata/crash/left", "../../testdata/crash/target")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build what the campaign needs: %v\n%s", err, out)
	}
	c.left, c.target = filepath.Join(c.work, "left"), filepath.Join(c.work, "target")
	world, err := docker.Open(t.Context(), docker.Config{Run: "crash", System: "crash"}, docker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range faults.All() {
		if !k.Needs(world) {
			t.Logf("LEFT OUT: %s, which containers cannot have", k.Name)
			continue
		}
		c.kinds = append(c.kinds, c.crashKind(k))
	}
	if err := world.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	return c
}

func crashNumber(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// draw draws all trials. Each depends on the seed and its own number alone, so that it can be repeated alone. Accidents
// come in shuffled rounds, so that a short campaign has all of them.
func (c *campaign) draw() []crashTrial {
	only := crashNumber(c.t, "CRASH_ONLY", -1)
	all := accidents()
	var drawn []crashTrial
	for n := range max(crashNumber(c.t, "CRASH_TRIALS", crashTrials), only+1) {
		if only >= 0 && n != only {
			continue
		}
		round := rand.New(rand.NewPCG(c.seed, uint64(1<<32+n/len(all)))).Perm(len(all))
		chance := rand.New(rand.NewPCG(c.seed, uint64(n)))
		d := crashTrial{number: n, accident: all[round[n%len(all)]], inForce: chance.IntN(2) == 0, moment: chance.Float64()}
		fitting := slices.DeleteFunc(slices.Clone(c.kinds), func(k crashKind) bool { return d.accident.agent && !k.path })
		d.kind = fitting[chance.IntN(len(fitting))]
		d.target = d.kind.services[chance.IntN(len(d.kind.services))]
		d.guardian = []string{"process", "container"}[chance.IntN(2)]
		drawn = append(drawn, d)
	}
	return drawn
}

// run hands the trials to the systems.
func (c *campaign) run(ctx context.Context, drawn []crashTrial) {
	shared, own := make(chan crashTrial, len(drawn)), make(chan crashTrial, len(drawn))
	for _, d := range drawn {
		if d.accident.daemon {
			own <- d
		} else {
			shared <- d
		}
	}
	close(shared)
	close(own)
	var together errgroup.Group
	for i := range min(crashSystems, len(shared)) {
		together.Go(func() error { return c.serve(ctx, string(rune('a'+i)), nil, shared) })
	}
	if len(own) > 0 {
		together.Go(func() error {
			d, err := startDaemon(ctx, filepath.Join(c.work, "engine"))
			if err != nil {
				return err
			}
			err = c.serve(ctx, "own", d, own)
			if eerr := d.end(); err == nil {
				err = eerr
			}
			return err
		})
	}
	if err := together.Wait(); err != nil {
		c.t.Error(err)
	}
}

// serve does trials on one system until there are none.
func (c *campaign) serve(ctx context.Context, name string, d *daemon, trials <-chan crashTrial) (err error) {
	s, err := c.newSystem(ctx, name, d)
	if err != nil {
		return fmt.Errorf("system %s: %w", name, err)
	}
	defer func() {
		if derr := s.down(context.WithoutCancel(ctx)); err == nil {
			err = derr
		}
	}()
	for drawn := range trials {
		began := time.Now()
		r, err := s.try(ctx, drawn)
		if err != nil {
			return fmt.Errorf("%s: the campaign itself failed: %w", drawn, err)
		}
		c.t.Logf("%s: %d in force, clean after %s (%.1f s)", drawn, r.owed, r.clean.Round(time.Millisecond), time.Since(began).Seconds())
		for _, f := range r.failures {
			c.t.Errorf("%s (CRASH_SEED=%d CRASH_ONLY=%d): %s\n%s", drawn, c.seed, drawn.number, f, r.evidence)
		}
		c.mu.Lock()
		c.results = append(c.results, r)
		c.mu.Unlock()
	}
	return nil
}
