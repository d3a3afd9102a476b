package patterns

import "regexp"

// Bodies are searched as they are on the wire: a line may end in a JSON escape, a quote may be an HTML entity.
// Where a trace says "at", (?:\b|\\[ntr]) also finds it after an escaped \n or \t.

// traces are what LK-01 looks for.
var traces = []pattern{
	{name: "LK-01/java-trace", literals: []string{".java:", ".kt:", ".scala:", ".groovy:", "Caused by: "},
		re: regexp.MustCompile(`(?:\b|\\[ntr])at\s+[\w.$/<>@&;-]+\(\w+\.(?:java|kt|scala|groovy):\d+\)|Caused by: (?:[a-z_]\w*\.)+[A-Z]\w*`)},
	{name: "LK-01/python-trace", literals: []string{"Traceback (most recent call last)", ", line "},
		re: regexp.MustCompile(`Traceback \(most recent call last\)|File (?:\\?"|&quot;|&#34;)[^"&\\\n]+(?:\\?"|&quot;|&#34;), line \d+, in `)},
	{name: "LK-01/node-trace", literals: []string{".js:", ".mjs:", ".cjs:", ".ts:", ".mts:", ".cts:"},
		re: regexp.MustCompile(`(?:\b|\\[ntr])at\s+(?:async\s+)?(?:[^\n(]+\()?(?:file://|[A-Za-z]:[\\/]{1,2}|[./])?[\w.@\\/-]*\.[mc]?[jt]s:\d+:\d+`)},
	{name: "LK-01/go-trace", literals: []string{"goroutine ", "panic: runtime error:", ".go:"},
		re: regexp.MustCompile(`goroutine \d+ \[[a-z][^\]\n]*\]:|panic: runtime error:|[\w./@-]*\.go:\d+ \+0x[0-9a-f]+`)},
	{name: "LK-01/php-trace", literals: []string{"Fatal error", "Parse error", "Stack trace:"},
		re: regexp.MustCompile(`(?:Fatal|Parse) error(?:</b>)?:[^\n]+? in (?:<b>)?[\w\\/.:-]+\.php(?:</b>)?(?::\d+| on line (?:<b>)?\d+)|Stack trace:(?:\s|\\[nr]|<br ?/?>){0,6}#0 `)},
	{name: "LK-01/ruby-trace", literals: []string{".rb:"},
		re: regexp.MustCompile("[\\w./@-]*\\.rb:\\d+:in (?:[`']|\\\\?\"|&#39;|&#x27;|&quot;|&#96;)")},
	{name: "LK-01/dotnet-trace", literals: []string{":line ", "Server Error in "},
		re: regexp.MustCompile("(?:\\b|\\\\[ntr])at\\s+[\\w.<>`+,\\[\\]&;-]+\\([^)\\n]*\\) in [^\\n]+:line \\d+|Server Error in (?:'|&#39;)[^'&\\n]+(?:'|&#39;) Application")},
}

// databases are what LK-02 looks for. Statements count in upper case; in lower case only with a column that names its
// table: shops write "select … from" too.
var databases = []pattern{
	{name: "LK-02/sqlstate", reach: 40, literals: []string{"SQLSTATE", "ORA-", "ER_", "SQLITE_"},
		re: regexp.MustCompile(`\bSQLSTATE\b.{0,12}|\bORA-\d{4,5}\b|\bER_[A-Z]{2,}_[A-Z_]+\b|\bSQLITE_[A-Z]{3,}\b`)},
	{name: "LK-02/database-error", literals: []string{"SQL syntax", "syntax error at or near", "duplicate key value violates", `relation "`, `relation \"`, "relation &", "deadlock detected",
		" constraint failed", "no such table: ", "no such column: ", "database is locked", "SQL logic error"},
		re: regexp.MustCompile(`You have an error in your SQL syntax|syntax error at or near|duplicate key value violates|relation (?:\\?"|&quot;|&#34;)[\w.]+(?:\\?"|&quot;|&#34;) does not exist|deadlock detected|(?:UNIQUE|NOT NULL|FOREIGN KEY|CHECK) constraint failed|no such (?:table|column): \w+|database is locked|SQL logic error`)},
	{name: "LK-02/statement", literals: []string{"SELECT", "INSERT INTO", "UPDATE", "DELETE FROM"},
		re: regexp.MustCompile("\\bSELECT(?:\\s|\\\\[nt])[^<;]*?[a-z*_,(\"`][^<;]*?(?:\\s|\\\\[nt])FROM(?:\\s|\\\\[nt])+[\\w.\"`\\\\]+|\\bINSERT INTO\\s+[a-z\"`\\\\][\\w.\"`\\\\]*|\\bUPDATE\\s+[\\w.\"`\\\\]+\\s+SET\\s+[a-z\"`\\\\]|\\bDELETE FROM\\s+[a-z\"`\\\\][\\w.\"`\\\\]*")},
	{name: "LK-02/statement-lower", literals: []string{"select ", "insert into ", "update ", "delete from "},
		re: regexp.MustCompile(`\bselect [^<;\n]*?\b[a-z_]+\.[a-z_]+\b[^<;\n]*? from [a-z_]+|\bselect [^<;\n]+? from [^<;\n]+? where [a-z_]+\.[a-z_]+ ?[=<>]|\binsert into [a-z_]+\.[a-z_]+ ?\(|\bupdate [a-z_]+(?:\.[a-z_]+)? set [a-z_]+\.[a-z_]+ ?=|\bdelete from [a-z_.]+ where [a-z_]+\.[a-z_]+ ?[=<>]`)},
}

// addresses are what LK-03 looks for.
var addresses = []pattern{
	{name: "LK-03/private-address", back: 4, reach: 24, edges: true, literals: []string{"10.", "172.", "192.168.", "169.254.", "127.", "ip-"},
		re:     regexp.MustCompile(`(?:^|[^\w.-])((?:10\.\d{1,3}|172\.(?:1[6-9]|2\d|3[01])|192\.168|169\.254|127\.\d{1,3})\.\d{1,3}\.\d{1,3}\b(?::\d{1,5})?)(?:[^\w.]|\.\D|\.?$)|\bip-(?:10|172|192)-\d{1,3}-\d{1,3}-\d{1,3}\b`),
		unless: regexp.MustCompile(`(?i)version:? *$`)},
	{name: "LK-03/internal-host", reach: 80, literals: []string{".svc", ".internal", ".local", ".lan", ".corp", ".intra", "localhost:"},
		re: regexp.MustCompile(`[a-z0-9-]+\.[a-z0-9-]+\.svc(?:\.cluster\.local)?\b(?::\d{1,5})?|[a-z0-9][a-z0-9.-]*\.(?:internal|local|lan|corp|intra)(?::\d{1,5}|\\?/)|\blocalhost:\d{1,5}`)},
	{name: "LK-03/internal-host", literals: []string{`http:\/\/`, "http://"}, back: 2, reach: 64,
		re: regexp.MustCompile(`\bhttp:\\?/\\?/[a-z][a-z0-9_-]*:\d{1,5}`)},
	{name: "LK-03/server-path", back: 8, edges: true, literals: []string{"/usr/", "/var/", "/home/", "/opt/", "/srv/", "/app/", "/root/", "/etc/", "/go/", "/node_modules/"},
		re: regexp.MustCompile(`(?:^|[\s(\[>,;:]|(?:^|[^=])["']|&quot;|\\[ntr])(/(?:usr|var|home|opt|srv|root|etc|node_modules)/[\w.@+/-]*\w|/(?:app|go)/[\w.@+/-]*\.(?:go|py|rb|js|mjs|cjs|ts|php|java|jar|cs|dll|ya?ml|json|env|conf|sql|db|log|sock|pem|key)\b)`)},
	{name: "LK-03/server-path", back: 2, literals: []string{`:\`},
		re: regexp.MustCompile(`\b[A-Z]:\\{1,2}(?:[\w .-]+\\{1,2})+[\w.-]+`)},
}

// debris is what LK-04 looks for.
var debris = []pattern{
	{name: "LK-04/exception-class", reach: 100, literals: []string{"Exception", "Error"},
		re: regexp.MustCompile(`\b(?:[a-z][a-z0-9_]*\.)+[A-Z]\w+(?:Exception|Error)\b|\b[A-Z][a-z]\w*Exception\b`)},
	{name: "LK-04/script", reach: 60, literals: []string{"TypeError:", "ReferenceError:", "SyntaxError:", "RangeError:", "Failed to fetch", "Unexpected token", "Unexpected end of JSON input", "[object Object]"},
		re: regexp.MustCompile(`\b(?:Type|Reference|Syntax|Range)Error: |\bFailed to fetch\b|Unexpected token [^\n]{1,40} in JSON|Unexpected end of JSON input|\[object Object\]`)},
	{name: "LK-04/script", reach: 16, edges: true, literals: []string{"undefined", "NaN"},
		re: regexp.MustCompile(`(?:>|[$£€]|&pound;|&euro;)\s*(?:undefined|NaN)\s*(?:<|$)|^\s*(?:undefined|NaN)\s*$`)},
	{name: "LK-04/connection", reach: 24, literals: []string{"ECONN", "ETIMEDOUT", "EHOSTUNREACH", "ENOTFOUND", "EPIPE", "EAI_AGAIN", "onnection refused", "context deadline exceeded", "i/o timeout", "no such host", "getaddrinfo", "roken pipe"},
		re: regexp.MustCompile(`\b(?:ECONNREFUSED|ECONNRESET|ETIMEDOUT|EHOSTUNREACH|ENOTFOUND|EPIPE|EAI_AGAIN|getaddrinfo)\b|\b[Cc]onnection refused\b|\bcontext deadline exceeded\b|\bi/o timeout\b|\bno such host\b|\b[Bb]roken pipe\b`)},
	{name: "LK-04/grpc", reach: 24, edges: true, literals: []string{"rpc error: code =", "UNAVAILABLE:", "DEADLINE_EXCEEDED:", "RESOURCE_EXHAUSTED:"},
		re: regexp.MustCompile(`rpc error: code = \w+|(?:^|[^A-Za-z ] ?)((?:UNAVAILABLE|DEADLINE_EXCEEDED|RESOURCE_EXHAUSTED):)`)},
}

// secrets are what LK-06 looks for besides the planted ones. A password that somebody has masked already is none.
var secrets = []pattern{
	{name: "LK-06/secret", secret: true, literals: []string{"postgres://", "postgresql://", "mysql://", "mariadb://", "mongodb://", "mongodb+srv://", "redis://", "rediss://",
		"amqp://", "amqps://", "mssql://", "sqlserver://", "clickhouse://", "couchdb://", "nats://", "kafka://"},
		re: regexp.MustCompile(`\b(?:postgres|postgresql|mysql|mariadb|mongodb|mongodb\+srv|redis|rediss|amqp|amqps|mssql|sqlserver|clickhouse|couchdb|nats|kafka)://[^\s:/@"'<>]*:[^\s@"'<>]+@[^\s"'<>]+`)},
	{name: "LK-06/secret", secret: true, literals: []string{"password="},
		re: regexp.MustCompile(`\b(?:host|user|dbname)=[^\s"'<>]+ (?:[a-z_]+=[^\s"'<>]* ){0,8}password=[^\s"'<>]+`)},
	{name: "LK-06/secret", secret: true, literals: []string{"AKIA", "ASIA", "AIza"},
		re: regexp.MustCompile(`\b(?:(?:AKIA|ASIA)[0-9A-Z]{16}|AIza[0-9A-Za-z_-]{35})\b`)},
	{name: "LK-06/secret", secret: true, literals: []string{"earer "},
		re: regexp.MustCompile(`\b[Bb]earer eyJ[\w-]{5,}\.eyJ[\w-]{5,}\.[\w-]{10,}`)},
	{name: "LK-06/secret", secret: true, literals: []string{"PRIVATE KEY-----"},
		re: regexp.MustCompile(`-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----`)},
}
