package agent

import (
	"io"
	"testing"
	"time"
)

func TestLock(t *testing.T) {
	const linger = 300 * time.Millisecond
	for _, c := range []struct {
		name          string
		hold          func(in *io.PipeWriter)
		expiry        time.Duration
		least, atMost time.Duration
	}{
		{"bye", func(in *io.PipeWriter) { io.WriteString(in, "hello\nbye\n") }, time.Minute, 0, time.Second},
		{"the holder dies", func(in *io.PipeWriter) { io.WriteString(in, "hello\n"); in.Close() }, time.Minute, linger, linger + 2*time.Second},
		{"held", func(in *io.PipeWriter) { io.WriteString(in, "hello\n") }, firstWord + time.Second, firstWord + time.Second, firstWord + 3*time.Second},
		{"nobody ever says a word", func(*io.PipeWriter) {}, time.Minute, firstWord, firstWord + 2*time.Second},
		{"expiry", func(in *io.PipeWriter) { io.WriteString(in, "hello\n") }, 100 * time.Millisecond, 100 * time.Millisecond, 2 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			in, holder := io.Pipe()
			defer holder.Close()
			go c.hold(holder)
			began := time.Now()
			if err := Lock(t.Context(), in, c.expiry, linger); err != nil {
				t.Error(err)
			}
			if took := time.Since(began); took < c.least || took > c.atMost {
				t.Errorf("it lived %s; want from %s to %s", took, c.least, c.atMost)
			}
		})
	}
}
