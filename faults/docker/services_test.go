package docker_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/docker"
)

// dockerSays runs the engine's own command line: what it says is not candor's word.
func dockerSays(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("docker", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func (p project) container(service string) string { return p.name + "-" + service + "-1" }

// says is nil when web meets another service as it is said to.
func (p project) says(to string, ok bool) func() error {
	return func() error {
		a, err := p.ask(to, fmt.Sprint("fresh-", time.Now().UnixNano()))
		if err == nil && a.ok != ok {
			err = fmt.Errorf("%+v", a)
		}
		return err
	}
}

func TestNamesFailAndOthersPass(t *testing.T) {
	t.Parallel()
	p, w := up(t, nil)
	for _, answer := range []string{"nxdomain", "servfail", "timeout"} {
		f := prepare(t, w, "dns: {from: web, names: [payments], answer: "+answer+"}")
		inject(t, w, f)
		if a, err := p.ask("payments:8083", "x"); err != nil || a.ok {
			t.Errorf("%s: payments is found: %+v, %v", answer, a, err)
		} else {
			t.Logf("%s: after %s: %s", answer, a.took, a.why)
		}
		eventually(t, answer+": orders, by the engine's own name server", p.says("orders:8083", true))
		if n, err := f.(faults.Counter).Hits(t.Context(), w); err != nil || n < 1 {
			t.Errorf("%s: hits %d, %v", answer, n, err)
		}
		revert(t, w, f)
		eventually(t, answer+": payments, afterwards", p.says("payments:8083", true))
	}
	clean(t, w, p.name)
}

func TestNamesFailThroughRestartsAndBesideAWay(t *testing.T) {
	t.Parallel()
	p, w := up(t, nil)
	f := prepare(t, w, "dns: {from: web, names: [payments]}")
	inject(t, w, f)
	way := prepare(t, w, "interpose: {from: web, to: orders}")
	inject(t, w, way)
	revert(t, w, way)
	state(t, w, f, faults.Present) // the agent stays for it
	dockerSays(t, "rm", "-f", "candor-agent-"+p.name+"-web")
	eventually(t, "it comes back with a new agent", p.says("payments:8083", false))
	dockerSays(t, "restart", "-t", "0", p.container("web"))
	p.web = "http://" + dockerSays(t, "port", p.container("web"), "8080")
	eventually(t, "web is up again", p.says("orders:8083", true))
	eventually(t, "it follows a restart", p.says("payments:8083", false))
	revert(t, w, f)
	eventually(t, "payments is found again", p.says("payments:8083", true))
	clean(t, w, p.name)
}

func TestAContainerComesBackToItsNetworkAsItWas(t *testing.T) {
	t.Parallel()
	p, w := up(t, nil)
	second := p.name + "-second"
	dockerSays(t, "network", "create", "--subnet", "10.231.78.0/24", "--ipv6", "--subnet", "fd78:7::/64", second)
	t.Cleanup(func() { exec.Command("docker", "network", "rm", second).Run() })
	dockerSays(t, "network", "connect", "--ip", "10.231.78.50", "--ip6", "fd78:7::50", "--alias", "till", "--alias", "desk",
		"--link", p.container("payments")+":pay", second, p.container("orders"))
	t.Cleanup(func() { exec.Command("docker", "network", "disconnect", "-f", second, p.container("orders")).Run() })
	look := func() string {
		return dockerSays(t, "inspect", "-f", `{{with index .NetworkSettings.Networks "`+second+`"}}{{.IPAddress}} {{.GlobalIPv6Address}} {{.MacAddress}} {{.Links}} {{.Aliases}} {{.IPAMConfig}}{{end}}`, p.container("orders"))
	}
	before := look()
	if _, err := decode(t, "disconnect: {service: orders}").Prepare(t.Context(), w); !errors.Is(err, faults.ErrAmbiguous) {
		t.Errorf("Prepare with two networks and none named = %v", err)
	}
	if err := w.Remember(t.Context()); err != nil {
		t.Fatal(err)
	}
	f := prepare(t, w, "disconnect: {service: orders, network: "+second+"}")
	inject(t, w, f)
	if now := look(); now != "" {
		t.Errorf("it is still there: %s", now)
	}
	left, err := w.Survey(t.Context(), p.name)
	if err != nil || !strings.Contains(strings.Join(left.Left, "\n"), "is in networks") {
		t.Errorf("Survey does not see that it is away: %+v, %v", left, err)
	}
	revert(t, w, f)
	if after := look(); after != before {
		t.Errorf("it came back as\n%s; it was\n%s", after, before)
	}
	if note := f.(faults.Noter).Note(); note != "" {
		t.Errorf("Note = %q", note)
	}
	clean(t, w, p.name)
}

// The engine takes no wish for an address where it chose the subnet itself.
func TestANetworkOfTheEnginesOwnChoice(t *testing.T) {
	t.Parallel()
	p, w := up(t, nil)
	if err := w.Remember(t.Context()); err != nil {
		t.Fatal(err)
	}
	f := prepare(t, w, "disconnect: {service: payments}")
	inject(t, w, f)
	if err := p.says("payments:8083", false)(); err != nil {
		t.Errorf("while it is away: %v", err)
	}
	revert(t, w, f)
	eventually(t, "web finds it again by its name", p.says("payments:8083", true))
	t.Logf("note: %q", f.(faults.Noter).Note())
	clean(t, w, p.name)
}

// group reads a file of a container's control group, past everything of candor's; version 2 where name has another there.
func group(t *testing.T, id, controller, first, second string) string {
	t.Helper()
	pid := dockerSays(t, "inspect", "-f", "{{.State.Pid}}", id)
	lines, err := os.ReadFile("/proc/" + pid + "/cgroup")
	if err != nil {
		t.Skipf("LEFT OUT: the engine's control groups are not in sight: %v", err)
	}
	for line := range strings.Lines(string(lines)) {
		part := strings.SplitN(strings.TrimSpace(line), ":", 3)
		path := filepath.Join("/sys/fs/cgroup", part[1], part[2], first)
		if part[1] == "" {
			path = filepath.Join("/sys/fs/cgroup", part[2], second)
		} else if !strings.Contains(","+part[1]+",", ","+controller+",") {
			continue
		}
		if value, err := os.ReadFile(path); err == nil {
			return strings.TrimSpace(string(value))
		}
	}
	t.Fatalf("no %s or %s for %s", first, second, id)
	return ""
}

func TestLimitsAreWrittenAndTakenAwayAgain(t *testing.T) {
	t.Parallel()
	p, w := up(t, nil)
	if err := w.Remember(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ fault, controller, first, second, limited string }{
		{"cpu: {service: orders, cores: 0.2}", "cpu", "cpu.cfs_quota_us", "cpu.max", "20000"},
		{"memory: {service: orders, limit: 32MiB}", "memory", "memory.limit_in_bytes", "memory.max", "33554432"},
	} {
		look := func() string { return group(t, p.container("orders"), c.controller, c.first, c.second) }
		before := look()
		engineBefore := dockerSays(t, "inspect", "-f", "{{json .HostConfig}}", p.container("orders"))
		f := prepare(t, w, c.fault)
		inject(t, w, f)
		if now, _, _ := strings.Cut(look(), " "); now != c.limited {
			t.Errorf("%s: the kernel says %s; want %s", c.fault, now, c.limited)
		}
		if dockerSays(t, "inspect", "-f", "{{json .HostConfig}}", p.container("orders")) != engineBefore {
			t.Errorf("%s: the engine's own record has changed", c.fault)
		}
		left, err := w.Survey(t.Context(), p.name)
		if err != nil || !strings.Contains(strings.Join(left.Left, "\n"), "the control group of container") {
			t.Errorf("%s: Survey does not see it: %+v, %v", c.fault, left, err)
		}
		revert(t, w, f)
		if after := look(); after != before {
			t.Errorf("%s: afterwards the kernel says %s; before it was %s", c.fault, after, before)
		}
	}
	_, err := decode(t, "memory: {service: orders, limit: 1MiB}").Prepare(t.Context(), w)
	if err == nil || !strings.Contains(err.Error(), "cannot be kept") {
		t.Errorf("less than it holds = %v; want a refusal", err)
	}
	t.Logf("refused: %v", err)
	clean(t, w, p.name)
}

// Where the control groups are not in sight a helper reads them; it must say the same.
func TestAHelperReadsWhatIsReadInPlace(t *testing.T) {
	t.Parallel()
	p, w := up(t, nil)
	id, err := w.Find(t.Context(), "orders")
	if err != nil {
		t.Fatal(err)
	}
	direct, err := w.Allowance(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	helped, err := docker.AllowanceByHelper(t.Context(), w, id)
	if err != nil {
		t.Fatal(err)
	}
	direct.Held, helped.Held = 0, 0 // it changes from look to look
	if direct != helped || direct.Period == 0 || direct.Cores == 0 {
		t.Errorf("in place %+v, by a helper %+v", direct, helped)
	}
	clean(t, w, p.name)
}

// A stop whose runner has died goes on in the engine. Reverting waits for its end and starts the service then, where a
// start at once would do nothing and leave it stopped.
func TestAStopUnderWayIsFinished(t *testing.T) {
	t.Parallel()
	needDocker(t)
	p, w := upWith(t, nil, docker.StackContainer{Service: "orders", Command: []string{"stubborn"}})
	time.Sleep(time.Second) // until it is deaf
	f := prepare(t, w, "stop: {service: orders, grace: 3s}")
	state(t, w, f, faults.Absent)
	stopping := exec.Command("docker", "stop", "-t", "3", p.container("orders"))
	if err := stopping.Start(); err != nil {
		t.Fatal(err)
	}
	state(t, w, f, faults.Partial)
	stopping.Process.Kill()
	stopping.Wait()
	revert(t, w, f)
	before := dockerSays(t, "inspect", "-f", "{{.State.StartedAt}}", p.container("orders"))
	time.Sleep(4 * time.Second) // longer than what is left of the grace
	if now := dockerSays(t, "inspect", "-f", "{{.State.StartedAt}} {{.State.Running}}", p.container("orders")); now != before+" true" {
		t.Errorf("it did not stay up: %s, then %s", before, now)
	}
	clean(t, w, p.name)
}

func TestAStopEndsByForceAfterItsGrace(t *testing.T) {
	t.Parallel()
	needDocker(t)
	p, w := upWith(t, nil, docker.StackContainer{Service: "orders", Command: []string{"stubborn"}})
	time.Sleep(time.Second) // until it is deaf
	f := prepare(t, w, "stop: {service: orders, grace: 1s}")
	began := time.Now()
	inject(t, w, f)
	if took := time.Since(began); took < time.Second || took > 6*time.Second {
		t.Errorf("it ended after %s; want a little more than its grace", took)
	}
	if s := dockerSays(t, "inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", p.container("orders")); s != "exited 137" {
		t.Errorf("it is %s; want killed", s)
	}
	revert(t, w, f)
	clean(t, w, p.name)
}
