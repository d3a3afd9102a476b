package agent

import (
	"bufio"
	"context"
	"io"
	"time"
)

// linger is how long a lock outlives a holder that did not say goodbye. Its guardian is mending meanwhile, and removes the
// lock when it is done.
const linger = 5 * time.Second

// Lock lives as long as somebody has the system. It ends at once when its input says bye, a little after the end of its
// input without one, when its context ends, and at the latest after expiry.
func Lock(ctx context.Context, in io.Reader, expiry time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, expiry)
	defer cancel()
	bye := make(chan bool, 1)
	go func() { bye <- bufio.NewScanner(in).Scan() }()
	select {
	case said := <-bye:
		if said {
			return nil
		}
		cancelled, stop := context.WithTimeout(ctx, linger)
		defer stop()
		<-cancelled.Done()
	case <-ctx.Done():
	}
	return nil
}
