package agent

import (
	"net/http"
	"strings"
)

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
