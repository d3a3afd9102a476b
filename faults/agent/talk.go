package agent

import (
	"errors"
	"io"
	"net"
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

// closeWrite ends one direction.
func closeWrite(c net.Conn) {
	if half, ok := c.(*net.TCPConn); ok {
		_ = half.CloseWrite() // fails only when the connection has ended already
	}
}
