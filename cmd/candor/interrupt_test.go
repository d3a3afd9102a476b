package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/candor-chaos/candor/experiments/engine"
	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/faulttest"
	"github.com/candor-chaos/candor/faults/journal"
)

// page is a stream that can be read while it is written.
type page struct {
	mu   sync.Mutex
	text strings.Builder
}

func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *page) waitFor(t *testing.T, want string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		p.mu.Lock()
		found := strings.Contains(p.text.String(), want)
		p.mu.Unlock()
		if found {
			return
		}
	}
	t.Fatalf("it never says %q:\n%s", want, p.text.String())
}

// The first interrupt ends the run in good order. The second skips nothing: it says what is in force and what mends it.
func TestTwoInterrupts(t *testing.T) {
	dir := t.TempDir()
	j, err := journal.Create(dir, journal.Header{Run: "r1", System: "shop", World: journal.World{Name: "docker"}})
	if err != nil {
		t.Fatal(err)
	}
	w := faulttest.NewFake()
	f, err := faulttest.Decode(faults.Pause)
	if err != nil {
		t.Fatal(err)
	}
	said, err := f.Prepare(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Inject(t.Context(), w, journal.Obligation{ID: "frozen", Kind: "pause", Fault: f, Summary: said}); err != nil {
		t.Fatal(err)
	}
	shown := &page{}
	g := &global{streams: streams{err: shown}, stateDir: dir}
	signals := make(chan os.Signal)
	ctx, cancel := context.WithCancelCause(t.Context())
	go g.heed(signals, cancel)
	signals <- syscall.SIGINT
	<-ctx.Done()
	if !errors.Is(context.Cause(ctx), engine.ErrAborted) {
		t.Errorf("the cause is %v; want that it is aborted", context.Cause(ctx))
	}
	signals <- syscall.SIGINT
	shown.waitFor(t, "still in force: frozen (orders (container shop_orders_1) is frozen")
	shown.waitFor(t, "candor heal --state-dir "+dir)
	if err := errors.Join(j.RevertAll(t.Context(), w), j.Close()); err != nil {
		t.Fatal(err)
	}
	signals <- syscall.SIGINT
	shown.waitFor(t, "nothing that this process began is in force any more")
}
