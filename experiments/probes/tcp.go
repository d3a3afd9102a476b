package probes

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/wire"
)

// TCP connects once and hangs up.
type TCP struct {
	Address experiments.Template `yaml:"address" json:"address" env:"always" required:"true" doc:"host:port"`
	Timeout time.Duration        `yaml:"timeout" json:"timeout,omitempty" doc:"3s when absent"`
}

// Validate wants a time that is not below zero.
func (p *TCP) Validate() error { return positive("timeout", p.Timeout) }

// Observe connects.
func (p *TCP) Observe(ctx context.Context, in experiments.Surroundings) (experiments.Observation, error) {
	address, err := p.Address.Expand(in.Vars)
	if err != nil {
		return experiments.Observation{}, fmt.Errorf("address: %w", err)
	}
	if _, _, err = net.SplitHostPort(address); err != nil {
		return experiments.Observation{}, fmt.Errorf("address: %w", err)
	}
	ctx, cancel := within(ctx, p.Timeout)
	defer cancel()
	began := time.Now()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	elapsed := time.Since(began)
	if conn != nil {
		defer conn.Close()
	}
	if cause := stopped(ctx); cause != nil {
		return experiments.Observation{}, fmt.Errorf("connect to %s: %w", address, cause)
	}
	if err != nil && wire.Blind(err) {
		return experiments.Observation{}, fmt.Errorf("connect to %s: %w", address, err)
	}
	seen := experiments.Observation{OK: err == nil, Vars: experiments.Vars{"connected": err == nil, "elapsed": elapsed}}
	seen.Summary = fmt.Sprintf("%s: connected in %s", wire.Line(address, 200), elapsed.Round(time.Millisecond))
	if err != nil {
		seen.Summary = fmt.Sprintf("%s: %s", wire.Line(address, 200), wire.Trouble(err, false))
	}
	return seen, nil
}
