package honesty

import (
	"syscall"
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

// TestNotQuadratic judges a run, and one sixteen times as long: work that grows with the square would take 256 times as
// long. It counts the processor's time and not the clock's, which a busy machine stretches.
func TestNotQuadratic(t *testing.T) {
	took := func(n int) time.Duration {
		s, h := crowd(n)
		best := time.Hour
		for range 3 {
			began := processorTime(t)
			Judge(&s.plan, h)
			best = min(best, processorTime(t)-began)
		}
		return best
	}
	if small, large := took(1_000), took(16_000); large > 48*max(small, 5*time.Millisecond) {
		t.Errorf("1,000 intents took %v, 16,000 took %v: that grows faster than the run", small, large)
	}
}

func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func BenchmarkJudge(b *testing.B) {
	s, h := crowd(100_000)
	b.ResetTimer()
	for range b.N {
		Judge(&s.plan, h)
	}
}
