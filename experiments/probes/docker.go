package probes

import (
	"context"
	"fmt"

	"github.com/candor-chaos/candor/experiments"
)

// Docker looks at the container of a service.
type Docker struct {
	Service string `yaml:"service" json:"service" required:"true"`
}

// inspector is a world that knows how its containers are.
type inspector interface {
	// Status gives the state as the engine words it (running, exited, …), the health ("" without a health check), and how
	// often the engine has restarted it.
	Status(ctx context.Context, service string) (state, health string, restarts int, err error)
}

// Observe asks the engine.
func (p *Docker) Observe(ctx context.Context, in experiments.Surroundings) (experiments.Observation, error) {
	world, can := in.World.(inspector)
	if !can {
		return experiments.Observation{}, fmt.Errorf("look at %s: this world has no containers", p.Service)
	}
	ctx, cancel := within(ctx, 0)
	defer cancel()
	state, health, restarts, err := world.Status(ctx, p.Service)
	if err != nil {
		return experiments.Observation{}, fmt.Errorf("look at %s: %w", p.Service, err)
	}
	seen := experiments.Observation{
		OK:      state == "running" && health != "unhealthy",
		Vars:    experiments.Vars{"state": state, "health": health, "restarts": int64(restarts)},
		Summary: fmt.Sprintf("%s: %s", p.Service, state),
	}
	if health != "" {
		seen.Summary += ", " + health
	}
	if restarts > 0 {
		seen.Summary += fmt.Sprintf(", restarted %d times", restarts)
	}
	return seen, nil
}
