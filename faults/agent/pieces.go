package agent

import (
	"sync/atomic"
	"time"

	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/Shopify/toxiproxy/v2/toxics"
)

// The toxics that pass a chunk on in pieces, each at its time. The library's own cannot be interrupted between two pieces,
// and lose their place when they are.

// pieces is one connection's flow through such a toxic.
type pieces struct {
	flow
	free time.Time // when the way is free for the next piece
}

// cutter says how a chunk is torn, as it is now.
type cutter interface {
	// size is of the next piece; 0 leaves the chunk whole, and lets it pass at once.
	size(c *stream.StreamChunk) int
	// due is when the next piece of a chunk may pass; it keeps free.
	due(p *pieces, next *stream.StreamChunk) time.Time
	hit() *atomic.Int64
}

// tear carries one connection.
func tear(stub *toxics.ToxicStub, t cutter) {
	p := stub.State.(*pieces)
	if p.held != nil && !p.waitAndPass(stub) {
		return
	}
	for {
		c := p.rest
		p.rest = nil
		if c == nil {
			select {
			case <-stub.Interrupt:
				return
			case c = <-stub.Input:
				if c == nil {
					stub.Close()
					return
				}
			}
		}
		n := t.size(c)
		if n == 0 {
			p.held, p.due = c, time.Time{}
		} else {
			n = min(n, len(c.Data))
			p.held = &stream.StreamChunk{Data: c.Data[:n], Timestamp: c.Timestamp}
			if n < len(c.Data) {
				p.rest = &stream.StreamChunk{Data: c.Data[n:], Timestamp: c.Timestamp}
			}
			p.due = t.due(p, p.held)
			t.hit().Add(1)
		}
		if !p.waitAndPass(stub) {
			return
		}
	}
}

// waitAndPass passes on what is held when it is due, and reports false when it was interrupted first.
func (f *flow) waitAndPass(stub *toxics.ToxicStub) bool {
	if wait := time.Until(f.due); wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-stub.Interrupt:
			return false
		}
	}
	return f.pass(stub, f.held)
}

// slowToxic lets so many bytes a second pass. Bytes is exact; Rate, in thousands of bytes, is for a Toxiproxy that is not
// candor's.
type slowToxic struct {
	toxics.BandwidthToxic
	dose
	Bytes int64 `json:"bytes"`
}

// How evenly a slow connection flows: pieces of a tenth of a second, and what a busy machine or a reader that pauses
// missed is caught up with for so long.
const (
	slowPiece = 100 * time.Millisecond
	slowSlack = time.Second
)

// NewState begins one connection.
func (t *slowToxic) NewState() any { return new(pieces) }

// Pipe passes pieces on as they fit the rate.
func (t *slowToxic) Pipe(stub *toxics.ToxicStub) { tear(stub, t) }

// Cleanup lets go of what is held, at once.
func (t *slowToxic) Cleanup(stub *toxics.ToxicStub) { letGo(stub) }

// rate sinks while the fault grows, so that the time which a byte takes grows evenly.
func (t *slowToxic) rate() float64 { return float64(max(1, t.Bytes)) / t.strength() }

func (t *slowToxic) size(c *stream.StreamChunk) int {
	if !t.picks(c) {
		return 0
	}
	return max(1, int(t.rate()*slowPiece.Seconds()))
}

// due counts from when the way was free, or from when the data came if that was later: an idle way saves nothing up.
func (t *slowToxic) due(p *pieces, next *stream.StreamChunk) time.Time {
	if next.Timestamp.After(p.free) {
		p.free = next.Timestamp
	}
	if least := time.Now().Add(-slowSlack); least.After(p.free) {
		p.free = least
	}
	p.free = p.free.Add(time.Duration(float64(len(next.Data)) / t.rate() * float64(time.Second)))
	return p.free
}

func (t *slowToxic) hit() *atomic.Int64 { return &t.hits }

// trickleToxic passes pieces of average_size bytes with a delay after each, in microseconds.
type trickleToxic struct {
	toxics.SlicerToxic
	dose
}

// NewState begins one connection.
func (t *trickleToxic) NewState() any { return new(pieces) }

// Pipe passes piece after piece.
func (t *trickleToxic) Pipe(stub *toxics.ToxicStub) { tear(stub, t) }

// Cleanup lets go of what is held, at once.
func (t *trickleToxic) Cleanup(stub *toxics.ToxicStub) { letGo(stub) }

func (t *trickleToxic) size(c *stream.StreamChunk) int {
	if !t.spreads(c) {
		return 0
	}
	return max(1, t.AverageSize)
}

func (t *trickleToxic) due(p *pieces, _ *stream.StreamChunk) time.Time {
	due := time.Now()
	if due.Before(p.free) {
		due = p.free
	}
	p.free = due.Add(time.Duration(t.Delay) * time.Microsecond)
	return due
}

func (t *trickleToxic) hit() *atomic.Int64 { return &t.hits }

func letGo(stub *toxics.ToxicStub) {
	if p, ok := stub.State.(*pieces); ok {
		p.drain(stub)
	}
}
