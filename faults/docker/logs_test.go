package docker_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/candor-chaos/candor/faults/docker"
)

// logging is a stack of one service that logs what a script says.
func logging(t *testing.T, what, script string) (w *docker.World, service string) {
	t.Helper()
	needDocker(t)
	prepare := "../../testdata/images/prepare"
	if out, err := run(t, prepare); err != nil {
		t.Fatalf("%s: %v\n%s", prepare, err, out)
	}
	image, err := run(t, prepare, "name")
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("ctest-logs-%s-%d", what, os.Getpid())
	c := config(name)
	c.Services = map[string]docker.Ports{"web": {"": 8080}}
	w = open(t, c, nil)
	t.Cleanup(func() {
		if err := w.Down(context.Background(), name); err != nil {
			t.Error(err)
		}
	})
	if _, err := w.Up(t.Context(), docker.Stack{Project: name, Containers: []docker.StackContainer{
		{Service: "web", Image: strings.TrimSpace(image), Command: []string{"bash", "-c", script}}}}); err != nil {
		t.Fatal(err)
	}
	return w, "web"
}

// TestLogsAreReadOn reads what a real engine keeps of both outputs, each line once.
func TestLogsAreReadOn(t *testing.T) {
	t.Parallel()
	w, service := logging(t, "on", `echo before; for i in $(seq 1 40); do echo "out $i"; echo "err $i" >&2; sleep 0.05; done; sleep 300`)
	var last time.Time
	var err error
	for end := time.Now().Add(10 * time.Second); last.IsZero() && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if last, err = w.LastLogged(t.Context(), service); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]int{}
	for end := time.Now().Add(20 * time.Second); (seen["out 40"] == 0 || seen["err 40"] == 0) && time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		now, err := w.LoggedAfter(t.Context(), service, last, func(text string) { seen[text]++ })
		if err != nil {
			t.Fatal(err)
		}
		if now.After(last) {
			last = now
		}
	}
	for i := 20; i <= 40; i++ { // the first may have been logged before the first look
		for _, name := range []string{"out", "err"} {
			if n := seen[fmt.Sprintf("%s %d", name, i)]; n != 1 {
				t.Errorf("%s %d was seen %d times", name, i, n)
			}
		}
	}
	if seen["before"] > 0 {
		t.Error("what was logged before the first look was seen")
	}
	if _, err := w.LastLogged(t.Context(), "nobody"); err == nil {
		t.Error("a service that is not there was read")
	}
}

// TestAFloodOfLogsIsNotCounted wants a refusal instead of a count of a part, and a way on.
func TestAFloodOfLogsIsNotCounted(t *testing.T) {
	t.Parallel()
	w, service := logging(t, "flood", `sleep 1; head -c 12000000 /dev/zero | tr '\0' x | fold -w 1000; echo; echo the end; sleep 300`)
	var last time.Time
	refused, lines := 0, 0
	var end bool
	for until := time.Now().Add(30 * time.Second); !end && time.Now().Before(until); time.Sleep(300 * time.Millisecond) {
		if refused == 0 && lines == 0 {
			time.Sleep(3 * time.Second) // let it all be there
		}
		now, err := w.LoggedAfter(t.Context(), service, last, func(text string) {
			lines++
			end = end || text == "the end"
		})
		if err != nil && !strings.Contains(err.Error(), "more than 8 MiB") {
			t.Fatal(err)
		}
		if err != nil {
			refused++
		}
		if now.After(last) {
			last = now
		}
	}
	if !end || refused == 0 || refused > 3 {
		t.Errorf("the end was seen: %v; refused %d times, %d lines", end, refused, lines)
	}
}

var _ interface {
	LastLogged(ctx context.Context, service string) (time.Time, error)
	LoggedAfter(ctx context.Context, service string, after time.Time, line func(text string)) (time.Time, error)
} = (*docker.World)(nil)

func run(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).Output()
	return string(out), err
}
