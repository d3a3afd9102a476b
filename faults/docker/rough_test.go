package docker_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/docker"
)

// another is a second process's view of the same run, as heal has it.
func another(t *testing.T, name string) *docker.World { return open(t, config(name), nil) }

func path() faults.Path { return faults.Path{From: "web", To: "payments", Port: 8083} }

func find(t *testing.T, w *docker.World, service string) faults.Identity {
	t.Helper()
	id, err := w.Find(t.Context(), service)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// Whoever asked a frozen dependency, past the lifted proxy, still gets the answer when it thaws.
func TestAPauseIsOnlyAPause(t *testing.T) {
	p, w := up(t, nil)
	inject(t, w, prepare(t, w, "interpose: {from: web, to: payments}"))
	frozen := prepare(t, w, "pause: {service: payments}")
	inject(t, w, frozen)
	eventually(t, "the redirect is lifted", func() error {
		if rules := ruleset(t, w, "web"); strings.Contains(rules, "redirect to") {
			return errors.New(rules)
		}
		return nil
	})
	got := make(chan answer, 1)
	go func() {
		a, err := p.ask("payments:8083", "waits")
		if err != nil {
			a.why = err.Error()
		}
		got <- a
	}()
	time.Sleep(300 * time.Millisecond) // it waits at most a second
	revert(t, w, frozen)
	if a := <-got; !a.ok || a.took < 250*time.Millisecond {
		t.Errorf("who waited while it was frozen got %+v", a)
	}
	eventually(t, "the redirect is back", func() error {
		if rules := ruleset(t, w, "web"); !strings.Contains(rules, "redirect to") {
			return errors.New(rules)
		}
		return nil
	})
	if a, err := p.ask("payments:8083", "waits"); err != nil || !a.ok {
		t.Errorf("on the same connection afterwards: %+v, %v", a, err)
	}
}

// ruleset is what the kernel says in the namespace of a service.
func ruleset(t *testing.T, w *docker.World, service string) string {
	t.Helper()
	pid := fmt.Sprint(find(t, w, service).Process)
	out, err := exec.Command("nsenter", "-t", pid, "-n", "nft", "list", "ruleset").CombinedOutput()
	if err != nil {
		t.Fatalf("nft: %v\n%s", err, out)
	}
	return string(out)
}

// Whoever asks a service that was killed meets the absence of it, and no proxy in its place.
func TestNobodyMeetsAProxyForADeadService(t *testing.T) {
	for _, as := range []string{"crash", "operator"} {
		t.Run(as, func(t *testing.T) {
			p, w := up(t, nil)
			inject(t, w, prepare(t, w, "interpose: {from: web, to: payments}"))
			dead := prepare(t, w, "kill: {service: payments, as: "+as+"}")
			if err := dead.Inject(t.Context(), w); err != nil {
				t.Fatal(err)
			}
			for i := range 5 {
				if a, err := p.ask("payments:8083", fmt.Sprint(i)); err != nil || a.ok || !strings.Contains(a.why, "dial") {
					t.Errorf("it met %+v, %v; want a failure to connect", a, err)
				}
			}
			revert(t, w, dead)
			eventually(t, "the redirect is back", func() error {
				if rules := ruleset(t, w, "web"); !strings.Contains(rules, "redirect to") {
					return errors.New(rules)
				}
				return nil
			})
		})
	}
}

func TestAnotherProcessSeesWhatIsInForce(t *testing.T) {
	_, w := up(t, nil)
	other := another(t, w.Config().Project)
	from := find(t, w, "web")
	block := faults.Impairment{Block: "refuse"}
	late := faults.Impairment{Toxics: []faults.Toxic{{Type: "latency", Stream: "downstream", Attributes: map[string]any{"latency": 10}}}}
	look := func(way, blocked, slowed faults.State) {
		t.Helper()
		for _, v := range []*docker.World{w, other} {
			a, err := v.Interposed(t.Context(), path(), from)
			b, berr := v.Impaired(t.Context(), path(), "no", block)
			c, cerr := v.Impaired(t.Context(), path(), "late", late)
			if err := errors.Join(err, berr, cerr); err != nil {
				t.Fatal(err)
			}
			if a != way || b != blocked || c != slowed {
				t.Errorf("seen: path %s, block %s, toxic %s; want %s, %s, %s", a, b, c, way, blocked, slowed)
			}
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	look(faults.Absent, faults.Absent, faults.Absent)
	must(w.Interpose(t.Context(), path(), from))
	must(w.Impair(t.Context(), path(), "no", block))
	must(w.Impair(t.Context(), path(), "late", late))
	look(faults.Present, faults.Present, faults.Present)
	if found, err := other.Survey(t.Context(), ""); err != nil || !strings.Contains(strings.Join(found.Left, "\n"), "nftables table in the namespace of") {
		t.Errorf("left over: %q, %v; want the table named", found.Left, err)
	}
	must(other.Unimpair(t.Context(), path(), "no"))
	must(other.Withdraw(t.Context(), path(), from))
	select {
	case <-w.Lost(): // the first process was not asked, and puts its agent back
	case <-time.After(20 * time.Second):
		t.Error("the first process did not notice that its agent was taken away")
	}
	must(w.Withdraw(t.Context(), path(), from))
	look(faults.Absent, faults.Absent, faults.Absent)
	clean(t, w, w.Config().Run)
	clean(t, other, w.Config().Run)
}

func TestALostAgentIsToldAndReplaced(t *testing.T) {
	_, w := up(t, nil)
	from := find(t, w, "web")
	if err := w.Interpose(t.Context(), path(), from); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("docker", "kill", "candor-agent-"+w.Config().Run+"-web").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	select {
	case err := <-w.Lost():
		if !strings.Contains(err.Error(), "web") {
			t.Errorf("lost: %v; want the service named", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("nobody told")
	}
	eventually(t, "there is a new one", func() error {
		s, err := w.Interposed(t.Context(), path(), from)
		if err == nil && s != faults.Present {
			err = fmt.Errorf("it is %s", s)
		}
		return err
	})
	select {
	case err := <-w.Lost():
		t.Errorf("told twice: %v", err)
	default:
	}
}

func TestForeignNamespacesAreRefused(t *testing.T) {
	_, w := up(t, nil)
	image, err := w.Image(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	project := w.Config().Project
	for service, network := range map[string]string{"hosted": "host", "sharing": "container:" + project + "-web-1"} {
		name := project + "-" + service + "-1"
		t.Cleanup(func() { exec.Command("docker", "rm", "-f", name).Run() })
		out, err := exec.Command("docker", "run", "-d", "--name", name, "--network", network,
			"--label", "com.docker.compose.project="+project, "--label", "com.docker.compose.service="+service, image, "idle").CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		p := faults.Path{From: service, To: "payments", Port: 8083}
		if err := w.Interpose(t.Context(), p, find(t, w, service)); err == nil {
			t.Errorf("%s: interposed in a namespace of somebody else", service)
		} else {
			t.Log(err)
		}
	}
	clean(t, w, project)
}

func TestADynamicBinaryIsRefused(t *testing.T) {
	needDocker(t)
	shell, err := exec.LookPath("bash")
	if err != nil {
		t.Fatal(err)
	}
	w, err := docker.Open(t.Context(), config("dynamic"), docker.Options{Binary: shell})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close(t.Context())
	if _, err := w.Image(t.Context()); !errors.Is(err, docker.ErrDynamic) {
		t.Errorf("Image of a dynamic binary = %v; want ErrDynamic", err)
	}
}

func TestTheSameBinaryIsTheSameImage(t *testing.T) {
	needDocker(t)
	first := open(t, config("first"), nil)
	name, err := first.Image(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	id := func() string {
		out, err := exec.Command("docker", "image", "inspect", "-f", "{{.Id}}", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	before := id()
	if out, err := exec.Command("docker", "image", "tag", name, "candor-test:kept").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Cleanup(func() { exec.Command("docker", "image", "rm", "candor-test:kept").Run() })
	if out, err := exec.Command("docker", "image", "rm", name).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var both sync.WaitGroup
	for _, run := range []string{"second", "third"} {
		w := open(t, config(run), nil)
		both.Go(func() {
			if _, err := w.Image(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	if after := id(); after != before {
		t.Errorf("image %s became %s", before, after)
	}
	_, w := up(t, nil)
	if out, err := exec.Command("docker", "image", "rm", name).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := w.Interpose(t.Context(), path(), find(t, w, "web")); err != nil {
		t.Errorf("after somebody removed the image: %v", err)
	}
}

func TestAWorldLeavesNoGoroutine(t *testing.T) {
	needDocker(t)
	known := goleak.IgnoreCurrent()
	t.Run("one life", func(t *testing.T) {
		_, w := up(t, nil)
		if err := w.Interpose(t.Context(), path(), find(t, w, "web")); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		http.DefaultClient.CloseIdleConnections() // the test's own
		eventually(t, "none is left", func() error { return goleak.Find(known) })
	})
}
