package main

import (
	"context"
	"fmt"
	"os"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/browser"
	"github.com/candor-chaos/candor/experiments/effects"
	"github.com/candor-chaos/candor/experiments/honesty"
	"github.com/candor-chaos/candor/experiments/journeys"
	"github.com/candor-chaos/candor/experiments/probes"
	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/docker"
	"github.com/candor-chaos/candor/faults/process"
	"github.com/candor-chaos/candor/faults/toxiproxy"
)

// catalog puts together every kind that definitions may name.
func catalog() experiments.Catalog {
	return experiments.Catalog{
		Faults:   faults.All(),
		Surfaces: append(journeys.All(), browser.Kind),
		Probes:   probes.All(),
		Readers:  effects.All(),
		Rules:    honesty.Infos(),
		Worlds:   []faults.World{new(docker.World), new(process.World), new(toxiproxy.World)},
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
