package toxiproxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	server "github.com/Shopify/toxiproxy/v2"
	"github.com/Shopify/toxiproxy/v2/client"
	"github.com/rs/zerolog"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/faulttest"
)

// somebody is a real Toxiproxy with two proxies before one HTTP server, with a toxic of somebody else's on the first.
type somebody struct {
	url    string
	client *toxiproxy.Client
	first  *toxiproxy.Proxy
}

func start(t *testing.T) somebody {
	t.Helper()
	behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "here") }))
	t.Cleanup(behind.Close)
	api := server.NewServer(server.NewMetricsContainer(nil), zerolog.Nop())
	served := httptest.NewServer(api.Routes())
	t.Cleanup(func() { served.Close(); _ = api.Collection.Clear() })
	s := somebody{url: served.URL, client: toxiproxy.NewClient(served.URL)}
	upstream := strings.TrimPrefix(behind.URL, "http://")
	var err error
	if s.first, err = s.client.CreateProxy("payments", "127.0.0.1:0", upstream); err != nil {
		t.Fatal(err)
	}
	if _, err := s.client.CreateProxy("orders", "127.0.0.1:0", upstream); err != nil {
		t.Fatal(err)
	}
	if _, err := s.first.AddToxic("theirs", "latency", "upstream", 1, toxiproxy.Attributes{"latency": 1, "jitter": 0}); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s somebody) open(t *testing.T, run string) *World {
	t.Helper()
	w, err := Open(t.Context(), Config{Run: run, System: "shop-" + t.Name(), URL: s.url,
		Services: map[string]Ports{"web": nil, "payments": {"": 8083}, "orders": {"": 8081}},
		Proxies:  []Proxy{{From: "web", To: "payments", Name: "payments"}, {From: "web", To: "orders", Name: "orders"}}})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (s somebody) toxics(t *testing.T) toxiproxy.Toxics {
	t.Helper()
	all, err := s.first.Toxics()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestConform(t *testing.T) {
	var kinds []faults.Kind
	for _, k := range faults.Obligations() {
		f, err := faulttest.Decode(k)
		if err != nil {
			t.Fatal(err)
		}
		suited, picks := f.(faults.Suited)
		switch {
		case !k.Needs(new(World)):
			t.Logf("LEFT OUT: %s asks for what this world cannot do", k.Name)
		case picks && suited.Suits(new(World)) != nil:
			t.Logf("LEFT OUT: the example of %s: %v", k.Name, suited.Suits(new(World)))
		default:
			kinds = append(kinds, k)
		}
	}
	reset := faults.Outage
	reset.Example = "outage: {from: web, to: payments, mode: reset}"
	hang := faults.Outage
	hang.Example = "outage: {from: web, to: payments, mode: hang}"
	faulttest.Conform(t, func(t *testing.T) faults.World { return start(t).open(t, "r1") }, append(kinds, reset, hang))
}

// TestOthersToxicsStay: whatever happens, what others had is exactly there afterwards, and no proxy is switched.
func TestOthersToxicsStay(t *testing.T) {
	s := start(t)
	before := s.toxics(t)
	w := s.open(t, "r1")
	if err := w.Remember(t.Context()); err != nil {
		t.Fatal(err)
	}
	p := route(t, w)
	for _, i := range []faults.Impairment{{Block: "reset"}, toxic("timeout", map[string]any{"timeout": 0})} {
		if err := w.Impair(t.Context(), p, "x", i); err != nil {
			t.Fatal(err)
		}
		if after, err := w.Survey(t.Context(), "r1"); len(after.Left) == 0 || err != nil {
			t.Errorf("Survey = %+v, %v; want the toxics that are in force", after, err)
		}
		if after, err := s.open(t, "r2").Survey(t.Context(), ""); len(after.Left) == 0 || err != nil {
			t.Errorf("another run's Survey = %+v, %v; want what this one has there", after, err)
		}
		if err := s.open(t, "r1").Sweep(t.Context(), "r1", true); err != nil { // as the heir of a dead run does
			t.Fatal(err)
		}
		if after, err := w.Survey(t.Context(), "r1"); len(after.Left)+len(after.Changed) > 0 || err != nil {
			t.Errorf("Survey = %+v, %v; want nothing", after, err)
		}
	}
	if now := s.toxics(t); !reflect.DeepEqual(before, now) {
		t.Errorf("others' toxics are %+v; want %+v", now, before)
	}
	if err := s.first.RemoveToxic("theirs"); err != nil {
		t.Fatal(err)
	}
	if after, err := w.Survey(t.Context(), "r1"); len(after.Changed) != 1 || err != nil {
		t.Errorf("Survey = %+v, %v; want that others changed something", after, err)
	}
}

func route(t *testing.T, w *World) faults.Path {
	t.Helper()
	p, err := w.Route(t.Context(), "web", "payments")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func toxic(kind string, attributes map[string]any) faults.Impairment {
	return faults.Impairment{Toxics: []faults.Toxic{{Type: kind, Stream: "downstream", Attributes: attributes}}}
}

// hanging acts on both streams, as an outage of mode hang does: nothing that is asked arrives either.
func hanging() faults.Impairment {
	i := toxic("timeout", map[string]any{"timeout": 0})
	up := i.Toxics[0]
	up.Stream = "upstream"
	i.Toxics = append(i.Toxics, up)
	return i
}

func (s somebody) ask(t *testing.T, within time.Duration) error {
	t.Helper()
	client := http.Client{Timeout: within, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get("http://" + s.first.Listen)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, err = io.ReadAll(answer.Body)
	return err
}

func TestItBites(t *testing.T) {
	s := start(t)
	w := s.open(t, "r1")
	p := route(t, w)
	for name, c := range map[string]struct {
		how  faults.Impairment
		want func(error) bool
	}{
		"reset": {faults.Impairment{Block: "reset"}, func(err error) bool { return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF) }},
		"hang":  {hanging(), func(err error) bool { var late net.Error; return errors.As(err, &late) && late.Timeout() }},
	} {
		if err := w.Impair(t.Context(), p, name, c.how); err != nil {
			t.Fatal(err)
		}
		if err := s.ask(t, 300*time.Millisecond); err == nil || !c.want(err) {
			t.Errorf("%s: a request comes to %v", name, err)
		}
		if err := w.Unimpair(t.Context(), p, name); err != nil {
			t.Fatal(err)
		}
		if err := s.ask(t, 2*time.Second); err != nil {
			t.Errorf("%s, afterwards: %v", name, err)
		}
	}
}

func TestWhatCannotBiteIsRefused(t *testing.T) {
	s := start(t)
	w := s.open(t, "r1")
	if err := w.Impair(t.Context(), route(t, w), "x", faults.Impairment{Block: "refuse"}); err == nil || !strings.Contains(err.Error(), "use mode reset or hang") {
		t.Errorf("refuse: %v", err)
	}
	if err := s.first.Disable(); err != nil {
		t.Fatal(err)
	}
	f, err := faulttest.Decode(faults.Latency)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Prepare(t.Context(), w); err == nil || !strings.Contains(err.Error(), "cannot bite") {
		t.Errorf("Prepare on a proxy that is disabled = %v", err)
	}
	if now, err := s.client.Proxy("payments"); err != nil || now.Enabled {
		t.Errorf("the proxy is %+v, %v; want it left disabled", now, err)
	}
}

// TestAServerThatHangs: every call ends with its context, and nobody waits for good.
func TestAServerThatHangs(t *testing.T) {
	hang := make(chan struct{})
	var stuck bool
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if stuck {
			<-hang
		}
		fmt.Fprint(w, "{}")
	}))
	t.Cleanup(s.Close)
	t.Cleanup(func() { close(hang) })
	w := somebody{url: s.URL}.open(t, "r1")
	stuck = true
	for range 2 { // the second waits for the first
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		began := time.Now()
		if _, err := w.Survey(ctx, "r1"); err == nil || time.Since(began) > 2*time.Second {
			t.Errorf("Survey = %v after %s", err, time.Since(began))
		}
		cancel()
	}
}

func TestNobodyThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if _, err := Open(t.Context(), Config{URL: "http://" + l.Addr().String()}); !errors.Is(err, faults.ErrUnreachable) {
		t.Errorf("Open = %v; want that it is unreachable", err)
	}
}
