package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/engine"
	"github.com/candor-chaos/candor/faults/docker"
	"github.com/candor-chaos/candor/faults/guardian"
	"github.com/candor-chaos/candor/faults/journal"
	"github.com/candor-chaos/candor/faults/process"
	"github.com/candor-chaos/candor/faults/toxiproxy"
)

// worldOpener opens the world of a plan's runtime for one run.
func worldOpener(g *global, plan *experiments.Plan) func(context.Context, engine.WorldConfig) (engine.World, error) {
	return func(ctx context.Context, c engine.WorldConfig) (engine.World, error) {
		system := plan.Exec.System
		switch runtime := system.Runtime; {
		case runtime.Docker != nil:
			services, outside := map[string]docker.Ports{}, map[string]docker.Outside{}
			for name, s := range system.Services {
				services[name] = portsOf(s)
				if s.Outside() {
					outside[name] = docker.Outside{Host: s.Host, Callers: callersOf(system, name)}
				}
			}
			return noWorld(openDocker(ctx, g, docker.Config{Run: c.Run, System: system.Name, Project: runtime.Docker.Project, Labels: runtime.Docker.Labels,
				Services: services, Outside: outside, Prefix: c.Prefix, Keys: system.Idempotency, Seed: c.Seed, Expiry: c.Expiry}, docker.Options{OnRequest: c.OnRequest}))
		case runtime.Process != nil:
			return openProcess(ctx, g, plan.Exec, c)
		case runtime.Toxiproxy != nil:
			return openToxiproxy(ctx, plan.Exec, c)
		}
		return nil, fmt.Errorf("system %s names no runtime", system.Name)
	}
}

// noWorld keeps a world of nothing from being taken for one.
func noWorld[W engine.World](w W, err error) (engine.World, error) {
	if err != nil {
		return nil, err
	}
	return w, nil
}

// portsOf are a service's ports by name; a single one has the name "".
func portsOf(s experiments.Service) map[string]int {
	if s.Port != 0 {
		return map[string]int{"": s.Port}
	}
	return s.Ports
}

// callersOf are the services that need one.
func callersOf(s *experiments.System, name string) []string {
	var all []string
	for caller, service := range s.Services {
		if slices.Contains(service.Needs, name) {
			all = append(all, caller)
		}
	}
	slices.Sort(all)
	return all
}

func openProcess(ctx context.Context, g *global, x *experiments.Exec, c engine.WorldConfig) (engine.World, error) {
	services := map[string]process.Service{}
	for name, s := range x.System.Services {
		base, err := s.URL.Expand(x.Vars)
		if err != nil {
			return nil, fmt.Errorf("service %s: url: %w", name, err)
		}
		service := process.Service{Host: s.Host, Ports: portsOf(s), Needs: s.Needs}
		if base == "" && s.Port != 0 && !s.Outside() {
			base = fmt.Sprintf("http://127.0.0.1:%d", s.Port)
		}
		if s.Ready != "" && base != "" {
			service.Ready = base + s.Ready
		}
		services[name] = service
	}
	launch := func(service string, needs map[string]process.Need) (process.Launch, error) {
		addresses := map[string]experiments.Address{}
		for name, n := range needs {
			addresses[name] = experiments.Address{Host: n.Host, Ports: n.Ports}
		}
		l, err := x.Launch(service, addresses)
		return process.Launch(l), err
	}
	return noWorld(process.Open(ctx, process.Config{Run: c.Run, System: x.System.Name, Services: services, Prefix: c.Prefix,
		Keys: x.System.Idempotency, Seed: c.Seed},
		process.Options{Launch: launch, Logs: filepath.Join(c.Folder, "logs"), OnRequest: c.OnRequest, Log: g.log}))
}

func openToxiproxy(ctx context.Context, x *experiments.Exec, c engine.WorldConfig) (engine.World, error) {
	runtime := x.System.Runtime.Toxiproxy
	at, err := runtime.URL.Expand(x.Vars)
	if err != nil {
		return nil, fmt.Errorf("runtime toxiproxy: url: %w", err)
	}
	config := toxiproxy.Config{Run: c.Run, System: x.System.Name, URL: at, Services: map[string]toxiproxy.Ports{}}
	for name, s := range x.System.Services {
		config.Services[name] = portsOf(s)
		for _, need := range s.Needs {
			if proxy := runtime.Proxy(name, need); proxy != "" {
				config.Proxies = append(config.Proxies, toxiproxy.Proxy{From: name, To: need, Name: proxy})
			}
		}
	}
	return noWorld(toxiproxy.Open(ctx, config))
}

// reopenWorld opens the world that a journal names, to settle what is owed there. Host is where its engine is seen from
// here, when that is not where the journal says.
func reopenWorld(ctx context.Context, g *global, w journal.World, host string, guards bool) (guardian.World, error) {
	switch w.Name {
	case "docker":
		var c docker.Config
		if err := json.Unmarshal(w.Config, &c); err != nil {
			return nil, fmt.Errorf("read how the world was opened: %w", err)
		}
		if host != "" {
			c.Host = host
		}
		return noWorld(openDocker(ctx, g, c, docker.Options{Guardian: guards}))
	case "process":
		var c process.Config
		if err := json.Unmarshal(w.Config, &c); err != nil {
			return nil, fmt.Errorf("read how the world was opened: %w", err)
		}
		return noWorld(process.Open(ctx, c, process.Options{Log: g.log}))
	case "toxiproxy":
		var c toxiproxy.Config
		if err := json.Unmarshal(w.Config, &c); err != nil {
			return nil, fmt.Errorf("read how the world was opened: %w", err)
		}
		return noWorld(toxiproxy.Open(ctx, c))
	}
	return nil, fmt.Errorf("this candor knows no world %q", w.Name)
}

// runOf is the run that a world was opened for.
func runOf(w engine.World) string {
	switch world := w.(type) {
	case *docker.World:
		return world.Config().Run
	case *process.World:
		return world.Config().Run
	case *toxiproxy.World:
		return world.Config().Run
	}
	return ""
}
