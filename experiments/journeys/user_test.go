package journeys

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/candor-chaos/candor/experiments"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newUser opens a user of a service.
func newUser(t *testing.T, base string) experiments.Surface {
	t.Helper()
	u, err := HTTP.Open(experiments.SurfaceConfig{Base: base, Canaries: []string{"c4nary-7Q"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { u.Close() })
	return u
}

// do acts one step, with an answer expected from the surface itself.
func do(t *testing.T, u experiments.Surface, step *Request) experiments.Answer {
	t.Helper()
	compile(t, step)
	if err := step.Check(); err != nil {
		t.Fatal(err)
	}
	answer, err := u.Do(t.Context(), experiments.Act{Action: step, Timeout: 10 * time.Second, Vars: experiments.Vars{"marker": "cdr-1"}})
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// echo answers with what it was asked.
func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("X-Method", r.Method)
	w.Header().Set("X-Type", r.Header.Get("Content-Type"))
	w.Header().Set("X-Key", r.Header.Get("Idempotency-Key"))
	w.Header().Set("X-Auth", r.Header.Get("Authorization"))
	w.Header().Set("X-Path", r.URL.String())
	w.Write(body)
}

func TestRequestsGoOutAsWritten(t *testing.T) {
	base := serve(t, echo)
	u := newUser(t, base+"/shop/")
	for _, c := range []struct {
		name string
		step Request
		want string // method, path, type, body
	}{
		{"get", Request{Get: text("/books?q=1")}, "GET /books?q=1  "},
		{"relative to the service", Request{Get: text("books")}, "GET /shop/books  "},
		{"absolute", Request{Get: text(base + "/a#fragment")}, "GET /a  "},
		{"json", Request{Post: text("/o"), JSON: experiments.Tree{Value: map[string]any{"note": text("{{ marker }}"), "n": 2}}},
			`POST /o application/json {"n":2,"note":"cdr-1"}`},
		{"form", Request{Put: text("/o"), Form: map[string]experiments.Template{"b": text("x y"), "a": text("{{ marker }}")}},
			"PUT /o application/x-www-form-urlencoded a=cdr-1&b=x+y"},
		{"body", Request{Patch: text("/o"), Body: text("plain {{ marker }}"), Headers: map[string]experiments.Template{"Content-Type": text("text/x")}},
			"PATCH /o text/x plain cdr-1"},
		{"empty post", Request{Post: text("/o/{{ marker }}")}, "POST /o/cdr-1  "},
		{"delete", Request{Delete: text("/o")}, "DELETE /o  "},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer := do(t, u, &c.step)
			h := answer.Vars["headers"].(map[string]string)
			got := strings.Join([]string{h["x-method"], h["x-path"], h["x-type"], answer.Vars["body"].(string)}, " ")
			if got != c.want || !answer.Answered {
				t.Errorf("sent %q; want %q", got, c.want)
			}
		})
	}
}

func TestKeysArriveInAnySpelling(t *testing.T) {
	u := newUser(t, serve(t, echo))
	answer := do(t, u, &Request{Post: text("/"), Headers: map[string]experiments.Template{"idempotency-KEY": text("k-{{ marker }}")}})
	if got := answer.Vars["headers"].(map[string]string)["x-key"]; got != "k-cdr-1" {
		t.Errorf("the key arrived as %q", got)
	}
	if got := answer.Exchanges[0].RequestHeaders["Idempotency-Key"]; got != "k-cdr-1" {
		t.Errorf("the key was recorded as %q", got)
	}
}

func TestAnswersAreSeen(t *testing.T) {
	u := newUser(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("X-Many", "one")
		w.Header().Add("X-Many", "two")
		w.WriteHeader(201)
		io.WriteString(w, `{"id": 7, "state": "placed"}`)
	}))
	answer := do(t, u, &Request{Post: text("/")})
	elapsed := answer.Vars["elapsed"].(time.Duration)
	if elapsed <= 0 || elapsed > 10*time.Second {
		t.Errorf("elapsed is %s", elapsed)
	}
	got := experiments.Vars{"status": answer.Vars["status"], "json": answer.Vars["json"], "ok": answer.Vars["ok"],
		"many": answer.Vars["headers"].(map[string]string)["x-many"]}
	want := experiments.Vars{"status": int64(201), "json": map[string]any{"id": int64(7), "state": "placed"}, "ok": true, "many": "one"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	e := answer.Exchanges[0]
	if e.FirstByte.Before(e.Sent) || e.Ended.Before(e.FirstByte) || e.FirstByte.IsZero() {
		t.Errorf("sent %s, first byte %s, ended %s", e.Sent, e.FirstByte, e.Ended)
	}
}

func TestRedirectsAreWalkedHopByHop(t *testing.T) {
	mux := http.NewServeMux()
	other := httptest.NewServer(http.HandlerFunc(echo))
	t.Cleanup(other.Close)
	mux.HandleFunc("/echo", echo)
	for path, code := range map[string]int{"/301": 301, "/302": 302, "/303": 303, "/307": 307, "/308": 308} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/echo", code) })
	}
	mux.HandleFunc("/elsewhere", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, 307) })
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", 302) })
	mux.HandleFunc("/script", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "javascript:alert(1)")
		w.WriteHeader(302)
	})
	mux.HandleFunc("/file", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "file:///etc/passwd")
		w.WriteHeader(302)
	})
	mux.HandleFunc("/nowhere", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(302) })
	mux.HandleFunc("/cut", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "/echo")
		w.Header().Set("Content-Length", "100")
		w.WriteHeader(302)
	})
	mux.HandleFunc("/broken", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/dies", 303) })
	mux.HandleFunc("/dies", func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) })
	base := serve(t, mux.ServeHTTP)

	for _, c := range []struct {
		path, redirects string
		want            string // status of each hop
		answered        bool
		end             string // method, auth, body at the end
	}{
		{"/301", "", "301 200", true, "GET Bearer s "},
		{"/302", "", "302 200", true, "GET Bearer s "},
		{"/303", "", "303 200", true, "GET Bearer s "},
		{"/307", "", "307 200", true, "POST Bearer s hello"},
		{"/308", "follow", "308 200", true, "POST Bearer s hello"},
		{"/302", "none", "302", true, "   "},
		{"/elsewhere", "", "307 200", true, "POST  hello"},
		{"/loop", "", "302 302 302 302 302 302 302 302 302 302 302", false, "   "},
		{"/script", "", "302", true, "   "},
		{"/file", "", "302", true, "   "},
		{"/nowhere", "", "302", true, "   "},
		{"/cut", "", "302 200", true, "GET Bearer s "},
		{"/cut", "none", "302", false, "   "},
		{"/broken", "", "303 0", false, "   "},
	} {
		t.Run(c.path+c.redirects, func(t *testing.T) {
			answer := do(t, newUser(t, base), &Request{Post: text(c.path), Body: text("hello"), Redirects: c.redirects,
				Headers: map[string]experiments.Template{"Authorization": text("Bearer s")}})
			var hops []string
			for i, e := range answer.Exchanges {
				hops = append(hops, itoa(e.Status))
				if e.Hop != i {
					t.Errorf("hop %d says that it is hop %d", i, e.Hop)
				}
			}
			if got := strings.Join(hops, " "); got != c.want || answer.Answered != c.answered {
				t.Errorf("hops %s, answered %v; want %s, %v", got, answer.Answered, c.want, c.answered)
			}
			h := answer.Vars["headers"].(map[string]string)
			got := strings.Join([]string{h["x-method"], h["x-auth"], answer.Vars["body"].(string)}, " ")
			if strings.TrimSpace(c.end) != "" && got != c.end {
				t.Errorf("ended with %q; want %q", got, c.end)
			}
			if got := len(answer.Vars["hops"].([]any)); got != len(answer.Exchanges) {
				t.Errorf("expressions see %d hops; there were %d", got, len(answer.Exchanges))
			}
		})
	}
}

func TestCookiesBelongToTheUser(t *testing.T) {
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			http.SetCookie(w, &http.Cookie{Name: "sid", Value: "s3cret", Path: "/", HttpOnly: true})
			http.Redirect(w, r, "/home", http.StatusSeeOther)
			return
		}
		c, err := r.Cookie("sid")
		if err != nil {
			w.WriteHeader(401)
			return
		}
		io.WriteString(w, "cookie "+c.Value)
	})
	ann, bob := newUser(t, base), newUser(t, base)
	answer := do(t, ann, &Request{Post: text("/login")})
	if got := answer.Vars["body"]; got != "cookie s3cret" {
		t.Errorf("after the login the page says %q", got)
	}
	if got := do(t, bob, &Request{Get: text("/home")}).Vars["status"]; got != int64(401) {
		t.Errorf("another user got %v", got)
	}
	if got := answer.Exchanges[0].Headers["Set-Cookie"]; len(got) != 1 || strings.Contains(got[0], "s3cret") || !strings.Contains(got[0], "HttpOnly") {
		t.Errorf("the cookie is recorded as %q", got)
	}
	if got := answer.Exchanges[1].RequestHeaders["Cookie"]; got != "sid=…" {
		t.Errorf("the cookie that was sent is recorded as %q", got)
	}
}

func TestJarIsBounded(t *testing.T) {
	n := 0
	u := newUser(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		for range 100 {
			n++
			http.SetCookie(w, &http.Cookie{Name: "c" + itoa(n), Value: strings.Repeat("x", 20)})
		}
		http.SetCookie(w, &http.Cookie{Name: "fat", Value: strings.Repeat("x", 5000)})
		w.Header().Set("X-Cookies", itoa(len(r.Cookies())))
	}))
	var last experiments.Answer
	for range 6 {
		last = do(t, u, &Request{Get: text("/")})
	}
	if got := last.Vars["headers"].(map[string]string)["x-cookies"]; got != itoa(maxCookies) {
		t.Errorf("the user carries %s cookies; want %d", got, maxCookies)
	}
}

func TestAFatCookieIsNotTaken(t *testing.T) {
	u := newUser(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "fat", Value: strings.Repeat("x", 5000)})
		http.SetCookie(w, &http.Cookie{Name: "lean", Value: "x"})
		w.Header().Set("X-Cookies", r.Header.Get("Cookie"))
	}))
	do(t, u, &Request{Get: text("/")})
	if got := do(t, u, &Request{Get: text("/")}).Vars["headers"].(map[string]string)["x-cookies"]; got != "lean=x" {
		t.Errorf("the user carries %.60q; want lean=x", got)
	}
}

func TestPlantedSecretsInHeaders(t *testing.T) {
	u := newUser(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "debug", Value: "c4nary-7Q"})
	}))
	answer := do(t, u, &Request{Get: text("/")})
	want := []experiments.PatternHit{{Pattern: "LK-06/canary", Offset: -1, Text: "Set-Cookie: c4nary-7Q"}}
	if diff := cmp.Diff(want, answer.Exchanges[0].Hits); diff != "" {
		t.Errorf("hits (-want +got):\n%s", diff)
	}
}

// A transport that repeats a request by itself makes two attempts out of one intent, and the ledger shows one.
func TestNoAttemptIsHidden(t *testing.T) {
	var posts atomic.Int64
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			return
		}
		posts.Add(1)
		panic(http.ErrAbortHandler) // the effect has happened; the connection breaks without a byte
	}))
	s.Start()
	t.Cleanup(s.Close)
	u := newUser(t, s.URL)
	for _, key := range []string{"Idempotency-Key", "X-Idempotency-Key", "X-Other"} {
		for _, body := range []string{"", "hello"} {
			do(t, u, &Request{Get: text("/")}) // now a connection is idle, as the transport wants it for repeating
			posts.Store(0)
			answer := do(t, u, &Request{Post: text("/"), Body: text(body), Headers: map[string]experiments.Template{key: text("k")}})
			if posts.Load() != 1 || len(answer.Exchanges) != 1 || answer.Answered {
				t.Errorf("%s with body %q: %d requests arrived, %d are recorded, answered %v", key, body, posts.Load(), len(answer.Exchanges), answer.Answered)
			}
			if got := answer.Exchanges[0].Trouble; got != "closed" {
				t.Errorf("trouble is %q (%s); want closed", got, answer.Exchanges[0].Why)
			}
		}
	}
}

func TestDoSaysWhenItWasStopped(t *testing.T) {
	asked := make(chan struct{})
	u := newUser(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
	}))
	step := &Request{Get: text("/")}
	compile(t, step)
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("somebody pulled the plug")
	go func() {
		<-asked
		cancel(why)
	}()
	answer, err := u.Do(ctx, experiments.Act{Action: step, Timeout: time.Minute})
	if !errors.Is(err, why) || answer.Answered {
		t.Errorf("Do = answered %v, %v; want %v", answer.Answered, err, why)
	}
}
