package faults_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/faulttest"
)

// load decodes "kind: {keys}" strictly, as the loader does in its second stage.
func load(t *testing.T, text string) (faults.Kind, faults.Fault) {
	t.Helper()
	var envelope map[string]yaml.Node
	if err := yaml.Load([]byte(text), &envelope); err != nil {
		t.Fatal(err)
	}
	for name, node := range envelope {
		k, ok := faults.Lookup(faults.Obligations(), name)
		if !ok {
			t.Fatalf("no kind %q", name)
		}
		f := k.New()
		if err := node.Load(f, yaml.WithKnownFields()); err != nil {
			t.Fatalf("load %s: %v", text, err)
		}
		return k, f
	}
	t.Fatalf("%s names no kind", text)
	return faults.Kind{}, nil
}

func TestSentences(t *testing.T) {
	for text, want := range map[string]string{
		"outage: {from: web, to: payments}":                                           "connections from web to payments (port 8083) are refused with a TCP reset",
		"outage: {from: web, to: mail:143, mode: blackhole}":                          "packets from web to mail (port 143) are dropped without an answer",
		"outage: {from: web, to: payments, mode: reset}":                              "connections from web to payments (port 8083) are accepted, and reset as soon as anything is sent",
		"outage: {from: web, to: payments, mode: hang}":                               "connections from web to payments (port 8083) are accepted and never answered",
		"latency: {from: web, to: payments, delay: 1.5s}":                             "what web gets from payments (port 8083) arrives 1.5s later",
		"latency: {from: web, to: payments, delay: 2s, jitter: 500ms, direction: up}": "what web sends to payments (port 8083) arrives 2s ± 500ms later",
		"latency: {from: web, to: payments, delay: 2s, direction: both}":              "what web sends to payments (port 8083), and what comes back, arrives 2s later each way",
		"slow: {from: web, to: payments, rate: 64KiB/s}":                              "what web sends to payments (port 8083), and what comes back, passes at no more than 64KiB/s on each connection",
		"slow: {from: web, to: payments, rate: 1500B/s, direction: up}":               "what web sends to payments (port 8083) passes at no more than 1500B/s on each connection",
		"trickle: {from: web, to: payments, size: 16B, gap: 50ms}":                    "what web gets from payments (port 8083) comes in pieces of 16B, 50ms apart",
		"cut: {from: web, to: payments, after: 10KiB}":                                "connections from web to payments (port 8083) are closed after 10KiB of what payments (port 8083) answers",
		"cut: {from: web, to: payments, after: 1MB, direction: up}":                   "connections from web to payments (port 8083) are closed after 1MB of what web sends",
		"cut: {from: web, to: payments, after: 1B, direction: both}":                  "connections from web to payments (port 8083) are closed after 1B either way",
		"linger: {from: web, to: payments, delay: 10s}":                               "when web or payments (port 8083) closes a connection between them, the other end learns of it 10s later",
		"flap: {from: web, to: payments, down: 2s, up: 3s}":                           "connections from web to payments (port 8083) are refused with a TCP reset for 2s, then not for 3s, and so on",
		"kill: {service: orders}":                                                     "orders (container shop_orders_1) is killed with KILL, as a crash; it is started again at the end if nobody else did",
		"kill: {service: orders, as: operator, signal: TERM}":                         "orders (container shop_orders_1) is killed with TERM, as an operator would; it is started again at the end if nobody else did",
		"pause: {service: orders}":                                                    "orders (container shop_orders_1) is frozen: it keeps its connections and answers nothing",
		"interpose: {from: web, to: payments}":                                        "connections from web to payments (port 8083) pass through candor's proxy, and those that are open are reset once",
	} {
		_, f := load(t, text)
		if got, err := f.Prepare(t.Context(), faulttest.NewFake()); got != want || err != nil {
			t.Errorf("Prepare of %s = %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestValidate(t *testing.T) {
	for text, want := range map[string]string{
		"outage: {from: web, to: payments}":                "",
		"outage: {from: web, to: payments, mode: refused}": `mode: unknown mode "refused" (did you mean "refuse"?)`,
		"outage: {from: web, to: payments, mode: explode}": `mode: unknown mode "explode" (one of refuse, blackhole, reset, hang)`,
		"outage: {}":                                                     "from: is missing; to: is missing",
		"outage: {from: web, to: web:80}":                                "to: a path needs two different services",
		"outage: {from: web, to: mail:imap}":                             `to: "mail:imap" does not end in a port from 1 to 65535`,
		"outage: {from: web, to: mail:70000}":                            `to: "mail:70000" does not end in a port from 1 to 65535`,
		"outage: {from: web, to: 'mail:'}":                               `to: "mail:" does not end in a port from 1 to 65535`,
		"latency: {from: web, to: payments, delay: 1s}":                  "",
		"latency: {from: web, to: payments}":                             "delay: is missing or zero (such as 2s)",
		"latency: {from: web, to: payments, delay: -50ms}":               "delay: -50ms is less than a millisecond",
		"latency: {from: web, to: payments, delay: 10us}":                "delay: 10µs is less than a millisecond",
		"latency: {from: web, to: payments, delay: 1500us}":              "delay: 1.5ms is not a whole number of milliseconds",
		"latency: {from: web, to: payments, delay: 1s, jitter: 10us}":    "jitter: 10µs is not a whole number of milliseconds",
		"latency: {from: web, to: payments, delay: 1s, jitter: 2s}":      "jitter: 2s is more than the delay of 1s",
		"latency: {from: web, to: payments, delay: 1s, jitter: -2s}":     "jitter: -2s is negative",
		"latency: {from: web, to: payments, delay: 1s, direction: Down}": `direction: unknown direction "Down" (did you mean "down"?)`,
		"latency: {to: payments, delay: 0s, direction: sideways}":        `from: is missing; delay: is missing or zero (such as 2s); direction: unknown direction "sideways" (one of down, up, both)`,
		"slow: {from: web, to: payments, rate: 64KiB/s}":                 "",
		"slow: {from: web, to: payments}":                                "rate: is missing or zero (such as 64KiB/s; an outage lets nothing pass)",
		"slow: {from: web, to: payments, rate: 9B/s, direction: bth}":    `rate: 9B/s is less than 10B/s (an outage of mode hang lets nothing pass); direction: unknown direction "bth" (did you mean "both"?)`,
		"trickle: {from: web, to: payments, size: 1B, gap: 1ms}":         "",
		"trickle: {from: web, to: payments}":                             "size: is missing or zero (such as 16B); gap: is missing or zero (such as 50ms)",
		"trickle: {from: web, to: payments, size: 33KiB, gap: 2m}":       "size: 33KiB is more than 32KiB, and would tear nothing; gap: 2m0s is more than 1m0s",
		"trickle: {from: web, to: payments, size: 1B, gap: -1s}":         "gap: -1s is less than a millisecond",
		"trickle: {from: web, to: payments, size: 1B, gap: 1500us}":      "gap: 1.5ms is not a whole number of milliseconds",
		"cut: {from: web, to: payments, after: 1B}":                      "",
		"cut: {from: web, to: payments, after: 0B, direction: left}":     `after: is missing or zero (such as 10KiB; 1B is the least); direction: unknown direction "left" (one of down, up, both)`,
		"linger: {from: web, to: payments, delay: 1s}":                   "",
		"linger: {from: web, to: payments}":                              "delay: is missing or zero (such as 10s)",
		"linger: {to: payments, delay: 10us}":                            "from: is missing; delay: 10µs is less than a millisecond",
		"linger: {from: web, to: payments, delay: 1500us}":               "delay: 1.5ms is not a whole number of milliseconds",
		"flap: {from: web, to: payments, down: 100ms, up: 1m}":           "",
		"flap: {from: web, to: payments, mode: hang}":                    `down: is missing or zero (such as 2s); up: is missing or zero (such as 2s); mode: unknown mode "hang" (one of refuse, blackhole, reset)`,
		"flap: {from: web, to: payments, down: 99ms, up: 1500100us}":     "down: 99ms is less than 100ms; up: 1.5001s is not a whole number of milliseconds",
		"kill: {service: orders}":                                        "",
		"kill: {}":                                                       "service: is missing",
		"kill: {service: orders, as: crush}":                             `as: unknown as "crush" (did you mean "crash"?)`,
		"kill: {service: orders, signal: USR1}":                          `signal: unknown signal "USR1" (one of KILL, TERM, INT, QUIT, ABRT, SEGV, HUP)`,
		"pause: {}":                                                      "service: is missing",
		"interpose: {from: web}":                                         "to: is missing",
	} {
		_, f := load(t, text)
		if got := mistakes(f.(faults.Validator).Validate()); got != want {
			t.Errorf("Validate of %s = %s; want %s", text, got, want)
		}
	}
}

// mistakes flattens joined errors, and insists that each names its field.
func mistakes(err error) string {
	var all []string
	var walk func(error)
	walk = func(err error) {
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			for _, e := range joined.Unwrap() {
				walk(e)
			}
			return
		}
		e, ok := err.(*faults.FieldError)
		if !ok {
			all = append(all, "not a FieldError: "+err.Error())
			return
		}
		text := e.Error()
		if e.Hint != "" {
			text += " (" + e.Hint + ")"
		}
		all = append(all, text)
	}
	if err != nil {
		walk(err)
	}
	return strings.Join(all, "; ")
}

func TestReach(t *testing.T) {
	for text, want := range map[string]faults.Reach{
		"outage: {from: web, to: payments}":             {Path: &faults.Path{From: "web", To: "payments"}, Services: []string{"payments"}},
		"latency: {from: web, to: mail:143, delay: 1s}": {Path: &faults.Path{From: "web", To: "mail", Port: 143}, Services: []string{"mail"}},
		"kill: {service: orders}":                       {Services: []string{"orders"}},
		"pause: {service: orders}":                      {Services: []string{"orders"}},
	} {
		k, f := load(t, text)
		if diff := cmp.Diff(want, k.Reach(f)); diff != "" {
			t.Errorf("Reach of %s (-want +got):\n%s", text, diff)
		}
	}
	k, f := load(t, "outage: {from: web, to: payments}")
	if _, err := f.Prepare(t.Context(), faulttest.NewFake()); err != nil {
		t.Fatal(err)
	}
	if got := k.Reach(f).Path.Key(); got != "web>payments:8083" {
		t.Errorf("Reach after Prepare = %s; want the port too", got)
	}
}

func TestPrepareRefuses(t *testing.T) {
	for _, tt := range []struct {
		text string
		in   error
		says string
	}{
		{"outage: {from: web, to: nobody}", faults.ErrNotFound, "route web → nobody"},
		{"outage: {from: nobody, to: web}", faults.ErrNotFound, "route nobody → web"},
		{"latency: {from: web, to: mail, delay: 1s}", faults.ErrAmbiguous, "several ports"},
		{"outage: {from: vault, to: web}", faults.ErrProtected, "vault (container shop_vault_1)"},
		{"kill: {service: vault}", faults.ErrProtected, "vault (container shop_vault_1)"},
		{"pause: {service: vault}", faults.ErrProtected, "vault (container shop_vault_1)"},
		{"kill: {service: nobody}", faults.ErrNotFound, "find nobody"},
		{"kill: {service: catalog}", nil, "catalog (container shop_catalog_1) does not run"},
		{"pause: {service: catalog}", nil, "catalog (container shop_catalog_1) does not run"},
	} {
		w := faulttest.NewFake()
		w.Stop("catalog")
		_, f := load(t, tt.text)
		_, err := f.Prepare(t.Context(), w)
		if err == nil || tt.in != nil && !errors.Is(err, tt.in) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("Prepare of %s = %v; want %v with %q", tt.text, err, tt.in, tt.says)
		}
	}
}

func TestPauseRefusesWhatIsPaused(t *testing.T) {
	w := faulttest.NewFake()
	_, first := load(t, "pause: {service: orders}")
	_, second := load(t, "pause: {service: orders}")
	if _, err := first.Prepare(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	if err := first.Inject(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	if _, err := second.Prepare(t.Context(), w); err == nil || !strings.Contains(err.Error(), "is paused already") {
		t.Errorf("Prepare of what is paused = %v; want a refusal", err)
	}
}

// After a restart the pause of somebody else is not ours to end.
func TestPauseThawsItsIncarnationAlone(t *testing.T) {
	w := faulttest.NewFake()
	_, ours := load(t, "pause: {service: orders}")
	_, theirs := load(t, "pause: {service: orders}")
	for _, f := range []faults.Fault{ours, theirs} {
		w.Restart("orders")
		if _, err := f.Prepare(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		if err := f.Inject(t.Context(), w); err != nil {
			t.Fatal(err)
		}
	}
	if s, err := ours.State(t.Context(), w); s != faults.Absent || err != nil {
		t.Errorf("State of ours = %v, %v; want absent", s, err)
	}
	if err := ours.Revert(t.Context(), w); err != nil {
		t.Errorf("Revert of ours = %v", err)
	}
	if s, err := theirs.State(t.Context(), w); s != faults.Present || err != nil {
		t.Errorf("State of theirs = %v, %v; want present still", s, err)
	}
}

// A kill whose restart policy is quicker than the look is present until Revert, and absent after it.
func TestKillIsSeenThroughARestart(t *testing.T) {
	w := faulttest.NewFake()
	w.Restarts = true
	_, f := load(t, "kill: {service: orders}")
	state := func(want faults.State, when string) {
		t.Helper()
		if s, err := f.State(t.Context(), w); s != want || err != nil {
			t.Errorf("State %s = %v, %v; want %v", when, s, err, want)
		}
	}
	if _, err := f.Prepare(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	state(faults.Absent, "before")
	if err := f.Inject(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	if broken := w.Broken(); len(broken) > 0 {
		t.Fatalf("the restart policy did not bring it back: %v", broken)
	}
	state(faults.Present, "when it runs again by itself")
	if err := f.Revert(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	state(faults.Absent, "after Revert")
	w.Stop("orders")
	state(faults.Present, "when it dies again after Revert")
}

func TestNotes(t *testing.T) {
	for _, text := range []string{"kill: {service: orders}", "pause: {service: orders}"} {
		for fate, want := range map[string]string{
			"":         "",
			"removed":  "orders (container shop_orders_1) is gone",
			"replaced": "orders (container shop_orders_1) is gone, and another one has its name",
		} {
			w := faulttest.NewFake()
			_, f := load(t, text)
			if _, err := f.Prepare(t.Context(), w); err != nil {
				t.Fatal(err)
			}
			if err := f.Inject(t.Context(), w); err != nil {
				t.Fatal(err)
			}
			switch fate {
			case "removed":
				w.Remove("orders")
			case "replaced":
				w.Replace("orders")
			}
			err := f.Revert(t.Context(), w)
			if replaced := fate == "replaced"; errors.Is(err, faults.ErrReplaced) != replaced || !replaced && err != nil {
				t.Errorf("Revert of %s when %q = %v", text, fate, err)
			}
			if got := f.(faults.Noter).Note(); got != want {
				t.Errorf("Note of %s when %q = %q; want %q", text, fate, got, want)
			}
		}
	}
}

// What the proxy gets is in its own words: a wrong one would be accepted and never bite.
func TestImpairments(t *testing.T) {
	for text, want := range map[string]string{
		"outage: {from: web, to: payments}":                               `{"block":"refuse"}`,
		"outage: {from: web, to: payments, mode: blackhole}":              `{"block":"blackhole"}`,
		"outage: {from: web, to: payments, mode: reset}":                  `{"block":"reset"}`,
		"outage: {from: web, to: payments, mode: hang}":                   `{"toxics":[{"type":"timeout","stream":"upstream","attributes":{"timeout":0}},{"type":"timeout","stream":"downstream","attributes":{"timeout":0}}]}`,
		"latency: {from: web, to: payments, delay: 2s, jitter: 500ms}":    `{"toxics":[{"type":"latency","stream":"downstream","attributes":{"jitter":500,"latency":2000}}]}`,
		"latency: {from: web, to: payments, delay: 3ms, direction: both}": `{"toxics":[{"type":"latency","stream":"upstream","attributes":{"jitter":0,"latency":3}},{"type":"latency","stream":"downstream","attributes":{"jitter":0,"latency":3}}]}`,
		"slow: {from: web, to: payments, rate: 64KiB/s, direction: down}": `{"toxics":[{"type":"bandwidth","stream":"downstream","attributes":{"rate":66,"bytes":65536}}]}`,
		"slow: {from: web, to: payments, rate: 100B/s, direction: up}":    `{"toxics":[{"type":"bandwidth","stream":"upstream","attributes":{"rate":1,"bytes":100}}]}`,
		"trickle: {from: web, to: payments, size: 16B, gap: 50ms}":        `{"toxics":[{"type":"slicer","stream":"downstream","attributes":{"average_size":16,"size_variation":0,"delay":50000}}]}`,
		"cut: {from: web, to: payments, after: 10KiB}":                    `{"toxics":[{"type":"limit_data","stream":"downstream","attributes":{"bytes":10240}}]}`,
		"flap: {from: web, to: payments, down: 2s, up: 3s, mode: reset}":  `{"block":"reset","flap":{"down":2000,"up":3000}}`,
		"linger: {from: web, to: payments, delay: 10s}":                   `{"toxics":[{"type":"slow_close","stream":"upstream","attributes":{"delay":10000}},{"type":"slow_close","stream":"downstream","attributes":{"delay":10000}}]}`,
	} {
		w := faulttest.NewFake()
		way := faults.InterposeOn(faults.Path{From: "web", To: "payments", Port: 8083})
		_, f := load(t, text)
		for _, f := range []faults.Fault{way, f} {
			if _, err := f.Prepare(t.Context(), w); err != nil {
				t.Fatal(err)
			}
			if err := f.Inject(t.Context(), w); err != nil {
				t.Fatal(err)
			}
		}
		var world map[string]struct{ Impairments map[string]json.RawMessage }
		if err := json.Unmarshal([]byte(w.Dump()), &world); err != nil {
			t.Fatal(err)
		}
		for label, got := range world["web"].Impairments {
			var compact any
			if err := json.Unmarshal(got, &compact); err != nil {
				t.Fatal(err)
			}
			var wanted any
			if err := json.Unmarshal([]byte(want), &wanted); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(wanted, compact); diff != "" {
				t.Errorf("%s as %s (-want +got):\n%s", text, label, diff)
			}
		}
		if len(world["web"].Impairments) != 1 {
			t.Errorf("%s makes %d impairments; want 1", text, len(world["web"].Impairments))
		}
	}
}

func TestLabelsAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		_, f := load(t, "outage: {from: web, to: payments}")
		if _, err := f.Prepare(t.Context(), faulttest.NewFake()); err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		var saved struct{ Label string }
		if err := json.Unmarshal(data, &saved); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(saved.Label, "outage-") || seen[saved.Label] {
			t.Fatalf("label %q has no kind or was there before", saved.Label)
		}
		seen[saved.Label] = true
	}
}

// Durations are written as people write them, and whatever Prepare fills cannot be written at all.
func TestStrictKeys(t *testing.T) {
	k := faults.Latency
	for text, ok := range map[string]bool{
		"{from: web, to: payments, delay: 3s}":                 true,
		"{from: web, to: payments, delay: 1m30s}":              true,
		"{from: web, to: payments, delay: quick}":              false,
		"{from: web, to: payments, delay: 3s, label: mine}":    false,
		"{from: web, to: payments, delay: 3s, way: {port: 1}}": false,
		"{from: web, to: payments, dalay: 3s}":                 false,
	} {
		var node yaml.Node
		if err := yaml.Load([]byte(text), &node); err != nil {
			t.Fatal(err)
		}
		if err := node.Load(k.New(), yaml.WithKnownFields()); (err == nil) != ok {
			t.Errorf("load %s = %v; want it accepted: %v", text, err, ok)
		}
	}
	_, f := load(t, "latency: {from: web, to: payments, delay: 1m30s}")
	data, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	var saved struct{ Delay time.Duration }
	if err := json.Unmarshal(data, &saved); err != nil || saved.Delay != 90*time.Second {
		t.Errorf("delay: 1m30s is saved as %v, %v", saved.Delay, err)
	}
}
