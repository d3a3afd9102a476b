package docker_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/docker"
	"github.com/candor-chaos/candor/faults/faulttest"
)

func TestNetworkFaultsBiteAndEnd(t *testing.T) {
	p, w := up(t, nil)
	ask := func(conn string) answer {
		t.Helper()
		a, err := p.ask("payments:8083", conn)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	if a := ask("pooled"); !a.ok {
		t.Fatalf("before anything: %+v", a)
	}
	way := prepare(t, w, "interpose: {from: web, to: payments}")
	inject(t, w, way)
	if a := ask("pooled"); a.ok {
		t.Errorf("a pooled connection from before survived: %+v", a)
	}
	for _, c := range []struct {
		fault string
		bites func(answer) bool
	}{
		{"outage: {from: web, to: payments}", func(a answer) bool { return !a.ok && a.took < 900*time.Millisecond }},
		{"outage: {from: web, to: payments, mode: reset}", func(a answer) bool { return !a.ok && a.took < 900*time.Millisecond }},
		{"outage: {from: web, to: payments, mode: blackhole}", func(a answer) bool { return !a.ok && a.took > 900*time.Millisecond }},
		{"outage: {from: web, to: payments, mode: hang}", func(a answer) bool { return !a.ok && a.took > 900*time.Millisecond }},
		{"latency: {from: web, to: payments, delay: 400ms}", func(a answer) bool { return a.ok && a.took > 380*time.Millisecond }},
		{"slow: {from: web, to: payments, rate: 12B/s, direction: down}", func(a answer) bool { return a.ok && a.took > 450*time.Millisecond }},
		{"trickle: {from: web, to: payments, size: 1B, gap: 100ms}", func(a answer) bool { return a.ok && a.took > 450*time.Millisecond }},
		{"flap: {from: web, to: payments, down: 5s, up: 1s}", func(a answer) bool { return !a.ok && a.took < 900*time.Millisecond }},
		{"cut: {from: web, to: payments, after: 3B}", func(a answer) bool { return !a.ok && a.took < 900*time.Millisecond }},
	} {
		t.Run(c.fault, func(t *testing.T) {
			if a := ask("pooled"); !a.ok {
				t.Fatalf("before: %+v", a)
			}
			f := prepare(t, w, c.fault)
			inject(t, w, f)
			if a := ask("pooled"); !c.bites(a) {
				t.Errorf("on an open connection: %+v", a)
			}
			if a := ask("fresh"); !c.bites(a) {
				t.Errorf("on a new connection: %+v", a)
			}
			if n, err := f.(faults.Counter).Hits(t.Context(), w); err != nil || n < 2 {
				t.Errorf("hits %d, %v; want at least the two", n, err)
			}
			revert(t, w, f)
			eventually(t, "a quick answer afterwards", func() error {
				if a := ask("fresh"); !a.ok || a.took > 200*time.Millisecond {
					return fmt.Errorf("%+v", a)
				}
				return nil
			})
			ask("pooled") // what the fault broke comes back with its own first failure
		})
	}
	revert(t, w, way)
	eventually(t, "an answer without the proxy", func() error {
		if a := ask("after"); !a.ok {
			return errors.New(a.why)
		}
		return nil
	})
	clean(t, w, p.name)
}

func TestCrashLetsTheRestartPolicyAct(t *testing.T) {
	p, w := up(t, nil)
	f := prepare(t, w, "kill: {service: orders}")
	inject(t, w, f)
	eventually(t, "the engine restarts it", func() error {
		id, err := w.Find(t.Context(), "orders")
		if err != nil {
			return err
		}
		_, running, err := w.Incarnation(t.Context(), id)
		if err == nil && !running {
			err = errors.New("it is down")
		}
		return err
	})
	revert(t, w, f)
	g := prepare(t, w, "kill: {service: payments, as: operator}")
	inject(t, w, g)
	if a, err := p.ask("payments:8083", "x"); err != nil || a.ok {
		t.Errorf("a killed service answers: %+v, %v", a, err)
	}
	revert(t, w, g)
	clean(t, w, p.name)
}

func TestRestartsAreFollowed(t *testing.T) {
	p, w := up(t, nil)
	inject(t, w, prepare(t, w, "interpose: {from: web, to: payments}"))
	f := prepare(t, w, "latency: {from: web, to: payments, delay: 300ms}")
	inject(t, w, f)
	slow := func(conn string) func() error {
		return func() error {
			a, err := p.ask("payments:8083", conn)
			if err == nil && (!a.ok || a.took < 280*time.Millisecond) {
				err = fmt.Errorf("%+v", a)
			}
			return err
		}
	}
	eventually(t, "slow at first", slow("a"))
	docker := func(args ...string) {
		t.Helper()
		if out, err := exec.Command("docker", args...).CombinedOutput(); err != nil {
			t.Fatalf("docker %v: %v\n%s", args, err, out)
		}
	}
	docker("restart", "-t", "0", p.name+"-payments-1")
	eventually(t, "slow after the dependency restarted", slow("b"))
	docker("rm", "-f", "candor-agent-"+p.name+"-web")
	eventually(t, "slow after the agent was removed", slow("c"))
	docker("pause", p.name+"-payments-1")
	eventually(t, "the redirect is lifted while it is paused", func() error {
		a, err := p.ask("payments:8083", "d")
		if err == nil && a.ok {
			err = errors.New("it answers")
		}
		return err
	})
	docker("unpause", p.name+"-payments-1")
	eventually(t, "slow after it was thawed", slow("e"))
	docker("restart", "-t", "0", p.name+"-web-1")
	out, err := exec.Command("docker", "port", p.name+"-web-1", "8080").Output()
	if err != nil {
		t.Fatal(err)
	}
	p.web = "http://" + strings.TrimSpace(string(out))
	eventually(t, "slow after the caller restarted", slow("f"))
}

// owed is what the doomed runner of TestAKilledRunnerLeavesNothing puts in force, in this order.
var owed = []string{"interpose: {from: web, to: payments}", "outage: {from: web, to: payments}", "pause: {service: orders}"}

// TestAKilledRunnerLeavesNothing kills a runner while its faults are in force. Its network faults end by themselves; what
// is left another process reverts, from the world's configuration and the faults as JSON.
func TestAKilledRunnerLeavesNothing(t *testing.T) {
	if name := os.Getenv("CANDOR_TEST_DOOMED"); name != "" {
		doomed(t, name)
		return
	}
	p, w := up(t, nil)
	runner := exec.Command(os.Args[0], "-test.run=^TestAKilledRunnerLeavesNothing$")
	built, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	runner.Env = append(os.Environ(), "CANDOR_TEST_DOOMED="+p.name, "CANDOR_TEST_BINARY="+built)
	out, err := runner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := runner.Start(); err != nil {
		t.Fatal(err)
	}
	var saved []json.RawMessage
	if err := json.NewDecoder(out).Decode(&saved); err != nil {
		t.Fatalf("the runner did not get so far: %v", err)
	}
	if a, err := p.ask("payments:8083", "x"); err != nil || a.ok {
		t.Errorf("while its fault is in force: %+v, %v", a, err)
	}
	if err := runner.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	runner.Wait()
	eventually(t, "web reaches payments without help", func() error {
		a, err := p.ask("payments:8083", "x")
		if err == nil && !a.ok {
			err = errors.New(a.why)
		}
		return err
	})
	for i := len(owed) - 1; i >= 0; i-- {
		f := kind(t, owed[i]).New()
		if err := json.Unmarshal(saved[i], f); err != nil {
			t.Fatal(err)
		}
		revert(t, w, f)
	}
	clean(t, w, p.name)
}

func doomed(t *testing.T, name string) {
	w := open(t, config(name), nil)
	var all []faults.Fault
	for _, text := range owed {
		f := prepare(t, w, text)
		inject(t, w, f)
		all = append(all, f)
	}
	if err := json.NewEncoder(os.Stdout).Encode(all); err != nil {
		t.Fatal(err)
	}
	<-t.Context().Done() // until it is killed
}

func TestProtectedAndUnknownAreRefused(t *testing.T) {
	_, w := up(t, map[string]string{"candor.protect": "yes"})
	f := decode(t, "pause: {service: web}")
	if _, err := f.Prepare(t.Context(), w); !errors.Is(err, faults.ErrProtected) {
		t.Errorf("prepare on a protected service = %v; want ErrProtected", err)
	}
	if _, err := w.Find(t.Context(), "nobody"); !errors.Is(err, faults.ErrNotFound) {
		t.Errorf("Find(nobody) = %v; want ErrNotFound", err)
	}
}

func TestAnEngineThatDoesNotAnswer(t *testing.T) {
	c := config("nowhere")
	c.Host = "unix:///nonexistent/docker.sock"
	if _, err := docker.Open(t.Context(), c, docker.Options{}); !errors.Is(err, faults.ErrUnreachable) {
		t.Errorf("Open = %v; want ErrUnreachable", err)
	}
}

func TestConformance(t *testing.T) {
	needDocker(t)
	kinds := slices.DeleteFunc(faults.Obligations(), func(k faults.Kind) bool {
		return k.World != "" || k.Name == faults.Several.Name // those act elsewhere, or on what TestConformanceOfReplicas starts
	})
	faulttest.Conform(t, func(t *testing.T) faults.World { _, w := up(t, nil); return w }, kinds)
}

// A share hits some of the connections and lets the others be, whatever the fault is made of.
func TestAShareHitsSomeConnections(t *testing.T) {
	p, w := up(t, nil)
	way := prepare(t, w, "interpose: {from: web, to: payments}")
	inject(t, w, way)
	for _, text := range []string{"outage: {from: web, to: payments}", "cut: {from: web, to: payments, after: 1B}"} {
		f := decode(t, text)
		f.(faults.Shareable).HitShare(0.5)
		if said, err := f.Prepare(t.Context(), w); err != nil || !strings.HasSuffix(said, "on 50% of the connections") {
			t.Fatalf("%s says %q, %v", text, said, err)
		}
		inject(t, w, f)
		good := 0
		for i := range 40 {
			a, err := p.ask("payments:8083", fmt.Sprint(text[:3], i))
			if err != nil {
				t.Fatal(err)
			}
			if a.ok {
				good++
			}
		}
		t.Logf("%s on a half: %d of 40 were answered", text, good)
		if good < 8 || good > 32 { // one draw in ten thousand
			t.Errorf("%s on a half: %d of 40 were answered", text, good)
		}
		if n, err := f.(faults.Counter).Hits(t.Context(), w); err != nil || n < int64(40-good) {
			t.Errorf("%s: %d hits, %v; want at least %d", text, n, err, 40-good)
		}
		revert(t, w, f)
	}
	revert(t, w, way)
	clean(t, w, p.name)
}
