//go:build !linux

package lock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/candor-chaos/candor/faults"
)

// Lock is a file that is locked.
type Lock struct {
	file *os.File
	lost chan struct{}
	once sync.Once
	ends *time.Timer
}

// Take takes a system for a run, for at most so long. It fails with faults.ErrBusy while another has it.
func Take(_ context.Context, system, _ string, longest time.Duration, _ string) (faults.Lock, error) {
	f, err := os.OpenFile(filepath.Join(os.TempDir(), "candor-lock-"+system), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock system %s: %w", system, err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		if errors.Is(err, unix.EWOULDBLOCK) {
			err = faults.ErrBusy
		}
		return nil, errors.Join(fmt.Errorf("system %s: %w", system, err), f.Close())
	}
	l := &Lock{file: f, lost: make(chan struct{})}
	l.ends = time.AfterFunc(longest, l.lose)
	return l, nil
}

func (l *Lock) lose() {
	l.once.Do(func() {
		l.file.Close()
		close(l.lost)
	})
}

// Lost is closed when the system is this process's no longer.
func (l *Lock) Lost() <-chan struct{} { return l.lost }

// Release gives the system back.
func (l *Lock) Release(context.Context) error {
	l.ends.Stop()
	l.lose()
	return nil
}
