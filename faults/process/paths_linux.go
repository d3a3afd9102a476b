package process

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"syscall"
	"time"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/agent"
)

// errNotInterposed: an impairment needs its path interposed.
var errNotInterposed = errors.New("the path is not interposed")

// Interpose leads a path through Toxiproxy. Interposing again is no error.
func (w *World) Interpose(ctx context.Context, p faults.Path, from faults.Identity) error {
	if err := w.exactly(ctx, from); err != nil && !errors.Is(err, faults.ErrReplaced) {
		return err // whoever runs as from now has been told the same front
	}
	f := w.fronts[p.Key()]
	if f == nil {
		return fmt.Errorf("%s: no front stands there: %w", p, faults.ErrNotFound)
	}
	f.work.Lock()
	defer f.work.Unlock()
	if f.line != nil {
		return nil
	}
	line, err := agent.NewLine(ctx, p, agent.Options{Run: w.config.Run, Prefix: w.config.Prefix, Keys: w.config.Keys, Seed: w.config.Seed}, w.options.OnRequest)
	if err != nil {
		return err
	}
	line.Aim(f.upstream)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.line, f.target = line, line.Address().String()
	f.cut()
	return nil
}

// Withdraw ends what Interpose began, with the connections that pass there.
func (w *World) Withdraw(ctx context.Context, p faults.Path, _ faults.Identity) error {
	f := w.fronts[p.Key()]
	if f == nil {
		return nil
	}
	f.work.Lock()
	defer f.work.Unlock()
	if f.line == nil {
		return nil
	}
	f.mu.Lock()
	line := f.line
	f.line, f.target = nil, f.upstream
	f.endAll()
	f.cut()
	err := f.settle(ctx)
	f.mu.Unlock()
	return errors.Join(err, line.End(ctx))
}

// Interposed looks whether connections are led through a proxy that listens. What another process led went with it.
func (w *World) Interposed(ctx context.Context, p faults.Path, _ faults.Identity) (faults.State, error) {
	f := w.fronts[p.Key()]
	if f == nil {
		return faults.Absent, nil
	}
	f.work.Lock()
	defer f.work.Unlock()
	switch {
	case f.line == nil:
		return faults.Absent, nil
	case !listens(ctx, int(f.line.Address().Port())):
		return faults.Partial, ctx.Err()
	}
	return faults.Present, nil
}

// AnswersHTTP says that its lines answer HTTP requests in a dependency's place.
func (w *World) AnswersHTTP() {}

// BlocksInPart says that its fronts let blocks flap, and hit a share of the connections.
func (w *World) BlocksInPart() {}

// Impairable refuses a block that a front cannot make: its port is open to everybody or to nobody, and the kernel accepts
// before a front can draw.
func (w *World) Impairable(i faults.Impairment) error {
	switch {
	case i.Block == "":
		return nil
	case i.Block != blockRefuse && i.Block != blockReset && i.Block != blockHole:
		return fmt.Errorf("unknown block %q (refuse · reset · blackhole)", i.Block)
	case i.Block == blockRefuse && i.Partial():
		return i.Dosed("mode reset takes a share here", "runtime process can refuse all connections and no share of them")
	}
	return nil
}

// Impair makes an impairment on an interposed path.
func (w *World) Impair(ctx context.Context, p faults.Path, name string, i faults.Impairment) error {
	if err := w.Impairable(i); err != nil {
		return err
	}
	f := w.fronts[p.Key()]
	if f == nil {
		return fmt.Errorf("%s: %w", p, errNotInterposed)
	}
	f.work.Lock()
	defer f.work.Unlock()
	switch {
	case f.line == nil:
		return fmt.Errorf("%s: %w", p, errNotInterposed)
	case i.Block == "":
		return f.line.Impair(ctx, name, i)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if b := f.blocks[name]; b != nil && b.mode == i.Block {
		return nil
	}
	return f.begin(ctx, name, i, w.config.Seed)
}

// Unimpair ends an impairment. Nothing there is as wanted.
func (w *World) Unimpair(ctx context.Context, p faults.Path, name string) error {
	f := w.fronts[p.Key()]
	if f == nil {
		return nil
	}
	f.work.Lock()
	defer f.work.Unlock()
	f.mu.Lock()
	f.count()
	f.end(name)
	err := f.settle(ctx)
	f.mu.Unlock()
	if f.line == nil {
		return err
	}
	return errors.Join(err, f.line.Unimpair(ctx, name))
}

// Impaired looks for an impairment: whether the front refuses it asks by connecting.
func (w *World) Impaired(ctx context.Context, p faults.Path, name string, i faults.Impairment) (faults.State, error) {
	f := w.fronts[p.Key()]
	if f == nil {
		return faults.Absent, nil
	}
	f.work.Lock()
	defer f.work.Unlock()
	if f.line == nil {
		return faults.Absent, nil
	}
	if i.Block == "" {
		return f.line.Impaired(ctx, name, i)
	}
	f.mu.Lock()
	b := f.blocks[name]
	var wrong error
	if b != nil {
		wrong = b.wrong
	}
	f.mu.Unlock()
	switch {
	case b == nil || b.mode != i.Block:
		return faults.Absent, nil
	case wrong != nil:
		return faults.Unknown, wrong
	case b.mode == blockRefuse && b.flap == nil && listens(ctx, int(f.address.Port())):
		return faults.Partial, nil
	}
	return faults.Present, nil
}

// Impacts counts what an impairment has hit: packets that a black hole dropped, connections that were reset, chunks that
// a toxic met. A port where nobody listens counts nothing.
func (w *World) Impacts(ctx context.Context, p faults.Path, name string) (int64, error) {
	f := w.fronts[p.Key()]
	if f == nil {
		return 0, fmt.Errorf("%s: %w", p, errNotInterposed)
	}
	f.work.Lock()
	defer f.work.Unlock()
	f.mu.Lock()
	f.count()
	b := f.blocks[name]
	f.mu.Unlock()
	switch {
	case b != nil && b.mode == blockRefuse:
		return 0, fmt.Errorf("connections that the kernel refused: %w", faults.ErrUncounted)
	case b != nil:
		f.mu.Lock()
		defer f.mu.Unlock()
		return b.hits, nil
	case f.line == nil:
		return 0, fmt.Errorf("%s: %w", p, errNotInterposed)
	}
	return f.line.Impacts(ctx, name)
}

// depart closes the front because its dependency is gone.
func (f *front) depart(ctx context.Context) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.away = true
	_ = f.settle(ctx) // closing a listener does not fail
}

func (f *front) isAway() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.away
}

// arrive opens the front because its dependency listens, unless it has gone again.
func (f *front) arrive(ctx context.Context, gone <-chan struct{}) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case <-gone:
		return nil
	default:
	}
	f.away = false
	return f.settle(ctx)
}

// close ends the front for good.
func (f *front) close(ctx context.Context) error {
	f.work.Lock()
	defer f.work.Unlock()
	f.mu.Lock()
	f.closed = true
	f.endAll()
	err := f.settle(ctx)
	f.cut()
	f.mu.Unlock()
	if f.line != nil {
		err = errors.Join(err, f.line.End(ctx))
		f.line = nil
	}
	f.going.Wait()
	return errors.Join(err, syscall.Close(f.held))
}

// answers reports whether a URL answers 2xx.
func answers(ctx context.Context, url string) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(request)
	if err != nil {
		return false
	}
	answer.Body.Close()
	return answer.StatusCode/100 == 2
}
