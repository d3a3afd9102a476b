package agent

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/Shopify/toxiproxy/v2/stream"

	"github.com/candor-chaos/candor/faults"
)

// Which connections a fault hits is drawn from the run's seed, once for each: connections are numbered in the order in
// which they are made, and the number says by itself where between 0 and 1 the draw fell. A fault with a share hits those
// below it, so that a share that grows only adds to what it hits, and the same seed hits the same numbers again.

// draw is where the draw of a connection falls, from 0 to 1 without 1. salt keeps faults of different kinds apart: they
// do not all hit the same ones.
func draw(seed uint64, salt string, number uint64) float64 {
	said := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, seed), number)
	sum := sha256.Sum256(append(said, salt...))
	return float64(binary.BigEndian.Uint64(sum[:8])>>11) / (1 << 53)
}

// rampStep is how often a fault that grows becomes stronger.
const rampStep = 250 * time.Millisecond

// stepEvery is how often the agent looks at what is due on its own clock.
const stepEvery = 50 * time.Millisecond

// grown is how far a fault has come on its way to full strength, above 0 and at most 1: it grows by steps, of which the
// first is there at once and the last before the end.
func grown(elapsed, ramp time.Duration) float64 {
	if elapsed >= ramp {
		return 1
	}
	return min(1, float64((max(0, elapsed)/rampStep+1)*rampStep)/float64(ramp))
}

// numbered tells a chunk's connection by the zone of the chunk's time: the library gives a toxic no other way of knowing
// which connection it is on, and starts the two directions of one by themselves. The time itself stays what it was.
func numbered(c *stream.StreamChunk) (number uint64, is bool) {
	number, err := strconv.ParseUint(c.Timestamp.Location().String(), 10, 64)
	return number, err == nil
}

// numbers gives each connection of a path its number. The library starts the requests and then the answers of one
// connection before those of the next, so that two that count alike give both directions the same.
type numbers struct{ given atomic.Uint64 }

func (n *numbers) next() *time.Location {
	return time.FixedZone(strconv.FormatUint(n.given.Add(1), 10), 0)
}

// dose is what every toxic knows of how much of it there is; it comes with the attributes.
type dose struct {
	Seed  uint64  `json:"seed"`
	Salt  string  `json:"salt"`
	Share float64 `json:"share"`
	Ramp  int64   `json:"ramp"`  // in milliseconds
	Since int64   `json:"since"` // when it was made, in milliseconds of the clock
	hits  atomic.Int64
}

func (d *dose) count() int64 { return d.hits.Load() }

// strength is how far it has grown.
func (d *dose) strength() float64 {
	if d.Ramp == 0 {
		return 1
	}
	return grown(time.Since(time.UnixMilli(d.Since)), time.Duration(d.Ramp)*time.Millisecond)
}

// picks reports whether a chunk's connection is among those of the fault's share, however strong the fault is by now.
func (d *dose) picks(c *stream.StreamChunk) bool { return d.within(c, d.whole()) }

// spreads is picks for a fault that grows by hitting more and more connections.
func (d *dose) spreads(c *stream.StreamChunk) bool { return d.within(c, d.whole()*d.strength()) }

func (d *dose) whole() float64 {
	if d.Share == 0 {
		return 1
	}
	return d.Share
}

// within compares the draw of a chunk's connection with a share.
func (d *dose) within(c *stream.StreamChunk, share float64) bool {
	if share >= 1 {
		return true
	}
	number, is := numbered(c)
	return is && d.draw(number) < share
}

func (d *dose) draw(number uint64) float64 { return draw(d.Seed, d.Salt, number) }

// Draws say which connections an impairment hits, for a world that makes its blocks by itself.
type Draws struct{ dose }

// NewDraws begins to grow where there is a ramp.
func NewDraws(seed uint64, p faults.Path, i faults.Impairment) *Draws {
	return &Draws{dose{Seed: seed, Salt: p.String() + " " + i.Block, Share: i.Share, Ramp: i.Ramp, Since: time.Now().UnixMilli()}}
}

// Hit reports whether the nth connection is among those that are hit by now.
func (d *Draws) Hit(number uint64) bool { return d.draw(number) < d.whole()*d.strength() }
