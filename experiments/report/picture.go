package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/candor-chaos/candor/experiments"
)

// The picture's measures, in units of its viewBox.
const (
	pictureWidth = 960
	plotLeft     = 62
	plotRight    = 948
	plotHeight   = 130
	labelHeight  = 20
	maxBands     = 4
	nameRunes    = 48
)

// picture is the timeline as numbers for an inline SVG. Everything that it shows stands in a table as well.
type picture struct {
	Height           int
	Left, Right      int
	Success, Latency plot
	Good, Failed     string // paths of bars
	P50, P95         string // paths of lines
	Bands            []mark
	Phases           []mark
	Ticks            []tick // along the bottom
	Foot             int    // where the ticks' labels stand
	Described        string
	MoreFaults       int
}

type plot struct {
	Top, Bottom int
	Ticks       []tick
}

type tick struct {
	At    float64
	Label string
}

// mark is a stretch of time with a name: a fault in force, or a phase.
type mark struct {
	X, Width    float64
	Top, Height int
	LabelX      float64
	LabelY      int
	Anchor      string
	Label       string
}

func (l timeline) x(seconds float64) float64 {
	if l.Seconds == 0 {
		return plotLeft
	}
	return plotLeft + seconds*(plotRight-plotLeft)/float64(l.Seconds)
}

func drawTimeline(l timeline, r experiments.Result, t *tape) picture {
	p := picture{Left: plotLeft, Right: plotRight}
	bands := r.Faults
	if len(bands) > maxBands {
		p.MoreFaults = len(bands) - maxBands
		bands = bands[:maxBands]
	}
	top := 26 + labelHeight*len(bands)
	p.Success = plot{Top: top, Bottom: top + plotHeight}
	p.Latency = plot{Top: top + plotHeight + 46, Bottom: top + 2*plotHeight + 46}
	p.Foot = p.Latency.Bottom + 20
	p.Height = p.Foot + 34
	for i, f := range bands {
		p.band(l, f, i)
	}
	p.phases(l, t.phases)
	p.bars(l)
	p.lines(l)
	step := niceStep(float64(l.Seconds) / 8)
	for s := 0.0; s <= float64(l.Seconds); s += step {
		p.Ticks = append(p.Ticks, tick{At: l.x(s), Label: clock(s, float64(l.Seconds))})
	}
	p.Described = describe(l, r)
	return p
}

func (p *picture) band(l timeline, f experiments.FaultResult, i int) {
	from := f.Effective
	if from.IsZero() {
		from = f.Injected
	}
	if from.IsZero() {
		return
	}
	x1, x2 := l.x(l.seconds(from)), l.x(float64(l.Seconds))
	if !f.Reverted.IsZero() {
		x2 = l.x(l.seconds(f.Reverted))
	}
	m := mark{X: x1, Width: max(2, x2-x1), LabelX: x1 + 2, LabelY: 18 + labelHeight*i, Label: short(f.Name), Anchor: "start"}
	if x1 > pictureWidth/2 {
		m.LabelX, m.Anchor = x2, "end"
	}
	m.Top = m.LabelY + 5
	m.Height = p.Latency.Bottom - m.Top
	p.Bands = append(p.Bands, m)
}

func (p *picture) phases(l timeline, phases []experiments.PhaseSpan) {
	for _, span := range phases {
		x1, x2 := l.x(l.seconds(span.Start)), l.x(l.seconds(span.End))
		m := mark{X: x1, Width: x2 - x1, LabelX: (x1 + x2) / 2, LabelY: p.Foot + 22, Anchor: "middle"}
		if name := string(span.Name); float64(len(name))*7.5 < m.Width {
			m.Label = clean(name, 20)
		}
		p.Phases = append(p.Phases, m)
	}
}

// bars draws, for each bucket with requests, how many succeeded below and how many did not above. No requests, no bar.
func (p *picture) bars(l timeline) {
	p.Success.Ticks = []tick{{float64(p.Success.Bottom), "0 %"}, {float64(p.Success.Bottom+p.Success.Top) / 2, "50 %"}, {float64(p.Success.Top), "100 %"}}
	var good, failed strings.Builder
	for _, b := range l.Buckets {
		if b.Requests == 0 {
			continue
		}
		x1, x2 := l.x(float64(b.From)), l.x(min(float64(b.From+l.Width), float64(l.Seconds)))
		width := max(0.8, (x2-x1)*0.86)
		height := float64(plotHeight) * float64(b.Succeeded) / float64(b.Requests)
		if b.Succeeded > 0 {
			fmt.Fprintf(&good, "M%.1f %dh%.1fv%.1fh%.1fz", x1, p.Success.Bottom, width, -height, -width)
		}
		if b.Succeeded < b.Requests {
			fmt.Fprintf(&failed, "M%.1f %dh%.1fv%.1fh%.1fz", x1, p.Success.Top, width, plotHeight-height, -width)
		}
	}
	p.Good, p.Failed = good.String(), failed.String()
}

func (p *picture) lines(l timeline) {
	highest := 1.0
	for _, b := range l.Buckets {
		highest = max(highest, b.P95)
	}
	step := niceStep(highest / 3)
	top := step
	for top < highest {
		top += step
	}
	for v := 0.0; v <= top; v += step {
		p.Latency.Ticks = append(p.Latency.Ticks, tick{At: float64(p.Latency.Bottom) - v/top*plotHeight, Label: ms(v)})
	}
	y := func(v float64) float64 { return float64(p.Latency.Bottom) - v/top*plotHeight }
	var p50, p95 strings.Builder
	gap := true
	for _, b := range l.Buckets {
		if b.Requests == 0 {
			gap = true
			continue
		}
		x1, x2 := l.x(float64(b.From)), l.x(min(float64(b.From+l.Width), float64(l.Seconds)))
		verb := "L"
		if gap {
			verb = "M"
		}
		fmt.Fprintf(&p50, "%s%.1f %.1fH%.1f", verb, x1, y(b.P50), x2)
		fmt.Fprintf(&p95, "%s%.1f %.1fH%.1f", verb, x1, y(b.P95), x2)
		gap = false
	}
	p.P50, p.P95 = p50.String(), p95.String()
}

// short is a name as long as the picture has room for.
func short(name string) string {
	runes := []rune(word(name))
	if len(runes) <= nameRunes {
		return string(runes)
	}
	return string(runes[:nameRunes-1]) + "…"
}

// clock writes a moment on the axis; in long runs in minutes.
func clock(s, all float64) string {
	if all < 600 {
		return fmt.Sprintf("%g s", s)
	}
	return fmt.Sprintf("%g min", math.Round(s/6)/10)
}

// niceStep is the next of 1, 2, 5 times a power of ten.
func niceStep(at float64) float64 {
	for step := 0.001; ; step *= 10 {
		for _, m := range []float64{1, 2, 5} {
			if step*m >= at {
				return step * m
			}
		}
	}
}

// describe says in words what the picture shows.
func describe(l timeline, r experiments.Result) string {
	total := 0
	by := map[experiments.Phase][2]int{}
	for _, b := range l.Buckets {
		total += b.Requests
		n := by[b.Phase]
		by[b.Phase] = [2]int{n[0] + b.Requests, n[1] + b.Succeeded}
	}
	text := fmt.Sprintf("%s over %s.", count(total, "request"), count(l.Seconds, "second"))
	for _, p := range []experiments.Phase{experiments.PhaseBaseline, experiments.PhaseFault, experiments.PhaseRecovery} {
		if n := by[p]; n[0] > 0 {
			text += fmt.Sprintf(" Of the requests %s, %s succeeded.", phaseWords(p), percent(n[1], n[0]))
		}
	}
	var broken []string
	for _, f := range r.Faults {
		broken = append(broken, short(f.Name))
	}
	if len(broken) > 0 {
		text += " Broken in the meantime: " + names(broken, 3) + "."
	}
	return clean(text, textLimit)
}
