// Package halt is the stop button of an installation: one file in the state directory that ends everything that runs and
// keeps everything else from starting, until it is lifted. It survives restarts, and needs neither server nor login.
package halt

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// ErrHalted: somebody pressed the button.
var ErrHalted = errors.New("halted")

// Halt is who pressed the button, when and why.
type Halt struct {
	Reason string    `json:"reason"`
	By     string    `json:"by"` // user@host
	Since  time.Time `json:"since"`
}

func (h Halt) String() string {
	return fmt.Sprintf("halted by %s since %s: %s", h.By, h.Since.Local().Format(time.DateTime), h.Reason)
}

func file(dir string) string { return filepath.Join(dir, "halt.json") }

// Read tells whether an installation is halted. A file that cannot be read counts as pressed: whoever wrote it wanted
// everything to stop.
func Read(dir string) (Halt, bool) {
	data, err := os.ReadFile(file(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return Halt{}, false
	}
	h := Halt{By: "somebody", Reason: "no reason can be read"}
	if err != nil {
		return h, true
	}
	if err := json.Unmarshal(data, &h); err != nil {
		h.Reason = fmt.Sprintf("%s holds no reason that can be read", file(dir))
	}
	return h, true
}

// Check fails with ErrHalted while an installation is halted.
func Check(dir string) error {
	if h, halted := Read(dir); halted {
		return fmt.Errorf("%w by %s since %s: %s", ErrHalted, h.By, h.Since.Local().Format(time.DateTime), h.Reason)
	}
	return nil
}

// Press halts an installation. Pressing again is no error, and the first reason stays.
func Press(dir string, h Halt) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("halt: %w", err)
	}
	data, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("halt: %w", err)
	}
	// Written beside and linked: nobody ever reads half a file, and nobody overwrites an earlier halt.
	beside, err := os.CreateTemp(dir, "halt-*.tmp")
	if err != nil {
		return fmt.Errorf("halt: %w", err)
	}
	_, err = beside.Write(append(data, '\n'))
	if err = errors.Join(err, beside.Sync(), beside.Close()); err == nil {
		if err = os.Link(beside.Name(), file(dir)); errors.Is(err, fs.ErrExist) {
			err = nil
		}
	}
	if err = errors.Join(err, os.Remove(beside.Name())); err != nil {
		return fmt.Errorf("halt: %w", err)
	}
	return nil
}

// Lift lets runs start again and returns what was lifted. Nothing that was stopped begins by itself.
func Lift(dir string) (Halt, bool, error) {
	h, halted := Read(dir)
	if !halted {
		return h, false, nil
	}
	if err := os.Remove(file(dir)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return h, true, fmt.Errorf("resume: %w", err)
	}
	return h, true, nil
}
