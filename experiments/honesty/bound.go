package honesty

import "math"

// doubt is what is left to chance: 1 - 95 %.
const doubt = 0.05

// upperBound is the largest share of lies that k lies in n decided intents still allow with 95 % confidence: exactly
// 1 - 0.05^(1/n) for none, else the upper bound of Clopper and Pearson. Where nothing was decided nothing is excluded.
func upperBound(k, n int) float64 {
	switch {
	case n <= 0 || k >= n:
		return 1
	case k == 0:
		return 1 - math.Pow(doubt, 1/float64(n))
	}
	low, high := float64(k)/float64(n), 1.0
	for range 60 {
		p := (low + high) / 2
		if atMost(k, n, p) > doubt {
			low = p
		} else {
			high = p
		}
	}
	return high
}

// atMost is the chance of k or fewer of n, each with chance p. It adds from k downwards, where for p >= k/n the terms only
// shrink, and stops when they no longer count.
func atMost(k, n int, p float64) float64 {
	if p >= 1 {
		return 0
	}
	lnN, _ := math.Lgamma(float64(n + 1))
	lnK, _ := math.Lgamma(float64(k + 1))
	lnR, _ := math.Lgamma(float64(n - k + 1))
	term := math.Exp(lnN - lnK - lnR + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
	sum := 0.0
	for i := k; i >= 0; i-- {
		sum += term
		if term < sum*1e-15 {
			break
		}
		term *= float64(i) / float64(n-i+1) * (1 - p) / p
	}
	return sum
}
