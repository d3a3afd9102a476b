package main

import (
	"context"
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
func worldOpener(g *global, plan *experiments.Plan) func(context.Context, engine.WorldConfig) (engine.World, error) {
	return func(ctx context.Context, c engine.WorldConfig) (engine.World, error) {
		system := plan.Exec.System
		runtime := system.Runtime.Docker
		if runtime == nil {
			return nil, fmt.Errorf("system %s names no runtime", system.Name)
		}
		services := map[string]docker.Ports{}
		for name, s := range system.Services {
			services[name] = docker.Ports(s.Ports)
			if s.Port != 0 {
				services[name] = docker.Ports{"": s.Port}
			}
		}
		world, err := openDocker(ctx, g, docker.Config{Run: c.Run, System: system.Name, Project: runtime.Project, Labels: runtime.Labels,
			Services: services, Prefix: c.Prefix, Keys: system.Idempotency, Seed: c.Seed, Expiry: c.Expiry}, docker.Options{OnRequest: c.OnRequest})
		if err != nil {
			return nil, err // not a world of nothing
		}
		return world, nil
	}
}

// openDocker opens a docker world whose agents run this very binary.
func openDocker(ctx context.Context, g *global, c docker.Config, o docker.Options) (*docker.World, error) {
	binary, err := ownBinary(g)
	if err != nil {
		return nil, err
	}
	o.Binary, o.Log = binary, g.log
	return docker.Open(ctx, c, o)
}

// ownBinary is the executable that containers and guardians run.
func ownBinary(g *global) (string, error) {
	if g.binary != "" {
		return g.binary, nil
	}
	binary, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find candor's own binary: %w", err)
	}
	return binary, nil
}
