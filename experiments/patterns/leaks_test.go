package patterns

import (
	"slices"
	"testing"
)

// sample is a text and what must be met in it; none where it only looks like a leak.
type sample struct {
	name string // of the pattern; the near misses of it stand below its bad samples
	bad  []string
	near []string
}

var leakSamples = []sample{
	{"LK-01/java-trace", []string{
		"java.lang.IllegalStateException: no\n\tat com.shop.orders.OrderService.place(OrderService.java:118)",
		`{"trace":"x\n\tat com.shop.Main.main(Main.kt:3)\n"}`,
		"at com.shop.Cart.&lt;init&gt;(Cart.scala:40)",
		"at java.base/java.lang.Thread.run(Thread.java:829)",
		"Caused by: java.net.ConnectException: refused",
	}, []string{"Look at Main.java: it is 12 lines long.", "Caused by: a late delivery", "Meet us at the shop (open 10:30)."}},
	{"LK-01/python-trace", []string{
		"Traceback (most recent call last):\n", `  File "/srv/shop/orders.py", line 88, in place`, `{"e":"File \"shop.py\", line 8, in <module>"}`,
		"File &quot;shop.py&quot;, line 8, in place",
	}, []string{`See File "terms.pdf", line 4 of page 2`, "Traceback your parcel (most recent first)"}},
	{"LK-01/node-trace", []string{
		"TypeError: x\n    at place (/app/src/orders.js:41:13)", "    at async Server.handle (file:///srv/shop/server.mjs:9:5)", "at C:\\shop\\index.cjs:1:20",
		"at Object.<anonymous> (orders.ts:3:7)", `"stack":"Error\n    at /app/orders.js:41:13"`,
	}, []string{"Open at 10:30 in shop.js", "at main.js:12", "The talk on next.js: at 10:30"}},
	{"LK-01/go-trace", []string{
		"goroutine 17 [running]:", "panic: runtime error: index out of range", "/src/web/checkout.go:118 +0x1d", "goroutine 1 [chan receive, 2 minutes]:",
	}, []string{"goroutine 17 is running", "Don't panic: we are on it", "checkout.go:118", "ready.go: +0 points"}},
	{"LK-01/php-trace", []string{
		"<b>Fatal error</b>:  Uncaught PDOException in <b>/var/www/html/order.php</b> on line <b>31</b>",
		"PHP Parse error: syntax error, unexpected '}' in /var/www/index.php on line 3", "Fatal error: Uncaught Error: x in C:\\www\\a.php:12", "Stack trace:\n#0 /var/www/a.php(3)",
	}, []string{"Fatal error: we cannot go on", "Stack trace: none", "Parse error in your input on line 3"}},
	{"LK-01/ruby-trace", []string{
		"/app/models/order.rb:12:in `place'", "order.rb:12:in 'Order#place'", "order.rb:9:in &#39;place&#39;",
	}, []string{"order.rb:12", "Read order.rb: in line 12"}},
	{"LK-01/dotnet-trace", []string{
		`   at Shop.Orders.Place(Int32 id) in C:\src\Orders.cs:line 42`, "Server Error in '/' Application.", "<h1>Server Error in &#39;/shop&#39; Application.",
	}, []string{"at the shop (level 2) in Main Street:line up here", "Server Error in our Application"}},
	{"LK-02/sqlstate", []string{"SQLSTATE 42P01", "SQLSTATE[HY000] [2002]", "ORA-00942: table", "ER_DUP_ENTRY: Duplicate", "SQLITE_BUSY"},
		[]string{"ORA-NGE juice", "The state of SQL", "HER_NAME_IS", "ORA-12"}},
	{"LK-02/database-error", []string{
		"You have an error in your SQL syntax; check", `ERROR: syntax error at or near "WHERE"`, "duplicate key value violates unique constraint", `relation "books" does not exist`,
		`{"error":"relation \"books\" does not exist"}`, "relation &quot;books&quot; does not exist", "deadlock detected", "UNIQUE constraint failed: orders.id", "no such table: orders",
		"database is locked (5)", "SQL logic error",
	}, []string{"In relation to your order", "That relation does not exist", "There is no such table at this hour", "Your syntax is fine", "A constraint failed us"}},
	{"LK-02/statement", []string{
		"SELECT id, name FROM books WHERE id = 1", "SELECT * FROM orders", `SELECT "id" FROM "orders"`, "INSERT INTO orders (id) VALUES (1)", "UPDATE books SET stock = 1", "DELETE FROM carts WHERE 1",
		`"SELECT id\nFROM books"`,
	}, []string{
		"Select a date from the calendar, then update your basket and set a delivery slot.", "Insert into the slot and select options from the list below.",
		"SELECT YOUR SIZE FROM THE LIST", "SELECT from our range", "UPDATE YOUR DETAILS", "INSERT INTO SLOT", "DELETE FROM BASKET",
	}},
	{"LK-02/statement-lower", []string{
		"select b.id, b.name from books b", "select id from books where books.id = 1", "insert into shop.orders (id) values (1)", "update books set books.stock = 1", "delete from orders where orders.id = 1",
	}, []string{
		"Select a date from the calendar, then update your basket and set a delivery slot.", "Insert into the slot and select options from the list below.",
		"please select a book from our list where prices are low", "update your basket and set a slot", "You can select a shop from shop.example where it suits",
	}},
	{"LK-03/private-address", []string{
		"dial tcp 172.18.0.3:8083: no", "10.0.0.4", "at 192.168.1.20.", "http://169.254.169.254/latest", "lookup payments on 127.0.0.11:53", "ip-10-0-3-17", `{"host":"10.1.2.3"}`,
	}, []string{
		"version 10.2.1.4", "Version: 10.2.1.4", "v10.2.1.4", "172.15.0.1", "172.32.0.1", "10.20.30", "110.0.0.1", "10.0.0.1.5", "11.0.0.1", "a trip-10-0-3-17", "192.169.0.1", "costs 10.50",
	}},
	{"LK-03/internal-host", []string{
		"http://payments.shop.svc.cluster.local:8083", "payments.shop.svc", "db.internal:5432", "http://shop.local/api", "localhost:5432", "http://payments:8083/charges", `"http:\/\/orders:8082"`,
	}, []string{
		"Use the local shop finder: shop.local deals.", "https://example.com/Orders.svc", "our internal/external split", "localhost", "http://example.com:8083", "shop.locale/de", "an internal: matter",
	}},
	{"LK-03/server-path", []string{
		"open /var/lib/shop/orders.db: no such file", `"/etc/shop.conf"`, "(/app/src/orders.js:41)", "/home/deploy/shop", "/usr/local/go/src/net/dial.go", `C:\inetpub\wwwroot\shop.dll`, `{"f":"C:\\shop\\a.dll"}`, "/go/src/shop/main.go",
	}, []string{
		"Open /app/settings", `<link href="/app/main.css">`, `<script src="/app/main.js">`, `<a href="/home/basket">`, "https://shop.example/var/x", "https://shop.example/home/page", "and/or /usr", "either/etc/ or", `Q:\`,
	}},
	{"LK-04/exception-class", []string{
		"java.lang.NullPointerException", "django.db.utils.OperationalError: x", "psycopg2.OperationalError", "a NullPointerException came", "System.InvalidOperationException",
	}, []string{"With one Exception", "Error", "An Exception to the rule", "ERROR", "window.Error", "no exceptions"}},
	{"LK-04/script", []string{
		"TypeError: Failed", "Failed to fetch", "Unexpected token < in JSON at position 0", "Unexpected end of JSON input", "[object Object]", "<b>undefined</b>", "£NaN", " NaN ", "<td>NaN</td>",
	}, []string{"A TypeError is a mistake", "Naan bread", "typeof x === 'undefined'", "isNaN(x)", "an undefined amount", "We failed to fetch your order"}},
	{"LK-04/connection", []string{
		"connect ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "EHOSTUNREACH", "ENOTFOUND", "write EPIPE", "EAI_AGAIN", "connection refused", "Connection refused", "context deadline exceeded", "i/o timeout", "no such host", "getaddrinfo", "broken pipe", "Broken pipe",
	}, []string{"Your connection was lost", "refused", "a host of offers", "The deadline exceeded our hopes", "RECONNECT", "pipe broken"}},
	{"LK-04/grpc", []string{"rpc error: code = Unavailable desc = x", "StatusRuntimeException: UNAVAILABLE: io exception", "DEADLINE_EXCEEDED: x", `"RESOURCE_EXHAUSTED: x"`},
		[]string{"IN STOCK BUT UNAVAILABLE: pick another", "UNAVAILABLE", "Unavailable: today"}},
}

func TestLeaks(t *testing.T) {
	testSamples(t, leakSamples, slices.Concat(traces, databases, addresses, debris))
}

// testSamples wants every pattern of a table to be met in its bad samples, never in its near misses, and to have both.
func testSamples(t *testing.T, samples []sample, table []pattern) {
	t.Helper()
	tried := map[string]bool{}
	for _, s := range samples {
		tried[s.name] = len(s.bad) > 0 && len(s.near) > 0
		for _, text := range s.bad {
			if !meets(table, s.name, text) {
				t.Errorf("%s is not met in %q", s.name, text)
			}
		}
		for _, text := range s.near {
			if meets(table, s.name, text) {
				t.Errorf("false alarm: %s is met in %q", s.name, text)
			}
		}
	}
	for i := range table {
		if !tried[table[i].name] {
			t.Errorf("%s has no bad sample or no near miss", table[i].name)
		}
		if !metItself(&table[i], samples) {
			t.Errorf("%s: row %d of its table is met in no bad sample", table[i].name, i+1)
		}
	}
}

// metItself reports whether a row of a table is met in a bad sample: several rows may bear one name.
func metItself(p *pattern, samples []sample) bool {
	return slices.ContainsFunc(samples, func(s sample) bool {
		return s.name == p.name && slices.ContainsFunc(s.bad, func(text string) bool { return p.find([]byte(text), 1) != nil })
	})
}

func meets(table []pattern, name, text string) bool {
	for i := range table {
		if table[i].name == name && table[i].find([]byte(text), 1) != nil {
			return true
		}
	}
	return false
}

// TestFalseAlarms holds sentences that no pattern of any kind may be met in.
func TestFalseAlarms(t *testing.T) {
	for _, text := range []string{
		"Select a date from the calendar, then update your basket and set a delivery slot.",
		"Insert into the slot and select options from the list below.",
		"Use the local shop finder: shop.local deals.",
		"Open /app/settings",
		"Your app is at version 10.2.1.4.",
		"We're sorry, but something went wrong. Your order was not placed.",
		"There was an internal error. Your order was not placed and you have not been charged.",
		"<title>Parent Directory</title><h1>Back to the parent directory</h1>",
		"The page 404 in our catalog shows HTTP status codes.",
		"This book tells about SQL, Java and Python. It costs £10.50.",
		"Your payment failed. Try again later.",
		`{"status":503,"title":"Payments are down","detail":"Your order was not placed.","type":"about:blank"}`,
	} {
		if hits := Inspect(nil)([]byte(text)); len(hits) > 0 {
			t.Errorf("false alarm: %s is met in %q (%q)", hits[0].Pattern, text, hits[0].Text)
		}
		if page := DefaultPage(text, "text/html"); page != "" {
			t.Errorf("false alarm: DefaultPage(%q) = %s", text, page)
		}
	}
}
