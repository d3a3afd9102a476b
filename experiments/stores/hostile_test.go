package stores

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

// liar is a server that answers whatever comes with the same text.
func liar(t *testing.T, answer string) (address string) {
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
			conn.SetDeadline(time.Now().Add(5 * time.Second))
			for piece := make([]byte, 4096); ; {
				if _, err := conn.Read(piece); err != nil {
					break
				}
				io.WriteString(conn, answer)
			}
			conn.Close()
		}
	}()
	return l.Addr().String()
}

func TestAHostileRedisIsNoAnswer(t *testing.T) {
	for answer, words := range map[string]string{
		"$9223372036854775807\r\nx":            "larger than a look may read",
		"*2147483647\r\n":                      "larger than a look may read",
		"*1\r\n$99999999999\r\n":               "larger than a look may read",
		"$-9\r\n":                              "not the protocol of Redis",
		"$twelve\r\n":                          "not the protocol of Redis",
		"HTTP/1.1 200 OK\r\n\r\n":              "not the protocol of Redis",
		"+" + strings.Repeat("x", 1<<20):       "larger than a look may read",
		"-LOADING Redis is loading\r\n":        "still loading",
		"-MASTERDOWN Link with MASTER\r\n":     "lost its master",
		"-CLUSTERDOWN The cluster is down\r\n": "cannot serve now",
		"-READONLY You can't write\r\n":        "READONLY",
		"":                                     "timeout",
	} {
		t.Run(fmt.Sprintf("%.20q", answer), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			client, err := OpenRedis(ctx, "redis://"+liar(t, answer))
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			value, err := client.Do(ctx, "GET", "a")
			if err == nil || !strings.Contains(err.Error(), words) || value != nil {
				t.Errorf("Do = %.20v, %v; want %q", value, err, words)
			}
		})
	}
}

// TestLengthsAreSeenInPieces feeds an honest answer byte by byte: what is within a value is never taken for a header.
func TestLengthsAreSeenInPieces(t *testing.T) {
	var r resp
	for _, b := range []byte("*2\r\n$6\r\n$99\r\n+\r\n:5\r\n$-1\r\n") {
		if err := r.see([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.see([]byte("$9999999999\r\n")); err == nil {
		t.Error("a length that no look may read was let through")
	}
}

func TestAddressesOfRedis(t *testing.T) {
	for address, words := range map[string]string{
		"http://127.0.0.1":             "it starts with redis://",
		"redis://:s3cret@":             "cannot be understood",
		"redis://:s3cret@[::1":         "cannot be understood",
		"redis://:s3cret@127.0.0.1/x":  "no number of a database",
		"redis://:s3cret@127.0.0.1?a=": "nothing can follow",
	} {
		_, err := OpenRedis(t.Context(), address)
		if err == nil || !strings.Contains(err.Error(), words) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("OpenRedis(%s) = %v; want %q and no password", address, err, words)
		}
	}
}

func TestMySQLThatCannotServe(t *testing.T) {
	for number, words := range map[uint16]string{1053: "shutting down", 1040: "no more connections", 1927: "cancelled", 1290: "must not write", 1146: "query: "} {
		err := explain(fmt.Errorf("x: %w", &mysql.MySQLError{Number: number, Message: "said"}), time.Second)
		if !strings.Contains(err.Error(), words) || !strings.Contains(err.Error(), "said") {
			t.Errorf("%d is %q; want %q and what it said", number, err, words)
		}
	}
}

func TestNumbersStayExact(t *testing.T) {
	for text, want := range map[string]any{"42": int64(42), "-7": int64(-7), "12.5": 12.5, "12345678901234567.89": "12345678901234567.89",
		"99999999999999999999": "99999999999999999999", "abc": "abc"} {
		if got := exact(text); got != want {
			t.Errorf("exact(%s) = %v (%T); want %v", text, got, got, want)
		}
	}
}
