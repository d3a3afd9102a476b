package docker_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/docker"
	"github.com/candor-chaos/candor/faults/faulttest"
)

// scaled is a stack in which web runs twice, and basket three times.
func scaled(t *testing.T) (project, *docker.World) {
	t.Helper()
	needDocker(t)
	p := project{name: strings.ToLower(fmt.Sprintf("candor-test-%s-%d", strings.NewReplacer("/", "-").Replace(t.Name()), os.Getpid()))}
	c := config(p.name)
	c.Services["basket"] = docker.Ports{"": 8083}
	w := open(t, c, nil)
	stack := docker.Stack{Project: p.name}
	for i := range 2 {
		stack.Containers = append(stack.Containers, docker.StackContainer{Service: "web", Number: i + 1, Command: []string{"serve"}, Publish: map[int]int{8080: 0}})
	}
	for i := range 3 {
		stack.Containers = append(stack.Containers, docker.StackContainer{Service: "basket", Number: i + 1, Command: []string{"serve"}})
	}
	if _, err := w.Up(t.Context(), stack); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Down(context.Background(), p.name); err != nil {
			t.Errorf("down: %v", err)
		}
	})
	for _, one := range p.webs(t) {
		for _, to := range p.baskets(t) {
			eventually(t, "a basket answers", one.says(to, true))
		}
	}
	return p, w
}

// webs are the stack as each web sees it.
func (p project) webs(t *testing.T) (all []project) {
	t.Helper()
	for i := range 2 {
		web := "http://" + dockerSays(t, "port", fmt.Sprintf("%s-web-%d", p.name, i+1), "8080")
		all = append(all, project{name: p.name, web: web})
	}
	return all
}

// baskets are the addresses of the containers of basket.
func (p project) baskets(t *testing.T) (all []string) {
	t.Helper()
	for i := range 3 {
		all = append(all, dockerSays(t, "inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", fmt.Sprintf("%s-basket-%d", p.name, i+1))+":8083")
	}
	return all
}

func TestConformanceOfReplicas(t *testing.T) {
	needDocker(t)
	faulttest.Conform(t, func(t *testing.T) faults.World { _, w := scaled(t); return w }, []faults.Kind{faults.Several})
}

// A path leads from all containers of the one service to all of the other.
func TestAPathBetweenReplicas(t *testing.T) {
	p, w := scaled(t)
	inject(t, w, prepare(t, w, "interpose: {from: web, to: basket}"))
	f := prepare(t, w, "outage: {from: web, to: basket}")
	baskets := p.baskets(t)
	all := func(ok bool) {
		t.Helper()
		for _, web := range p.webs(t) {
			for _, to := range baskets {
				eventually(t, fmt.Sprintf("%s → %s is %v", web.web, to, ok), web.says(to, ok))
			}
		}
	}
	all(true)
	inject(t, w, f)
	state(t, w, f, faults.Present)
	all(false)
	if n, err := f.(faults.Counter).Hits(t.Context(), w); err != nil || n < 6 {
		t.Errorf("hits %d, %v; want one for each of six ways", n, err)
	}
	dockerSays(t, "kill", "-s", "KILL", p.name+"-basket-2") // one that is gone takes nothing along for the others
	all(false)
	dockerSays(t, "start", p.name+"-basket-2")
	baskets = p.baskets(t)
	all(false)
	revert(t, w, f)
	all(true)
	revert(t, w, prepare(t, w, "interpose: {from: web, to: basket}"))
	clean(t, w, p.name)
}

// What several containers log is one log, in the order of time.
func TestLogsOfReplicas(t *testing.T) {
	p, w := scaled(t)
	var last time.Time
	seen := map[string]int{}
	read := func() error {
		now, err := w.LoggedAfter(t.Context(), "basket", last, func(text string) { seen[text]++ })
		if now.After(last) {
			last = now
		}
		if err == nil && len(seen) < 3 {
			err = fmt.Errorf("seen: %v", seen)
		}
		return err
	}
	for i := range 3 {
		logs := dockerSays(t, "inspect", "-f", "{{.State.Pid}}", fmt.Sprintf("%s-basket-%d", p.name, i+1))
		if err := os.WriteFile("/proc/"+logs+"/fd/1", fmt.Appendf(nil, "basket %d speaks\n", i+1), 0); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "all three are heard", read)
	if err := read(); err != nil {
		t.Fatal(err)
	}
	for text, n := range seen {
		if n != 1 {
			t.Errorf("%q was seen %d times", text, n)
		}
	}
}

// What is drawn is killed, and the others are let be.
func TestAPickOfReplicas(t *testing.T) {
	p, w := scaled(t)
	inject(t, w, prepare(t, w, "interpose: {from: web, to: basket}"))
	var two faults.Pick
	if err := two.UnmarshalText([]byte("2")); err != nil {
		t.Fatal(err)
	}
	k, f, err := faults.Spread(t.Context(), w, kind(t, "kill: {service: basket}"), decode(t, "kill: {service: basket}"), "a kill", two, 1)
	if err != nil || k.Name != faults.Several.Name {
		t.Fatalf("spread: %s, %v", k.Name, err)
	}
	said, err := f.Prepare(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	inject(t, w, f)
	state(t, w, f, faults.Present)
	running := 0
	for i := range 3 {
		name := fmt.Sprintf("%s-basket-%d", p.name, i+1)
		runs := dockerSays(t, "inspect", "-f", "{{.State.Running}}", name) == "true"
		if runs == strings.Contains(said, name) {
			t.Errorf("%s: running is %v; said was: %s", name, runs, said)
		}
		if runs {
			running++
			to := p.baskets(t)[i]
			for _, web := range p.webs(t) {
				eventually(t, "the one that lives answers", web.says(to, true))
			}
		}
	}
	if running != 1 {
		t.Errorf("%d run; want one", running)
	}
	revert(t, w, f)
	for _, to := range p.baskets(t) {
		for _, web := range p.webs(t) {
			eventually(t, "all answer again", web.says(to, true))
		}
	}
	revert(t, w, prepare(t, w, "interpose: {from: web, to: basket}"))
	clean(t, w, p.name)
}

// A container that somebody made anew under the same name is another one: what was done to the one before is settled.
func TestAReplacedContainerIsSettled(t *testing.T) {
	p, w := up(t, nil)
	f := prepare(t, w, "kill: {service: payments}")
	inject(t, w, f)
	name := p.container("payments")
	image := dockerSays(t, "inspect", "-f", "{{.Image}}", name)
	dockerSays(t, "rm", "-f", name)
	dockerSays(t, "run", "-d", "--name", name, "--network", p.name, "--label", "candor.stack="+p.name,
		"--label", "com.docker.compose.project="+p.name, "--label", "com.docker.compose.service=payments", image, "serve")
	before := dockerSays(t, "inspect", "-f", "{{.Id}} {{.State.StartedAt}}", name)
	for range 2 {
		if err := f.Revert(t.Context(), w); err != nil && !errors.Is(err, faults.ErrReplaced) {
			t.Errorf("Revert = %v; want nil, or that it was replaced", err)
		}
	}
	state(t, w, f, faults.Absent)
	if after := dockerSays(t, "inspect", "-f", "{{.Id}} {{.State.StartedAt}}", name); after != before {
		t.Errorf("the other one was touched: %s, and then %s", before, after)
	}
}
