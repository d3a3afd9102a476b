package docker_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/candor-chaos/candor/faults"
)

// visitor asks payments by HTTP as web would, and counts its connections.
type visitor struct {
	http.Client
	dials int
}

func (p project) visitor(t *testing.T) *visitor {
	t.Helper()
	from, v := p.inside(t), &visitor{}
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { v.dials++; return from.dial(ctx) }}
	t.Cleanup(transport.CloseIdleConnections)
	v.Transport = transport
	return v
}

func (v *visitor) ask(t *testing.T, method, path string) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://payments"+path, strings.NewReader("pence=700"))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := v.Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	if method == http.MethodHead && answer.ContentLength < 0 {
		t.Errorf("HEAD %s says no length", path)
	}
	return answer.StatusCode, string(said)
}

// seen is how many requests have reached payments.
func (v *visitor) seen(t *testing.T) int {
	t.Helper()
	_, body := v.ask(t, http.MethodGet, "/count")
	n, err := strconv.Atoi(strings.TrimSpace(body))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Answers in a dependency's place, between real containers: on a connection that was open before, and that stays.
func TestErrorsAnswerInTheDependencysPlace(t *testing.T) {
	p, w := up(t, nil)
	way := prepare(t, w, "interpose: {from: web, to: payments}")
	inject(t, w, way)
	v := p.visitor(t)
	for _, c := range []struct {
		answered string
		reaches  int // of the two that are answered
	}{{"gate", 0}, {"after", 2}} {
		before := v.seen(t)
		f := prepare(t, w, `errors: {from: web, to: payments, status: 500, body: "sold out\n", paths: ["/charges*"], methods: [POST, HEAD], answered: `+c.answered+"}")
		inject(t, w, f)
		if status, body := v.ask(t, http.MethodPost, "/charges?a=b"); status != 500 || body != "sold out\n" {
			t.Errorf("%s: POST /charges = %d, %q", c.answered, status, body)
		}
		if status, body := v.ask(t, http.MethodHead, "/charges/7"); status != 500 || body != "" {
			t.Errorf("%s: HEAD /charges/7 = %d, %q", c.answered, status, body)
		}
		if reached := v.seen(t) - before; reached != c.reaches {
			t.Errorf("%s: %d of the two have reached payments; want %d", c.answered, reached, c.reaches)
		}
		for method, path := range map[string]string{http.MethodGet: "/charges", http.MethodPost: "/other"} {
			if status, _ := v.ask(t, method, path); status != 200 {
				t.Errorf("%s: %s %s = %d; want it left alone", c.answered, method, path, status)
			}
		}
		if n, err := f.(faults.Counter).Hits(t.Context(), w); n != 2 || err != nil {
			t.Errorf("%s: hits %d, %v; want 2", c.answered, n, err)
		}
		revert(t, w, f)
		if status, _ := v.ask(t, http.MethodPost, "/charges"); status != 200 {
			t.Errorf("%s: afterwards %d", c.answered, status)
		}
	}
	v.answersAShare(t, w)
	if v.dials != 1 {
		t.Errorf("%d connections were made; want the one to stay", v.dials)
	}
	revert(t, w, way)
	clean(t, w, p.name)
}

// answersAShare draws for each request, and draws the same again from the same seed.
func (v *visitor) answersAShare(t *testing.T, w faults.World) {
	var first string
	for range 2 {
		f := decode(t, "errors: {from: web, to: payments, status: 500, methods: [POST]}")
		f.(faults.Shareable).HitShare(0.3)
		if _, err := f.Prepare(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		inject(t, w, f)
		var drawn strings.Builder
		for range 200 {
			status, _ := v.ask(t, http.MethodPost, "/charges")
			drawn.WriteString(strconv.Itoa(status / 100))
		}
		revert(t, w, f)
		if hit := strings.Count(drawn.String(), "5"); hit < 35 || hit > 87 { // one seed in ten thousand
			t.Errorf("%d of 200 were answered; asked was 30 %%", hit)
		}
		if first == "" {
			first = drawn.String()
		} else if drawn.String() != first {
			t.Errorf("drawn from the same seed:\n%s\n%s", first, drawn.String())
		}
	}
}
