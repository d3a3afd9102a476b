package patterns

import (
	"slices"
	"testing"
)

var pageSamples = []sample{
	{"LK-05/nginx", []string{
		"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx/1.25.3</center>\r\n</body>\r\n</html>\r\n",
		"<center><h1>404 Not Found</h1></center>\n<hr><center>openresty</center>",
	}, []string{"<center><h1>Sorry</h1></center><hr><center>The shop</center>", "<h1>502 Bad Gateway</h1><hr><p>nginx</p>"}},
	{"LK-05/load-balancer", []string{
		"<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n<body>\r\n<center><h1>503 Service Temporarily Unavailable</h1></center>\r\n</body>\r\n</html>",
	}, []string{"<center><h1>503 Back soon</h1></center><p>Your order is safe.</p></body>", "<center><h1>404 Not Found</h1></center></body>"}},
	{"LK-05/envoy", []string{"upstream connect error or disconnect/reset before headers. reset reason: connection failure", "upstream request timeout"},
		[]string{"The river's upstream connects here", "no healthy upstream of the dam"}},
	{"LK-05/haproxy", []string{"<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n</body></html>"},
		[]string{"No waiter is available to handle this request."}},
	{"LK-05/spring", []string{
		"<h1>Whitelabel Error Page</h1>", `{"timestamp":"2030-01-01T10:00:00.000+00:00","status":500,"error":"Internal Server Error","path":"/orders"}`,
		`{"timestamp":1700000000,"status":500,"error":"Internal Server Error","message":"x","path":"/orders"}`,
	}, []string{`{"timestamp":"2030","status":"paid","path":"/orders"}`, `{"status":500,"error":"orders is down","path":"/orders"}`, "A white label"}},
	{"LK-05/tomcat", []string{"<h1>HTTP Status 500 – Internal Server Error</h1>", "HTTP Status 404 - Not Found", "HTTP Status 404 &ndash; Not Found"},
		[]string{"HTTP Status 404 means that it is not there", "HTTP Status page"}},
	{"LK-05/django", []string{"You're seeing this error because you have <code>DEBUG = True</code> in", "<h1>Server Error (500)</h1>"},
		[]string{"Server Error (500)", "Set DEBUG = True to see more"}},
	{"LK-05/werkzeug", []string{
		"The server encountered an internal error and was unable to complete your request. Either the server is overloaded or there is an error in the application.", "<title>x // Werkzeug Debugger</title>",
	}, []string{"We were unable to complete your request. Your order was not placed.", "Werkzeug Debugger, a book"}},
	{"LK-05/rails", []string{
		"<title>We're sorry, but something went wrong (500)</title>", "<title>We’re sorry, but something went wrong (500 Internal Server Error)</title>", "<title>Action Controller: Exception caught</title>",
	}, []string{"We're sorry, but something went wrong. Your order was not placed.", "<title>We're sorry, but something went wrong</title>"}},
	{"LK-05/laravel", []string{"Whoops, looks like something went wrong.", `Illuminate\Database\QueryException`, `"Illuminate\\Database"`, `window.ignite(window.data)`},
		[]string{"Whoops, that book is gone", "Illuminate your shelf", "Something went wrong."}},
	{"LK-05/express", []string{"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Error</title>\n</head>\n<body>\n<pre>Cannot GET /orders</pre>\n</body>\n</html>\n"},
		[]string{"<title>Error</title></head><body><header>Shop</header><pre>x</pre>", "<title>Errors in print</title></head><body><pre>"}},
	{"LK-05/next", []string{`<html id="__next_error__">`, "Application error: a client-side exception has occurred", "Application error: a server-side exception has occurred"},
		[]string{"Application error: a wrong form", "__next_error__"}},
	{"LK-05/aspnet", []string{"<title>Runtime Error</title>", "An unhandled exception occurred while processing the request."},
		[]string{"<title>Runtime Errors Explained</title>", "An exception occurred while processing"}},
	{"LK-05/cloudflare", []string{`<div id="cf-error-details" class="p-0">`, "<title>shop | Error 522</title>", "error code: 1016", "Error code 521"},
		[]string{"Error 503", "cf-error-details", "Tell us the error code: 1016"}},
	{"LK-05/browser", []string{"chrome-error://chromewebdata/", "ERR_CONNECTION_REFUSED", "ERR_NAME_NOT_RESOLVED", "ERR_EMPTY_RESPONSE", "ERR_TIMED_OUT", "ERR_SSL_PROTOCOL_ERROR", "ERR_ADDRESS_UNREACHABLE"},
		[]string{"ERR_INPUT", "chrome errors", "ERR NAME"}},
}

func TestPages(t *testing.T) {
	testSamples(t, pageSamples, pages)
	for _, s := range pageSamples {
		for _, text := range s.bad {
			if got := DefaultPage(text, "text/html; charset=utf-8"); got != s.name {
				t.Errorf("DefaultPage(%q) = %q; want %q", text, got, s.name)
			}
		}
	}
}

func TestWholePages(t *testing.T) {
	tried := map[string]bool{}
	for _, c := range []struct{ body, kind, want string }{
		{"no healthy upstream", "text/plain", "LK-05/envoy"},
		{"Bad Gateway", "", "LK-05/bare-reason"},
		{"Gateway Timeout\n", "text/plain", "LK-05/bare-reason"},
		{"Service Unavailable", "text/plain; charset=utf-8", "LK-05/bare-reason"},
		{"404 page not found\n", "text/plain", "LK-05/bare-reason"},
		{"Internal Server Error", "text/plain", "LK-05/bare-reason"},
		{"502 Bad Gateway", "text/html", "LK-05/bare-reason"},
		{"Cannot GET /orders", "text/plain", "LK-05/express"},
		{"Bad Gateway. Your order was not placed.", "text/plain", ""},
		{"The 404 page not found here", "text/plain", ""},
		{"no healthy upstream of here", "text/plain", ""},
		{"Cannot GET /orders today", "text/plain", ""},
		{`"Bad Gateway"`, "application/json", ""},
		{"Internal Server Error", "application/json", ""},
		{"", "", ""},
	} {
		if got := DefaultPage(c.body, c.kind); got != c.want {
			t.Errorf("DefaultPage(%q, %q) = %q; want %q", c.body, c.kind, got, c.want)
		}
		tried[c.want] = true
	}
	if i := slices.IndexFunc(wholes, func(p pattern) bool { return !tried[p.name] }); i >= 0 {
		t.Errorf("%s has no sample", wholes[i].name)
	}
}
