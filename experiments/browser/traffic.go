package browser

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/wire"
)

const (
	mostOpen     = 500  // requests of a page that are followed at once
	mostRequests = 2000 // of one visit that are written down
	mostHeaders  = 32 << 10
	mostBody     = 8 << 20 // bytes of an answer that are looked at
)

// traffic is what a tab asks for and gets.
type traffic struct {
	page  *page
	bound chan struct{} // of answers that are read at once

	mu       sync.Mutex
	requests map[network.RequestID]*request
	visit    int64
	many     int
	wrote    map[int]int // changing requests by attempt: the first is the person's, the others the client's
	document *request    // the last one asked for by the page itself
	failure  string
	code     string    // the failure, as all others are called
	ended    time.Time // when the last request ended
}

// request is one that is under way.
type request struct {
	exchange experiments.Exchange
	frame    bool // the page itself, not something in it
	asset    string
	offset   time.Duration // from the browser's clock to ours
	mime     string
	marked   time.Time // of the act that it belongs to
}

func newTraffic(p *page) *traffic {
	return &traffic{page: p, bound: make(chan struct{}, 4), requests: map[network.RequestID]*request{}, wrote: map[int]int{}}
}

func (t *traffic) take(ev any) {
	switch e := ev.(type) {
	case *network.EventRequestWillBeSent:
		t.sent(e)
	case *network.EventResponseReceived:
		t.answered(e)
	case *network.EventLoadingFinished:
		t.finished(e)
	case *network.EventLoadingFailed:
		t.failed(e)
	case *network.EventRequestServedFromCache:
		t.with(e.RequestID, func(r *request) { r.exchange.FromCache = true })
	case *network.EventWebSocketCreated:
		t.page.user.notice(experiments.Notice{Kind: experiments.NoticeSocket, Text: "opened", URL: e.URL})
	case *network.EventWebSocketClosed:
		t.page.user.notice(experiments.Notice{Kind: experiments.NoticeSocket, Text: "closed"})
	case *network.EventWebSocketFrameReceived:
		t.page.user.notice(experiments.Notice{Kind: experiments.NoticeSocket, Text: "message"})
	case *network.EventEventSourceMessageReceived:
		t.page.user.notice(experiments.Notice{Kind: experiments.NoticeSocket, Text: "event " + e.EventName})
	}
}

func (t *traffic) with(id network.RequestID, do func(*request)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.requests[id]; r != nil {
		do(r)
	}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// sent begins a request, or the next hop of one.
func (t *traffic) sent(e *network.EventRequestWillBeSent) {
	hop := 0
	wall := time.UnixMicro(int64(e.WallTime.Float64() * 1e6))
	offset := wall.Sub(time.Unix(0, 0).Add(seconds(e.Timestamp.Float64())))
	if e.RedirectResponse != nil {
		if before := t.pull(e.RequestID); before != nil {
			hop = before.exchange.Hop + 1
			before.respond(e.RedirectResponse)
			before.exchange.Ended = wall
			t.write(before)
		}
	}
	u := t.page.user
	u.mu.Lock()
	where, act, acted := u.where, u.act, u.acted
	u.mu.Unlock()
	if !act.Speaks {
		where.Marker = "" // sent when the answer to the intent had come
	}
	kind, asset := kindOf(e.Type, string(e.FrameID) == string(t.page.id()))
	r := &request{asset: asset, frame: kind == "document", offset: offset, marked: acted}
	r.exchange = experiments.Exchange{Marker: where.Marker, Journey: where.Journey, Step: where.Step, Setup: act.Setup, User: where.User,
		Visitor: where.Visitor, Visit: where.Visit, Attempt: max(1, act.Attempt), Hop: hop, Service: u.config.Service(e.Request.URL),
		Method: e.Request.Method, URL: clipURL(e.Request.URL), RequestHeaders: requestHeaders(e.Request.Headers), Sent: wall, Kind: kind, Page: where.Page}
	var body []byte
	for _, entry := range e.Request.PostDataEntries {
		body = append(body, entry.Bytes...)
	}
	r.exchange.RequestBody = wire.Keep(body, wire.DefaultLimits().Keep)
	t.mu.Lock()
	defer t.mu.Unlock()
	r.exchange.By = t.starter(r, hop > 0)
	if len(t.requests) < mostOpen {
		t.requests[e.RequestID] = r
	}
	if r.frame {
		t.document = r
	}
}

// starter tells the person's own requests from those of the page's scripts: documents, and the first request of an act
// that changes something. t is locked.
func (t *traffic) starter(r *request, redirected bool) experiments.Starter {
	if t.visit != r.exchange.Visit {
		t.visit, t.many = r.exchange.Visit, 0
	}
	if r.frame || redirected {
		return experiments.ByPerson
	}
	if r.exchange.Method == http.MethodGet || r.exchange.Method == http.MethodHead || r.exchange.Method == http.MethodOptions || r.marked.IsZero() {
		return experiments.ByClient
	}
	key := int(r.marked.UnixMilli())
	if len(t.wrote) > 1000 {
		clear(t.wrote)
	}
	t.wrote[key]++
	if t.wrote[key] == 1 {
		return experiments.ByPerson
	}
	return experiments.ByClient
}

// kindOf says what a request is for; what a page is made of is an asset, of which only failures are told.
func kindOf(t network.ResourceType, top bool) (kind, asset string) {
	switch t {
	case network.ResourceTypeDocument:
		if top {
			return "document", ""
		}
		return "frame", ""
	case network.ResourceTypeXHR, network.ResourceTypeFetch, network.ResourceTypeEventSource, network.ResourceTypePing:
		return strings.ToLower(string(t)), ""
	}
	return "", strings.ToLower(string(t))
}

func (t *traffic) answered(e *network.EventResponseReceived) {
	t.with(e.RequestID, func(r *request) { r.respond(e.Response) })
}

// respond takes the head of an answer.
func (r *request) respond(a *network.Response) {
	r.exchange.Status, r.mime = int(a.Status), a.MimeType
	r.exchange.Headers = responseHeaders(a.Headers)
	r.exchange.FromCache = r.exchange.FromCache || a.FromDiskCache || a.FromPrefetchCache
	if a.Timing != nil && a.Timing.ReceiveHeadersEnd > 0 {
		r.exchange.FirstByte = r.at(a.Timing.RequestTime).Add(time.Duration(a.Timing.ReceiveHeadersEnd * float64(time.Millisecond)))
	} else {
		r.exchange.FirstByte = time.Now()
	}
}

// at is a moment of the browser's clock.
func (r *request) at(monotonic float64) time.Time {
	return time.Unix(0, 0).Add(seconds(monotonic)).Add(r.offset)
}

// pull takes a request that has ended off the list.
func (t *traffic) pull(id network.RequestID) *request {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.requests[id]
	delete(t.requests, id)
	t.ended = time.Now()
	return r
}

func (t *traffic) finished(e *network.EventLoadingFinished) {
	r := t.pull(e.RequestID)
	if r == nil || r.asset != "" && r.exchange.Status < 400 {
		return
	}
	r.exchange.Ended = r.at(e.Timestamp.Float64())
	if r.asset != "" {
		t.page.user.notice(experiments.Notice{Kind: experiments.NoticeAsset, Text: fmt.Sprintf("%s: status %d", r.asset, r.exchange.Status), URL: r.exchange.URL})
		return
	}
	if !textual(r.mime) || e.EncodedDataLength > mostBody {
		r.exchange.Body = experiments.Text{Length: int64(e.EncodedDataLength), Unread: true}
		t.write(r)
		return
	}
	t.page.user.owed.Add(1)
	go func() { // not on the goroutine that events come on
		defer t.page.user.owed.Done()
		t.bound <- struct{}{}
		defer func() { <-t.bound }()
		t.read(e.RequestID, r)
		t.write(r)
	}()
}

// read fetches the body. One that the browser has already let go is unread.
func (t *traffic) read(id network.RequestID, r *request) {
	ctx, cancel := context.WithTimeout(t.page.ctx, patience)
	defer cancel()
	got, err := cdp.Call(ctx, t.page.target, network.GetResponseBody, network.GetResponseBodyParams{RequestID: id})
	if err != nil {
		r.exchange.Body = experiments.Text{Unread: true}
		return
	}
	r.exchange.Body = wire.Keep(got.Body, wire.DefaultLimits().Keep)
	if inspect := t.page.user.stage.config.Inspect; inspect != nil {
		hits := inspect(got.Body[:min(len(got.Body), mostBody)])
		r.exchange.Hits = hits[:min(len(hits), 50)]
	}
}

func (t *traffic) failed(e *network.EventLoadingFailed) {
	r := t.pull(e.RequestID)
	if r == nil {
		return
	}
	why := e.ErrorText
	if e.BlockedReason != "" {
		why += " (" + string(e.BlockedReason) + ")"
	}
	if r.asset != "" {
		if !e.Canceled {
			t.page.user.notice(experiments.Notice{Kind: experiments.NoticeAsset, Text: r.asset + ": " + why, URL: r.exchange.URL})
		}
		return
	}
	r.exchange.Ended, r.exchange.Trouble, r.exchange.Why = r.at(e.Timestamp.Float64()), trouble(why), why
	if e.Canceled {
		r.exchange.Why = "the page was left, or gave up: " + why
	}
	if r.frame {
		t.mu.Lock()
		t.failure, t.code = why, r.exchange.Trouble
		t.mu.Unlock()
	}
	t.write(r)
}

func (t *traffic) write(r *request) {
	t.mu.Lock()
	t.many++
	over := t.many > mostRequests
	t.mu.Unlock()
	if over || r.asset != "" {
		return
	}
	e := r.exchange
	t.page.user.record(experiments.Record{At: e.Ended, Exchange: &e})
}

// open counts the requests since an act that are under way; streams that are meant to stay open are not among them.
func (t *traffic) open(since time.Time) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for _, r := range t.requests {
		if r.asset == "" && r.exchange.Kind != "eventsource" && r.exchange.Kind != "ping" && !r.exchange.Sent.Before(since.Add(-50*time.Millisecond)) {
			n++
		}
	}
	return n
}

// rested is how long no request has ended.
func (t *traffic) rested() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return time.Since(t.ended)
}

// navigating reports whether the page itself was asked for since an act.
func (t *traffic) navigating(since time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.document != nil && !t.document.exchange.Sent.Before(since.Add(-50*time.Millisecond))
}

// status is that of the document which an act brought; 0 where it brought none.
func (t *traffic) status(since time.Time) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.document == nil || since.IsZero() || t.document.exchange.Sent.Before(since.Add(-50*time.Millisecond)) {
		return 0
	}
	return t.document.exchange.Status
}

func (t *traffic) lastFailure() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failure
}

// trouble is how the last document failed.
func (t *traffic) trouble() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.code
}
