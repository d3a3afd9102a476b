package agent

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/candor-chaos/candor/faults"
)

// hear feeds a tap with what a connection carries, in pieces, and returns what it told.
func hear(t *testing.T, size int, said string) []faults.Request {
	t.Helper()
	told := make(chan faults.Request, 100)
	h := newHearing(faults.Path{}, Options{Prefix: "cabc-", Keys: []string{"json.request_id", "header X-Request-Id"}},
		func(r faults.Request) { told <- r })
	l := h.listen()
	fed := make(chan struct{})
	go func() {
		defer close(fed)
		for len(said) > 0 {
			n := min(size, len(said))
			l.write([]byte(said[:n]))
			said = said[n:]
		}
		l.close()
	}()
	select {
	case <-fed:
	case <-time.After(10 * time.Second):
		t.Fatal("the tap held the stream up")
	}
	var all []faults.Request
	for {
		select {
		case r := <-told:
			all = append(all, r)
		case <-time.After(200 * time.Millisecond):
			return all
		}
	}
}

func post(body, more string) string {
	return fmt.Sprintf("POST /orders HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r\n%s", more, len(body), body)
}

func TestTheTapHearsRequestsWhole(t *testing.T) {
	for name, c := range map[string]struct {
		said    string
		markers string
		keys    int
	}{
		"pipelined":          {post("cabc-1", "") + post("cabc-2", ""), "cabc-1 cabc-2", 0},
		"chunked":            {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\ncabc-\r\n2\r\n17\r\n0\r\n\r\n" + post("cabc-18", ""), "cabc-17 cabc-18", 0},
		"in the target":      {"GET /a?b=cabc-3 HTTP/1.1\r\nHost: x\r\n\r\n", "cabc-3", 0},
		"in a header":        {"GET / HTTP/1.1\r\nHost: x\r\nX-Note: cabc-4\r\n\r\n", "cabc-4", 0},
		"a long body":        {post("cabc-5"+strings.Repeat("x", 1<<20), "") + post("cabc-6", ""), "cabc-5 cabc-6", 0},
		"key in a header":    {post("cabc-7", "X-Request-Id: k\r\n"), "cabc-7", 1},
		"key in JSON":        {post(`{"request_id":"k","a":"cabc-8"}`, ""), "cabc-8", 1},
		"key is a number":    {post(`{"request_id":12345678901234567,"a":"cabc-9"}`, ""), "cabc-9", 1},
		"cut off":            {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\ncabc-10", "cabc-10", 0},
		"not HTTP":           {"\x00\x03user\x00cabc-11", "", 0},
		"HTTP/2":             {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\ncabc-12", "", 0},
		"capitals, not HTTP": {"EHLO cabc-13\r\nMAIL FROM:<a>\r\n", "", 0},
		"an endless head":    {"GET / HTTP/1.1\r\nX: " + strings.Repeat("cabc-14", 1<<18), "", 0},
		"an endless marker":  {post("cabc-"+strings.Repeat("9", 1<<16), ""), "cabc-" + strings.Repeat("9", 18), 0},
	} {
		for _, size := range []int{7, 32 << 10} {
			t.Run(fmt.Sprintf("%s in pieces of %d", name, size), func(t *testing.T) {
				var markers []string
				keys := 0
				for _, r := range hear(t, size, c.said) {
					markers = append(markers, r.Marker)
					if r.Key != "" {
						keys++
					}
				}
				if got := strings.Join(markers, " "); got != c.markers || keys != c.keys {
					t.Errorf("heard %q with %d keys; want %q with %d", got, keys, c.markers, c.keys)
				}
			})
		}
	}
}
