package engine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"golang.org/x/sys/unix"

	"github.com/candor-chaos/candor/faults"
)

// systemLock says that this process alone works on a system. The kernel frees it when the process ends, however it ends.
// It reaches as far as the state directory and answers at once; the world's own lock reaches all that share the world.
type systemLock struct {
	file *os.File
}

var unfit = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

func lockSystem(stateDir, system string) (*systemLock, error) {
	folder := filepath.Join(stateDir, "locks")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("make a place for locks: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(folder, unfit.ReplaceAllString(system, "_")+".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock system %s: %w", system, err)
	}
	if err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err == nil {
		return &systemLock{file: f}, nil
	}
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = faults.ErrBusy
	}
	return nil, errors.Join(fmt.Errorf("lock system %s: %w", system, err), f.Close())
}

// Close frees the lock.
func (l *systemLock) Close() error { return l.file.Close() }
