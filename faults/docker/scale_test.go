package docker_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/docker"
)

// BenchmarkInterpose puts candor's proxy on 50 paths between ten containers, five from each: at most 10 s on two cores.
func BenchmarkInterpose(b *testing.B) {
	needDocker(b)
	const services, each = 10, 5
	name := fmt.Sprintf("candor-bench-%d", os.Getpid())
	c := config(name)
	c.Services = map[string]docker.Ports{}
	stack := docker.Stack{Project: name}
	for i := range services {
		service := fmt.Sprintf("s%d", i)
		c.Services[service] = docker.Ports{"": 8083}
		stack.Containers = append(stack.Containers, docker.StackContainer{Service: service, Command: []string{"serve"}})
	}
	w := open(b, c, nil)
	if _, err := w.Up(b.Context(), stack); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := w.Down(context.Background(), name); err != nil {
			b.Error(err)
		}
	})
	var ways []faults.Fault
	for i := range services {
		for k := range each {
			ways = append(ways, prepare(b, w, fmt.Sprintf("interpose: {from: s%d, to: s%d}", i, (i+k+1)%services)))
		}
	}
	for b.Loop() {
		for _, way := range ways {
			if err := way.Inject(b.Context(), w); err != nil {
				b.Fatal(err)
			}
		}
		b.StopTimer()
		for _, way := range ways {
			state(b, w, way, faults.Present)
		}
		for _, way := range ways {
			revert(b, w, way)
		}
		b.StartTimer()
	}
}
