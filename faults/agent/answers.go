package agent

import (
	"errors"
	"net/http"
)

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
