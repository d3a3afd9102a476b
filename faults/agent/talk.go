package agent

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// The front that answers HTTP in the dependency's place. It stands in the forwarder, behind Toxiproxy: what it answers is
// delayed and torn like what the dependency answers.
//
// It follows every connection from its first byte, and touches none while no reply is in force: bytes pass as they come,
// and only where the messages end is kept. So a connection that was open before is met at its next request, which is the
// only place where an answer can be put without breaking the one that is under way. What is not HTTP/1.1, and what becomes
// something else (an upgrade, a tunnel), is passed on unread from there on.

// talk is one connection between the application and its dependency.
type talk struct {
	client, server net.Conn
	repliers       *repliers

	writing sync.Mutex // to the client, in the order of the requests

	mu      sync.Mutex
	waiting []*exchange // requests without their whole answer, in their order
	raw     bool        // what passes is not looked at any more
	gone    bool        // the dependency has said its last
	ended   bool        // the last answer was one of ours
}

// exchange is a request and its answer.
type exchange struct {
	method string
	by     *replier // who answers; nil: the dependency
	gate   bool     // the dependency does not see it
	whole  bool     // the request has come to its end
	closes bool     // nothing comes after it
}

const (
	// mostWaiting is how many requests may be sent ahead.
	mostWaiting = 256
	// lastWords is how long a client has to close after an answer that was the last.
	lastWords = 2 * time.Second
)

// carryBoth returns when both ends have gone.
func (t *talk) carryBoth() {
	up, down := &asks{talk: t}, &answers{talk: t}
	var both sync.WaitGroup
	both.Go(func() { t.follow(t.server, t.client, up.hear, up.end) })
	both.Go(func() { t.follow(t.client, t.server, down.hear, down.end) })
	both.Wait()
}

// follow reads one direction and hands on what hear makes of it.
func (t *talk) follow(to, from net.Conn, hear func([]byte) error, end func()) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 && !t.isEnded() {
			if herr := hear(buffer[:n]); herr != nil {
				err = herr
			}
		}
		switch {
		case t.isEnded():
			if err != nil {
				return
			}
		case errors.Is(err, io.EOF):
			end()
			return
		case err != nil:
			abort(to)
			abort(from)
			return
		case t.isRaw():
			pass(to, from)
			return
		}
	}
}

func (t *talk) isRaw() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.raw
}

func (t *talk) isEnded() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ended
}

// letBe stops looking. It cannot while an answer of ours is owed: the connection has to end then.
func (t *talk) letBe() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range t.waiting {
		if e.by != nil {
			return errNotHTTP
		}
	}
	t.raw = true
	return nil
}

// push adds a request, unless nobody looks any more.
func (t *talk) push(e *exchange) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.raw || len(t.waiting) >= mostWaiting {
		return false
	}
	t.waiting = append(t.waiting, e)
	return true
}

// first is the request whose answer is due; nil when there is none.
func (t *talk) first() *exchange {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.waiting) == 0 {
		return nil
	}
	return t.waiting[0]
}

func (t *talk) pop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting = t.waiting[1:]
}

// say writes to the client.
func (t *talk) say(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	t.writing.Lock()
	defer t.writing.Unlock()
	_, err := t.client.Write(p)
	return err
}

// flush answers the requests that are ours and due.
func (t *talk) flush() error {
	t.writing.Lock()
	defer t.writing.Unlock()
	for {
		t.mu.Lock()
		if len(t.waiting) == 0 || !t.waiting[0].gate || !t.waiting[0].whole {
			t.mu.Unlock()
			return nil
		}
		e := t.waiting[0]
		t.waiting = t.waiting[1:]
		closes := e.closes || t.gone
		t.mu.Unlock()
		e.by.hits.Add(1)
		if _, err := t.client.Write(e.by.bytes(e.method, closes)); err != nil {
			return err
		}
		if closes {
			t.finish()
			return nil
		}
	}
}

// finish ends the connection after an answer of ours. What the client still sends is read for a while: a close with
// unread bytes would be a reset, which can overtake the answer.
func (t *talk) finish() {
	t.mu.Lock()
	t.ended = true
	t.mu.Unlock()
	closeWrite(t.client)
	_ = t.client.SetReadDeadline(time.Now().Add(lastWords)) // fails only when the connection has ended already
	t.server.Close()
}

// asks is the direction of the requests.
type asks struct {
	*talk
	frames
	now  *exchange // whose body comes
	held bool      // the head that comes is kept until it is known who answers it
	deaf bool      // nothing that comes is a request any more
	out  []byte
}

// hear takes what the client said.
func (a *asks) hear(p []byte) error {
	a.out = a.out[:0]
	for len(p) > 0 && !a.deaf {
		if a.isRaw() {
			a.release()
			a.out = append(a.out, p...)
			break
		}
		n, err := a.piece(p)
		if err != nil {
			if err := a.letBe(); err != nil {
				return err
			}
			continue
		}
		p = p[n:]
	}
	if len(a.out) == 0 {
		return nil
	}
	_, err := a.server.Write(a.out)
	return err
}

// release lets go of what is held of a head.
func (a *asks) release() {
	if a.held {
		a.out = append(a.out, a.head...)
	}
	a.held, a.head = false, nil
}

// piece takes the next bytes of one message. When it fails it has taken none.
func (a *asks) piece(p []byte) (int, error) {
	if !a.started() {
		a.held = len(a.repliers.now()) > 0
	}
	before, atHead := len(a.head), a.stage == inHead
	n, what, err := a.take(p)
	if err == nil && atHead && !plausible(a.head) {
		err = errNotHTTP
	}
	if err == nil && what == headEnded {
		err = a.decide()
	}
	switch {
	case err != nil:
		a.head = a.head[:min(before, len(a.head))]
		return 0, err
	case atHead && a.held && a.now != nil && !a.now.gate && what == headEnded:
		a.out = append(a.out, a.head...)
	case atHead && !a.held, !atHead && !a.now.gate:
		a.out = append(a.out, p[:n]...)
	}
	if what == headEnded {
		a.held = false
		if a.begin(a.left) {
			what = messageEnded
		}
	}
	if a.now != nil && a.now.gate && (what == messageEnded || a.deaf) {
		return n, a.ours()
	}
	return n, nil
}

// decide says who answers the request whose head is whole, and leaves the length of its body in left.
func (a *asks) decide() error {
	r, length, err := readRequest(a.head)
	if err != nil {
		return err
	}
	e := &exchange{method: r.Method, closes: r.Close}
	if a.held && r.Method != http.MethodConnect && r.Header.Get("Upgrade") == "" {
		for _, by := range a.repliers.now() {
			if by.picksRequest(r) {
				e.by, e.gate = by, !by.After
				break
			}
		}
	}
	if e.gate && length != 0 && strings.EqualFold(r.Header.Get("Expect"), "100-continue") {
		// Who waits for leave to send a body gets the answer instead, and may or may not send it: the connection ends.
		e.closes, a.deaf = true, true
	}
	if !a.push(e) {
		a.deaf = false
		return errNotHTTP
	}
	a.now, a.left = e, length
	return nil
}

// ours answers the request that has come to its end as soon as it is its turn.
func (a *asks) ours() error {
	a.mu.Lock()
	a.now.whole = true
	a.deaf = a.deaf || a.now.closes
	a.mu.Unlock()
	return a.flush()
}

// end hands on that the client has said its last.
func (a *asks) end() {
	if a.held && len(a.head) > 0 {
		_, _ = a.server.Write(a.head) // fails only when the connection has ended already
	}
	closeWrite(a.server)
}

// answers is the direction of the answers.
type answers struct {
	*talk
	frames
	now  *exchange
	held bool // what comes is replaced
	out  []byte
}

// hear takes what the dependency said.
func (a *answers) hear(p []byte) error {
	a.out = a.out[:0]
	for len(p) > 0 {
		if a.isRaw() {
			a.out = append(a.out, p...)
			break
		}
		n, err := a.piece(p)
		if errors.Is(err, errNotHTTP) {
			if err := a.letBe(); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		p = p[n:]
	}
	return a.say(a.out)
}

// piece takes the next bytes of one message. When it fails with errNotHTTP it has passed on none.
func (a *answers) piece(p []byte) (int, error) {
	if !a.started() {
		if a.now = a.first(); a.now == nil || a.now.gate {
			return 0, errNotHTTP // it speaks unasked
		}
		a.held = a.now.by != nil
	}
	n, what, err := a.take(p)
	if err != nil {
		return 0, err
	}
	var r *http.Response
	var length int64
	if what == headEnded {
		if r, length, err = readResponse(a.head, a.now.method); err != nil {
			return 0, err
		}
		if r.StatusCode == http.StatusSwitchingProtocols || a.now.method == http.MethodConnect && r.StatusCode/100 == 2 {
			return 0, errNotHTTP // it becomes something else
		}
	}
	interim := what == headEnded && r.StatusCode < 200
	switch {
	case !a.held:
		a.out = append(a.out, p[:n]...)
	case interim: // such as the leave to send a body
		a.out = append(a.out, a.head...)
	case what == headEnded:
		a.out = append(a.out, a.now.by.bytes(a.now.method, a.now.closes || r.Close || length == endless)...)
		a.now.by.hits.Add(1)
	}
	if interim {
		a.frames.end()
		return n, nil
	}
	if what == messageEnded || what == headEnded && a.begin(length) {
		return n, a.over()
	}
	return n, nil
}

// over makes room for the next answer.
func (a *answers) over() error {
	err := a.say(a.out)
	a.out = a.out[:0]
	a.pop()
	return errors.Join(err, a.flush())
}

// end hands on that the dependency has said its last, unless a request is under way that we answer: then after it.
func (a *answers) end() {
	a.mu.Lock()
	a.gone = true
	ours := len(a.waiting) > 0 && a.waiting[0].gate
	a.mu.Unlock()
	if !ours {
		closeWrite(a.client)
	}
}

// closeWrite ends one direction.
func closeWrite(c net.Conn) {
	if half, ok := c.(*net.TCPConn); ok {
		_ = half.CloseWrite() // fails only when the connection has ended already
	}
}
