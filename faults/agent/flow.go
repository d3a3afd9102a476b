package agent

import (
	"time"

	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/Shopify/toxiproxy/v2/toxics"
)

// The library interrupts the toxics of every open connection before it adds or removes one, and one that waits for a
// client that does not read hears nothing: the call hangs, with a lock that every other call needs, until that client
// leaves. Our toxics can be interrupted at any time. What one holds in its hands then stays in its flow, and is the first
// that it passes on when it runs again.

// flow is what a toxic keeps of one connection.
type flow struct {
	held *stream.StreamChunk
	due  time.Time           // when held may go on
	rest *stream.StreamChunk // what is to come of a chunk that is passed on in pieces
}

// pass hands a chunk on. It reports false when it was interrupted first; the chunk is held then.
func (f *flow) pass(stub *toxics.ToxicStub, c *stream.StreamChunk) bool {
	f.held = nil
	select {
	case stub.Output <- c:
		return true
	case <-stub.Interrupt:
		f.held = c
		return false
	}
}

// The bounds of drain: for one chunk, and for all.
const (
	drainOne = time.Second
	drainAll = 4 * time.Second
)

// drain hands on what a toxic still has when it is removed, and closes the connection when the other end takes nothing
// for so long that it would hold up everybody: bytes are never left out of a connection that goes on.
func (f *flow) drain(stub *toxics.ToxicStub) {
	end := time.Now().Add(drainAll)
	c, rest := f.held, f.rest
	f.held, f.rest = nil, nil
	for {
		if c != nil && stub.WriteOutput(c, max(time.Millisecond, min(drainOne, time.Until(end)))) != nil {
			stub.Close()
			return
		}
		if rest != nil {
			c, rest = rest, nil
			continue
		}
		select {
		case c = <-stub.Input:
			if c == nil { // the connection has ended meanwhile
				stub.Close()
				return
			}
		default:
			return
		}
	}
}

const gateType = "candor_gate"

// gateToxic stands first in the direction of answers and changes nothing: it can be interrupted where the library's own
// first one cannot.
type gateToxic struct{ numbers }

// gated is one connection's flow and its number.
type gated struct {
	flow
	zone *time.Location
}

// NewState begins one connection.
func (g *gateToxic) NewState() any { return &gated{zone: g.next()} }

// Pipe passes every chunk on, at once.
func (g *gateToxic) Pipe(stub *toxics.ToxicStub) {
	f := stub.State.(*gated)
	if f.held != nil && !f.pass(stub, f.held) {
		return
	}
	for {
		select {
		case <-stub.Interrupt:
			return
		case c := <-stub.Input:
			if c == nil {
				stub.Close()
				return
			}
			c.Timestamp = c.Timestamp.In(f.zone)
			if !f.pass(stub, c) {
				return
			}
		}
	}
}
