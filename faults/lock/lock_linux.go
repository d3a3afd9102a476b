package lock

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/candor-chaos/candor/faults"
)

// Lock is a name in the kernel's own list of sockets, which belongs to one process, goes with it, leaves no file, and
// reaches exactly as far as the loopback ports that services share.
type Lock struct {
	listener net.Listener
	lost     chan struct{}
	once     sync.Once
	ends     *time.Timer
	answers  sync.WaitGroup
}

const (
	lockPatience = 5 * time.Second // a run that is just ending is waited for
	lockEvery    = 100 * time.Millisecond
	askTime      = time.Second
)

// Take takes a system for a run, for at most so long. It fails with faults.ErrBusy while another has it.
func Take(ctx context.Context, system, run string, longest time.Duration, holder string) (faults.Lock, error) {
	name := "@candor-lock-" + system
	within, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	for {
		var config net.ListenConfig
		listener, err := config.Listen(ctx, "unix", name)
		if err == nil {
			l := &Lock{listener: listener, lost: make(chan struct{})}
			l.answers.Go(func() { l.answer(fmt.Sprintf("run %s (%s)", run, holder)) })
			l.ends = time.AfterFunc(longest, l.lose)
			return l, nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			return nil, fmt.Errorf("lock system %s: %w", system, err)
		}
		if rest(within, lockEvery) != nil {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			return nil, fmt.Errorf("system %s: %w: %s", system, faults.ErrBusy, holderOf(ctx, name))
		}
	}
}

// answer tells whoever asks who has the system.
func (l *Lock) answer(holder string) {
	for {
		c, err := l.listener.Accept()
		if err != nil {
			return
		}
		_ = c.SetDeadline(time.Now().Add(askTime))
		_, _ = io.WriteString(c, holder+"\n") // who does not listen need not know
		c.Close()
	}
}

// holderOf asks who has a system. Whoever answers may be anybody: the answer is bounded, and shown as a quotation.
func holderOf(ctx context.Context, name string) string {
	dialer := net.Dialer{Timeout: askTime}
	c, err := dialer.DialContext(ctx, "unix", name)
	if err != nil {
		return "it does not say which"
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(askTime))
	line, _ := bufio.NewReader(io.LimitReader(c, 200)).ReadString('\n')
	return strings.Trim(fmt.Sprintf("%q", strings.TrimSpace(line)), `"`)
}

func (l *Lock) lose() {
	l.once.Do(func() {
		l.listener.Close()
		close(l.lost)
	})
}

// Lost is closed when the system is this process's no longer.
func (l *Lock) Lost() <-chan struct{} { return l.lost }

// Release gives the system back.
func (l *Lock) Release(context.Context) error {
	l.ends.Stop()
	l.lose()
	l.answers.Wait()
	return nil
}

// rest waits, and returns why it could not.
func rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
