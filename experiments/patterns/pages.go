package patterns

import "regexp"

// pages are the default pages of servers, proxies and frameworks (LK-05), as far as a part of the page gives them away.
var pages = []pattern{
	{name: "LK-05/nginx", literals: []string{"<center>"},
		re: regexp.MustCompile(`<center><h1>\d{3} [^<]+</h1></center>\s*<hr\s*/?>\s*<center>[^<]+</center>`)},
	{name: "LK-05/load-balancer", literals: []string{"<center>"},
		re: regexp.MustCompile(`<center><h1>50[234] [^<]+</h1></center>\s*</body>`)},
	{name: "LK-05/envoy", literals: []string{"upstream connect error or disconnect/reset before headers", "upstream request timeout"},
		re: regexp.MustCompile(`upstream connect error or disconnect/reset before headers|upstream request timeout`)},
	{name: "LK-05/haproxy", literals: []string{"No server is available to handle this request"},
		re: regexp.MustCompile(`No server is available to handle this request`)},
	{name: "LK-05/spring", literals: []string{"Whitelabel Error Page", `"timestamp":`},
		re: regexp.MustCompile(`Whitelabel Error Page|"timestamp":[^{},]+,\s*"status":\s*\d{3},\s*"error":\s*"[^"]*",[^{}]*?"path":\s*"[^"]*"`)},
	{name: "LK-05/tomcat", literals: []string{"HTTP Status "},
		re: regexp.MustCompile(`HTTP Status \d{3} (?:-|–|—|&ndash;|&mdash;|&#8211;)`)},
	{name: "LK-05/django", literals: []string{"DEBUG = True", "Server Error (500)"},
		re: regexp.MustCompile(`seeing this error because you have\s+<code>DEBUG = True</code>|<h1>Server Error \(500\)</h1>`)},
	{name: "LK-05/werkzeug", literals: []string{"Either the server is overloaded", "Werkzeug Debugger"},
		re: regexp.MustCompile(`unable to complete your request\.\s+Either the server is overloaded|// Werkzeug Debugger</title>`)},
	{name: "LK-05/rails", literals: []string{"sorry, but something went wrong (500", "Action Controller: Exception caught"},
		re: regexp.MustCompile(`<title>We(?:'|’|&#39;|&rsquo;)re sorry, but something went wrong \(500[^<)]*\)</title>|<title>Action Controller: Exception caught</title>`)},
	{name: "LK-05/laravel", literals: []string{"Whoops, looks like something went wrong", "flareapp.io/docs/ignition", "window.ignite(", `Illuminate\`},
		re: regexp.MustCompile(`Whoops, looks like something went wrong|flareapp\.io/docs/ignition|window\.ignite\(|\bIlluminate\\{1,2}[A-Z]\w+`)},
	{name: "LK-05/express", literals: []string{"<title>Error</title>"},
		re: regexp.MustCompile(`<title>Error</title>\s*</head>\s*<body>\s*<pre>`)},
	{name: "LK-05/next", literals: []string{"__next_error__", "Application error: a "},
		re: regexp.MustCompile(`\bid=\\?["']?__next_error__|Application error: a (?:client|server)-side exception`)},
	{name: "LK-05/aspnet", literals: []string{"<title>Runtime Error</title>", "An unhandled exception occurred while processing the request"},
		re: regexp.MustCompile(`<title>Runtime Error</title>|An unhandled exception occurred while processing the request`)},
	{name: "LK-05/cloudflare", edges: true, literals: []string{"cf-error-details", "Error 52", "Error code 52", "error code: "},
		re: regexp.MustCompile(`(?:id|class)=["'][^"']*\bcf-error-details\b|\bError (?:code )?52\d\b|(?:^|>)\s*error code: (?:10|52)\d{1,2}\b`)},
	{name: "LK-05/browser", literals: []string{"chrome-error://", "ERR_"},
		re: regexp.MustCompile(`chrome-error://|\bERR_(?:CONNECTION|NAME|EMPTY|TIMED|SSL|ADDRESS)\w*`)},
}

// wholes are default pages so short that only a whole body is one. Two products share phrases: the group is reported.
var wholes = []pattern{
	{name: "LK-05/envoy", literals: []string{"no healthy upstream"}, re: regexp.MustCompile(`^no healthy upstream$`)},
	{name: "LK-05/bare-reason", literals: []string{"Bad Gateway", "Gateway Timeout", "Service Unavailable", "404 page not found", "Internal Server Error"},
		re: regexp.MustCompile(`^(?:(?:50[0234] )?(?:Bad Gateway|Gateway Timeout|Service Unavailable|Internal Server Error)|404 page not found)$`)},
	{name: "LK-05/express", literals: []string{"Cannot "}, re: regexp.MustCompile(`^Cannot (?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) /\S*$`)},
}
