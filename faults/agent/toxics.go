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
	toxics.Register(tapType, new(tapToxic))
}

// counting is a toxic that counts the chunks that it acts on.
type counting interface {
	count() int64
}

// latencyToxic delays every chunk by latency ± jitter, in milliseconds.
type latencyToxic struct {
	toxics.LatencyToxic
	Seed  uint64 `json:"seed"`
	hits  atomic.Int64
	conns atomic.Uint64
}

func (t *latencyToxic) count() int64 { return t.hits.Load() }

// NewState draws one source of chance for each connection, the nth from the seed and n.
func (t *latencyToxic) NewState() any {
	return rand.New(rand.NewPCG(t.Seed, t.conns.Add(1)))
}

// Pipe is the library's, but for the source of chance and the count.
func (t *latencyToxic) Pipe(stub *toxics.ToxicStub) {
	chance, ok := stub.State.(*rand.Rand)
	if !ok {
		chance = rand.New(rand.NewPCG(t.Seed, 0))
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
			t.hits.Add(1)
			delay := t.delay(chance)
			select {
			case <-time.After(delay - time.Since(c.Timestamp)):
				c.Timestamp = c.Timestamp.Add(delay)
				stub.Output <- c
			case <-stub.Interrupt:
				stub.Output <- c // whatever was held goes on when the fault ends
				return
			}
		}
	}
}

func (t *latencyToxic) delay(chance *rand.Rand) time.Duration {
	delay := t.Latency
	if t.Jitter > 0 {
		delay += chance.Int64N(2*t.Jitter+1) - t.Jitter
	}
	return time.Duration(delay) * time.Millisecond
}

// hangToxic swallows everything. When it is removed the connections that it held are closed: what they lost cannot come
// back.
type hangToxic struct {
	toxics.TimeoutToxic
	hits atomic.Int64
}

func (t *hangToxic) count() int64 { return t.hits.Load() }

// Pipe drops what comes.
func (t *hangToxic) Pipe(stub *toxics.ToxicStub) {
	for {
		select {
		case <-stub.Interrupt:
			return
		case c := <-stub.Input:
			if c == nil {
				stub.Close()
				return
			}
			t.hits.Add(1)
		}
	}
}

const tapType = "candor_tap"

// tapToxic reads along in the direction of requests and changes nothing.
type tapToxic struct {
	listen func() *listener // one for each connection
}

// NewState begins to listen on one connection.
func (t *tapToxic) NewState() any { return t.listen() }

// Pipe passes every chunk on, at once.
func (t *tapToxic) Pipe(stub *toxics.ToxicStub) {
	along, _ := stub.State.(*listener)
	for {
		select {
		case <-stub.Interrupt:
			return
		case c := <-stub.Input:
			if c == nil {
				along.close()
				stub.Close()
				return
			}
			along.hear(c)
			stub.Output <- c
		}
	}
}

func (l *listener) hear(c *stream.StreamChunk) {
	if l != nil {
		l.write(c.Data)
	}
}
