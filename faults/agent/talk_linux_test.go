package agent

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/candor-chaos/candor/faults"
)

// worker is a real HTTP server that remembers what it was asked, and a line that leads to it.
type worker struct {
	*Line
	server *httptest.Server
	mu     sync.Mutex
	seen   []string
}

// work starts one. What it answers says what it was asked, with the body.
func work(t *testing.T, seed uint64, before func(*httptest.Server)) *worker {
	t.Helper()
	w := &worker{}
	w.server = httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("the server reads %s %s: %v", r.Method, r.URL, err)
		}
		w.mu.Lock()
		w.seen = append(w.seen, fmt.Sprintf("%s %s %d", r.Method, r.URL.Path, len(body)))
		w.mu.Unlock()
		switch r.URL.Path {
		case "/nothing":
			rw.WriteHeader(http.StatusNoContent)
		case "/hints":
			rw.WriteHeader(http.StatusEarlyHints)
			fmt.Fprint(rw, "hinted")
		case "/chunks":
			for range 3 {
				fmt.Fprint(rw, "piece ")
				rw.(http.Flusher).Flush()
			}
		case "/bye":
			rw.Header().Set("Connection", "close")
			fmt.Fprint(rw, "bye")
		default:
			fmt.Fprintf(rw, "done %s %s %d", r.Method, r.URL.Path, len(body))
		}
	}))
	if before != nil {
		before(w.server)
	} else {
		w.server.Start()
	}
	t.Cleanup(w.server.Close)
	w.Line = lineTo(t, w.server.Listener.Addr().String(), seed)
	return w
}

func lineTo(t *testing.T, address string, seed uint64) *Line {
	t.Helper()
	l, err := NewLine(t.Context(), faults.Path{From: "web", To: "payments", Port: 8083}, Options{Run: "talk", Seed: seed}, nil)
	if err != nil {
		t.Fatal(err)
	}
	after := context.WithoutCancel(t.Context())
	t.Cleanup(func() {
		if err := l.End(after); err != nil {
			t.Errorf("End = %v", err)
		}
	})
	l.Aim(address)
	return l
}

func (w *worker) saw() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.seen)
}

// errs puts a reply in force.
func errs(t *testing.T, l *Line, share float64, r faults.Reply) (hits func() int64, undo func()) {
	t.Helper()
	i := faults.Impairment{Reply: &r, Share: share}
	for range 2 {
		if err := l.Impair(t.Context(), "errors", i); err != nil {
			t.Fatal(err)
		}
	}
	if s, err := l.Impaired(t.Context(), "errors", i); s != faults.Present || err != nil {
		t.Fatalf("Impaired = %v, %v; want present", s, err)
	}
	hits = func() int64 {
		n, err := l.Impacts(t.Context(), "errors")
		if err != nil {
			t.Error(err)
		}
		return n
	}
	return hits, func() {
		t.Helper()
		if err := l.Unimpair(t.Context(), "errors"); err != nil {
			t.Error(err)
		}
		if s, err := l.Impaired(t.Context(), "errors", i); s != faults.Absent || err != nil {
			t.Errorf("Impaired afterwards = %v, %v; want absent", s, err)
		}
	}
}

// client counts the connections that it makes.
func client(t *testing.T) (c *http.Client, dials *int) {
	dials = new(int)
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		*dials++
		return new(net.Dialer).DialContext(ctx, network, address)
	}, ExpectContinueTimeout: 5 * time.Second}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 10 * time.Second}, dials
}

func (w *worker) do(t *testing.T, c *http.Client, method, path string, body io.Reader, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+w.Address().String()+path, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	a, err := c.Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return a, string(text)
}

// unsized hides the length of a body, so that it is sent in chunks.
type unsized struct{ io.Reader }

func TestGateAnswersOnOpenConnections(t *testing.T) {
	w := work(t, 1, nil)
	c, dials := client(t)
	if a, text := w.do(t, c, "GET", "/before", nil); a.StatusCode != 200 || text != "done GET /before 0" {
		t.Fatalf("before it answers %d %q", a.StatusCode, text)
	}
	hits, undo := errs(t, w.Line, 0, faults.Reply{Status: 418, Body: "no tea", Headers: map[string]string{"Retry-After": "7"}})
	long := strings.Repeat("x", 300_000)
	for _, r := range []struct {
		method, path string
		body         io.Reader
	}{{"GET", "/a", nil}, {"POST", "/b", strings.NewReader(long)}, {"PUT", "/c", unsized{strings.NewReader(long)}}, {"DELETE", "/d?q=1", nil}} {
		a, text := w.do(t, c, r.method, r.path, r.body)
		if a.StatusCode != 418 || text != "no tea" || a.Header.Get("Retry-After") != "7" || a.Header.Get("Date") == "" || a.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Errorf("%s %s is answered %d %q %v", r.method, r.path, a.StatusCode, text, a.Header)
		}
	}
	if a, text := w.do(t, c, "HEAD", "/e", nil); a.StatusCode != 418 || text != "" || a.ContentLength != 6 {
		t.Errorf("HEAD is answered %d %q of %d bytes", a.StatusCode, text, a.ContentLength)
	}
	if n := hits(); n != 5 {
		t.Errorf("%d hits; want 5", n)
	}
	undo()
	if a, text := w.do(t, c, "POST", "/after", strings.NewReader("abc")); a.StatusCode != 200 || text != "done POST /after 3" {
		t.Errorf("afterwards it answers %d %q", a.StatusCode, text)
	}
	if want := []string{"GET /before 0", "POST /after 3"}; !slices.Equal(w.saw(), want) {
		t.Errorf("the server saw %v; want %v", w.saw(), want)
	}
	if *dials != 1 {
		t.Errorf("%d connections; want the same one all the time", *dials)
	}
}

func TestAfterLetsTheDependencyWork(t *testing.T) {
	w := work(t, 1, nil)
	c, dials := client(t)
	hits, undo := errs(t, w.Line, 0, faults.Reply{Status: 500, Body: "sorry", After: true})
	for _, r := range []struct{ method, path string }{{"GET", "/a"}, {"POST", "/b"}, {"GET", "/chunks"}, {"GET", "/nothing"}, {"HEAD", "/c"}} {
		var body io.Reader
		if r.method == "POST" {
			body = strings.NewReader("abc")
		}
		a, text := w.do(t, c, r.method, r.path, body)
		want := "sorry"
		if r.method == "HEAD" {
			want = ""
		}
		if a.StatusCode != 500 || text != want {
			t.Errorf("%s %s is answered %d %q", r.method, r.path, a.StatusCode, text)
		}
	}
	if *dials != 1 {
		t.Errorf("%d connections; want 1", *dials)
	}
	if a, text := w.do(t, c, "GET", "/hints", nil); a.StatusCode != 500 || text != "sorry" {
		t.Errorf("after a hint it answers %d %q", a.StatusCode, text)
	}
	if a, text := w.do(t, c, "GET", "/bye", nil); a.StatusCode != 500 || text != "sorry" || !a.Close {
		t.Errorf("a last answer is replaced by %d %q, closing %v", a.StatusCode, text, a.Close)
	}
	if n := hits(); n != 7 {
		t.Errorf("%d hits; want 7", n)
	}
	undo()
	if want := []string{"GET /a 0", "POST /b 3", "GET /chunks 0", "GET /nothing 0", "HEAD /c 0", "GET /hints 0", "GET /bye 0"}; !slices.Equal(w.saw(), want) {
		t.Errorf("the server saw %v; want %v", w.saw(), want)
	}
}

func TestExpectContinue(t *testing.T) {
	w := work(t, 1, nil)
	c, _ := client(t)
	began := time.Now()
	_, undo := errs(t, w.Line, 0, faults.Reply{Status: 503})
	if a, _ := w.do(t, c, "POST", "/gate", strings.NewReader("abc"), "Expect", "100-continue"); a.StatusCode != 503 || !a.Close {
		t.Errorf("at the gate it is answered %d, closing %v", a.StatusCode, a.Close)
	}
	undo()
	_, undo = errs(t, w.Line, 0, faults.Reply{Status: 502, After: true})
	if a, _ := w.do(t, c, "POST", "/after", strings.NewReader("abc"), "Expect", "100-continue"); a.StatusCode != 502 {
		t.Errorf("after the work it is answered %d", a.StatusCode)
	}
	undo()
	if want := []string{"POST /after 3"}; !slices.Equal(w.saw(), want) {
		t.Errorf("the server saw %v; want %v", w.saw(), want)
	}
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("it took %s: somebody waited in vain for leave to send", took)
	}
}

func TestOnlyWhatIsMeantIsAnswered(t *testing.T) {
	w := work(t, 1, nil)
	c, _ := client(t)
	hits, _ := errs(t, w.Line, 0, faults.Reply{Status: 503, Paths: []string{"/orders/*", "/pay"}, Methods: []string{"POST"}})
	for what, want := range map[string]int{"POST /pay": 503, "POST /pay?x=/": 503, "POST /orders/7/lines": 503, "GET /pay": 200, "POST /payments": 200, "POST /orders": 200} {
		method, path, _ := strings.Cut(what, " ")
		if a, _ := w.do(t, c, method, path, nil); a.StatusCode != want {
			t.Errorf("%s is answered %d; want %d", what, a.StatusCode, want)
		}
	}
	if n := hits(); n != 3 {
		t.Errorf("%d hits; want 3", n)
	}
}

func TestAShareOfRequestsIsAnsweredAsTheSeedSays(t *testing.T) {
	drawn := func(seed uint64) string {
		w := work(t, seed, nil)
		c, _ := client(t)
		errs(t, w.Line, 0.3, faults.Reply{Status: 503, Methods: []string{"GET"}})
		var all strings.Builder
		for n := range 200 {
			if n%20 == 0 { // the draw goes on over connections
				c.CloseIdleConnections()
			}
			if n%7 == 0 { // and leaves out what is not met
				w.do(t, c, "POST", "/", nil)
			}
			a, _ := w.do(t, c, "GET", "/", nil)
			fmt.Fprint(&all, a.StatusCode/100)
		}
		return all.String()
	}
	first := drawn(7)
	if n := strings.Count(first, "5"); n < 40 || n > 80 {
		t.Errorf("%d of 200 requests were hit; want about 60", n)
	}
	if again := drawn(7); again != first {
		t.Errorf("the same seed drew\n%s and then\n%s", first, again)
	}
	if other := drawn(8); other == first {
		t.Error("another seed drew the same")
	}
}

func TestPipelinedRequestsKeepTheirOrder(t *testing.T) {
	w := work(t, 1, nil)
	for _, after := range []bool{false, true} {
		for _, size := range []int{1, 7, 1 << 20} { // of the pieces in which it is sent
			_, undo := errs(t, w.Line, 0, faults.Reply{Status: 503, Body: "no", Paths: []string{"*bad*"}, After: after})
			conn, err := net.Dial("tcp", w.Address().String())
			if err != nil {
				t.Fatal(err)
			}
			conn.SetDeadline(time.Now().Add(10 * time.Second))
			var text strings.Builder
			var want []string
			for n := range 12 {
				path := fmt.Sprintf("/good%d", n)
				if n%3 != 1 {
					path = fmt.Sprintf("/bad%d", n)
				}
				fmt.Fprintf(&text, "POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n1\r\n!\r\n0\r\nX-Sum: 6\r\n\r\n", path)
				want = append(want, path)
			}
			go func() {
				for p := []byte(text.String()); len(p) > 0; {
					n, err := conn.Write(p[:min(size, len(p))])
					if err != nil {
						return
					}
					p = p[n:]
				}
			}()
			in := bufio.NewReader(conn)
			for _, path := range want {
				a, err := http.ReadResponse(in, nil)
				if err != nil {
					t.Fatalf("after %v, pieces of %d: the answer to %s: %v", after, size, path, err)
				}
				body, _ := io.ReadAll(a.Body)
				says := "no"
				if strings.HasPrefix(path, "/good") {
					says = "done POST " + path + " 6"
				}
				if string(body) != says {
					t.Errorf("after %v, pieces of %d: %s is answered %d %q; want %q", after, size, path, a.StatusCode, body, says)
				}
			}
			conn.Close()
			undo()
		}
	}
}

func TestOtherProtocolsPassUntouched(t *testing.T) {
	t.Run("HTTP/2", func(t *testing.T) {
		var two http.Protocols
		two.SetUnencryptedHTTP2(true)
		w := work(t, 1, func(s *httptest.Server) { s.Config.Protocols = &two; s.Start() })
		hits, _ := errs(t, w.Line, 0, faults.Reply{Status: 503})
		transport := &http.Transport{Protocols: &two}
		defer transport.CloseIdleConnections()
		a, text := w.do(t, &http.Client{Transport: transport}, "GET", "/", nil)
		if a.StatusCode != 200 || a.ProtoMajor != 2 || hits() != 0 {
			t.Errorf("it answers %d %q in %s, hits %d", a.StatusCode, text, a.Proto, hits())
		}
	})
	t.Run("TLS", func(t *testing.T) {
		w := work(t, 1, (*httptest.Server).StartTLS)
		hits, _ := errs(t, w.Line, 0, faults.Reply{Status: 503})
		r, err := w.server.Client().Get("https://" + w.Address().String())
		if err != nil {
			t.Fatal(err)
		}
		defer w.server.Client().CloseIdleConnections()
		r.Body.Close()
		if r.StatusCode != 200 || hits() != 0 {
			t.Errorf("it answers %d, hits %d", r.StatusCode, hits())
		}
	})
	for name, talk := range map[string][]string{ // what is said in turn, first by the client
		"a greeting first":    {"", "220 ready\r\n", "EHLO me\r\n", "250 hello\r\n", "GET / HTTP/1.1\r\n\r\n", "500 what\r\n"},
		"words without a GET": {"PING\r\n", "+PONG\r\n", "SET a b\r\n", "+OK\r\n"},
		"binary":              {"A\x00\x00\x01", "B\x00", "GET / HTTP/1.1\r\n\r\n", "x"},
		"an upgrade":          {"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 OK\r\n"},
		"a tunnel":            {"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "raw"},
	} {
		t.Run(name, func(t *testing.T) { script(t, talk) })
	}
}

// script lets a client and a server say lines in turn, and holds the other to hearing exactly them.
func script(t *testing.T, talk []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	line := lineTo(t, l.Addr().String(), 1)
	hits, _ := errs(t, line, 0, faults.Reply{Status: 503})
	side := func(c net.Conn, mine int) error {
		defer c.Close()
		c.SetDeadline(time.Now().Add(5 * time.Second))
		for n, text := range talk {
			if n%2 == mine {
				if _, err := io.WriteString(c, text); err != nil {
					return err
				}
				continue
			}
			heard := make([]byte, len(text))
			if n, err := io.ReadFull(c, heard); err != nil || string(heard) != text {
				return fmt.Errorf("heard %q, %w; want %q", heard[:n], err, text)
			}
		}
		return nil
	}
	served := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err == nil {
			err = side(c, 1)
		}
		served <- err
	}()
	c, err := net.Dial("tcp", line.Address().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(side(c, 0), <-served); err != nil {
		t.Error(err)
	}
	if n := hits(); n != 0 {
		t.Errorf("%d hits", n)
	}
}
