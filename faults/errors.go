package faults

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Errors answers HTTP requests in the dependency's place. Answered at the gate, the dependency never sees the request;
// answered after, it has done the work and nobody is told: the payment that was taken and is reported as failed. It needs
// a world that can route, impair, and answer HTTP.
var Errors = Kind{
	Name:    "errors",
	Doc:     "HTTP requests from one service to another get an answer of yours, before (gate) or after the other has worked",
	Example: "errors: {from: web, to: payments, status: 503}",
	New:     func() Fault { return &errorAnswers{Status: http.StatusServiceUnavailable, Answered: "gate"} },
	Needs:   func(w World) bool { return impairs(w) && Can[answerer](w) },
	Reach:   func(f Fault) Reach { return f.(*errorAnswers).reach() },
}

// errorAnswers is a fault whose share is one of the requests, and not of the connections.
type errorAnswers struct {
	impaired `yaml:",inline"`
	Status   int               `yaml:"status" json:"status" doc:"of the answer, from 200 to 599"`
	Body     string            `yaml:"body" json:"body,omitempty" doc:"of the answer, as it is sent"`
	Headers  map[string]string `yaml:"headers" json:"headers,omitempty" doc:"of the answer"`
	Paths    []string          `yaml:"paths" json:"paths,omitempty" doc:"which are answered, without their query; * stands for anything, as in /orders/*; none: all"`
	Methods  []string          `yaml:"methods" json:"methods,omitempty" doc:"which are answered, as POST; none: all"`
	Answered string            `yaml:"answered" json:"answered" doc:"gate (the other never sees the request) or after (it works, and its answer is replaced)"`
}

// Reply is what HTTP requests on a path get in the dependency's place: plain data that can be sent to an agent.
type Reply struct {
	Status  int               `json:"status"`
	Body    string            `json:"body,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	Paths   []string          `json:"paths,omitempty"`   // patterns; none: every path
	Methods []string          `json:"methods,omitempty"` // none: every method
	After   bool              `json:"after,omitempty"`   // the dependency gets the request first
}

// Meets reports whether a request with this method and path is among those that are answered.
func (r *Reply) Meets(method, path string) bool {
	if len(r.Methods) > 0 && !slices.Contains(r.Methods, method) {
		return false
	}
	return len(r.Paths) == 0 || slices.ContainsFunc(r.Paths, func(pattern string) bool { return glob(pattern, path) })
}

// glob matches the whole text; each * stands for anything, also nothing and slashes.
func glob(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	text, ok := strings.CutPrefix(text, parts[0])
	if !ok || len(parts) == 1 {
		return ok && text == ""
	}
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		if _, text, ok = strings.Cut(text, part); !ok {
			return false
		}
	}
	return strings.HasSuffix(text, parts[last])
}

// The bounds of what is answered; an agent is told it in one line.
const (
	mostBody    = 64 << 10
	mostHeaders = 32
	mostHeader  = 4 << 10
	mostListed  = 64
)

// Bodiless reports whether an answer of a status has no body whatever is asked.
func Bodiless(status int) bool {
	return status < 200 || status == http.StatusNoContent || status == http.StatusNotModified
}

// Check names every mistake, by the keys of the fault. What no client could read as one whole answer is refused.
func (r *Reply) Check() error {
	var all []error
	wrong := func(field, hint, msg string, args ...any) {
		all = append(all, &FieldError{Field: field, Msg: fmt.Sprintf(msg, args...), Hint: hint})
	}
	if r.Status < 200 || r.Status > 599 {
		wrong("status", "such as 503", "%d is not an HTTP status from 200 to 599", r.Status)
	}
	switch {
	case len(r.Body) > mostBody:
		wrong("body", "", "%d bytes are more than %d", len(r.Body), mostBody)
	case r.Body != "" && Bodiless(r.Status):
		wrong("body", "leave it out", "an answer of status %d has no body", r.Status)
	}
	if len(r.Headers) > mostHeaders {
		wrong("headers", "", "%d headers are more than %d", len(r.Headers), mostHeaders)
	}
	for _, name := range sorted(r.Headers) {
		switch value := r.Headers[name]; {
		case !token(name):
			wrong("headers", "", "%q is not the name of a header", name)
		case slices.Contains([]string{"Content-Length", "Transfer-Encoding", "Connection", "Upgrade", "Trailer", "Keep-Alive"}, http.CanonicalHeaderKey(name)):
			wrong("headers", "leave it out", "%s says where the answer ends, which candor does", http.CanonicalHeaderKey(name))
		case len(name)+len(value) > mostHeader || strings.ContainsFunc(value, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }):
			wrong("headers", "", "the value of %s is not one line of at most %d bytes", name, mostHeader)
		}
	}
	if len(r.Paths) > mostListed || len(r.Methods) > mostListed {
		wrong("paths", "", "more than %d paths or methods", mostListed)
	}
	for _, p := range r.Paths {
		switch {
		case len(p) > mostHeader || !strings.HasPrefix(p, "/") && !strings.HasPrefix(p, "*"):
			wrong("paths", "such as /orders/*", "%q does not begin with / or *", p)
		case strings.ContainsAny(p, "?#"):
			wrong("paths", "leave the query out: it is not looked at", "%q has a query", p)
		}
	}
	for _, m := range r.Methods {
		switch {
		case !token(m) || m != strings.ToUpper(m):
			wrong("methods", "such as POST", "%q is not a method in capital letters", m)
		case m == http.MethodConnect:
			wrong("methods", "", "CONNECT opens a tunnel, which passes untouched")
		}
	}
	return errors.Join(all...)
}

// sorted are the keys of a map in their order, so that mistakes are said in the same one each time.
func sorted(m map[string]string) []string {
	var all []string
	for k := range m {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}

// token reports whether a text is a word of HTTP.
func token(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", c))
	})
}

// Validate names every mistake in the answer.
func (e *errorAnswers) Validate() error {
	return errors.Join(e.check(), e.reply().Check(), oneOf("answered", e.Answered, "gate", "after"))
}

func (e *errorAnswers) reply() *Reply {
	return &Reply{Status: e.Status, Body: e.Body, Headers: e.Headers, Paths: e.Paths, Methods: e.Methods, After: e.Answered == "after"}
}

func (e *errorAnswers) how() Impairment { return Impairment{Reply: e.reply()} }

// Suits refuses an answer that a world cannot give.
func (e *errorAnswers) Suits(w World) error { return e.suits(w, e.how()) }

func (e *errorAnswers) Prepare(ctx context.Context, w World) (string, error) {
	if err := e.prepare(ctx, w, "errors"); err != nil {
		return "", err
	}
	from, to := e.ends()
	what := "requests"
	if len(e.Methods) > 0 {
		what = strings.Join(e.Methods, " and ") + " requests"
	}
	if len(e.Paths) > 0 {
		to += " for " + strings.Join(e.Paths, " and ")
	}
	status := strings.TrimSpace(fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status)))
	how := "which never sees them"
	if e.Answered == "after" {
		how = "which works on them, and its answer is replaced"
	}
	return fmt.Sprintf("HTTP %s from %s to %s are answered %s in the place of %s, %s%s", what, from, to, status, e.Way.To, how, e.extentIn("requests")), nil
}

func (e *errorAnswers) Inject(ctx context.Context, w World) error { return e.inject(ctx, w, e.how()) }

func (e *errorAnswers) State(ctx context.Context, w World) (State, error) {
	return e.state(ctx, w, e.how())
}
