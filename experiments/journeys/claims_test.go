package journeys

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/wire"
)

// said makes the answer of one hop.
func said(status int, header map[string]string, body string) experiments.Answer {
	h := http.Header{}
	for name, value := range header {
		h.Set(name, value)
	}
	read, err := wire.ReadBody(strings.NewReader(body), wire.DefaultLimits(), nil)
	if err != nil {
		panic(err)
	}
	answer := experiments.Answer{Answered: true, Exchanges: []experiments.Exchange{{Status: status, Headers: h, Body: read.Text, Ended: time.Now()}}}
	answer.Vars = see(answer, received{header: h, body: read})
	return answer
}

const (
	none    = experiments.ClaimNone
	success = experiments.ClaimSuccess
	refused = experiments.ClaimRefused
	pending = experiments.ClaimPending
	unknown = experiments.ClaimUnknown
)

func TestClaimOfAStatus(t *testing.T) {
	for _, c := range []struct {
		status, attempt int
		want            experiments.Claim
		by              string
	}{
		{200, 1, success, "status"}, {201, 1, success, "status"}, {204, 1, success, "status"}, {299, 1, success, "status"},
		{202, 1, pending, "status"}, {202, 2, pending, "status"},
		{409, 1, refused, "status"}, {409, 2, pending, "status"},
		{400, 1, refused, "status"}, {404, 1, refused, "status"}, {422, 1, refused, "status"}, {429, 1, refused, "status"},
		{500, 1, refused, "status"}, {503, 1, refused, "status"}, {501, 1, refused, "status"}, {599, 1, refused, "status"},
		{502, 1, none, "nothing"}, {504, 1, none, "nothing"},
		{302, 1, none, "nothing"}, {304, 1, none, "nothing"},
	} {
		answer := said(c.status, nil, "")
		got := hear(nil, answer, answer.Vars, c.attempt, nil)
		if got.claim != c.want || got.by != c.by {
			t.Errorf("status %d at attempt %d is %s by %s; want %s by %s", c.status, c.attempt, got.claim, got.by, c.want, c.by)
		}
	}
}

func TestDeclaredClaims(t *testing.T) {
	all := experiments.Claims{
		Success: expr("status == 201"),
		Pending: expr("json.state == 'queued'"),
		Refused: expr("status in [409, 422, 503]"),
		Unknown: expr("json.state == 'unclear'"),
	}
	for _, c := range []struct {
		name   string
		claims experiments.Claims
		status int
		body   string
		want   experiments.Claim
		also   []experiments.Claim
		by     string
	}{
		{"one matches", all, 201, `{"state": "placed"}`, success, nil, "declared"},
		{"a field is missing", all, 201, `{}`, success, nil, "declared"},
		{"no JSON at all", all, 503, `<h1>sorry</h1>`, refused, nil, "declared"},
		{"pending before success", all, 201, `{"state": "queued"}`, pending, []experiments.Claim{success}, "declared"},
		{"unknown before refused", all, 503, `{"state": "unclear"}`, unknown, []experiments.Claim{refused}, "declared"},
		{"refused before pending", all, 409, `{"state": "queued"}`, refused, []experiments.Claim{pending}, "declared"},
		{"all four", experiments.Claims{Success: expr("true"), Pending: expr("true"), Refused: expr("true"), Unknown: expr("true")},
			200, `{}`, unknown, []experiments.Claim{refused, pending, success}, "declared"},
		{"none matches: the status", all, 200, `{"state": "odd"}`, success, nil, "status"},
		{"none matches: a gateway", all, 502, `bad gateway`, none, nil, "nothing"},
		{"no yes or no", experiments.Claims{Success: expr("json.state")}, 500, `{"state": "x"}`, refused, nil, "status"},
	} {
		t.Run(c.name, func(t *testing.T) {
			compile(t, &c.claims)
			answer := said(c.status, nil, c.body)
			got := hear(&c.claims, answer, answer.Vars, 1, nil)
			if got.claim != c.want || got.by != c.by {
				t.Errorf("%d %s is %s by %s; want %s by %s", c.status, c.body, got.claim, got.by, c.want, c.by)
			}
			if diff := cmp.Diff(c.also, got.also); diff != "" {
				t.Errorf("further claims (-want +got):\n%s", diff)
			}
			if !strings.HasPrefix(got.words, "HTTP "+itoa(c.status)) {
				t.Errorf("the evidence is %q", got.words)
			}
		})
	}
}

func TestWhoGetsNoAnswerWasToldNothing(t *testing.T) {
	claims := experiments.Claims{Unknown: expr("true"), Success: expr("true")}
	compile(t, &claims)
	answer := said(200, nil, `{"state": "placed"}`)
	answer.Answered = false
	answer.Exchanges[0].Trouble, answer.Exchanges[0].Why = "timeout", "no byte for 5s"
	got := hear(&claims, answer, answer.Vars, 1, nil)
	if got.claim != none || got.by != "nothing" || got.words != "timeout: no byte for 5s" {
		t.Errorf("no answer is %+v", got)
	}
}

func TestClaimsAboutSingleEffects(t *testing.T) {
	claims := experiments.Claims{
		Success: expr("status == 201"),
		PerEffect: map[string]map[experiments.Claim]experiments.Expr{
			"charge": {refused: expr("json.paid == false"), success: expr("json.paid")},
			"mail":   {pending: expr("json.mail == 'queued'")},
			"order":  {success: expr("json.number > 0")},
		},
	}
	compile(t, &claims)
	answer := said(201, nil, `{"paid": false, "number": 7}`)
	got := hear(&claims, answer, answer.Vars, 1, nil)
	want := map[string]experiments.Claim{"charge": refused, "order": success}
	if diff := cmp.Diff(want, got.effects); diff != "" || got.claim != success {
		t.Errorf("claim %s, effects (-want +got):\n%s", got.claim, diff)
	}
	odd := said(200, nil, `{"paid": true}`)
	if got := hear(&claims, odd, odd.Vars, 1, nil); got.by != "status" || got.effects["charge"] != success {
		t.Errorf("what was said of an effect is lost beside a claim by %s: %v", got.by, got.effects)
	}
}

func TestPromises(t *testing.T) {
	for _, c := range []struct {
		name     string
		promise  string
		status   int
		header   map[string]string
		body     string
		promised time.Duration
	}{
		{"declared", "duration('90s')", 202, nil, `{}`, 90 * time.Second},
		{"declared from the answer", "duration(json.within)", 202, nil, `{"within": "2m"}`, 2 * time.Minute},
		{"declared as text", "json.within", 202, nil, `{"within": "2m"}`, 2 * time.Minute},
		{"declared and not there", "duration(json.within)", 202, map[string]string{"Retry-After": "5"}, `{}`, 0},
		{"declared in the past", "duration('-5s')", 202, nil, `{}`, 0},
		{"seconds", "", 202, map[string]string{"Retry-After": "5"}, `{}`, 5 * time.Second},
		{"a date", "", 202, map[string]string{"Date": "Mon, 02 Jan 2006 15:04:05 GMT", "Retry-After": "Mon, 02 Jan 2006 15:04:35 GMT"}, `{}`, 30 * time.Second},
		{"a date gone by", "", 202, map[string]string{"Retry-After": "Mon, 02 Jan 2006 15:04:35 GMT"}, `{}`, 0},
		{"for ever", "", 202, map[string]string{"Retry-After": "2147483647"}, `{}`, 24 * time.Hour},
		{"nonsense", "", 202, map[string]string{"Retry-After": "-1 or so"}, `{}`, 0},
		{"not for success", "duration('90s')", 201, map[string]string{"Retry-After": "5"}, `{}`, 0},
		{"not for refused", "", 503, map[string]string{"Retry-After": "5"}, `{}`, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			claims := &experiments.Claims{Promise: expr(c.promise)}
			compile(t, claims)
			answer := said(c.status, c.header, c.body)
			if got := hear(claims, answer, answer.Vars, 1, nil); got.promise != c.promised {
				t.Errorf("promise %s; want %s", got.promise, c.promised)
			}
		})
	}
}

func TestMarkupClaims(t *testing.T) {
	page := map[string]string{"Content-Type": "text/html; charset=utf-8"}
	for _, c := range []struct {
		name, body string
		want       experiments.Claim
		also       []experiments.Claim
		words      string
	}{
		{"success", `<main><div data-claim="success"><b>Thank</b> you</div> more</main>`, success, nil, "Thank you"},
		{"failed is refused", `<p data-claim="failed">No.</p>`, refused, nil, "No."},
		{"failure is refused", `<p data-claim=" Failure ">No.</p>`, refused, nil, "No."},
		{"never closed", `<div data-claim=pending>soon`, pending, nil, "soon"},
		{"both", `<p data-claim="success">yes</p><p data-claim="failed">no</p>`, refused, []experiments.Claim{success}, "no"},
		{"twice the same", `<p data-claim="success">one</p><p data-claim="success">two</p>`, success, nil, "one"},
		{"unknown word", `<p data-claim="maybe">?</p>`, none, nil, ""},
		{"hidden", `<p hidden data-claim="failed">no</p>`, none, nil, ""},
		{"inside hidden", `<div hidden><p data-claim="failed">no</p></div><p data-claim="success">yes</p>`, success, nil, "yes"},
		{"inside a template", `<template><p data-claim="failed">no</p></template>`, none, nil, ""},
		{"in a script", `<script>"<p data-claim='failed'>"</script>`, none, nil, ""},
		{"in a comment", `<!-- <p data-claim="failed"> -->`, none, nil, ""},
		{"in a text area", `<textarea><p data-claim="failed"></textarea>`, none, nil, ""},
		{"text that is hidden", `<p data-claim="success">yes<span hidden>but no</span></p>`, success, nil, "yes"},
		{"nested without end", strings.Repeat("<div>", 100000) + `<p data-claim="success">deep</p>`, none, nil, ""},
		{"no element", `<input data-claim="success">`, none, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer := said(504, page, c.body) // a gateway's status: without markup no claim at all
			got := hear(nil, answer, answer.Vars, 1, nil)
			if got.claim != c.want || c.want != none && (got.words != c.words || got.by != "markup") {
				t.Errorf("%.80s is %s by %s (%q); want %s (%q)", c.body, got.claim, got.by, got.words, c.want, c.words)
			}
			if diff := cmp.Diff(c.also, got.also); diff != "" {
				t.Errorf("further claims (-want +got):\n%s", diff)
			}
		})
	}
	answer := said(504, map[string]string{"Content-Type": "text/plain"}, `<p data-claim="success">yes</p>`)
	if got := hear(nil, answer, answer.Vars, 1, nil); got.claim != none {
		t.Errorf("markup in plain text is %s", got.claim)
	}
}

func TestWords(t *testing.T) {
	for _, c := range []struct {
		name, kind, body string
		want             []string
	}{
		{"page", "text/html", `<title>Shop</title><p>prose</p><h1>Order <em>placed</em></h1><div role="alert">Not charged</div><div aria-live=polite>Soon</div><h1 hidden>no</h1>`,
			[]string{"Shop", "Order placed", "Not charged", "Soon"}},
		{"JSON", "application/json", `{"b": {"message": "not charged"}, "a": ["x", 1, "y"], "n": 4}`, []string{"x", "y", "not charged"}},
		{"plain", "text/plain", `Order placed`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var heard []string
			answer := said(200, map[string]string{"Content-Type": c.kind}, c.body)
			got := hear(nil, answer, answer.Vars, 1, func(texts []string) (experiments.Claim, string) {
				heard = texts
				return refused, "words that count"
			})
			if diff := cmp.Diff(c.want, heard); diff != "" {
				t.Errorf("texts (-want +got):\n%s", diff)
			}
			if c.want != nil && (got.by != "lexicon" || got.claim != refused || got.words != "words that count") {
				t.Errorf("heard %+v", got)
			}
			if c.want == nil && got.by != "status" {
				t.Errorf("heard by %s; want status", got.by)
			}
		})
	}
}
