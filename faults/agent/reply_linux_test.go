package agent

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/candor-chaos/candor/faults"
)

// What an agent in a namespace of its own does: the kernel leads there, and a connection that is open feels the reply.
func TestAgentAnswersInTheDependencysPlace(t *testing.T) {
	namespace(t)
	l, err := net.Listen("tcp4", here+":0")
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "real") })}}
	server.Start()
	t.Cleanup(server.Close)
	port := l.Addr().(*net.TCPAddr).Port
	c, _ := serve(t, nil)
	path := faults.Path{From: "app", To: "dep", Port: port}
	ask(t, c, Request{Op: Interpose, Path: path, Addresses: []netip.Addr{netip.MustParseAddr(here)}})
	dials := 0
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { dials++; return dial(t, port) }}
	t.Cleanup(transport.CloseIdleConnections)
	get := func(want string) {
		t.Helper()
		a, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Get("http://dep/x")
		if err != nil {
			t.Fatal(err)
		}
		defer a.Body.Close()
		if text, err := io.ReadAll(a.Body); err != nil || fmt.Sprintf("%d %s", a.StatusCode, text) != want {
			t.Errorf("it answers %d %s, %v; want %s", a.StatusCode, text, err, want)
		}
	}
	get("200 real")
	for _, after := range []bool{false, true} {
		hits, undo := impaired(t, c, path, faults.Impairment{Reply: &faults.Reply{Status: 502, Body: "fake", After: after}})
		get("502 fake")
		get("502 fake")
		if n := hits(); n != 2 {
			t.Errorf("%d hits; want 2", n)
		}
		undo()
		get("200 real")
	}
	if dials != 1 {
		t.Errorf("%d connections; want the same one all the time", dials)
	}
	ask(t, c, Request{Op: Withdraw, Path: path})
	if _, err := c.Do(t.Context(), Request{Op: Impair, Path: path, Name: "late", Impairment: &faults.Impairment{Reply: &faults.Reply{Status: 502}}}); err == nil {
		t.Error("a path that is not interposed takes a reply")
	}
}

func TestCheckRefusesReplies(t *testing.T) {
	for _, i := range []faults.Impairment{
		{Reply: &faults.Reply{Status: 99}},
		{Reply: &faults.Reply{Status: 503, Headers: map[string]string{"X": "a\r\nY: b"}}},
		{Reply: &faults.Reply{Status: 503}, Block: "refuse"},
		{Reply: &faults.Reply{Status: 503}, Share: 2},
	} {
		if err := check(i); err == nil {
			t.Errorf("%+v is taken", i)
		}
	}
}

// exchangeRaw says something to a line in pieces, with pauses, and reads until the end.
func exchangeRaw(t *testing.T, line *Line, pause time.Duration, pieces ...string) string {
	t.Helper()
	c, err := net.Dial("tcp", line.Address().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	for _, p := range pieces {
		if _, err := io.WriteString(c, p); err != nil {
			t.Fatal(err)
		}
		time.Sleep(pause)
	}
	text, err := io.ReadAll(c)
	if err != nil {
		t.Errorf("after %q it ends with %v", text, err)
	}
	return string(text)
}

// A dependency that closes what it takes for idle does not cost a request its answer at the gate.
func TestAnswerAtTheGateOutlivesTheDependency(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			time.AfterFunc(100*time.Millisecond, func() { c.Close() })
		}
	}()
	line := lineTo(t, l.Addr().String(), 1)
	errs(t, line, 0, faults.Reply{Status: 503, Body: "no"})
	text := exchangeRaw(t, line, 300*time.Millisecond, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n", "hello")
	if !strings.HasPrefix(text, "HTTP/1.1 503 ") || !strings.HasSuffix(text, "\r\n\r\nno") || !strings.Contains(text, "Connection: close\r\n") {
		t.Errorf("it is answered %q", text)
	}
}

// A client that wants no more gets its answer and then the end.
func TestLastRequestsAreAnsweredAndEnded(t *testing.T) {
	w := work(t, 1, nil)
	hits, _ := errs(t, w.Line, 0, faults.Reply{Status: 503, Body: "no"})
	for _, request := range []string{"GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\nGET /more HTTP/1.1\r\nHost: x\r\n\r\n"} {
		text := exchangeRaw(t, w.Line, 0, request)
		if !strings.HasPrefix(text, "HTTP/1.1 503 ") || !strings.HasSuffix(text, "\r\n\r\nno") || strings.Count(text, "HTTP/1.1") != 1 {
			t.Errorf("%q is answered %q", request, text)
		}
	}
	if n := hits(); n != 2 || len(w.saw()) > 0 {
		t.Errorf("%d hits, the server saw %v", n, w.saw())
	}
}

// An answer that is under way when a reply comes into force, or goes, arrives whole.
func TestAnswersUnderWayArriveWhole(t *testing.T) {
	goOn := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "first ")
		w.(http.Flusher).Flush()
		<-goOn
		fmt.Fprint(w, "second")
	}))
	t.Cleanup(server.Close)
	line := lineTo(t, server.Listener.Addr().String(), 1)
	c, err := net.Dial("tcp", line.Address().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	in := bufio.NewReader(c)
	a, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	errs(t, line, 0, faults.Reply{Status: 503, After: true})
	io.WriteString(c, "GET /next HTTP/1.1\r\nHost: x\r\n\r\n")
	close(goOn)
	if text, err := io.ReadAll(a.Body); err != nil || string(text) != "first second" || a.StatusCode != 200 {
		t.Errorf("the one under way is %d %q, %v", a.StatusCode, text, err)
	}
	if a, err = http.ReadResponse(in, nil); err != nil || a.StatusCode != 503 {
		t.Errorf("the next one is %+v, %v; want 503", a, err)
	}
}
