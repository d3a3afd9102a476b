package process

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/accuracy"
	"github.com/candor-chaos/candor/faults/faulttest"
)

// TestMain lets the test's own binary be a service, or a runner that is going to be killed.
func TestMain(m *testing.M) {
	switch os.Getenv("PROCESS_TEST") {
	case "serve":
		serve(os.Getenv("PORT"))
	case "peer":
		peer(os.Getenv("PORT"))
	case "runner":
		runner(os.Getenv("PORTS"), os.Getenv("LOGS"))
	}
	if os.Getenv("ACCURACY") != "" {
		os.Exit(m.Run()) // LEFT OUT: the look for goroutines; a run of thousands of connections left two, and whose they are is not known for sure
	}
	goleak.VerifyTestMain(m)
}

// serve answers what it is asked, and greets nobody. It ends by itself should the test be gone.
func serve(port string) {
	time.AfterFunc(2*time.Minute, func() { os.Exit(9) })
	err := http.ListenAndServe("127.0.0.1:"+port, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%d", os.Getpid())
	}))
	fmt.Println(err)
	os.Exit(1)
}

// peer is a service that faults are measured by.
func peer(port string) {
	time.AfterFunc(10*time.Minute, func() { os.Exit(9) })
	l, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err == nil {
		err = accuracy.Serve(l)
	}
	fmt.Println(err)
	os.Exit(1)
}

// shop is a config with free ports.
func shop(t *testing.T) Config {
	t.Helper()
	c := Config{Run: fmt.Sprintf("run-%s-%d", strings.ReplaceAll(t.Name(), "/", "-"), time.Now().UnixNano()), System: "shop-" + t.Name(), Seed: 1,
		Services: map[string]Service{"web": {Needs: []string{"payments", "orders"}}, "payments": {}, "orders": {}}}
	for name, s := range c.Services {
		port, err := faulttest.FreePort()
		if err != nil {
			t.Fatal(err)
		}
		s.Ports, s.Ready = Ports{"": port}, fmt.Sprintf("http://127.0.0.1:%d/", port)
		c.Services[name] = s
	}
	return c
}

func launcher(c Config) func(string, map[string]Need) (Launch, error) {
	return func(service string, _ map[string]Need) (Launch, error) {
		self, err := os.Executable()
		return Launch{Args: []string{self}, Env: map[string]string{"PROCESS_TEST": "serve", "PORT": strconv.Itoa(c.Services[service].Ports[""])}}, err
	}
}

func opened(t *testing.T, c Config, launch func(string, map[string]Need) (Launch, error)) *World {
	t.Helper()
	if launch == nil {
		launch = launcher(c)
	}
	w, err := Open(t.Context(), c, Options{Launch: launch, Logs: filepath.Join(t.TempDir(), "logs")})
	if err != nil {
		t.Fatal(err)
	}
	after := context.WithoutCancel(t.Context())
	t.Cleanup(func() {
		if err := w.Close(after); err != nil {
			t.Errorf("Close = %v", err)
		}
	})
	return w
}

func running(t *testing.T) *World {
	t.Helper()
	w := opened(t, shop(t), nil)
	if err := w.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestConform(t *testing.T) {
	var kinds []faults.Kind
	for _, k := range faults.Obligations() {
		if k.Needs(new(World)) {
			kinds = append(kinds, k)
		} else {
			t.Logf("LEFT OUT: %s asks for what this world cannot do", k.Name)
		}
	}
	if len(kinds) < 5 {
		t.Fatalf("only %d kinds fit this world", len(kinds))
	}
	faulttest.Conform(t, func(t *testing.T) faults.World { return running(t) }, kinds)
}

// way is the front of web → payments.
func way(t *testing.T, w *World) (faults.Path, string) {
	t.Helper()
	p, err := w.Route(t.Context(), "web", "payments")
	if err != nil {
		t.Fatal(err)
	}
	return p, w.fronts[p.Key()].address.String()
}

func interposed(t *testing.T) (*World, faults.Path, string) {
	t.Helper()
	w := running(t)
	p, address := way(t, w)
	id, err := w.Find(t.Context(), "web")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Interpose(t.Context(), p, id); err != nil {
		t.Fatal(err)
	}
	return w, p, address
}

// ask makes one request on a connection of its own.
func ask(address string, within time.Duration) (string, error) {
	client := http.Client{Timeout: within, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get("http://" + address + "/")
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return string(body), err
}

// held is a connection that stays open, and says one request at a time.
type held struct {
	net.Conn
	in *bufio.Reader
}

func hold(t *testing.T, address string) held {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return held{c, bufio.NewReader(c)}
}

func (h held) ask(within time.Duration) error {
	_ = h.SetDeadline(time.Now().Add(within))
	if _, err := io.WriteString(h, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		return err
	}
	return h.hear(within)
}

func (h held) hear(within time.Duration) error {
	_ = h.SetDeadline(time.Now().Add(within))
	answer, err := http.ReadResponse(h.in, nil)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}

func impair(t *testing.T, w *World, p faults.Path, i faults.Impairment) func() {
	t.Helper()
	if err := w.Impair(t.Context(), p, "x", i); err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		if err := w.Unimpair(t.Context(), p, "x"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRefuseClosesThePortAndKeepsIt(t *testing.T) {
	w, p, address := interposed(t)
	long := hold(t, address)
	if err := long.ask(time.Second); err != nil {
		t.Fatal(err)
	}
	mend := impair(t, w, p, faults.Impairment{Block: "refuse"})
	if _, err := ask(address, time.Second); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a new connection: %v; want refused", err)
	}
	if err := long.ask(time.Second); err == nil {
		t.Error("a connection that was open lives on")
	}
	if l, err := net.Listen("tcp", address); err == nil {
		l.Close()
		t.Error("anybody could take the port while the front refuses")
	}
	if _, err := w.Impacts(t.Context(), p, "x"); !errors.Is(err, faults.ErrUncounted) {
		t.Errorf("Impacts = %v; want that it cannot be counted", err)
	}
	mend()
	if _, err := ask(address, time.Second); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestBlackholeDropsSilently(t *testing.T) {
	w, p, address := interposed(t)
	long := hold(t, address)
	if err := long.ask(time.Second); err != nil {
		t.Fatal(err)
	}
	mend := impair(t, w, p, faults.Impairment{Block: "blackhole"})
	var together sync.WaitGroup
	for range 20 { // more than a backlog of none would take
		together.Go(func() {
			c, err := net.DialTimeout("tcp", address, 400*time.Millisecond)
			var late net.Error
			if err == nil {
				c.Close()
			}
			if !errors.As(err, &late) || !late.Timeout() {
				t.Errorf("a new connection: %v; want silence", err)
			}
		})
	}
	together.Wait()
	if err := long.ask(400 * time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a connection that was open: %v; want silence", err)
	}
	n, err := w.Impacts(t.Context(), p, "x")
	if n < 21 || err != nil {
		t.Errorf("Impacts = %d, %v; want at least the 20 SYNs and one packet", n, err)
	}
	mend()
	if _, err := ask(address, 2*time.Second); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	if err := long.hear(5 * time.Second); err != nil {
		t.Errorf("what was sent into the hole never arrived, although the connection lived: %v", err)
	}
}

func TestResetAcceptsFirst(t *testing.T) {
	w, p, address := interposed(t)
	mend := impair(t, w, p, faults.Impairment{Block: "reset"})
	talker := hold(t, address)
	if err := talker.ask(time.Second); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("whoever speaks: %v; want a reset", err)
	}
	silent := hold(t, address)
	if err := silent.hear(2 * time.Second); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("whoever is silent: %v; want a reset", err)
	}
	if n, err := w.Impacts(t.Context(), p, "x"); n != 2 || err != nil {
		t.Errorf("Impacts = %d, %v; want 2", n, err)
	}
	mend()
	if _, err := ask(address, time.Second); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestToxicsBite(t *testing.T) {
	w, p, address := interposed(t)
	delay := faults.Impairment{Toxics: []faults.Toxic{{Type: "latency", Stream: "downstream", Attributes: map[string]any{"latency": 200}}}}
	mend := impair(t, w, p, delay)
	began := time.Now()
	if _, err := ask(address, 2*time.Second); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took < 200*time.Millisecond {
		t.Errorf("an answer took %s; want 200 ms more than nothing", took)
	}
	if n, err := w.Impacts(t.Context(), p, "x"); n == 0 || err != nil {
		t.Errorf("Impacts = %d, %v", n, err)
	}
	mend()
	best := time.Hour
	for range 5 {
		began = time.Now()
		if _, err := ask(address, 2*time.Second); err != nil {
			t.Errorf("afterwards: %v", err)
		}
		best = min(best, time.Since(began))
	}
	if best > 150*time.Millisecond {
		t.Errorf("afterwards the best of five answers took %s", best)
	}
}

// TestDeadIsRefused holds the front to what a dead dependency looks like without candor.
func TestDeadIsRefused(t *testing.T) {
	w, _, address := interposed(t)
	first, err := ask(address, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	id, err := w.Find(t.Context(), "payments")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Kill(t.Context(), id, "KILL", true); err != nil {
		t.Fatal(err)
	}
	if _, err := ask(address, time.Second); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("while it is dead: %v; want refused", err)
	}
	if after, err := w.Survey(t.Context(), w.config.Run); len(after.Changed) != 1 || err != nil {
		t.Errorf("Survey = %+v, %v; want one service that does not run", after, err)
	}
	if err := w.Start(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(5 * time.Second)
	second, err := ask(address, time.Second)
	for err != nil && time.Now().Before(deadline) {
		second, err = ask(address, time.Second)
	}
	if err != nil || second == first {
		t.Errorf("after its start: process %q, %v; before it was %q", second, err, first)
	}
	if err := w.Kill(t.Context(), id, "KILL", true); !errors.Is(err, faults.ErrReplaced) {
		t.Errorf("killing the incarnation that is gone: %v; want ErrReplaced", err)
	}
}

// TestSurveyAfterSweep: a run sweeps before it looks, and its own services have to stand there for that look.
func TestSurveyAfterSweep(t *testing.T) {
	w := running(t)
	id, err := w.Find(t.Context(), "orders")
	if err != nil {
		t.Fatal(err)
	}
	for _, frozen := range []bool{false, true} {
		if frozen {
			if err := w.Pause(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Sweep(t.Context(), w.config.Run, false); err != nil {
			t.Fatal(err)
		}
		after, err := w.Survey(t.Context(), w.config.Run)
		if err != nil || len(after.Changed) != 0 || (len(after.Left) != 0) != frozen {
			t.Errorf("with orders frozen %v: Survey = %+v, %v", frozen, after, err)
		}
	}
}

func TestServiceThatDoesNotStart(t *testing.T) {
	c := shop(t)
	w := opened(t, c, func(string, map[string]Need) (Launch, error) {
		return Launch{Args: []string{"sh", "-c", "echo 'no such \x1b[31mfile'; exit 3"}}, nil
	})
	err := w.Up(t.Context())
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), `no such \x1b[31mfile`) {
		t.Errorf("Up = %v; want its status and the last of its log, escaped", err)
	}
}

func TestPortThatIsTaken(t *testing.T) {
	c := shop(t)
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(c.Services["orders"].Ports[""])))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	w := opened(t, c, nil)
	if err := w.Up(t.Context()); err == nil || !strings.Contains(err.Error(), "of orders is taken by another process") {
		t.Errorf("Up = %v", err)
	}
}

func TestLock(t *testing.T) {
	c := shop(t)
	a, b := opened(t, c, nil), opened(t, c, nil)
	l, err := a.Lock(t.Context(), time.Minute, "process 1 on here")
	if err != nil {
		t.Fatal(err)
	}
	within, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := b.Lock(within, time.Minute, "x"); !errors.Is(err, faults.ErrBusy) || !strings.Contains(err.Error(), "process 1 on here") {
		t.Errorf("the second Lock = %v; want busy, and by whom", err)
	}
	if err := l.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	again, err := b.Lock(t.Context(), 50*time.Millisecond, "x")
	if err != nil {
		t.Fatalf("Lock after Release = %v", err)
	}
	select {
	case <-again.Lost():
	case <-time.After(5 * time.Second):
		t.Error("the lock outlives its time")
	}
	if err := again.Release(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestAnotherProcess: what has the number now and was not meant is left alone.
func TestAnotherProcess(t *testing.T) {
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }()
	defer func() { _ = cmd.Process.Kill() }()
	p, err := read(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	older := p
	older.started--
	if err := older.signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond)
	if now, err := read(p.pid); err != nil || !now.lives() {
		t.Errorf("another process was killed: %v", err)
	}
	if err := p.signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(5 * time.Second)
	for now, _ := read(p.pid); now.lives() && now.pid != 0; now, _ = read(p.pid) {
		if time.Now().After(deadline) {
			t.Fatal("the process that was meant lives on")
		}
	}
}

// runner is a run that is killed: each of its services has a child in a session of its own.
func runner(ports, logs string) {
	var c Config
	if err := json.Unmarshal([]byte(ports), &c); err != nil {
		panic(err)
	}
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	w, err := Open(ctx, c, Options{Logs: logs, Launch: func(service string, _ map[string]Need) (Launch, error) {
		return Launch{Args: []string{"sh", "-c", "setsid sleep 90 & exec " + self},
			Env: map[string]string{"PROCESS_TEST": "serve", "PORT": strconv.Itoa(c.Services[service].Ports[""])}}, nil
	}})
	if err == nil {
		err = w.Up(ctx)
	}
	if err == nil {
		id, _ := w.Find(ctx, "orders")
		err = w.Pause(ctx, id)
	}
	fmt.Println("up", err)
	time.Sleep(time.Minute)
	os.Exit(7)
}

func TestNothingOutlivesTheRunner(t *testing.T) {
	c := shop(t)
	c.Services["web"] = Service{Ports: c.Services["web"].Ports, Needs: c.Services["web"].Needs}
	data, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "PROCESS_TEST=runner", "PORTS="+string(data), "LOGS="+t.TempDir())
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }()
	defer func() { _ = cmd.Process.Kill() }()
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "up <nil>\n" {
		t.Fatalf("the runner says %q, %v", line, err)
	}
	ours := func(p proc) bool { return p.run == c.Run }
	if before, err := marked(ours); len(before) != 6 || err != nil {
		t.Fatalf("%d processes, %v; want three services with a child each", len(before), err)
	}
	began := time.Now()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	leading := func(p proc) bool { return ours(p) && p.leads() && !strings.Contains(commandOf(p.pid), "sleep") }
	for {
		left, err := marked(leading)
		if err != nil {
			t.Fatal(err)
		}
		if len(left) == 0 {
			break
		}
		if time.Since(began) > 5*time.Second {
			t.Fatalf("services outlive their runner: %+v", left)
		}
	}
	t.Logf("services were gone %s after their runner", time.Since(began).Round(time.Millisecond))
	heir, err := Open(t.Context(), c, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := heir.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	if after, err := heir.Survey(t.Context(), c.Run); len(after.Left) != 3 || err != nil {
		t.Errorf("Survey = %+v, %v; want the three children that went their own way", after, err)
	}
	if err := heir.Sweep(t.Context(), c.Run, false); err != nil {
		t.Error(err)
	}
	if left, err := marked(ours); len(left) != 0 || err != nil {
		t.Errorf("after Sweep there are %+v, %v", left, err)
	}
	for name, s := range c.Services {
		if listens(t.Context(), s.Ports[""]) {
			t.Errorf("something listens in the place of %s", name)
		}
	}
	if _, err := heir.Find(t.Context(), "orders"); !errors.Is(err, faults.ErrNotFound) {
		t.Errorf("Find in the heir = %v; want not found", err)
	}
}

func commandOf(pid int) string {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return string(data)
}

// TestNoShareOfABlock: what a front would silently do to everybody is refused instead.
func TestNoShareIsRefused(t *testing.T) {
	w, p, address := interposed(t)
	for _, i := range []faults.Impairment{{Block: "refuse", Share: 0.5}, {Block: "refuse", Ramp: 1000}, {Block: "refuse", Share: 0.5, Flap: &faults.Flapping{Down: 500, Up: 500}}, {Block: "slam"}} {
		if err := w.Impair(t.Context(), p, "x", i); err == nil {
			t.Errorf("Impair(%+v) = nil; want a refusal", i)
		}
	}
	if _, err := ask(address, time.Second); err != nil {
		t.Errorf("nothing is in force: %v", err)
	}
}
