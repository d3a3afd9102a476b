package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	folderName = "journals"
	extension  = ".jsonl"
)

// StateDir is where journals, locks and tokens live: the flag's value, else $XDG_STATE_HOME/candor, else
// ~/.local/state/candor. It outlives any checkout.
func StateDir(flag string, getenv func(string) string) (string, error) {
	if flag != "" {
		return filepath.Abs(flag)
	}
	if x := getenv("XDG_STATE_HOME"); filepath.IsAbs(x) {
		return filepath.Join(x, "candor"), nil
	}
	if home := getenv("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, ".local", "state", "candor"), nil
	}
	return "", errors.New("no place for candor's state: give --state-dir, or set XDG_STATE_HOME or HOME to an absolute path")
}

// NotesPath is where a guardian notes for a person what it did, beside its journal.
func NotesPath(journal string) string {
	return strings.TrimSuffix(journal, extension) + ".guardian.log"
}

// Status is a journal that owes something, or cannot be read.
type Status struct {
	Log  Log
	Held bool  // its runner, or a heal, lives
	Err  error // a *LineError, or why the file could not be opened
}

// Unfinished lists the journals of runners that are gone and did not close them: those that Dirty lists, and those that owe
// nothing and whose run may have left a helper of candor's own.
func Unfinished(dir string) ([]Status, error) {
	return list(dir, func(l Log) bool { return !l.Closed() && len(l.Records) > 0 })
}

// Dirty lists the journals in a state directory that owe something, in the order of their names. One that cannot be read
// is listed with its error: it may owe anything.
func Dirty(dir string) ([]Status, error) {
	return list(dir, func(l Log) bool { return len(l.Owed()) > 0 })
}

// list picks journals that a filter wants, and all that cannot be read.
func list(dir string, wanted func(Log) bool) ([]Status, error) {
	folder := filepath.Join(dir, folderName)
	files, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list journals: %w", err)
	}
	var dirty []Status
	for _, f := range files {
		if filepath.Ext(f.Name()) != extension {
			continue
		}
		s := Status{}
		s.Log, s.Err = Read(filepath.Join(folder, f.Name()))
		if errors.Is(s.Err, fs.ErrNotExist) || s.Err == nil && !wanted(s.Log) {
			continue
		}
		if s.Held, err = held(s.Log.Path); errors.Is(err, fs.ErrNotExist) {
			continue // settled and removed meanwhile
		} else if err != nil {
			s.Err = errors.Join(s.Err, err)
		}
		dirty = append(dirty, s)
	}
	return dirty, nil
}

// Living lists the journals that somebody holds, whether they owe something or not: runs that go on.
func Living(dir string) ([]Log, error) {
	paths, err := filepath.Glob(filepath.Join(dir, folderName, "*"+extension))
	if err != nil {
		return nil, fmt.Errorf("list journals: %w", err)
	}
	var living []Log
	for _, path := range paths {
		isHeld, err := held(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return living, err
		}
		if isHeld {
			l, _ := Read(path) // whoever holds it lives, whatever stands there
			living = append(living, l)
		}
	}
	return living, nil
}

// flock takes the file's lock, which the kernel frees with the last descriptor of this opening.
func flock(f *os.File, how int) error {
	for {
		switch err := unix.Flock(int(f.Fd()), how); {
		case errors.Is(err, unix.EWOULDBLOCK):
			return ErrHeld
		case !errors.Is(err, unix.EINTR):
			return err
		}
	}
}

// held asks with a shared lock that is given back at once.
func held(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, fmt.Errorf("ask for the lock: %w", err)
	}
	err = flock(f, unix.LOCK_SH|unix.LOCK_NB)
	isHeld := errors.Is(err, ErrHeld)
	if isHeld {
		err = nil
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return false, fmt.Errorf("ask for the lock of %s: %w", path, err)
	}
	return isHeld, nil
}

// makeFolder makes a folder whose name outlives a power cut, and every folder above it.
func makeFolder(path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	parent := filepath.Dir(path)
	if err := makeFolder(parent); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(parent)
}

// syncFolder makes the names in a folder last.
func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	err = f.Sync()
	return errors.Join(err, f.Close())
}
