package journeys

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"sync"
)

const (
	maxCookies     = 200  // that a user takes in all
	maxCookieBytes = 4096 // of one cookie, as browsers have it
)

// jar holds a user's cookies, and not more of them than a browser would.
type jar struct {
	*cookiejar.Jar

	mu    sync.Mutex // a hasty user has several requests under way
	taken map[string]bool
}

func newJar() (*jar, error) {
	inner, err := cookiejar.New(nil)
	if err != nil {
		return nil, fmt.Errorf("make a jar for cookies: %w", err)
	}
	return &jar{Jar: inner, taken: map[string]bool{}}, nil
}

// take keeps the cookies of an answer.
func (j *jar) take(from *url.URL, cookies []*http.Cookie) {
	j.mu.Lock()
	defer j.mu.Unlock()
	var fit []*http.Cookie
	for _, c := range cookies {
		key := from.Host + "\x00" + c.Name + "\x00" + c.Path
		if len(c.Name)+len(c.Value) > maxCookieBytes || !j.taken[key] && len(j.taken) >= maxCookies {
			continue
		}
		j.taken[key] = true
		fit = append(fit, c)
	}
	j.SetCookies(from, fit)
}
