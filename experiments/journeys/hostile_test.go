package journeys

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

func itoa(n int) string { return strconv.Itoa(n) }

// raw is a server that reads one request of each connection and then does as it likes.
func raw(t *testing.T, answer func(conn net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			func() {
				defer conn.Close()
				if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
					answer(conn)
				}
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// say writes a text and leaves the connection to be closed.
func says(text string) func(net.Conn) {
	return func(conn net.Conn) { io.WriteString(conn, text) }
}

// repeats writes a text and then another one until nobody listens.
func repeats(first, text string, pause time.Duration) func(net.Conn) {
	return func(conn net.Conn) {
		io.WriteString(conn, first)
		for {
			if _, err := io.WriteString(conn, text); err != nil {
				return
			}
			time.Sleep(pause)
		}
	}
}

func hangs(conn net.Conn) {
	conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	conn.Read(make([]byte, 1)) // until the other side hangs up
}

func resets(conn net.Conn) {
	conn.(*net.TCPConn).SetLinger(0)
}

func TestHostileServers(t *testing.T) {
	block := strings.Repeat("x", 64<<10)
	const ok = "HTTP/1.1 200 OK\r\n"
	for _, c := range []struct {
		name    string
		answer  func(net.Conn)
		status  int
		trouble string
	}{
		{"silence", hangs, 0, "timeout"},
		{"hangs up", func(net.Conn) {}, 0, "closed"},
		{"resets", resets, 0, "reset"},
		{"half a status line", says("HTTP/1."), 0, "malformed"},
		{"no HTTP at all", says("SSH-2.0-OpenSSH_9.6\r\n\r\n"), 0, "malformed"},
		{"a status without end", repeats("HTTP/1.1 200 ", block, 0), 0, "too-large"},
		{"a bad status", says("HTTP/1.1 abc OK\r\n\r\n"), 0, "malformed"},
		{"bad header", says(ok + "no colon here\r\n\r\n"), 0, "malformed"},
		{"headers without end", repeats(ok, "X-Pad: "+strings.Repeat("x", 1000)+"\r\n", 0), 0, "too-large"},
		{"headers drop by drop", repeats(ok, "X-Slow: x\r\n", 50*time.Millisecond), 0, "timeout"},
		{"interim answers without end", repeats("", "HTTP/1.1 103 Early Hints\r\n\r\n", 0), 0, "too-large"},
		{"two lengths", says(ok + "Content-Length: 3\r\nContent-Length: 5\r\n\r\nabc"), 0, "malformed"},
		{"body drop by drop", repeats(ok+"Content-Length: 1000000\r\n\r\n", "x", 20*time.Millisecond), 200, "timeout"},
		{"body hangs", func(c net.Conn) { says(ok + "Content-Length: 100\r\n\r\nabc")(c); hangs(c) }, 200, "timeout"},
		{"body cut short", says(ok + "Content-Length: 100\r\n\r\nabc"), 200, "closed"},
		{"chunk cut short", says(ok + "Transfer-Encoding: chunked\r\n\r\n64\r\nabc"), 200, "closed"},
		{"chunk of nonsense", says(ok + "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc"), 200, "malformed"},
		{"reset in the body", func(c net.Conn) {
			says(ok + "Content-Length: 100\r\n\r\nabc")(c)
			time.Sleep(20 * time.Millisecond)
			resets(c)
		}, 200, "reset"},
		{"not gzip", says(ok + "Content-Encoding: gzip\r\nContent-Length: 20\r\n\r\n" + strings.Repeat("hello", 4)), 200, "malformed"},
		{"body without end", repeats(ok+"\r\n", block, 0), 200, ""},
		{"chunks without end", repeats(ok+"Transfer-Encoding: chunked\r\n\r\n", "10000\r\n"+block+"\r\n", 0), 200, ""},
		{"binary", says(ok + "Content-Length: 4\r\n\r\n\xff\x00\xfe\x01"), 200, ""},
		{"a huge length", repeats(ok+"Content-Length: 9223372036854775807\r\n\r\n", block, 0), 200, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			step := &Request{Get: text("/")}
			compile(t, step)
			u, err := HTTP.Open(experiments.SurfaceConfig{Base: raw(t, c.answer)})
			if err != nil {
				t.Fatal(err)
			}
			defer u.Close()
			answer, err := u.Do(t.Context(), experiments.Act{Action: step, Timeout: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			e := answer.Exchanges[0]
			if e.Status != c.status || e.Trouble != c.trouble || answer.Answered != (c.trouble == "") {
				t.Errorf("status %d, trouble %q (%s), answered %v; want %d, %q", e.Status, e.Trouble, e.Why, answer.Answered, c.status, c.trouble)
			}
			if e.Trouble != "" && e.Why == "" {
				t.Error("the trouble has no words")
			}
			if e.Ended.Before(e.Sent) || e.Ended.Sub(e.Sent) > 5*time.Second {
				t.Errorf("it took %s", e.Ended.Sub(e.Sent))
			}
			if kept := len(e.Body.Text); kept > 3*64<<10 {
				t.Errorf("%d bytes are kept", kept)
			}
		})
	}
}

func TestNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	answer := do(t, newUser(t, "http://"+l.Addr().String()), &Request{Get: text("/")})
	if e := answer.Exchanges[0]; e.Trouble != "refused" || e.Status != 0 || answer.Answered || answer.Vars["status"] != int64(0) {
		t.Errorf("trouble %q, status %d, answered %v", e.Trouble, e.Status, answer.Answered)
	}
}

func TestNameWithoutAddress(t *testing.T) {
	answer := do(t, newUser(t, "http://nothing.invalid"), &Request{Get: text("/")})
	if e := answer.Exchanges[0]; e.Trouble != "dns" {
		t.Errorf("trouble %q (%s)", e.Trouble, e.Why)
	}
}

func TestUnknownCertificate(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(echo))
	s.Config.ErrorLog = quietLog()
	s.StartTLS()
	t.Cleanup(s.Close)
	if e := do(t, newUser(t, s.URL), &Request{Get: text("/")}).Exchanges[0]; e.Trouble != "tls" {
		t.Errorf("a certificate of nobody: trouble %q (%s)", e.Trouble, e.Why)
	}
	plain := serve(t, echo)
	if e := do(t, newUser(t, strings.Replace(plain, "http:", "https:", 1)), &Request{Get: text("/")}).Exchanges[0]; e.Trouble != "tls" {
		t.Errorf("no TLS at all: trouble %q (%s)", e.Trouble, e.Why)
	}
}

// gibibyte is a body that no test should hold.
const gibibyte = 1 << 30

func TestLargeAnswersDoNotGrowMemory(t *testing.T) {
	block := make([]byte, 64<<10)
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		out := io.Writer(w)
		if r.URL.Path == "/bomb" {
			w.Header().Set("Content-Encoding", "gzip")
			packed := gzip.NewWriter(w)
			defer packed.Close()
			out = packed
		} else {
			w.Header().Set("Content-Length", fmt.Sprint(gibibyte))
		}
		for sent := 0; sent < gibibyte; sent += len(block) {
			if _, err := out.Write(block); err != nil {
				return
			}
		}
	})
	for _, path := range []string{"/plain", "/bomb"} {
		t.Run(path, func(t *testing.T) {
			u := newUser(t, base)
			runtime.GC()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			answer := do(t, u, &Request{Get: text(path)})
			runtime.ReadMemStats(&after)
			body := answer.Exchanges[0].Body
			if !body.Unread || !body.Cut || body.Length != 8<<20 || len(body.Text) != 64<<10 || len(body.SHA256) != 64 {
				t.Errorf("kept %d of %d bytes, cut %v, unread %v", len(body.Text), body.Length, body.Cut, body.Unread)
			}
			if !answer.Answered {
				t.Error("a long answer is an answer")
			}
			// All that was ever allocated, garbage and the server's side included, against what was sent.
			if used := after.TotalAlloc - before.TotalAlloc; used > gibibyte/64 {
				t.Errorf("an answer of 1 GiB allocated %d MiB", used>>20)
			}
		})
	}
}

func TestSearchSeesBeyondWhatIsKept(t *testing.T) {
	u, err := HTTP.Open(experiments.SurfaceConfig{
		Base: serve(t, func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, strings.Repeat(".", 3<<20)+"panic: runtime error")
		}),
		Inspect: func(piece []byte) []experiments.PatternHit {
			if at := strings.Index(string(piece), "panic: "); at >= 0 {
				return []experiments.PatternHit{{Pattern: "go-trace", Offset: int64(at), Text: "panic: "}}
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	hits := do(t, u, &Request{Get: text("/")}).Exchanges[0].Hits
	if len(hits) != 1 || hits[0].Offset != 3<<20 {
		t.Errorf("hits = %v; want one at %d", hits, 3<<20)
	}
}

// quietLog keeps a server from telling on standard error what the test provokes.
func quietLog() *log.Logger { return log.New(io.Discard, "", 0) }
