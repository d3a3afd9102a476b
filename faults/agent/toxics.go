package agent

import (
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/Shopify/toxiproxy/v2/toxics"
)

// The toxics of the library, wrapped: they count what they act on, and what they draw by chance comes from the run's seed.
// The library makes an empty value of a registered type for each toxic, so what they need comes with their attributes.

// registerToxics puts the wrappers in the place of the library's own. Registering is process-wide, and done when an agent
// starts.
func registerToxics() {
	toxics.Register("latency", new(latencyToxic))
	toxics.Register("timeout", new(hangToxic))
	toxics.Register("bandwidth", new(slowToxic))
	toxics.Register("slicer", new(trickleToxic))
	toxics.Register("limit_data", new(cutToxic))
	toxics.Register("slow_close", new(lingerToxic))
	toxics.Register(tapType, new(tapToxic))
	toxics.Register(gateType, new(gateToxic))
}

// counting is a toxic that counts the chunks that it acts on.
type counting interface {
	count() int64
}

// latencyToxic delays every chunk by latency ± jitter, in milliseconds.
type latencyToxic struct {
	toxics.LatencyToxic
	dose
	conns atomic.Uint64
}

// late is one connection's flow, with its own source of chance.
type late struct {
	flow
	chance *rand.Rand
}

// NewState draws one source of chance for each connection, the nth from the seed and n.
func (t *latencyToxic) NewState() any {
	return &late{chance: rand.New(rand.NewPCG(t.Seed, t.conns.Add(1)))}
}

// Pipe is the library's, but for the source of chance, the count, and that nothing interrupts a delay that is under way:
// another toxic that is added does not hurry what this one holds.
func (t *latencyToxic) Pipe(stub *toxics.ToxicStub) {
	l := stub.State.(*late)
	if l.held != nil && !t.wait(stub, l) {
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
			if t.picks(c) {
				t.hits.Add(1)
				c.Timestamp = c.Timestamp.Add(t.delay(l.chance))
			}
			l.held, l.due = c, c.Timestamp
			if !t.wait(stub, l) {
				return
			}
		}
	}
}

// wait passes on what is held when it is due, and reports false when it was interrupted first.
func (t *latencyToxic) wait(stub *toxics.ToxicStub, l *late) bool {
	timer := time.NewTimer(time.Until(l.due))
	defer timer.Stop()
	select {
	case <-timer.C:
		return l.pass(stub, l.held)
	case <-stub.Interrupt:
		return false
	}
}

// Cleanup lets go of whatever is held, late or not, when the toxic is removed.
func (t *latencyToxic) Cleanup(stub *toxics.ToxicStub) {
	if l, ok := stub.State.(*late); ok {
		l.drain(stub)
	}
}

func (t *latencyToxic) delay(chance *rand.Rand) time.Duration {
	delay := t.Latency
	if t.Jitter > 0 {
		delay += chance.Int64N(2*t.Jitter+1) - t.Jitter
	}
	return time.Duration(t.strength() * float64(max(0, delay)) * float64(time.Millisecond))
}

// hangToxic swallows everything. When it is removed the connections that it held are closed: what they lost cannot come
// back.
type hangToxic struct {
	toxics.TimeoutToxic
	dose
}

// hung is one connection's flow, and whether it lost anything.
type hung struct {
	flow
	lost bool
}

// NewState begins one connection.
func (t *hangToxic) NewState() any { return new(hung) }

// Pipe drops what comes on a connection that is hit.
func (t *hangToxic) Pipe(stub *toxics.ToxicStub) {
	h := stub.State.(*hung)
	if h.held != nil && !h.pass(stub, h.held) {
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
			switch {
			case !t.spreads(c):
				if !h.pass(stub, c) {
					return
				}
			default:
				t.hits.Add(1)
				h.lost = true
			}
		}
	}
}

// Cleanup closes what lost something, and, where everything was held, everything.
func (t *hangToxic) Cleanup(stub *toxics.ToxicStub) {
	h, ok := stub.State.(*hung)
	if !ok || h.lost || t.whole() >= 1 && t.strength() >= 1 {
		stub.Close()
		return
	}
	h.drain(stub)
}

const tapType = "candor_tap"

// tapToxic reads along in the direction of requests and changes nothing.
type tapToxic struct {
	listen func() *listener // one for each connection
	numbers
}

// tapped is one connection's flow, its number, and who reads along.
type tapped struct {
	flow
	zone  *time.Location
	along *listener
}

// NewState begins to listen on one connection.
func (t *tapToxic) NewState() any { return &tapped{zone: t.next(), along: t.listen()} }

// Pipe passes every chunk on, at once.
func (t *tapToxic) Pipe(stub *toxics.ToxicStub) {
	f := stub.State.(*tapped)
	if f.held != nil && !f.pass(stub, f.held) {
		return
	}
	for {
		select {
		case <-stub.Interrupt:
			return
		case c := <-stub.Input:
			if c == nil {
				f.along.close()
				stub.Close()
				return
			}
			f.along.hear(c)
			c.Timestamp = c.Timestamp.In(f.zone)
			if !f.pass(stub, c) {
				return
			}
		}
	}
}

func (l *listener) hear(c *stream.StreamChunk) {
	if l != nil {
		l.write(c.Data)
	}
}
