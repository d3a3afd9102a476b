package accuracy

import (
	"fmt"
	"io"
	"math"
	"slices"
	"time"
)

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// quantile is of what was measured, without anything in between: 0.5 is the (lower) median.
func quantile(all []float64, q float64) float64 {
	if len(all) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[int(q*float64(len(sorted)-1))]
}

// figures writes four figures of what has more, and every one of what is counted.
func figures(v float64) string {
	if v == math.Trunc(v) {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.4g", v)
}

// spread is the median and the farthest from what was asked.
func spread(all []float64, asked float64) (median, worst float64) {
	median = quantile(all, 0.5)
	for _, v := range all {
		if math.Abs(v-asked) >= math.Abs(worst-asked) || worst == 0 {
			worst = v
		}
	}
	return median, worst
}

// Near holds the median to what was asked, give or take a part of it.
func Near(unit string, asked, part float64) func(*Row) (string, error) {
	return func(r *Row) (string, error) {
		median, worst := spread(r.Values, asked)
		said := fmt.Sprintf("%s %s (worst %s, n=%d)", figures(median), unit, figures(worst), len(r.Values))
		if !(math.Abs(median-asked) <= part*asked) {
			return said, fmt.Errorf("%s; asked was %g", said, asked)
		}
		return said, nil
	}
}

// The most that a median may be off: a machine that is busy answers late, and never early.
const delayOff = 25

func judgeDelay(r *Row) (string, error) {
	const asked = 50
	usual := quantile(r.Usual, 0.5)
	more := make([]float64, len(r.Values))
	for i, v := range r.Values {
		more[i] = v - usual
	}
	median, worst := spread(more, asked)
	said := fmt.Sprintf("+%.1f ms (p95 %.1f, worst %.1f, n=%d)", median, quantile(more, 0.95), worst, len(more))
	if median < asked-1 || median > asked+delayOff {
		return said, fmt.Errorf("%s more than the usual %.1f ms", said, usual)
	}
	return said, nil
}

func judgeAll(r *Row) (string, error) {
	said := fmt.Sprintf("%d of %d", r.Hit, r.N)
	if r.Hit < r.N || r.N == 0 {
		return said, fmt.Errorf("only %s", said)
	}
	return said, nil
}

// judgeShare holds a count to the interval in which all but one in ten thousand samples of such a share lie.
func judgeShare(share float64) func(*Row) (string, error) {
	return func(r *Row) (string, error) {
		low, high := interval(r.N, share, 1e-4)
		said := fmt.Sprintf("%.1f %% (%d of %d; 99.99 %% interval %d–%d)", 100*float64(r.Hit)/float64(r.N), r.Hit, r.N, low, high)
		if r.Hit < low || r.Hit > high {
			return said, fmt.Errorf("%s", said)
		}
		return said, nil
	}
}

// interval is the smallest one that leaves out at most half of a part of the binomial distribution at either end.
func interval(n int, p, part float64) (low, high int) {
	term := math.Pow(1-p, float64(n))
	sum, low, high := 0.0, -1, n
	for k := range n + 1 {
		sum += term
		if low < 0 && sum > part/2 {
			low = k
		}
		if sum >= 1-part/2 {
			high = k
			break
		}
		term *= float64(n-k) / float64(k+1) * p / (1 - p)
	}
	return max(0, low), high
}

// The most that a half of a flap may be off, in milliseconds: the agent looks every 50, and what reset a half takes time.
const halfOff = 120

func judgeFlap(r *Row) (string, error) {
	down, worstDown := spread(r.Values, 500)
	up, worstUp := spread(r.Others, 700)
	said := fmt.Sprintf("%.0f / %.0f ms (worst %.0f / %.0f, n=%d / %d)", down, up, worstDown, worstUp, len(r.Values), len(r.Others))
	if math.Abs(down-500) > halfOff || math.Abs(up-700) > halfOff {
		return said, fmt.Errorf("%s", said)
	}
	return said, nil
}

func judgeMemory(r *Row) (string, error) {
	median, worst := spread(r.Values, 64)
	said := fmt.Sprintf("died %d of %d, with %.0f MiB more (worst %.0f)", r.Hit, r.N, median, worst)
	if r.Hit < r.N || median > 64 {
		return said, fmt.Errorf("%s", said)
	}
	return said, nil
}

// Print writes the rows of one world as lines of a Markdown table.
func Print(w io.Writer, world string, rows []Row) {
	fmt.Fprintln(w, "| fault | where | asked | measured | last untouched answer after the call of Inject | first whole answer after the call of Revert | spared after Inject | state after |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|---|")
	for _, r := range rows {
		after := "absent"
		if r.Left > 0 {
			after = fmt.Sprintf("not absent %d times", r.Left)
		}
		spared := "–"
		if r.alike {
			spared = fmt.Sprint(r.Spared)
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", r.Kind, world, r.Asked, r.Said, times(r.Inject), times(r.Revert), spared, after)
	}
}

func times(all []time.Duration) string {
	if len(all) == 0 {
		return "–"
	}
	var ms []float64
	for _, d := range all {
		ms = append(ms, milliseconds(d))
	}
	return fmt.Sprintf("%.0f, %.0f ms (n=%d)", quantile(ms, 0.5), slices.Max(ms), len(ms))
}
