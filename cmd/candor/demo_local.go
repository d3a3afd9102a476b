package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/candor-chaos/candor/experiments/demo"
	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/docker"
)

// without says why there is no engine for the demo's containers; empty where one answers.
func without(ctx context.Context, g *global) (reason string, err error) {
	world, err := openDocker(ctx, g, docker.Config{Run: "stack"}, docker.Options{})
	if errors.Is(err, faults.ErrUnreachable) {
		first, _, _ := strings.Cut(err.Error(), "\n")
		return first, nil
	}
	if err != nil {
		return "", err
	}
	return "", world.Close(ctx)
}

// localPorts are for services that are started again and again: below those that the kernel gives to whoever asks for any.
const (
	firstLocalPort = 20000
	lastLocalPort  = 31999
	portTries      = 200 // for each port
)

// writeLocal writes the project of a shop that has no containers: each run starts the shop and takes it down again. Taken
// are ports that others were given already; port is that of web, any when 0.
func writeLocal(ctx context.Context, g *global, i demo.Instance, folder, data string, port int, taken map[int]bool) (demo.Addresses, error) {
	program, err := ownBinary(g)
	if err != nil {
		return demo.Addresses{}, err
	}
	i.Folder, i.Local = data, &demo.Local{Program: program, Ports: map[string]int{}, Admin: map[string]int{}}
	for _, spec := range i.Stack() {
		wanted := 0
		if spec.Service == "web" {
			wanted = port
		}
		if i.Local.Ports[spec.Service], err = freePort(ctx, wanted, taken); err != nil {
			return demo.Addresses{}, err
		}
		if spec.Admin {
			if i.Local.Admin[spec.Service], err = freePort(ctx, 0, taken); err != nil {
				return demo.Addresses{}, err
			}
		}
		if spec.Folder != "" {
			if err := os.MkdirAll(filepath.Join(data, spec.Folder), 0o755); err != nil {
				return demo.Addresses{}, fmt.Errorf("make a folder for %s: %w", spec.Service, err)
			}
		}
	}
	return i.Addresses(), i.Write(folder, i.Addresses())
}

// freePort finds a port of this host on which nobody listens, or makes sure that the one that is wanted is such a port.
func freePort(ctx context.Context, wanted int, taken map[int]bool) (int, error) {
	var config net.ListenConfig
	var last error
	for range portTries {
		port := wanted
		if port == 0 {
			port = firstLocalPort + rand.IntN(lastLocalPort-firstLocalPort+1)
		}
		if taken[port] {
			continue
		}
		l, err := config.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			taken[port] = true
			return port, l.Close()
		}
		if last = err; wanted != 0 {
			break
		}
	}
	return 0, fmt.Errorf("find a port for the shop: %w", last)
}

// isLocal reports whether a project folder is that of a shop without containers.
func isLocal(folder string) bool {
	data, err := os.ReadFile(filepath.Join(folder, "candor.yaml"))
	if err != nil {
		return false
	}
	var system struct {
		Runtime struct {
			Process map[string]any `yaml:"process"`
		} `yaml:"runtime"`
	}
	return yaml.Load(data, &system) == nil && system.Runtime.Process != nil
}
