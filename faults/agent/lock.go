package agent

import (
	"bufio"
	"context"
	"io"
	"time"
)

// Linger is how long a lock outlives a holder that did not say goodbye: nobody else begins on what it left. Whoever mends
// that, its guardian or heal, removes the lock when it is done.
const Linger = 15 * time.Minute

// firstWord is how long a lock waits for its holder's first line. A holder that died while the container started leaves an
// input that never ends.
const firstWord = 5 * time.Second

// Lock lives as long as somebody has the system. It ends at once when its input says bye, a little after the end of its
// input without one, when nobody ever says a word, when its context ends, and at the latest after expiry.
func Lock(ctx context.Context, in io.Reader, expiry, linger time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, expiry)
	defer cancel()
	lines := make(chan string)
	go func() {
		defer close(lines)
		for scan := bufio.NewScanner(in); scan.Scan(); {
			select {
			case lines <- scan.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	patience := time.NewTimer(firstWord)
	defer patience.Stop()
	for {
		select {
		case line, more := <-lines:
			if line == "bye" {
				return nil
			}
			patience.Stop()
			if !more {
				lines = nil
				patience.Reset(linger)
			}
		case <-patience.C:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}
