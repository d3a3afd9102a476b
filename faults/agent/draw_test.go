package agent

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2/stream"
)

// likely are the counts between which 99.9 % of all draws of n at a share fall.
func likely(n int, share float64) (least, most int) {
	tail, sum := 0.0005, 0.0
	least, most = -1, n
	for k := range n + 1 {
		a, _ := math.Lgamma(float64(n + 1))
		b, _ := math.Lgamma(float64(k + 1))
		c, _ := math.Lgamma(float64(n - k + 1))
		sum += math.Exp(a - b - c + float64(k)*math.Log(share) + float64(n-k)*math.Log1p(-share))
		if least < 0 && sum > tail {
			least = k
		}
		if sum >= 1-tail {
			return least, k
		}
	}
	return least, most
}

func TestLikely(t *testing.T) {
	if least, most := likely(400, 0.3); least != 91 || most != 151 {
		t.Errorf("99.9 %% of 400 draws at 0.3 fall from %d to %d; want 91 to 151", least, most)
	}
}

func TestDrawsAreEvenAndRepeat(t *testing.T) {
	draws := func(seed uint64, salt string) (hit []uint64) {
		for n := range uint64(10_000) {
			if draw(seed, salt, n) < 0.3 {
				hit = append(hit, n)
			}
		}
		return hit
	}
	first := draws(7, "web>payments:8083 latency")
	if least, most := likely(10_000, 0.3); len(first) < least || len(first) > most {
		t.Errorf("%d of 10000 are hit; want %d to %d", len(first), least, most)
	}
	if !slices.Equal(first, draws(7, "web>payments:8083 latency")) {
		t.Error("the same seed draws others")
	}
	for _, other := range [][]uint64{draws(8, "web>payments:8083 latency"), draws(7, "web>payments:8083 timeout")} {
		both := 0
		for _, n := range other {
			if _, is := slices.BinarySearch(first, n); is {
				both++
			}
		}
		if least, most := likely(len(other), 0.3); both < least || both > most {
			t.Errorf("%d of %d are hit by both; want %d to %d, as by chance", both, len(other), least, most)
		}
	}
}

func TestGrowsBySteps(t *testing.T) {
	for elapsed, want := range map[time.Duration]float64{
		-time.Second: 0.25, 0: 0.25, 249 * time.Millisecond: 0.25, 250 * time.Millisecond: 0.5, 749 * time.Millisecond: 0.75,
		750 * time.Millisecond: 1, time.Second: 1, time.Hour: 1,
	} {
		if got := grown(elapsed, time.Second); got != want {
			t.Errorf("after %s of 1s it has grown to %v; want %v", elapsed, got, want)
		}
	}
	if got := grown(0, 100*time.Millisecond); got != 1 {
		t.Errorf("a ramp shorter than a step begins with %v; want 1", got)
	}
}

func TestChunksSayTheirNumber(t *testing.T) {
	var up, down numbers
	for n := range uint64(3) {
		zones := []*time.Location{up.next(), down.next()}
		for _, zone := range zones {
			now := time.Now()
			c := &stream.StreamChunk{Timestamp: now.In(zone)}
			if got, is := numbered(c); !is || got != n+1 || !c.Timestamp.Equal(now) {
				t.Errorf("connection %d reads as %d, %v", n+1, got, is)
			}
		}
	}
	for _, zone := range []*time.Location{time.UTC, time.Local, time.FixedZone("", 0), time.FixedZone("-1", 0)} {
		if n, is := numbered(&stream.StreamChunk{Timestamp: time.Now().In(zone)}); is {
			t.Errorf("nobody numbered %v, and it reads as %d", fmt.Sprint(zone), n)
		}
	}
}
