package probes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/faults"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// look compiles a probe and looks once.
func look(t *testing.T, p experiments.ProbeSpec) (experiments.Observation, error) {
	t.Helper()
	compile(t, p)
	return p.Observe(t.Context(), experiments.Surroundings{Vars: experiments.Vars{"marker": "cdr-1"}})
}

// closedPort is an address where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestHTTP(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/hang":
			<-r.Context().Done()
		case "/break":
			panic(http.ErrAbortHandler)
		case "/moved":
			http.Redirect(w, r, "/", http.StatusFound)
		case "/cut":
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "abc")
		default:
			code, _ := strconv.Atoi(strings.Trim(r.URL.Path, "/"))
			body, _ := io.ReadAll(r.Body)
			w.Header().Set("X-Asked", r.Method+" "+r.Header.Get("X-Who")+" "+string(body))
			w.WriteHeader(max(200, code))
			io.WriteString(w, `{"up": true, "pad": "`+strings.Repeat("x", 2000)+`"}`)
		}
	}))
	t.Cleanup(server.Close)
	for _, c := range []struct {
		path    string
		status  int64
		ok      bool
		summary string
	}{
		{"/", 200, true, "status 200"},
		{"/204", 204, true, "status 204"},
		{"/404", 404, false, "status 404"},
		{"/503", 503, false, "status 503"},
		{"/moved", 302, true, "status 302"},
		{"/hang", 0, false, "timeout"},
		{"/break", 0, false, "closed"},
		{"/cut", 0, false, "closed"},
	} {
		t.Run(c.path, func(t *testing.T) {
			seen, err := look(t, &HTTP{Get: text(server.URL + c.path), Timeout: 500 * time.Millisecond})
			if err != nil || seen.OK != c.ok || seen.Vars["status"] != c.status || !strings.Contains(seen.Summary, c.summary) {
				t.Errorf("saw %v, status %v, %q, %v; want %v, %d, %q", seen.OK, seen.Vars["status"], seen.Summary, err, c.ok, c.status, c.summary)
			}
			if len(seen.Summary) > 310 {
				t.Errorf("the summary has %d bytes", len(seen.Summary))
			}
			for _, name := range All()[0].Sees {
				if _, there := seen.Vars[name]; !there {
					t.Errorf("%s is not in sight", name)
				}
			}
		})
	}
	seen, err := look(t, &HTTP{Get: text(server.URL), Method: "post", Body: text("{{ marker }}"), Headers: map[string]experiments.Template{"X-Who": text("ann")}})
	if got := seen.Vars["headers"].(map[string]string)["x-asked"]; err != nil || got != "POST ann cdr-1" {
		t.Errorf("the service was asked %q, %v", got, err)
	}
	if got := seen.Vars["json"].(map[string]any)["up"]; got != true {
		t.Errorf("json.up = %v", got)
	}
}

func TestHTTPTellsBadFromBlind(t *testing.T) {
	seen, err := look(t, &HTTP{Get: text("http://" + closedPort(t) + "/healthz")})
	if err != nil || seen.OK || !strings.Contains(seen.Summary, "refused") {
		t.Errorf("a closed port is %+v, %v; want a bad sight", seen, err)
	}
	for _, address := range []string{"ftp://127.0.0.1/", "/healthz", "http://127.0.0.1:99999/", "{{ steps.nothing.x }}"} {
		seen, err := look(t, &HTTP{Get: text(address)})
		if err == nil && address != "http://127.0.0.1:99999/" {
			t.Errorf("%s is %+v; want an error", address, seen)
		}
		if seen.OK {
			t.Errorf("%s is fine", address)
		}
	}
}

func TestALookThatIsStoppedSawNothing(t *testing.T) {
	asked := make(chan struct{}, 8)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	p := &HTTP{Get: text(server.URL)}
	compile(t, p)
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("the run is over")
	go func() {
		<-asked
		cancel(why)
	}()
	if _, err := p.Observe(ctx, experiments.Surroundings{}); !errors.Is(err, why) {
		t.Errorf("Observe = %v; want %v", err, why)
	}
}

func TestHTTPDoesNotHoldALargeAnswer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		block := make([]byte, 1<<20)
		for {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	}))
	t.Cleanup(server.Close)
	seen, err := look(t, &HTTP{Get: text(server.URL)})
	if err != nil || !seen.OK || len(seen.Vars["body"].(string)) > 3<<20 {
		t.Errorf("saw %v, %d bytes, %v", seen.OK, len(seen.Vars["body"].(string)), err)
	}
}

func TestTCP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	seen, err := look(t, &TCP{Address: text(l.Addr().String())})
	if err != nil || !seen.OK || seen.Vars["connected"] != true {
		t.Errorf("an open port is %+v, %v", seen, err)
	}
	seen, err = look(t, &TCP{Address: text(closedPort(t))})
	if err != nil || seen.OK || seen.Vars["connected"] != false || !strings.Contains(seen.Summary, "refused") {
		t.Errorf("a closed port is %+v, %v", seen, err)
	}
	seen, err = look(t, &TCP{Address: text("nothing.invalid:80")})
	if seen.OK {
		t.Errorf("a name without an address is %+v, %v", seen, err)
	}
	if _, err = look(t, &TCP{Address: text("no port")}); err == nil {
		t.Error("an address without a port was looked at")
	}
}

// engine is a world with containers.
type engine struct {
	faults.World
	state, health string
	restarts      int
	err           error
}

func (e engine) Status(context.Context, string) (string, string, int, error) {
	return e.state, e.health, e.restarts, e.err
}

func TestDocker(t *testing.T) {
	gone := errors.New("no such container")
	for _, c := range []struct {
		world   faults.World
		ok      bool
		blind   bool
		summary string
	}{
		{engine{state: "running"}, true, false, "db: running"},
		{engine{state: "running", health: "healthy", restarts: 2}, true, false, "db: running, healthy, restarted 2 times"},
		{engine{state: "running", health: "starting"}, true, false, "db: running, starting"},
		{engine{state: "running", health: "unhealthy"}, false, false, "db: running, unhealthy"},
		{engine{state: "exited"}, false, false, "db: exited"},
		{engine{state: "paused"}, false, false, "db: paused"},
		{engine{err: gone}, false, true, ""},
		{nil, false, true, ""},
	} {
		seen, err := (&Docker{Service: "db"}).Observe(t.Context(), experiments.Surroundings{World: c.world})
		if seen.OK != c.ok || (err != nil) != c.blind || seen.Summary != c.summary {
			t.Errorf("%+v is %v, %q, %v; want %v, %q", c.world, seen.OK, seen.Summary, err, c.ok, c.summary)
		}
	}
	seen, err := (&Docker{Service: "db"}).Observe(t.Context(), experiments.Surroundings{World: engine{state: "running", restarts: 2}})
	want := experiments.Vars{"state": "running", "health": "", "restarts": int64(2)}
	if diff := cmp.Diff(want, seen.Vars); diff != "" || err != nil {
		t.Errorf("in sight, %v (-want +got):\n%s", err, diff)
	}
}

// command is a probe of a shell script.
func command(script string, timeout time.Duration) *Command {
	return &Command{Run: []experiments.Template{text("sh"), text("-c"), text(script)}, Timeout: timeout}
}

func TestCommand(t *testing.T) {
	for _, c := range []struct {
		script         string
		exit           int64
		stdout, stderr string
	}{
		{"echo out; echo err >&2", 0, "out\n", "err\n"},
		{"echo why >&2; exit 3", 3, "", "why\n"},
		{"kill -9 $$", -1, "", ""},
		{"echo '{{ marker }}'", 0, "cdr-1\n", ""},
	} {
		seen, err := look(t, command(c.script, 10*time.Second))
		want := experiments.Vars{"exit": c.exit, "stdout": c.stdout, "stderr": c.stderr, "elapsed": seen.Vars["elapsed"]}
		if diff := cmp.Diff(want, seen.Vars); diff != "" || err != nil || seen.OK != (c.exit == 0) {
			t.Errorf("%s: ok %v, %v (-want +got):\n%s", c.script, seen.OK, err, diff)
		}
	}
	if _, err := look(t, &Command{Run: []experiments.Template{text("/nothing/here")}}); err == nil {
		t.Error("a program that is not there has looked")
	}
	if _, err := look(t, &Command{}); err == nil {
		t.Error("no program has looked")
	}
}

func TestCommandIsBounded(t *testing.T) {
	seen, err := look(t, command("head -c 10000000 /dev/zero; exit 1", 20*time.Second))
	if err != nil || len(seen.Vars["stdout"].(string)) != maxOutput || len(seen.Summary) > 400 {
		t.Errorf("kept %d bytes, summary %d, %v", len(seen.Vars["stdout"].(string)), len(seen.Summary), err)
	}
}

func TestCommandIsKilledWithItsChildren(t *testing.T) {
	pids := filepath.Join(t.TempDir(), "child")
	began := time.Now()
	seen, err := look(t, command(fmt.Sprintf("sleep 300 & echo $! > %s; wait", pids), time.Second))
	if err != nil || seen.OK || seen.Vars["exit"] != int64(-1) || !strings.Contains(seen.Summary, "killed after") {
		t.Errorf("a command that hangs is %+v, %v", seen, err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
	written, err := os.ReadFile(pids)
	if err != nil {
		t.Fatal(err)
	}
	child, err := strconv.Atoi(strings.TrimSpace(string(written)))
	if err != nil {
		t.Fatal(err)
	}
	for until := time.Now().Add(10 * time.Second); alive(child); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("process %d, which the command started, is still there", child)
		}
	}
}

// alive reports whether a process runs; one that only waits to be reaped does not.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(state, "Z")
}

func TestKindsAreComplete(t *testing.T) {
	for _, k := range All() {
		if k.Name == "" || k.Doc == "" || k.Example == "" || len(k.Sees) == 0 || k.New() == nil {
			t.Errorf("kind %q lacks something", k.Name)
		}
	}
}

func TestMistakesAreFoundBeforehand(t *testing.T) {
	for want, p := range map[string]faults.Validator{
		"timeout: -1s is negative":                                &TCP{Timeout: -time.Second},
		"method: \"GE T\" is no method\ntimeout: -1s is negative": &HTTP{Method: "GE T", Timeout: -time.Second},
		"run: is missing":                                         &Command{},
	} {
		if err := p.Validate(); err == nil || err.Error() != want {
			t.Errorf("Validate of %+v = %v; want %q", p, err, want)
		}
	}
	for _, p := range []faults.Validator{&TCP{}, &HTTP{Method: "head"}, &Command{Run: []experiments.Template{text("true")}}} {
		if err := p.Validate(); err != nil {
			t.Errorf("Validate of %+v = %v", p, err)
		}
	}
}
