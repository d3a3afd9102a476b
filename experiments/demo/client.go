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
	"syscall"
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
	var sent io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("%s %s: %w", method, path, err)
		}
		sent = bytes.NewReader(data)
	}
	request, err := http.NewRequestWithContext(ctx, method, d.url+path, sent)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	request.Header.Set("Content-Type", "application/json")
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	answer, err := d.http.Do(request)
	if err != nil {
		return err
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

// neverSent reports whether an error means that the dependency certainly did not get the request: it said no itself, or
// no connection was made.
func neverSent(err error) bool {
	var answer *errAnswer
	if errors.As(err, &answer) {
		return true
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return true
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}
