package process

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/faulttest"
)

// away is a server that candor did not start.
func away(t *testing.T, at string) (port int) {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(at, "0"))
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "from away") }))
	s.Listener.Close()
	s.Listener = l
	s.Start()
	t.Cleanup(s.Close)
	return l.Addr().(*net.TCPAddr).Port
}

func TestOutsideIsReachedThroughAFront(t *testing.T) {
	c := shop(t)
	c.Services["rates"] = Service{Host: "localhost", Ports: Ports{"": away(t, "127.0.0.1")}}
	c.Services["ledger"] = Service{Host: "::1", Ports: Ports{"": away(t, "::1")}}
	c.Services["nobody"] = Service{Host: "nobody.invalid", Ports: Ports{"": 80}}
	web := c.Services["web"]
	web.Needs = []string{"payments", "rates", "ledger", "nobody"}
	c.Services["web"] = web
	w := opened(t, c, nil)
	if err := w.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	for to, place := range map[string]string{"rates": "localhost, now ", "ledger": "::1, port "} {
		address := fmt.Sprintf("127.0.0.1:%d", w.needs("web")[to].Ports[""])
		if said, err := ask(address, 5*time.Second); err != nil || said != "from away" {
			t.Fatalf("before anything: %q, %v", said, err)
		}
		way, _ := prepared(t, w, fmt.Sprintf("interpose: {from: web, to: %s}", to))
		if err := way.Inject(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		outage, sentence := prepared(t, w, fmt.Sprintf("outage: {from: web, to: %s}", to))
		if !strings.Contains(sentence, to+" ("+place) {
			t.Errorf("it says %q; want where %s is", sentence, to)
		}
		if err := outage.Inject(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		if _, err := ask(address, time.Second); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%s while it is refused: %v", to, err)
		}
		if err := outage.Revert(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		late, _ := prepared(t, w, fmt.Sprintf("latency: {from: web, to: %s, delay: 300ms}", to))
		if err := late.Inject(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if said, err := ask(address, 5*time.Second); err != nil || said != "from away" || time.Since(began) < 300*time.Millisecond {
			t.Errorf("%s while it is late: %q, %v after %s", to, said, err, time.Since(began))
		}
		if n, err := late.(faults.Counter).Hits(t.Context(), w); err != nil || n < 1 {
			t.Errorf("hits %d, %v", n, err)
		}
		for _, f := range []faults.Fault{late, way} {
			if err := f.Revert(t.Context(), w); err != nil {
				t.Fatal(err)
			}
			if s, err := f.State(t.Context(), w); err != nil || s != faults.Absent {
				t.Errorf("after Revert it is %s, %v", s, err)
			}
		}
		if said, err := ask(address, 5*time.Second); err != nil || said != "from away" {
			t.Errorf("%s afterwards: %q, %v", to, said, err)
		}
	}
}

func TestOutsideIsNotCandors(t *testing.T) {
	c := shop(t)
	c.Services["rates"] = Service{Host: "localhost", Ports: Ports{"": 80}}
	c.Services["nobody"] = Service{Host: "nobody.invalid", Ports: Ports{"": 80}}
	web := c.Services["web"]
	web.Needs = []string{"rates", "nobody"}
	c.Services["web"] = web
	w := opened(t, c, nil)
	for text, want := range map[string]string{
		"kill: {service: rates}":              "service rates is outside, at localhost, and not candor's",
		"pause: {service: rates}":             "service rates is outside, at localhost, and not candor's",
		"outage: {from: web, to: nobody}":     ": lookup nobody.invalid",
		"outage: {from: rates, to: payments}": "rates does not need payments",
	} {
		f, err := decoded(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Prepare(t.Context(), w); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", text, err, want)
		}
	}
}

func decoded(text string) (faults.Fault, error) {
	name, _, _ := strings.Cut(text, ":")
	k, known := faults.Lookup(faults.Obligations(), name)
	if !known {
		return nil, fmt.Errorf("no kind %q", name)
	}
	k.Example = text
	return faulttest.Decode(k)
}

func prepared(t *testing.T, w *World, text string) (faults.Fault, string) {
	t.Helper()
	f, err := decoded(text)
	if err != nil {
		t.Fatal(err)
	}
	said, err := f.Prepare(t.Context(), w)
	if err != nil {
		t.Fatalf("prepare %s: %v", text, err)
	}
	return f, said
}
