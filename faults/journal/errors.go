package journal

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// What callers branch on.
var (
	// ErrDirty: something may still be in force. Both *DirtyError and *InForceError are it.
	ErrDirty = errors.New("something may still be in force")
	// ErrUnwritten: the world shows that it is mended, and the journal could not be told.
	ErrUnwritten = errors.New("mended, and not written down")
	// ErrNewer: a newer candor wrote it.
	ErrNewer = errors.New("is newer")
	// ErrHeld: a living process holds the journal's lock.
	ErrHeld = errors.New("held by a living process")
)

// InForceError says what could not be reverted.
type InForceError struct {
	Run  string
	Left []Left
}

// Left is one obligation that stays owed, and why.
type Left struct {
	Entry
	Err    error
	ByHand string // the command that mends it without candor, where there is one
}

func (e *InForceError) Error() string {
	lines := []string{fmt.Sprintf("run %s: may still be in force, candor heal reverts it:", e.Run)}
	if e.Mended() {
		lines[0] = fmt.Sprintf("run %s: all is mended, and the journal could not be told; candor heal looks again:", e.Run)
	}
	for _, l := range e.Left {
		line := fmt.Sprintf("%s (%s, since %s)", l.ID, l.Summary, l.Since.Format(time.RFC3339))
		if l.Err != nil {
			line += ": " + l.Err.Error()
		}
		if l.ByHand != "" {
			line += "; by hand: " + l.ByHand
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n  ")
}

// Mended reports whether the world shows that all is mended and the journal alone could not be told.
func (e *InForceError) Mended() bool {
	return !slices.ContainsFunc(e.Left, func(l Left) bool { return !errors.Is(l.Err, ErrUnwritten) })
}

// Is makes it ErrDirty.
func (e *InForceError) Is(target error) bool { return target == ErrDirty }

func (e *InForceError) Unwrap() []error {
	var all []error
	for _, l := range e.Left {
		if l.Err != nil {
			all = append(all, l.Err)
		}
	}
	return all
}

func inForce(run string, owed []Entry) error {
	e := &InForceError{Run: run}
	for _, o := range owed {
		l := Left{Entry: o}
		if o.Error != "" {
			l.Err = errors.New(o.Error)
		}
		e.Left = append(e.Left, l)
	}
	return e
}

// DirtyError says which journals owe something.
type DirtyError struct {
	Journals []Status
}

func (e *DirtyError) Error() string {
	lines := []string{"earlier runs still owe something, candor heal reverts it:"}
	for _, s := range e.Journals {
		if s.Err != nil {
			lines = append(lines, s.Err.Error())
			continue
		}
		for _, o := range s.Log.Owed() {
			lines = append(lines, fmt.Sprintf("run %s: %s (%s, since %s)", s.Log.Header.Run, o.ID, o.Summary, o.Since.Format(time.RFC3339)))
		}
	}
	return strings.Join(lines, "\n  ")
}

// Is makes it ErrDirty.
func (e *DirtyError) Is(target error) bool { return target == ErrDirty }
