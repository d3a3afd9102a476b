package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/engine"
	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/journal"
)

// The exit statuses, the same for every command. Numbers are never reused.
const (
	exitPass     = 0
	exitFail     = 1 // the product did not do as believed, or did not tell the truth
	exitInput    = 2 // flags or definitions are wrong; nothing was touched
	exitUnproven = 3 // clean, but it proves nothing; or somebody else has the system
	exitAborted  = 4 // ended early, all reverted
	exitDirty    = 5 // a fault may still be in force
	exitBroken   = 6 // candor itself could not do its job
)

// exitHelp is the paragraph of every command's help that says which statuses it can return.
func exitHelp(statuses ...int) string {
	return statusHelp("everything held, and the run earned it", statuses...)
}

// exitHelpFor is exitHelp of a command that proves nothing about a product: good is what its status 0 says.
func exitHelpFor(good string, statuses ...int) string {
	return statusHelp(good, append([]int{exitPass}, statuses...)...)
}

func statusHelp(good string, statuses ...int) string {
	meanings := map[int]string{
		exitPass:     good,
		exitFail:     "the product did not do as believed, or did not tell the truth",
		exitInput:    "the input is wrong; nothing was touched",
		exitUnproven: "clean, but it proves nothing; or somebody else has the system, or it is halted",
		exitAborted:  "ended early; all reverted",
		exitDirty:    "a fault may still be in force: run candor heal",
		exitBroken:   "candor itself could not do its job",
	}
	text := "\n\nEXIT STATUS\n"
	for _, status := range statuses {
		text += fmt.Sprintf("  %d  %s\n", status, meanings[status])
	}
	return text
}

// statusError is an outcome that is not an error of candor's: its message is printed as it is.
type statusError struct {
	status int
	text   string // empty when all was said already
}

func (e *statusError) Error() string { return e.text }

// inputError marks what the user has to mend.
func inputError(format string, args ...any) error {
	return &statusError{status: exitInput, text: fmt.Sprintf(format, args...)}
}

// exitStatus is the one switch from an error to its status and message.
func exitStatus(err error, stderr io.Writer) int {
	if err == nil {
		return exitPass
	}
	status := exitBroken
	var outcome *statusError
	var mistakes experiments.ErrorList
	switch {
	case errors.As(err, &outcome):
		status = outcome.status
		if outcome.text == "" {
			return status
		}
	case errors.As(err, &mistakes):
		status = exitInput
		fmt.Fprintln(stderr, mistakes.Error())
		fmt.Fprintf(stderr, "candor: %s; nothing was touched\n", plural(len(mistakes), "mistake"))
		return status
	case errors.Is(err, journal.ErrDirty):
		status = exitDirty
	case errors.Is(err, engine.ErrAborted):
		status = exitAborted
	case errors.Is(err, faults.ErrNotFound), errors.Is(err, faults.ErrAmbiguous), errors.Is(err, faults.ErrProtected):
		status = exitInput
	}
	fmt.Fprintf(stderr, "candor: %v\n", err)
	return status
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
