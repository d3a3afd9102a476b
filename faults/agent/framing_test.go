package agent

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"
)

// Messages end where they end, however their bytes are cut up.
func TestFramesEndWhereMessagesEnd(t *testing.T) {
	messages := []string{
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nGET /",
		"POST /b HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n3\r\n\r\n\r\r\n000A;name=\"v\"\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n",
		"PUT /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"GET /d HTTP/1.0\r\n\r\n",
	}
	all := []byte(strings.Join(messages, ""))
	for size := 1; size <= len(all); size++ {
		var f frames
		var got []string
		message := ""
		for p := range chunks(all, size) {
			for len(p) > 0 {
				n, what, err := f.take(p)
				if err != nil {
					t.Fatalf("pieces of %d, after %d messages: %v", size, len(got), err)
				}
				message, p = message+string(p[:n]), p[n:]
				if what == headEnded {
					if !plausible(f.head) {
						t.Fatalf("%q is not plausible", f.head)
					}
					_, length, err := readRequest(f.head)
					if err != nil {
						t.Fatalf("read %q: %v", f.head, err)
					}
					if f.begin(length) {
						what = messageEnded
					}
				}
				if what == messageEnded {
					got, message = append(got, message), ""
				}
			}
		}
		if a, b := fmt.Sprintf("%q", got), fmt.Sprintf("%q", messages); a != b || message != "" {
			t.Fatalf("pieces of %d: the messages are\n%s and %q; want\n%s", size, a, message, b)
		}
	}
}

func chunks(p []byte, size int) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(p) > 0 && yield(p[:min(size, len(p))]) {
			p = p[min(size, len(p)):]
		}
	}
}

func TestWhatIsNotARequestIsSeenAtOnce(t *testing.T) {
	for text, want := range map[string]bool{
		"G": true, "GET": true, "GET /": true, "GET / HTTP/1.1\r": true, "GET / HTTP/1.1\r\nHo": true, "GET / HTTP/1.0\n": true,
		"get /": false, " GET": false, "\x16\x03\x01": false, "PRI * HTTP/2.0\r\n": false, "EHLO me\r\n": false, "A\x00": false, "GET \x01": false,
		"SSH-2.0-x\r\n": false, strings.Repeat("A", 40): false,
	} {
		if got := plausible([]byte(text)); got != want {
			t.Errorf("%q is plausible: %v; want %v", text, got, want)
		}
	}
}

// Junk, and halves of messages, arrive as they were sent: what cannot be read is nobody's to change.
func TestJunkArrivesAsItWasSent(t *testing.T) {
	chance := rand.New(rand.NewPCG(1, 2))
	words := []string{"GET / HTTP/1.1\r\n", "Host: x\r\n", "\r\n", "\n", "Content-Length: 3\r\n", "Content-Length: -1\r\n", "Transfer-Encoding: chunked\r\n", "FFFFFFFFFFFFFFFFF\r\n",
		"5\r\nhello\r\n", "0\r\n\r\n", "\x00\xff", "POST /x HTTP/1.1\r\n", "Expect: 100-continue\r\n", "HTTP/1.1 200 OK\r\n", strings.Repeat("x", 70_000)}
	for round := range 150 {
		var sent bytes.Buffer
		for range 1 + chance.IntN(8) {
			sent.WriteString(words[chance.IntN(len(words))])
		}
		near, client := net.Pipe()
		server, far := net.Pipe()
		inForce := &repliers{}
		if round%2 == 1 { // one that meets nothing makes every head be held
			inForce.add(&replier{name: "never"})
			inForce.all[0].Methods = []string{"NEVER"}
		}
		up := &asks{talk: &talk{client: client, server: server, repliers: inForce}}
		go func() {
			for p := range chunks(sent.Bytes(), 1+chance.IntN(100_000)) {
				if err := up.hear(bytes.Clone(p)); err != nil {
					t.Errorf("round %d: %v", round, err)
				}
			}
			up.end()
			server.Close()
		}()
		far.SetDeadline(time.Now().Add(10 * time.Second))
		if got, err := io.ReadAll(far); err != nil || !bytes.Equal(got, sent.Bytes()) {
			t.Fatalf("round %d: %d bytes arrived, %v; sent were %d:\n%.300q", round, len(got), err, sent.Len(), sent.Bytes())
		}
		near.Close()
	}
}
