package faulttest

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/candor-chaos/candor/faults"
)

func fake(*testing.T) faults.World { return NewFake() }

func crashLoop(*testing.T) faults.World {
	w := NewFake()
	w.Restarts = true
	return w
}

// kinds are candor's own, or one of the bad ones when TestSuiteCatches runs this binary again.
func kinds() []faults.Kind {
	if k, ok := badKinds()[os.Getenv(badKind)]; ok {
		return []faults.Kind{k}
	}
	return faults.Obligations()
}

func TestConform(t *testing.T) {
	t.Run("plain", func(t *testing.T) { Conform(t, fake, kinds()) })
	t.Run("with a restart policy", func(t *testing.T) { Conform(t, crashLoop, kinds()) })
}

func TestSabotage(t *testing.T) { Sabotage(t, kinds()) }

// A suite that cannot fail shows nothing.
func TestSuiteCatches(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name := range badKinds() {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), self, "-test.run=^(TestConform|TestSabotage)$")
			cmd.Env = append(os.Environ(), badKind+"="+name)
			out, err := cmd.CombinedOutput()
			if name == sound {
				if err != nil {
					t.Errorf("the suite refuses the sound one: %v\n%s", err, out)
				}
				return
			}
			var exit *exec.ExitError
			if !errors.As(err, &exit) || !strings.Contains(string(out), "--- FAIL") {
				t.Errorf("the suite lets it pass: %v\n%s", err, out)
			}
		})
	}
}

// The example of a kind shows one of its modes; the others obey too.
func TestModes(t *testing.T) {
	var kinds []faults.Kind
	for _, example := range []string{
		"outage: {from: web, to: mail:143, mode: blackhole}",
		"outage: {from: web, to: payments, mode: reset}",
		"outage: {from: web, to: payments, mode: hang}",
		"latency: {from: web, to: payments, delay: 3s}",
		"latency: {from: web, to: payments, delay: 3s, direction: up}",
		"latency: {from: web, to: payments, delay: 3s, jitter: 3s, direction: both}",
		"slow: {from: web, to: payments, rate: 10B/s, direction: up}",
		"trickle: {from: web, to: mail:25, size: 1B, gap: 1ms, direction: both}",
		"flap: {from: web, to: payments, down: 1s, up: 1s, mode: blackhole}",
		"cut: {from: web, to: payments, after: 1B, direction: both}",
		"kill: {service: orders, as: operator, signal: TERM}",
		"interpose: {from: web, to: mail:25}",
	} {
		name, _, _ := strings.Cut(example, ":")
		k, ok := faults.Lookup(faults.Obligations(), name)
		if !ok {
			t.Fatalf("no kind %q", name)
		}
		k.Example = example
		kinds = append(kinds, k)
	}
	Conform(t, fake, kinds)
	Sabotage(t, kinds)
}

func TestFakeIsTouchy(t *testing.T) {
	w := NewFake()
	ctx := t.Context()
	id, err := w.Find(ctx, "orders")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Unpause(ctx, id), w.Pause(ctx, id)); err != nil {
		t.Error(err)
	}
	if err := w.Pause(ctx, id); err == nil {
		t.Error("pausing what is paused is accepted")
	}
	w.Restart("orders")
	if err := w.Kill(ctx, id, "KILL", true); err == nil {
		t.Error("killing another incarnation is accepted")
	}
	p, err := w.Route(ctx, "web", "payments")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Impair(ctx, p, "x", faults.Impairment{Block: "refuse"}); err == nil {
		t.Error("impairing a path without a proxy is accepted")
	}
	w.Before = func(int, bool) Failure { return Late }
	if err := w.Pause(ctx, faults.Identity{}); err == nil {
		t.Error("a call that was told to fail does not")
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := w.Find(gone, "web"); err == nil {
		t.Error("a context that has ended is not noticed")
	}
}

func TestSpread(t *testing.T) {
	w := NewFake()
	at := func(kind, keys, pick string, seed uint64) (faults.Kind, string, error) {
		t.Helper()
		k, _ := faults.Lookup(faults.All(), kind)
		f := k.New()
		if err := json.Unmarshal([]byte(keys), f); err != nil {
			t.Fatal(err)
		}
		var p faults.Pick
		if pick != "" {
			if err := p.UnmarshalText([]byte(pick)); err != nil {
				return k, "", err
			}
		}
		k, f, err := faults.Spread(t.Context(), w, k, f, "a fault", p, seed)
		if err != nil {
			return k, "", err
		}
		said, err := f.Prepare(t.Context(), w)
		return k, said, err
	}
	for _, test := range []struct{ kind, keys, pick, becomes, says string }{
		{"kill", `{"service":"orders"}`, "", "kill", "orders (container shop_orders_1) is killed"},
		{"kill", `{"service":"orders"}`, "one", "kill", "orders (container shop_orders_1) is killed"},
		{"kill", `{"service":"orders"}`, "2", "", "pick: 2 asks for 2 replicas of orders, and 1 runs"},
		{"kill", `{"service":"basket"}`, "", "several", "shop_basket_3"},
		{"kill", `{"service":"basket"}`, "all", "several", "shop_basket_3"},
		{"pause", `{"service":"basket"}`, "4", "", "pick: 4 asks for 4 replicas of basket, and 3 run"},
		{"pause", `{"service":"basket"}`, "34%", "several", "2 of 3 replicas, drawn: "},
		{"stop", `{"service":"basket"}`, "one", "several", "1 of 3 replicas, drawn: "},
		{"dns", `{"from":"basket","names":["payments"],"answer":"nxdomain"}`, "2", "several", "2 of 3 replicas, drawn: "},
		{"kill", `{"service":"basket"}`, "0", "", `"0" is no part of a service's replicas`},
		{"kill", `{"service":"basket"}`, "200%", "", `"200%" is no part of a service's replicas`},
		{"kill", `{"service":"basket"}`, "some", "", `"some" is no part of a service's replicas`},
		{"kill", `{"service":"nobody"}`, "one", "", "find nobody: no service nobody: not found"},
	} {
		k, said, err := at(test.kind, test.keys, test.pick, 7)
		if err != nil {
			said = err.Error()
		} else if k.Name != test.becomes {
			t.Errorf("%s %s, pick %q, becomes %s; want %s", test.kind, test.keys, test.pick, k.Name, test.becomes)
		}
		if !strings.Contains(said, test.says) || (err == nil) != (test.becomes != "") {
			t.Errorf("%s %s, pick %q: %q; want %q", test.kind, test.keys, test.pick, said, test.says)
		}
	}
	drawn := map[string]bool{}
	for seed := range uint64(40) {
		_, said, _ := at("kill", `{"service":"basket"}`, "one", seed)
		if _, again, _ := at("kill", `{"service":"basket"}`, "one", seed); again != said {
			t.Errorf("seed %d draws %q, and then %q", seed, said, again)
		}
		drawn[said] = true
	}
	if len(drawn) != 3 {
		t.Errorf("40 seeds draw %d of 3 replicas", len(drawn))
	}
}
