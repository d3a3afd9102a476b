package report

import (
	"math"
	"slices"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// maxBuckets bounds the picture and its table; longer runs get wider buckets.
const maxBuckets = 240

// bucket is a stretch of the timeline, usually one second.
type bucket struct {
	From      int // seconds from the start
	Phase     experiments.Phase
	Requests  int
	Succeeded int
	P50, P95  float64 // milliseconds; meaningful when Requests > 0
	latencies []float64
}

// During is the bucket's phase as it is shown.
func (b bucket) During() string { return word(string(b.Phase)) }

// Share, Median and Slowest are for the table.
func (b bucket) Share() string   { return percent(b.Succeeded, b.Requests) }
func (b bucket) Median() string  { return b.latency(b.P50) }
func (b bucket) Slowest() string { return b.latency(b.P95) }

func (b bucket) latency(v float64) string {
	if b.Requests == 0 {
		return "–"
	}
	return ms(v)
}

// timeline is what users' requests met over time.
type timeline struct {
	Width   int // seconds in a bucket
	Seconds int // in all
	Buckets []bucket
	start   time.Time
}

// succeeded is the step's own word about an answer where it gave one, else its status.
func succeeded(e *experiments.Exchange) bool {
	if e.Expect != nil {
		return *e.Expect
	}
	return e.Status >= 100 && e.Status < 400
}

// latency counts from when the arrival was due, where there is such a moment: a late start is part of the wait.
func latency(e *experiments.Exchange) float64 {
	from := e.Sent
	if !e.Due.IsZero() && e.Hop == 0 && e.Attempt <= 1 && e.Due.Before(e.Sent) {
		from = e.Due
	}
	return max(0, millis(e.Ended.Sub(from)))
}

func timelineOf(run Run, t *tape) timeline {
	last := time.Time{}
	for i := range run.History.Records {
		r := &run.History.Records[i]
		if r.Exchange != nil && r.Exchange.Sent.After(last) {
			last = r.Exchange.Sent
		}
	}
	if len(t.phases) > 0 && t.phases[len(t.phases)-1].End.After(last) {
		last = t.phases[len(t.phases)-1].End
	}
	line := timeline{start: t.start, Width: 1}
	if t.start.IsZero() || !last.After(t.start) {
		return line
	}
	line.Seconds = int(math.Ceil(last.Sub(t.start).Seconds()))
	for _, width := range []int{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 86400, math.MaxInt32} {
		line.Width = width
		if line.Seconds/width < maxBuckets {
			break
		}
	}
	line.Buckets = make([]bucket, line.Seconds/line.Width+1)
	for i := range run.History.Records {
		if e := run.History.Records[i].Exchange; e != nil && !e.Setup {
			line.count(e)
		}
	}
	for i := range line.Buckets {
		line.close(i, t.phases)
	}
	return line
}

func (l *timeline) count(e *experiments.Exchange) {
	i := int(e.Sent.Sub(l.start).Seconds()) / l.Width
	if e.Sent.Before(l.start) || i >= len(l.Buckets) {
		return
	}
	b := &l.Buckets[i]
	b.Requests++
	if succeeded(e) {
		b.Succeeded++
	}
	b.latencies = append(b.latencies, latency(e))
}

func (l *timeline) close(i int, phases []experiments.PhaseSpan) {
	b := &l.Buckets[i]
	b.From = i * l.Width
	at := l.start.Add(time.Duration(b.From) * time.Second)
	for _, p := range phases {
		if !p.Start.After(at.Add(time.Duration(l.Width)*time.Second/2)) && p.End.After(at) {
			b.Phase = p.Name
		}
	}
	slices.Sort(b.latencies)
	b.P50, b.P95 = quantile(b.latencies, 0.50), quantile(b.latencies, 0.95)
	b.latencies = nil
}

// quantile is the nearest rank of a sorted list.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)]
}

// Busy are the buckets with requests, for the table.
func (l timeline) Busy() []bucket {
	var busy []bucket
	for _, b := range l.Buckets {
		if b.Requests > 0 {
			busy = append(busy, b)
		}
	}
	return busy
}

// seconds is where a moment lies on the timeline, held inside it.
func (l timeline) seconds(at time.Time) float64 {
	return min(max(0, at.Sub(l.start).Seconds()), float64(l.Seconds))
}
