package report

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// percent is k of n in digits, with a space that does not break. It never rounds to 0 % or 100 % what is not exactly that, nor up over a promise.
func percent(k, n int) string {
	if n == 0 {
		return "–"
	}
	return percentOf(float64(k) / float64(n))
}

// upTo and downTo round a bound so that it still holds.
func upTo(share float64) string   { return percentOf(math.Ceil(share*1000-1e-9) / 1000) }
func downTo(share float64) string { return percentOf(math.Floor(share*1000+1e-9) / 1000) }

func percentOf(share float64) string {
	p := share * 100
	switch {
	case math.IsNaN(p) || math.IsInf(p, 0):
		return "–"
	case p <= 0:
		return "0\u00a0%"
	case p >= 100:
		return "100\u00a0%"
	case p < 0.1:
		return "<\u00a00.1\u00a0%"
	case p > 99.9:
		return ">\u00a099.9\u00a0%"
	}
	return strconv.FormatFloat(math.Round(p*10)/10, 'f', -1, 64) + "\u00a0%"
}

// ofHundred is how many of every 100, rounded against the product: down where more is better, up where more is worse.
func ofHundred(k, n int, up bool) string {
	if n == 0 {
		return "–"
	}
	p := float64(k) * 100 / float64(n)
	if up {
		return strconv.Itoa(int(math.Ceil(p)))
	}
	return strconv.Itoa(int(math.Floor(p)))
}

// boundConfidence is what is left for chance: 1 - 95 %.
const boundConfidence = 0.05

// upperBound is the largest share that k of n still allows with 95 % confidence (Clopper and Pearson, one side).
func upperBound(k, n int) float64 {
	if n <= 0 || k >= n {
		return 1
	}
	low, high := float64(k)/float64(n), 1.0
	for range 60 {
		p := (low + high) / 2
		if atMost(k, n, p) > boundConfidence {
			low = p
		} else {
			high = p
		}
	}
	return high
}

// lowerBound is the smallest share that k of n still allows with 95 % confidence.
func lowerBound(k, n int) float64 { return 1 - upperBound(n-k, n) }

// atMost is the chance of k or fewer of n, each with chance p of at least k/n: then the terms only shrink on the way down.
func atMost(k, n int, p float64) float64 {
	if p >= 1 {
		return 0
	}
	all, _ := math.Lgamma(float64(n + 1))
	sum := 0.0
	for i := k; i >= 0; i-- {
		a, _ := math.Lgamma(float64(i + 1))
		b, _ := math.Lgamma(float64(n - i + 1))
		term := math.Exp(all - a - b + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
		sum += term
		if term < sum*1e-15 {
			break
		}
	}
	return min(sum, 1)
}

// ms is a latency in the unit that fits.
func ms(v float64) string {
	switch {
	case v < 0 || math.IsNaN(v):
		return "–"
	case v < 10:
		return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) + "\u00a0ms"
	case v < 1000:
		return strconv.FormatFloat(math.Round(v), 'f', -1, 64) + "\u00a0ms"
	}
	return strconv.FormatFloat(math.Round(v/10)/100, 'f', -1, 64) + "\u00a0s"
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// span is a length of time for people.
func span(d time.Duration) string {
	if d < 10*time.Second {
		return ms(millis(d))
	}
	if d < 2*time.Minute {
		return strconv.Itoa(int(d.Round(time.Second).Seconds())) + "\u00a0s"
	}
	d = d.Round(time.Second)
	return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
}

// stamp is a moment for people.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.UTC().Format("2 Jan 2006, 15:04:05 UTC")
}

// count writes a number with its noun: 1 lie, 3 lies, 2,995 lies.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return grouped(n) + " " + noun + "s"
}

func grouped(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
