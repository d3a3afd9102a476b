package honesty

import (
	"testing"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// crowd is a run with many intents, a lie in every tenth.
func crowd(n int) (*story, experiments.History) {
	s := newStory()
	s.baseline, s.fault, s.recovery = nil, nil, nil
	kinds := []buy{refused(), confirmed(), {claim: experiments.ClaimUnknown, status: 503}, {claim: experiments.ClaimPending, status: 202, rows: 1}, refused(),
		{claim: experiments.ClaimSuccess, status: 200, body: `{"success":false}`, headers: map[string][]string{"Content-Type": {"application/json"}}}, refused(),
		{claim: experiments.ClaimRefused, status: 503, headers: map[string][]string{"Retry-After": {"1"}}}, confirmed(), {claim: experiments.ClaimPending, status: 202}}
	for i := range n {
		switch {
		case i < n/4:
			s.baseline = append(s.baseline, confirmed())
		case i < 3*n/4:
			s.fault = append(s.fault, kinds[i%len(kinds)])
		default:
			s.recovery = append(s.recovery, confirmed())
		}
	}
	return s, s.history()
}

// TestNotQuadratic judges a run, and one four times as long: work that grows with the square would take sixteen times as
// long, and the bound leaves room for a busy machine.
func TestNotQuadratic(t *testing.T) {
	took := func(n int) time.Duration {
		s, h := crowd(n)
		best := time.Hour
		for range 3 {
			began := time.Now()
			Judge(&s.plan, h)
			best = min(best, time.Since(began))
		}
		return best
	}
	small, large := took(5_000), took(20_000)
	if large > 10*max(small, 20*time.Millisecond) {
		t.Errorf("5,000 intents took %v, 20,000 took %v: that grows faster than the run", small, large)
	}
}

func BenchmarkJudge(b *testing.B) {
	s, h := crowd(100_000)
	b.ResetTimer()
	for range b.N {
		Judge(&s.plan, h)
	}
}
