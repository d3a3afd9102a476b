package faults_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/faulttest"
)

func TestSizesAreReadAndWritten(t *testing.T) {
	for text, want := range map[string]faults.Bytes{"0B": 0, "500B": 500, "10KiB": 10240, "1.5KiB": 1536, "2MB": 2_000_000, "1 GiB": 1 << 30, "3kB": 3000, "3KB": 3000} {
		var b faults.Bytes
		if err := b.UnmarshalText([]byte(text)); err != nil || b != want {
			t.Errorf("%q = %d, %v; want %d", text, b, err, want)
		}
		again := faults.Bytes(-1)
		if err := again.UnmarshalText([]byte(b.String())); err != nil || again != b {
			t.Errorf("%q is written %s, which reads as %d, %v", text, b, again, err)
		}
	}
	for _, text := range []string{"", "10", "B", "-1B", "1.5B", "NaNB", "InfGiB", "10kib", "2000GiB", "10KiB/s", "1e400B"} {
		b := faults.Bytes(7)
		if err := b.UnmarshalText([]byte(text)); err == nil || b != 7 || !strings.Contains(err.Error(), "such as") {
			t.Errorf("%q = %d, %v; want an error with an example, and nothing changed", text, b, err)
		}
	}
	var r faults.Rate
	if err := r.UnmarshalText([]byte("64KiB/s")); err != nil || r != 65536 || r.String() != "64KiB/s" {
		t.Errorf("64KiB/s = %d, %v, written %s", r, err, r)
	}
	for _, text := range []string{"64KiB", "/s", "64/s", "64KiB/m", "64Kib/s"} {
		if err := r.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is a rate of %d", text, r)
		}
	}
}

func TestSharesAreReadAndWritten(t *testing.T) {
	for text, want := range map[string]faults.Share{"30%": 0.3, "0.3": 0.3, "1": 1, "100%": 1, "0.5 %": 0.005} {
		var s faults.Share
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want {
			t.Errorf("%q = %v, %v; want %v", text, float64(s), err, float64(want))
		}
		saved, err := json.Marshal(s)
		var again faults.Share
		if err == nil {
			err = json.Unmarshal(saved, &again)
		}
		if err != nil || again != s {
			t.Errorf("%q is saved as %s and read as %v, %v", text, saved, float64(again), err)
		}
	}
	for _, text := range []string{"", "0", "0%", "-1%", "1.01", "101%", "NaN", "half"} {
		var s faults.Share
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is a share of %v", text, float64(s))
		}
	}
}

// Every fault on the traffic of a path has a dose, says it, and saves it; no other has.
func TestDoses(t *testing.T) {
	for _, k := range faults.All() {
		f, err := faulttest.Decode(k)
		if err != nil {
			t.Fatal(err)
		}
		share, can := f.(faults.Shareable)
		ramp, grows := f.(faults.Rampable)
		if onPath := k.Reach(f).Path != nil && !k.Internal; can != onPath || grows != (onPath || k.Reach(f).Journey != "") {
			t.Errorf("%s has a share: %v, a ramp: %v; is on a path: %v", k.Name, can, grows, onPath)
		}
		if !can {
			continue
		}
		share.HitShare(0.3)
		said, err := f.Prepare(t.Context(), faulttest.NewFake())
		drawn := "connections"
		if k.Name == "errors" {
			drawn = "requests"
		}
		if err != nil || !strings.HasSuffix(said, ", on 30% of the "+drawn) {
			t.Errorf("%s says %q, %v; want its share", k.Name, said, err)
		}
		ramp.GrowOver(5 * time.Second)
		said, err = f.Prepare(t.Context(), faulttest.NewFake())
		want := ", on a share of the " + drawn + " that grows to 30% over 5s"
		if k.Name == "latency" || k.Name == "slow" {
			want = ", on 30% of the connections, growing to that over 5s"
		}
		if err != nil || !strings.HasSuffix(said, want) {
			t.Errorf("%s says %q, %v; want its ramp", k.Name, said, err)
		}
		saved, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		heir := k.New()
		if err := json.Unmarshal(saved, heir); err != nil {
			t.Fatal(err)
		}
		if again, err := json.Marshal(heir); err != nil || string(again) != string(saved) || !strings.Contains(string(saved), `"share":"0.3","ramp":5000000000`) {
			t.Errorf("%s is saved as %s, and again as %s, %v", k.Name, saved, again, err)
		}
	}
}

// The agent is told the dose together with the rest.
func TestDoseReachesTheImpairment(t *testing.T) {
	w := faulttest.NewFake()
	_, f := load(t, "latency: {from: web, to: payments, delay: 2s}")
	f.(faults.Shareable).HitShare(0.3)
	f.(faults.Rampable).GrowOver(5 * time.Second)
	for _, f := range []faults.Fault{faults.InterposeOn(faults.Path{From: "web", To: "payments", Port: 8083}), f} {
		if _, err := f.Prepare(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		if err := f.Inject(t.Context(), w); err != nil {
			t.Fatal(err)
		}
	}
	if s, err := f.State(t.Context(), w); s != faults.Present || err != nil {
		t.Errorf("State = %v, %v", s, err)
	}
	if dump := w.Dump(); !strings.Contains(dump, `"share": 0.3`) || !strings.Contains(dump, `"ramp": 5000`) {
		t.Errorf("the dose is not in the impairment:\n%s", dump)
	}
}
