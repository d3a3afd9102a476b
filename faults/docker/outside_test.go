package docker_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/docker"
)

// sixNet is a network that speaks IPv6 too, with the containers of a project in it, and others that are of no system.
type sixNet struct {
	t    *testing.T
	name string
}

func wide(t *testing.T, p project, services ...string) sixNet {
	t.Helper()
	n := sixNet{t, p.name + "-wide"}
	made := fmt.Sprintf("fd5c:%x:%x::/64", os.Getpid()&0xffff, time.Now().UnixMilli()&0xffff)
	dockerSays(t, "network", "create", "--ipv6", "--subnet", made, n.name)
	t.Cleanup(func() {
		if out, err := exec.Command("docker", "network", "rm", n.name).CombinedOutput(); err != nil {
			t.Errorf("remove network %s: %v\n%s", n.name, err, out)
		}
	})
	for _, service := range services {
		c := p.name + "-" + service + "-1"
		dockerSays(t, "network", "connect", n.name, c)
		t.Cleanup(func() { exec.Command("docker", "network", "disconnect", "-f", n.name, c).Run() })
	}
	return n
}

// stranger starts a container that no system has, with names in the network, and says its addresses.
func (n sixNet) stranger(like, name string, args ...string) (four, six string) {
	n.t.Helper()
	image := strings.TrimSpace(dockerSays(n.t, "container", "inspect", "-f", "{{.Image}}", like))
	c := n.name + "-" + name
	dockerSays(n.t, append(append([]string{"run", "-d", "--name", c, "--network", n.name}, args...), image, "serve")...)
	n.t.Cleanup(func() { exec.Command("docker", "rm", "-f", c).Run() })
	return n.addresses(c)
}

func (n sixNet) addresses(container string) (four, six string) {
	n.t.Helper()
	at := strings.Fields(dockerSays(n.t, "container", "inspect", "-f",
		fmt.Sprintf(`{{with index .NetworkSettings.Networks %q}}{{.IPAddress}} {{.GlobalIPv6Address}}{{end}}`, n.name), container))
	if len(at) != 2 {
		n.t.Fatalf("%s is at %v in a network of both versions", container, at)
	}
	return at[0], at[1]
}

// outsideOf is a second world for a project, which calls hosts outside as well.
func outsideOf(t *testing.T, p project, hosts map[string]string) *docker.World {
	t.Helper()
	c := config(p.name)
	c.Run, c.Outside = p.name+"-out", map[string]docker.Outside{}
	for service, host := range hosts {
		c.Services[service], c.Outside[service] = docker.Ports{"": 8083}, docker.Outside{Host: host, Callers: []string{"web"}}
	}
	return open(t, c, nil)
}

// bites is what a connection of its own and a pooled one meet while a fault is in force, and that both mend.
func bites(t *testing.T, p project, w *docker.World, at, fault string, met func(answer) bool) {
	t.Helper()
	ask := func(conn string) answer {
		t.Helper()
		a, err := p.ask(at, conn)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	eventually(t, "pooled is open", func() error {
		if a := ask("pooled-" + at); !a.ok {
			return fmt.Errorf("%+v", a)
		}
		return nil
	})
	f := prepare(t, w, fault)
	inject(t, w, f)
	for _, conn := range []string{"pooled-" + at, "fresh-" + at} {
		if a := ask(conn); !met(a) {
			t.Errorf("%s at %s, %s: %+v", fault, at, conn, a)
		}
	}
	if n, err := f.(faults.Counter).Hits(t.Context(), w); err != nil || n < 2 {
		t.Errorf("%s at %s: hits %d, %v; want at least the two", fault, at, n, err)
	}
	revert(t, w, f)
	eventually(t, "a quick answer afterwards", func() error {
		if a := ask("fresh-" + at); !a.ok || a.took > 200*time.Millisecond {
			return fmt.Errorf("%+v", a)
		}
		return nil
	})
}

func refused(a answer) bool { return !a.ok && a.took < 700*time.Millisecond }
func holed(a answer) bool   { return !a.ok && a.took > 900*time.Millisecond }
func late(a answer) bool    { return a.ok && a.took > 380*time.Millisecond }

func TestNetworkFaultsBiteOverIPv6(t *testing.T) {
	p, w := up(t, nil)
	n := wide(t, p, "web", "payments")
	four, six := n.addresses(p.name + "-payments-1")
	eventually(t, "they see each other over IPv6", func() error {
		if a, err := p.ask("["+six+"]:8083", "before"); err != nil || !a.ok {
			return fmt.Errorf("%+v, %w", a, err)
		}
		return nil
	})
	way := prepare(t, w, "interpose: {from: web, to: payments}")
	inject(t, w, way)
	for _, at := range []string{"[" + six + "]:8083", four + ":8083"} {
		bites(t, p, w, at, "outage: {from: web, to: payments}", refused)
		bites(t, p, w, at, "outage: {from: web, to: payments, mode: blackhole}", holed)
		bites(t, p, w, at, "latency: {from: web, to: payments, delay: 400ms}", late)
	}
	revert(t, w, way)
}

func TestOutsideIsFollowedByNameAndByAddress(t *testing.T) {
	p, _ := up(t, nil)
	n := wide(t, p, "web")
	four, six := n.stranger(p.name+"-web-1", "first", "--network-alias", "api.outside.test")
	_, literal := n.stranger(p.name+"-web-1", "other")
	w := outsideOf(t, p, map[string]string{"api": "api.outside.test", "ledger": literal, "nobody": "nobody.onion"})

	said, err := decode(t, "outage: {from: web, to: api}").Prepare(t.Context(), w)
	if err != nil || !strings.Contains(said, "web to api (api.outside.test, now "+four+" and "+six+", port 8083)") {
		t.Errorf("it says %q, %v", said, err)
	}
	if _, err := decode(t, "outage: {from: web, to: nobody}").Prepare(t.Context(), w); !errors.Is(err, faults.ErrNotFound) || !strings.Contains(err.Error(), "nobody not found from web: address nobody.onion") {
		t.Errorf("a host that is not there: %v", err)
	}
	api, ledger := prepare(t, w, "interpose: {from: web, to: api}"), prepare(t, w, "interpose: {from: web, to: ledger}")
	inject(t, w, api)
	inject(t, w, ledger)
	bites(t, p, w, "api.outside.test:8083", "outage: {from: web, to: api}", refused)
	bites(t, p, w, "["+six+"]:8083", "outage: {from: web, to: api, mode: blackhole}", holed)
	bites(t, p, w, "["+literal+"]:8083", "latency: {from: web, to: ledger, delay: 400ms}", late)

	// That web cannot look it up does not keep candor from knowing where it is.
	unnamed := prepare(t, w, "dns: {from: web, names: [api.outside.test]}")
	inject(t, w, unnamed)
	if a, err := p.ask("api.outside.test:8083", "unnamed"); err != nil || a.ok || !strings.Contains(a.why, "no such host") {
		t.Errorf("looked up although the name does not exist for web: %+v, %v", a, err)
	}
	if said, err := decode(t, "outage: {from: web, to: api}").Prepare(t.Context(), w); err != nil || !strings.Contains(said, four) {
		t.Errorf("while web cannot look it up: %q, %v", said, err)
	}
	revert(t, w, unnamed)

	// It moves while it is broken, and the fault with it.
	broken := prepare(t, w, "outage: {from: web, to: api}")
	inject(t, w, broken)
	meets := func(at, conn string) func() error {
		return func() error {
			if a, err := p.ask(at, conn); err != nil || !refused(a) {
				return fmt.Errorf("%+v, %w", a, err)
			}
			return nil
		}
	}
	second, secondSix := n.stranger(p.name+"-web-1", "second", "--network-alias", "api.outside.test")
	dockerSays(t, "rm", "-f", n.name+"-first")
	eventually(t, "the fault has followed the name", meets(second+":8083", "moved"))

	// Nobody knows the name any more: where it was last stays broken, also for another agent.
	dockerSays(t, "network", "disconnect", n.name, n.name+"-second")
	dockerSays(t, "network", "connect", "--ip6", secondSix, n.name, n.name+"-second")
	time.Sleep(2500 * time.Millisecond) // at least two look-ups that find nobody
	if err := meets("["+secondSix+"]:8083", "nameless")(); err != nil {
		t.Errorf("the last good answer was not kept: %v", err)
	}
	dockerSays(t, "kill", "candor-agent-"+w.Config().Run+"-web")
	eventually(t, "the next agent knows it too", meets("["+secondSix+"]:8083", "renewed"))
	revert(t, w, broken)
	revert(t, w, api)
	revert(t, w, ledger)
	clean(t, w, w.Config().Run)
}

func TestOutsideThatCannotBeToldApartIsRefused(t *testing.T) {
	p, _ := up(t, nil)
	n := wide(t, p, "web")
	n.stranger(p.name+"-web-1", "shared", "--network-alias", "api.outside.test", "--network-alias", "ledger.outside.test")
	w := outsideOf(t, p, map[string]string{"api": "api.outside.test", "ledger": "ledger.outside.test", "inside": "orders"})
	for fault, want := range map[string]string{
		"latency: {from: web, to: api, delay: 1s}": "(ledger.outside.test) are both at ",
		"outage: {from: web, to: inside}":          "which is container " + p.name + "-orders-1 of this system: name its service orders",
		"outage: {from: api, to: orders}":          "service api is outside, at api.outside.test, where candor cannot go",
	} {
		if _, err := decode(t, fault).Prepare(t.Context(), w); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", fault, err, want)
		}
	}
	clean(t, w, w.Config().Run)
}
