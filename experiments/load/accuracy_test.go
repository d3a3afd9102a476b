package load

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/accuracy"
)

// TestAccuracySpike counts, by the clock on the wall, how much traffic there is while it is to be ten times as much.
func TestAccuracySpike(t *testing.T) {
	rounds, _, err := accuracy.Rounds()
	if err != nil {
		t.Fatal(err)
	}
	const rate, times, lasts = 20, 10, 2 * time.Second
	row := accuracy.Row{Kind: faults.Spike.Name, Asked: fmt.Sprintf("%d times", times)}
	var walks atomic.Int64
	s := New(Traffic{Rate: rate}, func(context.Context, int, time.Time) error { walks.Add(1); return nil })
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { _, err := s.Run(ctx); ended <- err }()
	count := func() float64 {
		began, before := time.Now(), walks.Load()
		time.Sleep(lasts)
		return float64(walks.Load()-before) / time.Since(began).Seconds()
	}
	for n := range rounds {
		usual := count()
		label := fmt.Sprint("rush ", n)
		if err := s.Join(label, times, 0); err != nil {
			t.Fatal(err)
		}
		row.Values = append(row.Values, count()/usual)
		s.Leave(label)
		if there, _ := s.Joined(label); there {
			row.Left++
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if row.Said, err = accuracy.Near("times", times, 0.25)(&row); err != nil {
		t.Error(err)
	}
	accuracy.Print(os.Stdout, "users", []accuracy.Row{row})
	if row.Left > 0 {
		t.Errorf("a crowd stayed %d times", row.Left)
	}
}
