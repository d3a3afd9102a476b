package honesty

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// clockSkew is how far two clocks may differ before an age says anything.
const clockSkew = 2 * time.Second

// caching is what an answer says of its own storage, as RFC 9111 reads it.
type caching struct {
	directives map[string]string // lower case; without a value empty
	said       bool              // it has Cache-Control or Expires at all
	lifetime   time.Duration
	explicit   bool // the lifetime is given, and can be read
	age        time.Duration
	byAge      bool // the age is that of an Age header; else of Date alone
	dated      bool
}

// caching reads the headers. A shared cache goes by s-maxage before max-age, and by both before Expires; of a directive
// that is given twice the first counts, and what cannot be read gives no lifetime.
func (a answer) caching() caching {
	c := caching{directives: directives(a.Headers["Cache-Control"])}
	c.said = len(c.directives) > 0 || a.header("Expires") != ""
	date, derr := http.ParseTime(a.header("Date"))
	if derr == nil {
		c.age, c.dated = max(0, a.Ended.Sub(date)), true
	}
	if seconds, ok := deltaSeconds(strings.TrimSpace(a.header("Age"))); ok {
		if byAge := seconds + a.Ended.Sub(a.Sent); seconds > 0 && byAge >= c.age-clockSkew {
			c.age, c.byAge = max(c.age, byAge), true
		}
		c.dated = true
	}
	for _, name := range []string{"s-maxage", "max-age"} {
		text, given := c.directives[name]
		if !given || name == "s-maxage" && c.has("private") {
			continue
		}
		c.lifetime, c.explicit = deltaSeconds(text)
		return c
	}
	if expires := a.header("Expires"); expires != "" && derr == nil {
		c.explicit = true
		if at, err := http.ParseTime(expires); err == nil { // anything else, "0" above all, means: expired already
			c.lifetime = max(0, at.Sub(date))
		}
	}
	return c
}

func (c caching) has(name string) bool {
	_, given := c.directives[name]
	return given
}

// forbidsStale is the directive that forbids to use a stale copy, empty where none does. A shared cache reads s-maxage as
// proxy-revalidate too.
func (c caching) forbidsStale() string {
	for _, name := range []string{"must-revalidate", "no-cache", "proxy-revalidate", "s-maxage"} {
		value, given := c.directives[name]
		shared := name == "proxy-revalidate" || name == "s-maxage"
		if given && !(shared && c.has("private")) && !(name == "no-cache" && value != "") {
			return name
		}
	}
	return ""
}

// staleWindow is for how long after its lifetime a copy may still be used (RFC 5861).
func (c caching) staleWindow() (window time.Duration, given bool) {
	for _, name := range []string{"stale-while-revalidate", "stale-if-error"} {
		if d, ok := deltaSeconds(c.directives[name]); ok {
			window, given = max(window, d), true
		}
	}
	return window, given
}

// byHeuristics are the statuses that a cache may keep for a while although nothing was said.
var byHeuristics = []int{200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501}

// keeps says for how long a cache may keep an answer; why is empty where none may.
func (a answer) keeps() (lifetime time.Duration, why string) {
	c := a.caching()
	if c.has("no-store") || c.has("no-cache") && c.directives["no-cache"] == "" || strings.TrimSpace(a.header("Vary")) == "*" {
		return 0, ""
	}
	reads := a.Method == http.MethodGet || a.Method == http.MethodHead
	if !reads && (a.Method != http.MethodPost || a.header("Content-Location") == "") {
		return 0, ""
	}
	if c.explicit {
		if c.lifetime <= 0 {
			return 0, ""
		}
		return c.lifetime, "may be kept for " + c.lifetime.String()
	}
	if _, broken := c.directives["max-age"]; broken || !reads || c.has("private") || a.RequestHeaders["Authorization"] != "" && !c.has("public") {
		return 0, ""
	}
	if c.has("public") || slices.Contains(byHeuristics, a.Status) {
		return 0, "says nothing against being kept, so that a shared cache may keep it for as long as it sees fit"
	}
	return 0, ""
}

// deltaSeconds reads a number of seconds, as RFC 9111 1.2.2 has it.
func deltaSeconds(text string) (time.Duration, bool) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, false
	}
	return time.Duration(min(n, 1<<31)) * time.Second, true
}

// directives reads Cache-Control; commas within quotes do not part.
func directives(values []string) map[string]string {
	found := map[string]string{}
	quoted := false
	for _, part := range strings.FieldsFunc(strings.Join(values, ","), func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return r == ',' && !quoted
	}) {
		name, value, _ := strings.Cut(part, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if _, known := found[name]; name != "" && !known {
			found[name] = strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	return found
}
