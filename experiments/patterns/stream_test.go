package patterns

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/candor-chaos/candor/experiments/wire"
)

// TestInAStream finds leaks of several kinds in JSON answers and a page, also where two windows of the search meet.
func TestInAStream(t *testing.T) {
	inspect := Inspect([]string{"c4nary-7Q"})
	for detail, want := range map[string]string{
		"panic: runtime error: invalid memory address\ngoroutine 71 [running]:\nmain.checkout(0xc0001)\n\tcheckout.go:118 +0x1d": "LK-01/go-trace",
		`relation "orders" does not exist (SQLSTATE 42P01)`:                                                                      "LK-02/database-error",
		"payments at http://payments.shop.svc.cluster.local:8083 did not answer":                                                 "LK-03/internal-host",
		"<center><h1>503 Unavailable</h1></center>\r\n<hr><center>nginx</center>":                                                "LK-05/nginx",
		"cannot connect: user=shop password=c4nary-7Q":                                                                           "LK-06/canary",
		"cannot connect to mysql://shop:hunter2@db.internal:3306/shop, giving up":                                                "LK-06/secret",
		"Nothing was ordered and your card was not charged. Try again in 5 minutes":                                              "",
	} {
		for _, before := range []int{0, 100, 128<<10 - 60, 128<<10 - 20, 300 << 10} {
			text := strings.Repeat(" ", before) + detail
			if !strings.HasPrefix(detail, "<") {
				body, err := json.Marshal(map[string]string{"a": strings.Repeat("a ", before/2), "detail": detail})
				if err != nil {
					t.Fatal(err)
				}
				text = string(body)
			}
			read, err := wire.ReadBody(strings.NewReader(text), wire.DefaultLimits(), inspect)
			if err != nil {
				t.Fatal(err)
			}
			var met []string
			for _, hit := range read.Hits {
				met = append(met, hit.Pattern)
			}
			if all := strings.Join(met, " "); want == "" && all != "" || !strings.Contains(all, want) {
				t.Errorf("%.40q after %d bytes is met as %q; want %q", detail, before, met, want)
			}
		}
	}
}
