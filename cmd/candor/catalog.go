package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/effects"
	"github.com/candor-chaos/candor/experiments/engine"
	"github.com/candor-chaos/candor/experiments/honesty"
	"github.com/candor-chaos/candor/experiments/journeys"
	"github.com/candor-chaos/candor/experiments/probes"
	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/docker"
	"github.com/candor-chaos/candor/faults/journal"
)

// catalog puts together every kind that definitions may name.
func catalog() experiments.Catalog {
	return experiments.Catalog{
		Faults:   faults.All(),
		Surfaces: journeys.All(),
		Probes:   probes.All(),
		Readers:  effects.All(),
		Rules:    honesty.Infos(),
		Worlds:   []faults.World{new(docker.World)},
	}
}

// worldOpener opens the world of a plan's runtime for one run.
func worldOpener(g *global, plan *experiments.Plan) func(context.Context, engine.WorldConfig) (engine.World, json.RawMessage, error) {
	return func(ctx context.Context, c engine.WorldConfig) (engine.World, json.RawMessage, error) {
		system := plan.Exec.System
		runtime := system.Runtime.Docker
		if runtime == nil {
			return nil, nil, fmt.Errorf("system %s names no runtime", system.Name)
		}
		services := map[string]docker.Ports{}
		for name, s := range system.Services {
			services[name] = docker.Ports(s.Ports)
			if s.Port != 0 {
				services[name] = docker.Ports{"": s.Port}
			}
		}
		world, err := openDocker(ctx, g, docker.Config{Run: c.Run, System: system.Name, Project: runtime.Project, Labels: runtime.Labels,
			Services: services, Prefix: c.Prefix, Keys: system.Idempotency, Seed: c.Seed, Expiry: c.Expiry}, c.OnRequest)
		if err != nil {
			return nil, nil, err
		}
		saved, err := json.Marshal(world.Config())
		return world, saved, err
	}
}

// openDocker opens a docker world whose agents run this very binary.
func openDocker(ctx context.Context, g *global, c docker.Config, seen func(faults.Request)) (*docker.World, error) {
	binary := g.binary
	if binary == "" {
		var err error
		if binary, err = os.Executable(); err != nil {
			return nil, fmt.Errorf("find candor's own binary: %w", err)
		}
	}
	return docker.Open(ctx, c, docker.Options{Binary: binary, OnRequest: seen, Log: g.log})
}

// reopenWorld opens the world that a journal names, to settle what is owed there.
func reopenWorld(ctx context.Context, g *global, w journal.World) (engine.World, error) {
	if w.Name != "docker" {
		return nil, fmt.Errorf("this candor knows no world %q", w.Name)
	}
	var c docker.Config
	if err := json.Unmarshal(w.Config, &c); err != nil {
		return nil, fmt.Errorf("read how the world was opened: %w", err)
	}
	return openDocker(ctx, g, c, nil)
}
