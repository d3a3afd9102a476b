package agent

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/candor-chaos/candor/faults"
)

const (
	headLimit   = 64 << 10 // of one request's head
	bodyLimit   = 64 << 10 // of one request's body that is searched
	targetLimit = 2 << 10
	methodLimit = 32
)

// hearing is what the tap of one path needs to know.
type hearing struct {
	path   faults.Path
	marker *regexp.Regexp // nil: no markers
	keys   []string       // header NAME, or json.FIELD
	tell   func(faults.Request)
}

// newHearing prepares a path's tap.
func newHearing(path faults.Path, o Options, tell func(faults.Request)) *hearing {
	h := &hearing{path: path, keys: append([]string{"header Idempotency-Key"}, o.Keys...), tell: tell}
	if o.Prefix != "" {
		h.marker = regexp.MustCompile(regexp.QuoteMeta(o.Prefix) + `[0-9]{1,18}`)
	}
	return h
}

// listener hears one connection. What is not HTTP/1.1 is let pass unread.
type listener struct{ pipe *io.PipeWriter }

func (h *hearing) listen() *listener {
	r, w := io.Pipe()
	go h.follow(r)
	return &listener{pipe: w}
}

// write hands over a piece. It never waits for long: the other side always reads.
func (l *listener) write(p []byte) {
	// The error would say that the other side is closed, which it never is before this one.
	_, _ = l.pipe.Write(p)
}

func (l *listener) close() {
	if l != nil {
		l.pipe.Close()
	}
}

// follow reads requests until something is not one, then only empties the pipe. It ends when the connection does.
func (h *hearing) follow(pipe *io.PipeReader) {
	limited := &budget{from: pipe}
	in := bufio.NewReader(limited)
	for {
		limited.left = headLimit + bodyLimit
		if !h.one(in, limited) {
			break
		}
	}
	limited.left = 1 << 62
	// What is left of the stream is of no interest; the copy ends with the connection.
	_, _ = io.Copy(io.Discard, in)
}

// one hears one request.
func (h *hearing) one(in *bufio.Reader, limited *budget) bool {
	first, err := in.Peek(1)
	if err != nil || first[0] < 'A' || first[0] > 'Z' {
		return false
	}
	request, err := http.ReadRequest(in)
	if err != nil || request.ProtoMajor != 1 { // the preface of HTTP/2 looks like a request
		return false
	}
	at := time.Now().UTC()
	limited.left = 1 << 62 // a long body is no reason to stop listening
	body, err := io.ReadAll(io.LimitReader(request.Body, bodyLimit))
	if err == nil {
		_, err = io.Copy(io.Discard, request.Body)
	}
	h.tell(faults.Request{At: at, Path: h.path, Method: cut(request.Method, methodLimit), Target: cut(request.RequestURI, targetLimit),
		Marker: h.find(request, body), Key: h.key(request, body)})
	return err == nil
}

// find looks for the run's marker where a service would pass it on.
func (h *hearing) find(r *http.Request, body []byte) string {
	if h.marker == nil {
		return ""
	}
	if m := h.marker.FindString(r.RequestURI); m != "" {
		return m
	}
	if m := h.marker.Find(body); m != nil {
		return string(m)
	}
	for _, values := range r.Header {
		if m := h.marker.FindString(strings.Join(values, "\n")); m != "" {
			return m
		}
	}
	return ""
}

// key is the hash of the first idempotency key that is there: keys are compared and never shown.
func (h *hearing) key(r *http.Request, body []byte) string {
	var fields map[string]any
	numbers := json.NewDecoder(bytes.NewReader(body))
	numbers.UseNumber()
	_ = numbers.Decode(&fields) // not JSON: then no field holds a key
	for _, k := range h.keys {
		value := ""
		if name, is := strings.CutPrefix(k, "header "); is {
			value = r.Header.Get(strings.TrimSpace(name))
		} else if name, is := strings.CutPrefix(k, "json."); is {
			switch v := fields[name].(type) {
			case string:
				value = v
			case json.Number:
				value = v.String()
			}
		}
		if value != "" {
			sum := sha256.Sum256([]byte(value))
			return hex.EncodeToString(sum[:8])
		}
	}
	return ""
}

func cut(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}

var errBudget = errors.New("a request's head is too long")

// budget ends a read that would grow without bound.
type budget struct {
	from io.Reader
	left int64
}

func (b *budget) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errBudget
	}
	n, err := b.from.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
