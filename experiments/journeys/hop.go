package journeys

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/wire"
)

// maxKeptHeaders is far more than honest headers have, in bytes.
const maxKeptHeaders = 32 << 10

// received is what one hop brought back, before it is cut for the history.
type received struct {
	header http.Header
	body   wire.Body
}

// send sends one request and reads its answer within the limits. What goes wrong is part of the exchange.
func (u *httpUser) send(ctx context.Context, out outgoing) (experiments.Exchange, received) {
	exchange := experiments.Exchange{Method: out.method, URL: out.url.Redacted(), RequestBody: wire.Keep(out.body, u.limits.Keep)}
	hop := &hopTrace{}
	request := u.request(httptrace.WithClientTrace(ctx, hop.hooks()), out)
	exchange.RequestHeaders = sentHeaders(request.Header)
	exchange.Sent = time.Now()
	response, err := u.wire.RoundTrip(request)
	if err != nil {
		exchange.Ended = time.Now()
		exchange.FirstByte = hop.firstByte()
		exchange.Trouble, exchange.Why = hop.trouble(err), why(err)
		return exchange, received{}
	}
	defer response.Body.Close()
	got := received{header: response.Header}
	u.jar.take(out.url, response.Cookies())
	got.body, err = wire.ReadBody(response.Body, u.limits, u.inspect)
	exchange.Ended = time.Now()
	exchange.FirstByte = hop.firstByte()
	exchange.Status = response.StatusCode
	exchange.Headers = keptHeaders(response.Header)
	exchange.Body = got.body.Text
	exchange.Hits = append(got.body.Hits, u.planted(response.Header)...)
	if err != nil {
		exchange.Trouble, exchange.Why = wire.Trouble(err, true), why(err)
	}
	return exchange, got
}

// request makes the request as it goes out.
func (u *httpUser) request(ctx context.Context, out outgoing) *http.Request {
	request := (&http.Request{Method: out.method, URL: out.url, Host: out.url.Host, Header: out.header.Clone(),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}).WithContext(ctx)
	if host := request.Header.Get("Host"); host != "" {
		request.Host = host
		request.Header.Del("Host")
	}
	if len(out.body) > 0 {
		request.ContentLength = int64(len(out.body))
		request.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(out.body)), nil }
		request.Body = io.NopCloser(bytes.NewReader(out.body))
	}
	if user := out.url.User; user != nil && request.Header.Get("Authorization") == "" {
		password, _ := user.Password()
		request.SetBasicAuth(user.Username(), password)
	}
	for _, cookie := range u.jar.Cookies(out.url) {
		request.AddCookie(cookie)
	}
	hideKeys(request.Header)
	return request
}

// hideKeys keeps the transport from repeating a keyed request by itself when a connection breaks, which it does where it
// finds these names in this spelling: an attempt that nobody records would make the ledger wrong. Names of headers mean
// the same in every spelling.
func hideKeys(header http.Header) {
	for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
		if values, given := header[name]; given {
			delete(header, name)
			header[strings.ToLower(name)] = values
		}
	}
}

// sentHeaders is what the history keeps of a request. What proves who somebody is stays out.
func sentHeaders(header http.Header) map[string]string {
	kept := make(map[string]string, len(header))
	for name, values := range header {
		name = http.CanonicalHeaderKey(name)
		switch value := strings.Join(values, ", "); name {
		case "Cookie":
			kept[name] = maskCookies(value)
		case "Authorization", "Proxy-Authorization":
			scheme, _, _ := strings.Cut(value, " ")
			kept[name] = scheme + " …"
		default:
			kept[name] = value
		}
	}
	return kept
}

// keptHeaders is what the history keeps of an answer: no more than maxKeptHeaders bytes, and of a cookie all but what it
// holds.
func keptHeaders(header http.Header) map[string][]string {
	kept := map[string][]string{}
	room := maxKeptHeaders
	for _, name := range slices.Sorted(maps.Keys(header)) {
		for _, value := range header[name] {
			if name == "Set-Cookie" {
				pair, attributes, _ := strings.Cut(value, ";")
				value = strings.TrimSuffix(maskCookies(pair)+";"+attributes, ";")
			}
			if room -= len(name) + len(value); room < 0 {
				return kept
			}
			kept[name] = append(kept[name], wire.Printable([]byte(value)))
		}
	}
	return kept
}

func maskCookies(pairs string) string {
	names := strings.Split(pairs, ";")
	for i, pair := range names {
		name, _, _ := strings.Cut(strings.TrimSpace(pair), "=")
		names[i] = name + "=…"
	}
	return strings.Join(names, "; ")
}

// planted looks for planted secrets in headers. Their offset is -1: they are not in the body.
func (u *httpUser) planted(header http.Header) []experiments.PatternHit {
	var hits []experiments.PatternHit
	for name, values := range header {
		for _, canary := range u.canaries {
			if canary != "" && strings.Contains(strings.Join(values, "\n"), canary) {
				hits = append(hits, experiments.PatternHit{Pattern: "LK-06/canary", Offset: -1, Text: name + ": " + canary})
			}
		}
	}
	return hits
}

// why puts an error in words, without what the history says beside it.
func why(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return fmt.Sprintf("connect: %v", op.Err)
	}
	return wire.Line(err.Error(), 300)
}

// hopTrace watches one hop from inside the transport. Its hooks may still run when the request has been given up.
type hopTrace struct {
	mu    sync.Mutex
	conn  *countedConn
	start int64 // bytes that the connection had read before
	first time.Time
}

func (t *hopTrace) hooks() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			conn := info.Conn
			if secure, ok := conn.(interface{ NetConn() net.Conn }); ok {
				conn = secure.NetConn()
			}
			t.mu.Lock()
			defer t.mu.Unlock()
			if counted, ok := conn.(*countedConn); ok {
				t.conn, t.start = counted, counted.read.Load()
			}
		},
		GotFirstResponseByte: func() {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.first = time.Now()
		},
	}
}

func (t *hopTrace) firstByte() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.first
}

// trouble names why there is no answer. The transport has no type for headers without end, so their bytes are counted.
func (t *hopTrace) trouble(err error) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	name := wire.Trouble(err, !t.first.IsZero())
	if name != wire.Timeout && t.conn != nil && t.conn.read.Load()-t.start >= maxHeaderBytes {
		return wire.TooLarge
	}
	return name
}

// countedConn counts what it reads.
type countedConn struct {
	net.Conn
	read atomic.Int64
}

func (c *countedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.read.Add(int64(n))
	return n, err
}
