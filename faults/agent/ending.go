package agent

import (
	"sync/atomic"
	"time"

	"github.com/Shopify/toxiproxy/v2/toxics"
)

// The toxics that act on how a connection ends.

// cutToxic closes a connection after so many bytes of one direction.
type cutToxic struct {
	toxics.LimitDataToxic
	dose
}

// counted is one connection's flow, and how much of it has passed.
type counted struct {
	flow
	passed int64
	over   bool // the limit is reached when what is held has passed
}

// NewState begins one connection.
func (t *cutToxic) NewState() any { return new(counted) }

// Pipe counts, and cuts. Afterwards it empties what still comes, until the other end has gone too: the library's own
// leaves whoever writes to it waiting for ever. It cannot be interrupted then, and need not be: it has closed.
func (t *cutToxic) Pipe(stub *toxics.ToxicStub) {
	f := stub.State.(*counted)
	if f.held != nil && !f.pass(stub, f.held) {
		return
	}
	for !f.over {
		select {
		case <-stub.Interrupt:
			return
		case c := <-stub.Input:
			if c == nil {
				stub.Close()
				return
			}
			if t.spreads(c) {
				left := t.Bytes - f.passed
				f.over = int64(len(c.Data)) >= left
				c.Data = c.Data[:min(int64(len(c.Data)), left)]
				f.passed += int64(len(c.Data))
			}
			if !f.pass(stub, c) {
				return
			}
		}
	}
	t.hits.Add(1)
	stub.Close()
	for c := range stub.Input {
		if c == nil {
			return
		}
	}
}

// Cleanup lets go of what is held. A connection that had its last byte closes.
func (t *cutToxic) Cleanup(stub *toxics.ToxicStub) {
	f, ok := stub.State.(*counted)
	if !ok {
		return
	}
	over := f.over
	f.drain(stub)
	if over {
		stub.Close()
	}
}

// lingerToxic hands the end of a direction on later.
type lingerToxic struct {
	toxics.SlowCloseToxic
	dose
	silent atomic.Uint64 // how many ended without a word since the fault began
}

// ending is one connection's flow, the draw of its connection, and when it may end.
type ending struct {
	flow
	drawn float64
	known bool
	ends  time.Time // zero until the end has come
}

// NewState begins one connection.
func (t *lingerToxic) NewState() any { return new(ending) }

// Pipe passes everything on at once, but the end.
func (t *lingerToxic) Pipe(stub *toxics.ToxicStub) {
	e := stub.State.(*ending)
	if e.held != nil && !e.pass(stub, e.held) {
		return
	}
	for e.ends.IsZero() {
		select {
		case <-stub.Interrupt:
			return
		case c := <-stub.Input:
			if c == nil {
				e.ends = t.end(e)
				continue
			}
			if number, is := numbered(c); is && !e.known {
				e.drawn, e.known = t.draw(number), true
			}
			if !e.pass(stub, c) {
				return
			}
		}
	}
	timer := time.NewTimer(time.Until(e.ends))
	defer timer.Stop()
	select {
	case <-timer.C:
		stub.Close()
	case <-stub.Interrupt:
	}
}

// end is when a direction that has ended may end. An end does not say of which connection it is; where nothing passed
// before it, the draw goes by the order of such ends.
func (t *lingerToxic) end(e *ending) time.Time {
	now := time.Now()
	if !e.known {
		e.drawn = t.draw(1<<63 + t.silent.Add(1))
	}
	if e.drawn >= t.whole()*t.strength() {
		return now
	}
	t.hits.Add(1)
	return now.Add(time.Duration(t.Delay) * time.Millisecond)
}

// Cleanup lets what has ended end.
func (t *lingerToxic) Cleanup(stub *toxics.ToxicStub) {
	e, ok := stub.State.(*ending)
	switch {
	case !ok:
	case e.ends.IsZero():
		e.drain(stub)
	default:
		if e.held != nil {
			_ = stub.WriteOutput(e.held, drainOne) // nobody takes it: then it is lost with the connection
		}
		stub.Close()
	}
}
