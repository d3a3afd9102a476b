package patterns

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-chaos/candor/experiments"
)

func TestInspect(t *testing.T) {
	body := `{"error":"dial tcp 172.18.0.3:5432: connect: connection refused","dsn":"postgres://shop:hunter2@db/shop"}`
	want := []experiments.PatternHit{
		{Pattern: "LK-06/secret", Offset: int64(strings.Index(body, "postgres")), Text: "postgres://shop:****@db/shop"},
		{Pattern: "LK-03/private-address", Offset: int64(strings.Index(body, "172")), Text: "172.18.0.3:5432"},
		{Pattern: "LK-04/connection", Offset: int64(strings.Index(body, "connection")), Text: "connection refused"},
	}
	if diff := cmp.Diff(want, Inspect(nil)([]byte(body))); diff != "" {
		t.Errorf("hits (-want +got):\n%s", diff)
	}
}

func TestSecrets(t *testing.T) {
	const jwt = "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlLXNpZ25hdHVyZQ"
	for text, want := range map[string]string{
		"postgres://shop:hunter2@db:5432/shop":               "postgres://shop:****@db:5432/shop",
		"redis://:hunter2@cache:6379":                        "redis://:****@cache:6379",
		"amqp://shop:p:w/d@queue/":                           "amqp://shop:****@queue/",
		"mongodb+srv://shop:hunter2@db.example/shop":         "mongodb+srv://shop:****@db.example/shop",
		"connect: host=db user=shop password=hunter2 x":      "host=db user=shop password=****",
		"key " + "AKIA" + "ABCDEFGHIJKLMNOP.":                "AKIAABCD****",
		"Authorization: " + jwt:                              "Bearer eyJ****",
		"-----BEGIN RSA PRIVATE KEY-----":                    "-----BEGIN RSA PRIVATE KEY-----",
		"postgres://db:5432/shop":                            "",
		"postgres://shop@db/shop":                            "",
		"postgres://shop:xxxxx@db/shop":                      "",
		"postgres://shop:***@db/shop":                        "",
		"postgres://shop:${DB_PASSWORD}@db/shop":             "",
		"https://shop.example:443/a@b":                       "",
		"user=shop password=****":                            "",
		"Enter user name and password=":                      "",
		"AKIAABC":                                            "",
		"Bearer eyJhbGciOi":                                  "",
		"the bearer of this voucher":                         "",
		"-----BEGIN PUBLIC KEY-----":                         "",
		"Bearer of " + strings.TrimPrefix(jwt, "Bearer eyJ"): "",
	} {
		got := ""
		for _, h := range Inspect(nil)([]byte(text)) {
			if h.Pattern == "LK-06/secret" {
				got = h.Text
			}
			if strings.Contains(h.Text, "hunter2") {
				t.Errorf("%s shows the password of %q", h.Pattern, text)
			}
		}
		if got != want {
			t.Errorf("the secret in %q is shown as %q; want %q", text, got, want)
		}
	}
}

func TestCanaries(t *testing.T) {
	inspect := Inspect([]string{"", "c4nary-7Q", "p&w d"})
	for text, want := range map[string]string{
		"user=shop password=c4nary-7Q": "c4nary-7Q",
		"?x=p%26w+d":                   "p%26w+d",
		"<b>p&amp;w d</b>":             "p&amp;w d",
		"C4NARY-7Q":                    "",
	} {
		got := ""
		if hits := inspect([]byte(text)); len(hits) > 0 && hits[0].Pattern == "LK-06/canary" {
			got = hits[0].Text
		}
		if got != want {
			t.Errorf("the canary met in %q is %q; want %q", text, got, want)
		}
	}
}

func TestInspectIsBounded(t *testing.T) {
	var many strings.Builder
	for i := range 500 {
		fmt.Fprintf(&many, "10.0.%d.%d %s.java.LongException: at x(A.java:%d) ORA-%05d ECONNRESET /var/lib/%s%d goroutine %d [a]: SELECT a%d FROM b Error 521\n",
			i%250, i%250, strings.Repeat("a", 300), i, i, strings.Repeat("p", 300), i, i, i)
	}
	hits := Inspect(nil)([]byte(many.String()))
	if len(hits) > 16 {
		t.Errorf("%d hits of one piece; at most 16", len(hits))
	}
	for _, h := range hits {
		if len(h.Text) > 200+3 {
			t.Errorf("%s shows %d bytes; at most 200", h.Pattern, len(h.Text))
		}
	}
	if hits := Inspect([]string{strings.Repeat("é", 150)})([]byte(strings.Repeat("é", 150))); len(hits) != 1 || len(hits[0].Text) > 203 {
		t.Errorf("a long canary is met as %v", hits)
	}
}

// page is an ordinary page of a shop: nothing leaks, and much of it looks like something.
func page(size int) []byte {
	const row = `<tr><td><a href="/app/books/17">A book about errors: undefined, relation and exception</a></td><td>£10.50</td><td>http://shop.example/127.html</td></tr>` + "\n"
	return []byte("<!doctype html><html><body><header>Shop</header><main><table>" + strings.Repeat(row, size/len(row)) + "</table></main></body></html>")
}

func BenchmarkInspect(b *testing.B) {
	for _, size := range []int{2 << 10, 64 << 10} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			inspect, body := Inspect([]string{"c4nary-7Q"}), page(size)
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if hits := inspect(body); len(hits) > 0 {
					b.Fatal(hits)
				}
			}
		})
	}
}
