package journeys

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/wire"
)

const (
	maxRedirects   = 10
	maxHeaderBytes = 256 << 10
	defaultTimeout = time.Minute
	// idleFor is shorter than the keep-alive of common servers, so that a request seldom meets a connection that the
	// server is just closing.
	idleFor = 4 * time.Second
)

// httpUser is one user on surface http: cookies and connections of their own.
type httpUser struct {
	base     string
	wire     http.RoundTripper
	close    func()
	jar      *jar
	inspect  wire.Inspect
	canaries []string
	limits   wire.Limits
}

// openHTTP makes a user. It sends nothing.
func openHTTP(c experiments.SurfaceConfig) (experiments.Surface, error) {
	cookies, err := newJar()
	if err != nil {
		return nil, err
	}
	u := &httpUser{base: c.Base, inspect: c.Inspect, canaries: c.Canaries, jar: cookies, limits: wire.DefaultLimits(), close: func() {}}
	if c.BodyLimit > 0 {
		u.limits.Keep = c.BodyLimit
	}
	if c.ReadLimit > 0 {
		u.limits.Read = c.ReadLimit
	}
	if c.Client != nil && c.Client.Transport != nil {
		u.wire = c.Client.Transport
		return u, nil
	}
	own := newTransport()
	u.wire, u.close = own, own.CloseIdleConnections
	return u, nil
}

// newTransport speaks to the product directly, whatever proxy the environment names: a proxy's answer is not the
// product's.
func newTransport() *http.Transport {
	dialer := &net.Dialer{KeepAlive: 15 * time.Second}
	return &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &countedConn{Conn: conn}, nil
		},
		ForceAttemptHTTP2:      true,
		MaxResponseHeaderBytes: maxHeaderBytes,
		MaxIdleConnsPerHost:    2,
		IdleConnTimeout:        idleFor,
	}
}

// Close lets the connections go.
func (u *httpUser) Close() error {
	u.close()
	return nil
}

// Do sends a request and follows redirects as a browser does, each as an exchange of its own.
func (u *httpUser) Do(ctx context.Context, act experiments.Act) (experiments.Answer, error) {
	step, ok := act.Action.(*Request)
	if !ok {
		return experiments.Answer{}, fmt.Errorf("surface http cannot act a %T", act.Action)
	}
	out, err := step.prepare(act.Vars, u.base)
	if err != nil {
		return experiments.Answer{}, err
	}
	timeout := act.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	within, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	answer, last := u.follow(within, out, step.Redirects != "none")
	if !answer.Answered && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	answer.Vars = see(answer, last)
	return answer, err
}

// follow walks the hops until an answer is not a redirect that can be followed.
func (u *httpUser) follow(ctx context.Context, out outgoing, redirects bool) (experiments.Answer, received) {
	var answer experiments.Answer
	for hop := 0; ; hop++ {
		exchange, got := u.send(ctx, out)
		exchange.Hop = hop
		var next *url.URL
		if redirects { // as soon as its headers are there, whatever becomes of its body
			next = redirect(exchange, got, out.url)
		}
		if next != nil && hop == maxRedirects {
			exchange.Trouble, exchange.Why = wire.Other, fmt.Sprintf("more than %d redirects", maxRedirects)
			next = nil
		}
		answer.Exchanges = append(answer.Exchanges, exchange)
		if next == nil {
			answer.Answered = exchange.Trouble == ""
			return answer, got
		}
		out = out.to(next, exchange.Status)
	}
}

// redirect is where an answer sends its reader; nil when it does not, or where no browser would follow.
func redirect(e experiments.Exchange, got received, from *url.URL) *url.URL {
	switch e.Status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil
	}
	location := got.header.Get("Location")
	if location == "" {
		return nil
	}
	to, err := from.Parse(location)
	if err != nil || to.Scheme != "http" && to.Scheme != "https" || to.Host == "" {
		return nil
	}
	to.Fragment, to.RawFragment = "", ""
	return to
}

// to is the request that follows a redirect: 307 and 308 repeat it, the others read. What proves who the user is does
// not go to another origin.
func (o outgoing) to(next *url.URL, status int) outgoing {
	on := outgoing{method: o.method, url: next, header: o.header.Clone(), body: o.body}
	if status != http.StatusTemporaryRedirect && status != http.StatusPermanentRedirect {
		on.method, on.body = http.MethodGet, nil
		on.header.Del("Content-Type")
	}
	if !strings.EqualFold(next.Host, o.url.Host) || next.Scheme != o.url.Scheme {
		on.header.Del("Authorization")
		on.header.Del("Cookie")
	}
	return on
}

// see makes what expressions look at.
func see(answer experiments.Answer, last received) experiments.Vars {
	final := answer.Exchanges[len(answer.Exchanges)-1]
	status := final.Status
	if !answer.Answered {
		status = 0
	}
	vars := wire.Vars(status, last.header, last.body)
	hops := make([]any, len(answer.Exchanges))
	for i, e := range answer.Exchanges {
		hops[i] = map[string]any{"status": int64(e.Status), "url": e.URL, "location": http.Header(e.Headers).Get("Location")}
	}
	vars["hops"] = hops
	vars["elapsed"] = final.Ended.Sub(answer.Exchanges[0].Sent)
	vars["answered"] = answer.Answered
	// What a step without an expect goes by; expressions do not see it.
	vars["ok"] = answer.Answered && status >= 200 && status < 400
	return vars
}
