package main

import (
	"context"
	"encoding/json"
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

// biteLimit is how long after Inject has returned a connection that was open long before may still work. The goal is 100 ms,
// and each test logs what it was; a busy machine may run a user late. delay is that of
// the latency fault; half of it is never reached without it.
const (
	biteLimit = 500 * time.Millisecond
	delay     = 200 * time.Millisecond
)

// Each of these waits for the name of what it stands in front of, because it looks it up once, at its start.
const (
	startNginx = `until getent hosts backend >/dev/null; do sleep 0.1; done
cat > /n.conf <<'C'
daemon off; error_log /dev/null; pid /n.pid;
events {}
http { access_log off;
  upstream behind { server backend:8080; keepalive 16; }
  server { listen 8080; location / { proxy_pass http://behind; proxy_http_version 1.1; proxy_set_header Connection ""; } } }
C
exec nginx -c /n.conf`
	// retry=0, since Apache otherwise refuses by itself for a minute after one failed connection
	startApache = `until getent hosts backend >/dev/null; do sleep 0.1; done
cat > /a.conf <<'C'
ServerName httpd
ServerRoot /etc/apache2
PidFile /a.pid
ErrorLog /dev/null
Listen 8080
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so
LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so
StartServers 1
ServerLimit 1
ThreadsPerChild 16
MaxRequestWorkers 16
ProxyPass / http://backend:8080/ keepalive=On retry=0
C
exec apache2 -f /a.conf -DFOREGROUND`
)

// asked is one question to a dependency, by the clock of this machine, which containers share.
type asked struct {
	Began, Ended int64
	OK           bool
	Over         string // the connection as the upstream saw it, where that is known
}

func (a asked) took() time.Duration { return time.Duration(a.Ended - a.Began) }

// since tells how the questions went that ended after a moment.
type since func(t *testing.T, at time.Time) []asked

// TestE2ERealDependencies measures how soon faults bite connections that were open long before and are in constant use:
// those of a Redis pool, a PostgreSQL pool, and of nginx and Apache httpd to what they stand in front of.
func TestE2ERealDependencies(t *testing.T) {
	if !dockerWanted(t) {
		t.Skip("LEFT OUT: needs Docker")
	}
	w, users := dependencies(t)
	for _, u := range users {
		way := faultOf(t, w, fmt.Sprintf("interpose: {from: %s, to: %s}", u.from, u.to))
		put(t, w, way)
		calm(t, u)
		for _, text := range []string{"outage: {from: %s, to: %s, mode: refuse}", "latency: {from: %s, to: %s, delay: 200ms}"} {
			t.Run(fmt.Sprintf("%s %.7s", u.from+"→"+u.to, text), func(t *testing.T) { bites(t, w, u, fmt.Sprintf(text, u.from, u.to)) })
		}
		if err := way.Revert(t.Context(), w); err != nil {
			t.Error(err)
		}
	}
}

// user is a service that uses another without a pause.
type user struct {
	from, to string
	log      since
}

// dependencies brings everything up: the servers as their distribution ships them.
func dependencies(t *testing.T) (*docker.World, []user) {
	t.Helper()
	image := postgresImage(t)
	folder := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(folder, "pooled"), "../../testdata/pooled")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build pooled: %v\n%s", err, out)
	}
	if err := os.Chmod(folder, 0o755); err != nil { //nolint:gosec // users in the containers read it
		t.Fatal(err)
	}
	name := projectName("e2e-dependencies", strconv.Itoa(os.Getpid()))
	w, err := docker.Open(t.Context(), docker.Config{Run: name, System: name, Project: name, Seed: 7, Expiry: 5 * time.Minute,
		Services: map[string]docker.Ports{"shop": {"": 8080}, "redis": {"": 6379}, "db": {"": 5432}, "backend": {"": 8080}, "nginx": {"": 8080}, "httpd": {"": 8080}}},
		docker.Options{Binary: buildCandor(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	own := map[string]string{folder: "/b"}
	ports, err := w.Up(t.Context(), docker.Stack{Project: name, Containers: []docker.StackContainer{
		{Service: "redis", Image: image, Command: []string{"redis-server", "--bind", "0.0.0.0", "--protected-mode", "no", "--save", ""}},
		{Service: "db", Image: image, Command: []string{"bash", "-c", startPostgres}},
		{Service: "backend", Image: image, Command: []string{"/b/pooled", "serve"}, Binds: own},
		{Service: "shop", Image: image, Command: []string{"/b/pooled", "ask", "redis:6379", "postgres://shop@db:5432/shop?sslmode=disable"}, Binds: own, Publish: map[int]int{8080: 0}},
		{Service: "nginx", Image: image, Command: []string{"bash", "-c", startNginx}, Publish: map[int]int{8080: 0}},
		{Service: "httpd", Image: image, Command: []string{"bash", "-c", startApache}, Publish: map[int]int{8080: 0}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Down(context.Background(), name); err != nil {
			t.Error(err)
		}
	})
	at := func(service string) string { return fmt.Sprintf("http://127.0.0.1:%d", ports[service][8080]) }
	return w, []user{
		{"shop", "redis", told(at("shop"), "redis")},
		{"shop", "db", told(at("shop"), "postgres")},
		{"nginx", "backend", asking(t, at("nginx"))},
		{"httpd", "backend", asking(t, at("httpd"))},
	}
}

// told asks the service in the container how its questions went.
func told(address, of string) since {
	return func(t *testing.T, at time.Time) []asked {
		t.Helper()
		response, err := http.Get(fmt.Sprintf("%s/log?of=%s&since=%d", address, of, at.UnixNano()))
		if err != nil {
			return nil // it is not up yet; calm waits for it
		}
		defer response.Body.Close()
		var all []asked
		if err := json.NewDecoder(response.Body).Decode(&all); err != nil {
			t.Fatal(err)
		}
		return all
	}
}

// asking asks a reverse proxy without a pause until the test ends.
func asking(t *testing.T, address string) since {
	t.Helper()
	var mu sync.Mutex
	var all []asked
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	t.Cleanup(func() { cancel(); done.Wait() })
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 4}}
	for range 2 {
		done.Go(func() {
			for ctx.Err() == nil {
				a := asked{Began: time.Now().UnixNano()}
				request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
				if err != nil {
					return
				}
				if response, err := client.Do(request); err == nil {
					body, _ := io.ReadAll(io.LimitReader(response.Body, 100))
					response.Body.Close()
					a.Over = string(body)
					a.OK = response.StatusCode == http.StatusOK
				}
				a.Ended = time.Now().UnixNano()
				mu.Lock()
				all = append(all, a)
				mu.Unlock()
				time.Sleep(2 * time.Millisecond)
			}
		})
	}
	return func(_ *testing.T, at time.Time) []asked {
		mu.Lock()
		defer mu.Unlock()
		i, _ := slices.BinarySearchFunc(all, at.UnixNano(), func(a asked, at int64) int { return int(a.Ended - at) })
		return slices.Clone(all[i:])
	}
}

// bites puts a fault on a path in constant use, and says how soon the first question was hurt and how soon all went well
// again.
func bites(t *testing.T, w *docker.World, u user, text string) {
	f := faultOf(t, w, text)
	hurt := func(a asked) bool { return !a.OK || a.took() > delay/2 }
	before := u.log(t, calm(t, u))
	over := map[string]bool{}
	for _, a := range before {
		over[a.Over] = true
	}
	if len(over) > 8 {
		t.Errorf("before: %d questions over %d connections; these are not kept open, and the test shows nothing", len(before), len(over))
	}
	began := time.Now()
	if err := f.Inject(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	injected := time.Now()
	if s, err := f.State(t.Context(), w); s != faults.Present || err != nil {
		t.Errorf("after injection it is %s, %v", s, err)
	}
	time.Sleep(time.Second)
	during := u.log(t, began)
	reverting := time.Now()
	if err := f.Revert(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	reverted := time.Now()
	first, whole, late := time.Duration(1<<62), 0, time.Duration(0)
	for _, a := range during {
		if hurt(a) {
			// What fails is seen when it fails; what is late is hurt from its beginning.
			at := time.Unix(0, a.Ended)
			if a.OK {
				at = time.Unix(0, a.Began)
			}
			first = min(first, at.Sub(injected))
		} else if a.Began > injected.UnixNano() && a.Ended < reverting.UnixNano() {
			whole++
			late = max(late, time.Unix(0, a.Ended).Sub(injected))
		}
	}
	healed := calm(t, u).Sub(reverted)
	t.Logf("MEASURED inject took %s; first hurt %s after it returned; %d of %d questions slipped through, the last %s after; well again %s after revert returned",
		injected.Sub(began).Round(time.Millisecond), first.Round(10*time.Microsecond), whole, len(during), late.Round(time.Millisecond), healed.Round(time.Millisecond))
	if first > biteLimit {
		t.Errorf("the first question was hurt %s after injection; want within %s", first, biteLimit)
	}
	if late > biteLimit {
		t.Errorf("a question went well %s after injection; want none after %s", late, biteLimit)
	}
}

// calm waits until all has gone well for half a second, and says since when.
func calm(t *testing.T, u user) time.Time {
	t.Helper()
	good := time.Now()
	for end := time.Now().Add(40 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		all := u.log(t, good)
		for _, a := range all {
			if !a.OK || a.took() > delay/2 {
				good = time.Unix(0, a.Ended+1)
			}
		}
		if len(all) > 20 && time.Since(good) > 500*time.Millisecond {
			return good
		}
	}
	t.Fatalf("%s does not get well with %s", u.from, u.to)
	return good
}

// faultOf makes a fault from its YAML, and lets it look.
func faultOf(t *testing.T, w *docker.World, text string) faults.Fault {
	t.Helper()
	name, _, _ := strings.Cut(text, ":")
	k, known := faults.Lookup(faults.Obligations(), name)
	if !known {
		t.Fatalf("no kind %q", name)
	}
	k.Example = text
	f, err := faulttest.Decode(k)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Prepare(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	return f
}

func put(t *testing.T, w *docker.World, f faults.Fault) {
	t.Helper()
	if err := f.Inject(t.Context(), w); err != nil {
		t.Fatal(err)
	}
}
