package probes

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/faults"
)

// notebook is a world that keeps what its one service logs.
type notebook struct {
	faults.World
	lines []string // logged at 1s, 2s, …
	err   error
}

func (n *notebook) LastLogged(context.Context, string) (time.Time, error) {
	if len(n.lines) == 0 {
		return time.Time{}, n.err
	}
	return time.Unix(int64(len(n.lines)), 0), n.err
}

func (n *notebook) LoggedAfter(_ context.Context, _ string, after time.Time, line func(string)) (last time.Time, err error) {
	for i, text := range n.lines {
		if at := time.Unix(int64(i+1), 0); at.After(after) {
			line(text)
			last = at
		}
	}
	if n.err != nil {
		return time.Time{}, n.err
	}
	return last, nil
}

func TestLogsCountsEachLineOnce(t *testing.T) {
	world := &notebook{lines: []string{"panic: before the first look"}}
	p := &Logs{Service: "orders", Match: "panic|FATAL"}
	observe := func(want int64) {
		t.Helper()
		seen, err := p.Observe(t.Context(), experiments.Surroundings{World: world})
		if err != nil || seen.Vars["count"] != want || seen.OK != (want == 0) || len(seen.Summary) > 310 {
			t.Errorf("saw %+v, %v; want %d", seen, err, want)
		}
	}
	observe(0)
	observe(0)
	world.lines = append(world.lines, "fine", "panic: one", "FATAL "+strings.Repeat("x", 9000))
	observe(2)
	observe(0)
	world.lines = append(world.lines, "panic: while the world could not be read")
	world.err = errors.New("the engine is away")
	if seen, err := p.Observe(t.Context(), experiments.Surroundings{World: world}); !errors.Is(err, world.err) {
		t.Errorf("saw %+v, %v; want %v", seen, err, world.err)
	}
	world.err = nil
	observe(1)
	for i := range 5000 {
		world.lines = append(world.lines, fmt.Sprintf("panic: %d", i))
	}
	observe(5000)
}

func TestLogsKeepsFewLines(t *testing.T) {
	world := &notebook{}
	p := &Logs{Service: "orders", Match: "panic"}
	if _, err := p.Observe(t.Context(), experiments.Surroundings{World: world}); err != nil {
		t.Fatal(err)
	}
	for range 5000 {
		world.lines = append(world.lines, "panic: "+strings.Repeat("x", 60000))
	}
	seen, err := p.Observe(t.Context(), experiments.Surroundings{World: world})
	lines, _ := seen.Vars["lines"].([]any)
	if err != nil || seen.Vars["count"] != int64(5000) || len(lines) != maxLines || len(lines[0].(string)) > maxLine+4 {
		t.Errorf("%d lines of %v, %v", len(lines), seen.Vars["count"], err)
	}
}

func TestLogsNeedsAWorldThatKnows(t *testing.T) {
	if _, err := (&Logs{Service: "a", Match: "x"}).Observe(t.Context(), experiments.Surroundings{World: engine{}}); err == nil {
		t.Error("a world without logs was read")
	}
}
