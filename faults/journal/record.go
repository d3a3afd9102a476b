package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Schema is the version of the records that this package writes, and the newest that it reads.
const Schema = 1

// Phase is what a record says happened.
type Phase string

// The phases, in the order in which an obligation passes them.
const (
	Opened       Phase = "open"
	Amended      Phase = "amended" // the header again, with how the world stood
	Intent       Phase = "intent"
	Injected     Phase = "injected"
	RevertFailed Phase = "revert-failed"
	Reverted     Phase = "reverted"
	Closed       Phase = "closed"
)

// Record is one line of a journal.
type Record struct {
	Schema  int             `json:"schema"`
	Run     string          `json:"run"`
	Seq     int             `json:"seq"` // from 1, without a gap
	Time    time.Time       `json:"time"`
	Phase   Phase           `json:"phase"`
	Header  *Header         `json:"header,omitempty"` // of open and amended
	ID      string          `json:"id,omitempty"`     // the obligation
	Kind    string          `json:"kind,omitempty"`   // of intent, as the world, the summary and the fault
	World   string          `json:"world,omitempty"`
	Summary string          `json:"summary,omitempty"`
	Fault   json.RawMessage `json:"fault,omitempty"`
	Until   time.Time       `json:"until,omitzero"`  // of intent: when it has to be settled at the latest
	Error   string          `json:"error,omitempty"` // of revert-failed
	Note    string          `json:"note,omitempty"`  // of reverted: how it ended when not as it began
	By      string          `json:"by,omitempty"`    // who wrote it when not the runner: guardian or heal
}

// Header is what the first record holds: whose journal it is, and how to reach the world again.
type Header struct {
	Run    string `json:"run"`
	System string `json:"system"`
	Runner Runner `json:"runner"` // filled by Create
	World  World  `json:"world"`
}

// Runner is the process that began the run.
type Runner struct {
	PID  int    `json:"pid"`
	Host string `json:"host"`
}

// World is what heal needs to open the world again.
type World struct {
	Name   string          `json:"name"`
	Config json.RawMessage `json:"config,omitempty"`
}

// Entry is one obligation and how far it got.
type Entry struct {
	ID, Kind, World, Summary string
	Line                     int // of its intent in the file
	Phase                    Phase
	Since                    time.Time // of its intent
	Until                    time.Time // when it has to be settled at the latest; zero: only with the run
	Fault                    json.RawMessage
	By                       string // who settled it when not the runner
	Error                    string // why the last revert failed
	Note                     string // how it ended when not as it began
}

// Log is a journal as read: its records, and what follows from them.
type Log struct {
	Path    string
	Header  Header // zero when the runner died before it was written
	Records []Record
	Torn    bool // the last line was cut off, and is ignored
	entries []*Entry
}

// Owed lists what is not settled, the last first.
func (l *Log) Owed() []Entry {
	var owed []Entry
	for _, e := range slices.Backward(l.entries) {
		if e.Phase != Reverted {
			owed = append(owed, *e)
		}
	}
	return owed
}

// Entries lists all obligations in the order in which they were made.
func (l *Log) Entries() []Entry {
	all := make([]Entry, len(l.entries))
	for i, e := range l.entries {
		all[i] = *e
	}
	return all
}

// Closed reports whether the run ended with everything settled.
func (l *Log) Closed() bool { return l.last() == Closed }

func (l *Log) last() Phase {
	if len(l.Records) == 0 {
		return ""
	}
	return l.Records[len(l.Records)-1].Phase
}

// find is the newest obligation with an id: one that is settled may be made again.
func (l *Log) find(id string) *Entry {
	for _, e := range slices.Backward(l.entries) {
		if e.ID == id {
			return e
		}
	}
	return nil
}

// check is the law of the journal, for records that are read and for those about to be written.
func (l *Log) check(r Record) error {
	switch {
	case r.Schema > Schema:
		return fmt.Errorf("schema %d %w than %d, the newest that this candor reads", r.Schema, ErrNewer, Schema)
	case r.Schema < 1:
		return errors.New("no schema: this is not a record of a journal")
	case r.Seq != len(l.Records)+1:
		return fmt.Errorf("record %d where %d is due", r.Seq, len(l.Records)+1)
	case (r.Phase == Opened) != (r.Seq == 1):
		return fmt.Errorf("%q is record %d, and open alone is the first", r.Phase, r.Seq)
	case r.Phase == Opened && r.Header == nil:
		return errors.New("open has no header")
	case r.Phase == Opened:
		return nil
	case r.Run != l.Header.Run:
		return fmt.Errorf("a record of run %q in the journal of run %q", r.Run, l.Header.Run)
	case l.Closed():
		return errors.New("a record after the journal was closed")
	case r.Phase == Amended && (r.Header == nil || r.Header.Run != r.Run):
		return errors.New("amended has no header of this run")
	case r.Phase == Amended && len(l.entries) > 0:
		return errors.New("amended after something was owed")
	case r.Phase == Amended:
		return nil
	case r.Phase == Closed && len(l.Owed()) > 0:
		return errors.New("closed while something is owed")
	case r.Phase == Closed:
		return nil
	}
	return l.checkEntry(r)
}

func (l *Log) checkEntry(r Record) error {
	e := l.find(r.ID)
	owed := e != nil && e.Phase != Reverted
	switch {
	case r.ID == "":
		return fmt.Errorf("%q names no obligation", r.Phase)
	case r.Phase == Intent && owed:
		return fmt.Errorf("%q is owed already", r.ID)
	case r.Phase == Intent && (r.Kind == "" || len(r.Fault) == 0):
		return fmt.Errorf("the intent of %q has no kind or no fault", r.ID)
	case r.Phase == Intent:
		return nil
	case r.Phase != Injected && r.Phase != Reverted && r.Phase != RevertFailed:
		return fmt.Errorf("unknown phase %q", r.Phase)
	case !owed:
		return fmt.Errorf("%q of %q, which is not owed", r.Phase, r.ID)
	case r.Phase == Injected && e.Phase != Intent:
		return fmt.Errorf("injected of %q after %s", r.ID, e.Phase)
	}
	return nil
}

// take adds a record that check let pass.
func (l *Log) take(r Record) {
	l.Records = append(l.Records, r)
	switch r.Phase {
	case Opened, Amended:
		l.Header = *r.Header
	case Intent:
		l.entries = append(l.entries, &Entry{ID: r.ID, Kind: r.Kind, World: r.World, Summary: r.Summary, Line: r.Seq,
			Phase: Intent, Since: r.Time, Until: r.Until, Fault: r.Fault})
	case Injected, Reverted, RevertFailed:
		e := l.find(r.ID)
		e.Phase, e.Error, e.Note, e.By = r.Phase, r.Error, r.Note, r.By
	}
}
