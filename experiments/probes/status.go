package probes

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/wire"
)

const (
	maxParts    = 200 // far more than a page has that people read
	maxPartText = 200 // bytes of a name or a state
)

// ReadStatus reads a status page once, over a connection of its own. A page that does not answer, or not with what was
// declared, has failed: that is a sight. Blind is only what candor itself could not do.
func ReadStatus(ctx context.Context, page *experiments.StatusPage, in experiments.Surroundings) (read experiments.StatusRead) {
	began := time.Now()
	read.Started = began.UTC()
	defer func() { read.Elapsed = time.Since(began) }()
	ctx, cancel := within(ctx, 0)
	defer cancel()
	look := HTTP{Get: page.HTTP.Get}
	request, err := look.request(ctx, in.Vars)
	if err != nil {
		read.Blind = wire.Line(err.Error(), 300)
		return read
	}
	request.Header.Set("Accept", "application/json")
	status, header, body, err := ask(request)
	switch cause := stopped(ctx); {
	case cause != nil:
		read.Blind = wire.Line(cause.Error(), 300)
	case err != nil && wire.Blind(err):
		read.Blind = wire.Line(err.Error(), 300)
	case err != nil:
		read.Failed = wire.Line(fmt.Sprintf("%s (%v)", wire.Trouble(err, status != 0), err), 300)
	case status < 200 || status > 299:
		read.Failed = fmt.Sprintf("status %d", status)
	default:
		vars := wire.Vars(status, header, body)
		vars["elapsed"], vars["hops"], vars["answered"] = time.Since(began), []any{}, true
		if err := readParts(&read, page, in.Vars.With(vars)); err != nil {
			read.Failed, read.Parts = wire.Line(err.Error(), 300), nil
		}
	}
	return read
}

func readParts(read *experiments.StatusRead, page *experiments.StatusPage, vars experiments.Vars) error {
	if !page.HTTP.Updated.IsZero() {
		updated, err := page.HTTP.Updated.Eval(vars)
		if err != nil {
			return fmt.Errorf("updated: %w", err)
		}
		read.Updated = partText(updated)
	}
	parts, err := page.HTTP.Parts.Eval(vars)
	if err != nil {
		return fmt.Errorf("parts: %w", err)
	}
	list, is := parts.([]any)
	if !is {
		return fmt.Errorf("parts: %q is no list", page.HTTP.Parts.Source)
	}
	for i, item := range list[:min(len(list), maxParts)] {
		with := vars.With(experiments.Vars{"item": item})
		name, err := page.HTTP.Part.Eval(with)
		if err != nil {
			return fmt.Errorf("part %d: name: %w", i, err)
		}
		state, err := page.HTTP.State.Eval(with)
		if err != nil {
			return fmt.Errorf("part %d: state: %w", i, err)
		}
		read.Parts = append(read.Parts, experiments.StatusPart{Name: partText(name), State: partText(state)})
	}
	return nil
}

func partText(value any) string { return wire.Line(fmt.Sprint(value), maxPartText) }

// Readiness asks a service from outside whether it can serve, as its load balancer would.
type Readiness struct {
	Service string
	Path    string
}

// Observe asks once. Fine is any 2xx.
func (p *Readiness) Observe(ctx context.Context, in experiments.Surroundings) (experiments.Observation, error) {
	services, _ := in.Vars["services"].(map[string]any)
	known, _ := services[p.Service].(map[string]any)
	base, _ := known["url"].(string)
	if base == "" {
		return experiments.Observation{}, fmt.Errorf("service %s has no url", p.Service)
	}
	ctx, cancel := within(ctx, 0)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, base+p.Path, nil)
	if err != nil {
		return experiments.Observation{}, fmt.Errorf("address: %w", err)
	}
	request.Header.Set("User-Agent", "candor")
	status, _, _, err := ask(request)
	switch cause := stopped(ctx); {
	case cause != nil:
		return experiments.Observation{}, cause
	case err != nil && wire.Blind(err):
		return experiments.Observation{}, err
	case err != nil:
		return experiments.Observation{Summary: wire.Line(fmt.Sprintf("GET %s: %s (%v)", p.Path, wire.Trouble(err, status != 0), err), 300)}, nil
	}
	return experiments.Observation{OK: status >= 200 && status < 300, Summary: fmt.Sprintf("GET %s: status %d", wire.Line(p.Path, 100), status)}, nil
}
