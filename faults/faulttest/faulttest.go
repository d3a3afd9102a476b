// Package faulttest holds every kind of fault to its contract, without a line in the kind's own test.
//
// Conform asks what can be asked of any world, so that the real ones run it too. Sabotage asks the rest of a Fake, a world
// that keeps state, counts what is asked of it, and fails at whichever call it is told to.
package faulttest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/candor-chaos/candor/faults"
)

// patience is how long a world may take to show a state, or a verb to notice that its context has ended.
const patience = 30 * time.Second

// Conform runs the contract over kinds. Each kind gets a world of its own, which must have what the kind needs and running
// services under the names that the examples use.
func Conform(t *testing.T, world func(t *testing.T) faults.World, kinds []faults.Kind) {
	t.Helper()
	if len(kinds) == 0 {
		t.Fatal("there are no kinds: this would show nothing")
	}
	for _, k := range kinds {
		t.Run(k.Name, func(t *testing.T) {
			w := world(t)
			if !k.Needs(w) {
				t.Fatalf("a %s world lacks what %s needs: leave it out", w.Name(), k.Name)
			}
			interposed(t, w, k)
			t.Run("Prepare only reads", func(t *testing.T) { preparing(t, w, k) })
			t.Run("Revert without Inject", func(t *testing.T) { reverting(t, w, k) })
			t.Run("absent, present, absent", func(t *testing.T) { living(t, w, k) })
			t.Run("another process reverts", func(t *testing.T) { inheriting(t, w, k) })
			t.Run("a context that has ended", func(t *testing.T) { cancelled(t, w, k) })
		})
	}
}

// Decode makes the fault of a kind's example, as the loader would.
func Decode(k faults.Kind) (faults.Fault, error) {
	var byKind map[string]yaml.Node
	if err := yaml.Load([]byte(k.Example), &byKind); err != nil {
		return nil, fmt.Errorf("example of %s: %w", k.Name, err)
	}
	node, ok := byKind[k.Name]
	if !ok || len(byKind) != 1 {
		return nil, fmt.Errorf("example of %s: it has to be one key %q", k.Name, k.Name)
	}
	f := k.New()
	if err := node.Load(f, yaml.WithKnownFields()); err != nil {
		return nil, fmt.Errorf("example of %s: %w", k.Name, err)
	}
	if v, ok := f.(faults.Validator); ok {
		if err := v.Validate(); err != nil {
			return nil, fmt.Errorf("example of %s: %w", k.Name, err)
		}
	}
	return f, nil
}

// interposed puts the proxy on the path of a network fault for as long as the test lasts, as a run does.
func interposed(t *testing.T, w faults.World, k faults.Kind) {
	t.Helper()
	f := decoded(t, k)
	path := k.Reach(f).Path
	if path == nil || k.Name == faults.Interpose.Name {
		return
	}
	i := faults.InterposeOn(*path)
	if _, err := i.Prepare(t.Context(), w); err != nil {
		t.Fatalf("prepare the way: %v", err)
	}
	after := context.WithoutCancel(t.Context())
	t.Cleanup(func() {
		if err := i.Revert(after, w); err != nil {
			t.Errorf("withdraw: %v", err)
		}
	})
	if err := i.Inject(t.Context(), w); err != nil {
		t.Fatalf("interpose: %v", err)
	}
	await(t, w, i, faults.Present)
}

func preparing(t *testing.T, w faults.World, k faults.Kind) {
	f := decoded(t, k)
	said, err := f.Prepare(t.Context(), w)
	if err != nil || said == "" {
		t.Fatalf("Prepare = %q, %v; want a sentence", said, err)
	}
	if s, err := f.State(t.Context(), w); s != faults.Absent || err != nil {
		t.Errorf("State after Prepare = %v, %v; want absent", s, err)
	}
}

func reverting(t *testing.T, w faults.World, k faults.Kind) {
	f := prepared(t, w, k)
	for _, time := range []string{"first", "second"} {
		if err := f.Revert(t.Context(), w); err != nil {
			t.Errorf("Revert, the %s time = %v; want nil", time, err)
		}
	}
	await(t, w, f, faults.Absent)
}

func living(t *testing.T, w faults.World, k faults.Kind) {
	f := prepared(t, w, k)
	mended(t, w, f)
	if err := f.Inject(t.Context(), w); err != nil {
		t.Fatalf("Inject = %v", err)
	}
	await(t, w, f, faults.Present)
	if c, ok := f.(faults.Counter); ok {
		if n, err := c.Hits(t.Context(), w); n < 0 || err != nil && !errors.Is(err, faults.ErrUncounted) {
			t.Errorf("Hits = %d, %v", n, err)
		}
	}
	for _, time := range []string{"first", "second"} {
		if err := f.Revert(t.Context(), w); err != nil {
			t.Errorf("Revert, the %s time = %v; want nil", time, err)
		}
		await(t, w, f, faults.Absent)
	}
}

// inheriting reverts with nothing but what the journal saved before Inject.
func inheriting(t *testing.T, w faults.World, k faults.Kind) {
	f := prepared(t, w, k)
	mended(t, w, f)
	saved := marshalled(t, f)
	if err := f.Inject(t.Context(), w); err != nil {
		t.Fatalf("Inject = %v", err)
	}
	await(t, w, f, faults.Present)
	heir := k.New()
	if err := json.Unmarshal(saved, heir); err != nil {
		t.Fatalf("read what was saved: %v", err)
	}
	if again := marshalled(t, heir); !bytes.Equal(again, saved) {
		t.Errorf("saved, read and saved again: %s; want %s", again, saved)
	}
	await(t, w, heir, faults.Present)
	if err := heir.Revert(t.Context(), w); err != nil {
		t.Fatalf("Revert = %v", err)
	}
	await(t, w, heir, faults.Absent)
}

func cancelled(t *testing.T, w faults.World, k faults.Kind) {
	f := prepared(t, w, k)
	mended(t, w, f)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	verbs := map[string]func(){
		"Prepare": func() { _, _ = decoded(t, k).Prepare(ctx, w) },
		"Inject":  func() { _ = f.Inject(ctx, w) },
		"State":   func() { _, _ = f.State(ctx, w) },
		"Revert":  func() { _ = f.Revert(ctx, w) },
	}
	for _, name := range []string{"Prepare", "Inject", "State", "Revert"} {
		done := make(chan struct{})
		go func() { defer close(done); verbs[name]() }()
		select {
		case <-done:
		case <-time.After(patience):
			t.Fatalf("%s does not notice that its context has ended", name)
		}
	}
	if err := f.Revert(t.Context(), w); err != nil {
		t.Errorf("Revert afterwards = %v", err)
	}
	await(t, w, f, faults.Absent)
}

func decoded(t *testing.T, k faults.Kind) faults.Fault {
	t.Helper()
	f, err := Decode(k)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func prepared(t *testing.T, w faults.World, k faults.Kind) faults.Fault {
	t.Helper()
	f := decoded(t, k)
	if _, err := f.Prepare(t.Context(), w); err != nil {
		t.Fatalf("Prepare = %v", err)
	}
	return f
}

// mended reverts at the end of the test whatever happens in it: the world may be a real one.
func mended(t *testing.T, w faults.World, f faults.Fault) {
	after := context.WithoutCancel(t.Context())
	t.Cleanup(func() {
		if err := f.Revert(after, w); err != nil {
			t.Errorf("Revert at the end = %v", err)
		}
	})
}

func marshalled(t *testing.T, f faults.Fault) []byte {
	t.Helper()
	data, err := json.Marshal(f)
	if err != nil {
		t.Fatalf("save the fault: %v", err)
	}
	return data
}

// await waits for a state, and fails at once when Unknown comes without an error.
func await(t *testing.T, w faults.World, f faults.Fault, want faults.State) {
	t.Helper()
	deadline := time.Now().Add(patience)
	if _, ok := w.(*Fake); ok { // it shows at once what it is
		deadline = time.Now()
	}
	for {
		s, err := f.State(t.Context(), w)
		if s == want && err == nil {
			return
		}
		if s == faults.Unknown && err == nil {
			t.Fatal("State is unknown and says no error")
		}
		if time.Now().After(deadline) {
			t.Fatalf("State = %v, %v; want %v", s, err, want)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
