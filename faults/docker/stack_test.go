package docker_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/docker"
	"github.com/candor-chaos/candor/faults/faulttest"
)

// binary builds the app once: it is also what the agents run.
var binary = sync.OnceValues(func() (string, error) {
	if built := os.Getenv("CANDOR_TEST_BINARY"); built != "" {
		return built, nil
	}
	dir, err := os.MkdirTemp("", "candor-docker-test-")
	if err != nil {
		return "", err
	}
	binaryDir = dir
	path := filepath.Join(dir, "app")
	build := exec.Command("go", "build", "-o", path, "./testdata/app")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the app: %w\n%s", err, out)
	}
	return path, nil
})

// binaryDir is where binary built it.
var binaryDir string

func TestMain(m *testing.M) {
	status := m.Run()
	if binaryDir != "" {
		os.RemoveAll(binaryDir)
	}
	os.Exit(status)
}

// project is a stack of web, payments and orders, all the same app.
type project struct {
	name string
	web  string // URL of web on this machine
}

func needDocker(t testing.TB) {
	t.Helper()
	if os.Getenv("CANDOR_TEST_NO_DOCKER") != "" {
		t.Skip("LEFT OUT: needs Docker, and CANDOR_TEST_NO_DOCKER is set")
	}
}

func config(name string) docker.Config {
	return docker.Config{Run: name, System: name, Project: name, Prefix: "ctest-", Seed: 7, Expiry: 5 * time.Minute,
		Services: map[string]docker.Ports{"web": {"": 8080}, "payments": {"": 8083}, "orders": {"": 8083}}}
}

func open(t testing.TB, c docker.Config, seen func(faults.Request)) *docker.World {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	w, err := docker.Open(t.Context(), c, docker.Options{Binary: path, OnRequest: seen})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return w
}

func up(t *testing.T, labels map[string]string) (project, *docker.World) {
	t.Helper()
	return upWith(t, labels, docker.StackContainer{Service: "orders", Command: []string{"serve"}, Restart: "always"})
}

// upWith is up with an orders of another kind.
func upWith(t *testing.T, labels map[string]string, orders docker.StackContainer) (project, *docker.World) {
	t.Helper()
	needDocker(t)
	p := project{name: strings.ToLower(fmt.Sprintf("candor-test-%s-%d", strings.NewReplacer("/", "-").Replace(t.Name()), os.Getpid()))}
	w := open(t, config(p.name), nil)
	ports, err := w.Up(t.Context(), docker.Stack{Project: p.name, Containers: []docker.StackContainer{
		{Service: "web", Command: []string{"serve"}, Publish: map[int]int{8080: 0}, Labels: labels},
		{Service: "payments", Command: []string{"serve"}},
		orders,
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Down(context.Background(), p.name); err != nil {
			t.Errorf("down: %v", err)
		}
	})
	p.web = fmt.Sprintf("http://127.0.0.1:%d", ports["web"][8080])
	answering := []string{"payments"}
	if slices.Equal(orders.Command, []string{"serve"}) {
		answering = append(answering, "orders")
	}
	for _, service := range answering {
		eventually(t, "web reaches "+service, p.says(service+":8083", true))
	}
	return p, w
}

// eventually waits for a fact.
func eventually(t testing.TB, what string, fact func() error) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		err := fact()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("never: %s: %v", what, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// answer is what web met when it spoke to another service.
type answer struct {
	ok   bool
	took time.Duration
	why  string
}

// ask lets web speak to another service over the connection of a name.
func (p project) ask(to, conn string) (answer, error) {
	r, err := http.Get(p.web + "/?to=" + to + "&conn=" + conn)
	if err != nil {
		return answer{}, err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return answer{}, err
	}
	fields := strings.SplitN(strings.TrimSpace(string(body)), " ", 3)
	ms, err := strconv.Atoi(fields[1])
	return answer{ok: fields[0] == "ok", took: time.Duration(ms) * time.Millisecond, why: fields[2]}, err
}

// kind finds the kind that a fault in YAML names.
func kind(t testing.TB, text string) faults.Kind {
	t.Helper()
	name, _, _ := strings.Cut(text, ":")
	k, known := faults.Lookup(faults.Obligations(), name)
	if !known {
		t.Fatalf("no kind %q", name)
	}
	k.Example = text
	return k
}

func decode(t testing.TB, text string) faults.Fault {
	t.Helper()
	f, err := faulttest.Decode(kind(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func prepare(t testing.TB, w faults.World, text string) faults.Fault {
	t.Helper()
	f := decode(t, text)
	if _, err := f.Prepare(t.Context(), w); err != nil {
		t.Fatalf("prepare %s: %v", text, err)
	}
	return f
}

func inject(t testing.TB, w faults.World, f faults.Fault) {
	t.Helper()
	if err := f.Inject(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	state(t, w, f, faults.Present)
}

func revert(t testing.TB, w faults.World, f faults.Fault) {
	t.Helper()
	if err := f.Revert(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	state(t, w, f, faults.Absent)
}

func state(t testing.TB, w faults.World, f faults.Fault, want faults.State) {
	t.Helper()
	eventually(t, "it is "+want.String(), func() error {
		s, err := f.State(t.Context(), w)
		if err == nil && s != want {
			err = fmt.Errorf("it is %s", s)
		}
		return err
	})
}

func clean(t *testing.T, w *docker.World, run string) {
	t.Helper()
	found, err := w.Survey(t.Context(), run)
	if err != nil || len(found.Left) > 0 {
		t.Errorf("left over: %v, %v", found.Left, err)
	}
}
