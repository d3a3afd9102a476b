package faults_test

import (
	"strings"
	"testing"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/faulttest"
)

func TestErrorsSaysWhatItDoes(t *testing.T) {
	for text, want := range map[string]string{
		"errors: {from: web, to: payments}": "HTTP requests from web to payments (port 8083) are answered 503 Service Unavailable in the place of payments, which never sees them",
		"errors: {from: web, to: payments, status: 599, answered: after, methods: [POST, PUT], paths: [/pay, '/orders/*']}": "HTTP POST and PUT requests from web to payments (port 8083) for /pay and /orders/* are answered 599 in the place of payments, " +
			"which works on them, and its answer is replaced",
	} {
		_, f := load(t, text)
		if got, err := f.Prepare(t.Context(), faulttest.NewFake()); got != want || err != nil {
			t.Errorf("Prepare of %s = %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestErrorsRefusesWhatNobodyCouldRead(t *testing.T) {
	long := strings.Repeat("x", 70_000)
	for text, want := range map[string]string{
		"status: 200, body: '{}', headers: {Content-Type: application/json}, paths: ['*'], methods: [GET]": "",
		"status: 199, answered: never": `status: 199 is not an HTTP status from 200 to 599 (such as 503); answered: unknown answered "never" (one of gate, after)`,
		"status: 304, body: x":         "body: an answer of status 304 has no body (leave it out)",
		"body: " + long:                "body: 70000 bytes are more than 65536",
		`headers: {content-length: '1', 'a b': c, X-Two: "a\nb"}`: `headers: the value of X-Two is not one line of at most 4096 bytes; headers: "a b" is not the name of a header; ` +
			"headers: Content-Length says where the answer ends, which candor does (leave it out)",
		"paths: [pay, '/a?b']":    `paths: "pay" does not begin with / or * (such as /orders/*); paths: "/a?b" has a query (leave the query out: it is not looked at)`,
		"methods: [get, CONNECT]": `methods: "get" is not a method in capital letters (such as POST); methods: CONNECT opens a tunnel, which passes untouched`,
	} {
		_, f := load(t, "errors: {from: web, to: payments, "+text+"}")
		if got := mistakes(f.(faults.Validator).Validate()); got != want {
			t.Errorf("Validate of %.100s = %s; want %s", text, got, want)
		}
	}
}

func TestReplyMeets(t *testing.T) {
	for _, tt := range []struct {
		pattern, path string
		want          bool
	}{
		{"/pay", "/pay", true}, {"/pay", "/pay/", false}, {"/pay", "/payments", false}, {"/pay*", "/payments", true}, {"/a/*/c", "/a/b/x/c", true},
		{"/a/*/c", "/a/c", false}, {"*", "", true}, {"*.json", "/x/y.json", true}, {"/a*a", "/a", false}, {"/*b*b", "/ab", false}, {"/*b*b", "/abb", true},
	} {
		r := faults.Reply{Paths: []string{"/never", tt.pattern}, Methods: []string{"GET", "POST"}}
		if got := r.Meets("POST", tt.path); got != tt.want {
			t.Errorf("%s meets %s: %v; want %v", tt.pattern, tt.path, got, tt.want)
		}
		if r.Meets("PUT", tt.path) {
			t.Errorf("%s meets a method that is not meant", tt.pattern)
		}
	}
}
