package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// dependency is a service that web calls: a pool of connections and a time after which it gives up.
type dependency struct {
	url     string
	http    *http.Client
	timeout time.Duration
}

func newDependency(url string, timeout time.Duration) *dependency {
	transport := &http.Transport{MaxIdleConnsPerHost: 32, IdleConnTimeout: 30 * time.Second, DisableCompression: true,
		DialContext: (&net.Dialer{Timeout: timeout}).DialContext}
	return &dependency{url: url, http: &http.Client{Transport: transport}, timeout: timeout}
}

// errAnswer is an answer that is no success.
type errAnswer struct{ status int }

func (e *errAnswer) Error() string { return fmt.Sprintf("answered %d", e.status) }

// call sends JSON with a key, which makes it safe to repeat, and decodes the answer. An empty key sends none.
func (d *dependency) call(ctx context.Context, method, path, key string, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	var content io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("%s %s: %w", method, path, err)
		}
		content = bytes.NewReader(data)
	}
	request, err := http.NewRequestWithContext(ctx, method, d.url+path, content)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	request.Header.Set("Content-Type", "application/json")
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	var sent atomic.Bool
	trace := &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }}
	answer, err := d.http.Do(request.WithContext(httptrace.WithClientTrace(ctx, trace)))
	if err != nil {
		return &errCall{err: err, sent: sent.Load()}
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("%s %s: read the answer: %w", method, path, err)
	}
	if answer.StatusCode >= 300 {
		return &errAnswer{answer.StatusCode}
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(data, into)
}

// errCall is a call without an answer. sent: the request, or an earlier try of it on another connection, was on its way.
type errCall struct {
	err  error
	sent bool
}

func (e *errCall) Error() string { return e.err.Error() }
func (e *errCall) Unwrap() error { return e.err }

// neverDone reports whether an error means that the dependency certainly did not do what was asked: it said itself that
// the request was at fault, or the request never left. An answer of 5xx says neither.
func neverDone(err error) bool {
	var answer *errAnswer
	if errors.As(err, &answer) {
		return answer.status >= 400 && answer.status < 500
	}
	var call *errCall
	return errors.As(err, &call) && !call.sent
}
