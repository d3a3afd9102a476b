package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/candor-chaos/candor/faults"
)

// sink is the file. Tests put one in its place that fails.
type sink interface {
	Write(p []byte) (int, error)
	Sync() error
	Truncate(size int64) error
	Close() error
}

// Journal is a journal that this process holds the lock of. Its methods may be called side by side; those for one
// obligation wait for each other. A fault that was handed to Inject belongs to the journal until it is settled: whoever
// asks its State or Hits meanwhile must not do so beside Revert.
type Journal struct {
	kinds []faults.Kind
	pace  pace

	mu     sync.Mutex // guards what follows
	log    Log
	file   sink
	whole  int64 // bytes of whole lines
	broken error // a torn line could not be taken back: nothing more can be written
	live   map[string]*live
	by     string  // who writes, when not the runner
	told   Witness // who is told of each record
}

// Witness is told of each record once it is on disk, before anything is done on its account. An error keeps an intent from
// being acted on: there would be nobody to mend in the runner's place. It must not call the journal.
type Witness func(Record) error

// live is an obligation's value in this process.
type live struct {
	mu    sync.Mutex // held while a verb of the fault runs
	fault faults.Fault
	world faults.World // where this process injected it; nil for an heir
}

// Create begins the journal of a new run in a state directory. It fails with a *DirtyError while a journal of the same
// system owes something and its runner is gone.
func Create(dir string, h Header) (*Journal, error) {
	if h.Run == "" || h.Run != filepath.Base(h.Run) || strings.HasPrefix(h.Run, ".") {
		return nil, fmt.Errorf("run %q cannot name a journal", h.Run)
	}
	if err := refuseDirty(dir, h); err != nil {
		return nil, err
	}
	folder := filepath.Join(dir, folderName)
	if err := makeFolder(folder); err != nil {
		return nil, fmt.Errorf("make a place for journals: %w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("learn the name of this host: %w", err)
	}
	h.Runner = Runner{PID: os.Getpid(), Host: host}

	path := filepath.Join(folder, h.Run+extension)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create journal: %w", err)
	}
	j := newJournal(f, Log{Path: path}, 0)
	if err = flock(f, unix.LOCK_EX); err == nil { // the file is new: at most a look of held is waited for
		err = j.append(Record{Phase: Opened, Header: &h})
	}
	if err == nil {
		err = syncFolder(folder)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("begin journal %s: %w", path, err), f.Close(), os.Remove(path))
	}
	forget(folder, time.Now().Add(-keepClosed))
	return j, nil
}

// keepClosed is how long a journal in which all is settled stays, for whoever wants to know what was done.
const keepClosed = 30 * 24 * time.Hour

// forget removes journals that were closed before a day, and the notes of their guardians. It is housekeeping: what cannot
// be removed stays.
func forget(folder string, before time.Time) {
	paths, err := filepath.Glob(filepath.Join(folder, "*"+extension))
	if err != nil {
		return
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil || info.ModTime().After(before) {
			continue
		}
		if l, err := Read(path); err == nil && l.Closed() {
			_ = os.Remove(NotesPath(path))
			_ = os.Remove(path)
		}
	}
}

// refuseDirty also refuses journals that cannot be read, unless their header says that they are another system's.
func refuseDirty(dir string, h Header) error {
	all, err := Dirty(dir)
	if err != nil {
		return err
	}
	var dirty []Status
	for _, s := range all {
		mine := s.Log.Header.System == h.System || s.Log.Header.Run == "" || s.Log.Header.Run == h.Run
		if mine && !s.Held {
			dirty = append(dirty, s)
		}
	}
	if len(dirty) > 0 {
		return &DirtyError{Journals: dirty}
	}
	return nil
}

// Attach tells a witness all that stands so far, and from then on each record.
func (j *Journal) Attach(w Witness) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, r := range j.log.Records {
		if err := w(r); err != nil {
			return err
		}
	}
	j.told = w
	return nil
}

// Open opens the journal of a runner that is gone, to settle what it owes: by is who does it, guardian or heal. It fails
// with ErrHeld while a runner or another heir holds the lock, and with a *LineError when a line cannot be read.
func Open(path, by string) (*Journal, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	j, err := reopen(path, f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	j.by = by
	return j, nil
}

// Recall makes a journal from records that were told, for an heir that cannot have the file: a disk that is read-only, a
// runner that hangs and holds the lock. What it settles is written nowhere, so that whoever gets the file looks again.
func Recall(path, by string, records []Record) (*Journal, error) {
	l := Log{Path: path}
	for _, r := range records {
		if err := l.check(r); err != nil {
			return nil, fmt.Errorf("recall journal %s: %w", path, err)
		}
		l.take(r)
	}
	if len(l.Records) == 0 {
		return nil, fmt.Errorf("recall journal %s: nothing was told: %w", path, fs.ErrNotExist)
	}
	j := newJournal(nowhere{}, l, 0)
	j.by = by
	return j, nil
}

// nowhere is the file of a journal that has none.
type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) Sync() error                 { return nil }
func (nowhere) Truncate(int64) error        { return nil }
func (nowhere) Close() error                { return nil }

func reopen(path string, f *os.File) (*Journal, error) {
	if err := flock(f, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read journal: %w", err)
	}
	l, whole, err := parse(path, data)
	if err != nil {
		return nil, err
	}
	if len(l.Records) == 0 {
		return nil, fmt.Errorf("journal %s holds no record: %w", path, fs.ErrNotExist)
	}
	if l.Torn {
		if err := f.Truncate(whole); err != nil {
			return nil, fmt.Errorf("cut off the torn line of %s: %w", path, err)
		}
	}
	return newJournal(f, l, whole), nil
}

func newJournal(f sink, l Log, whole int64) *Journal {
	return &Journal{kinds: faults.Obligations(), pace: patient, log: l, file: f, whole: whole, live: map[string]*live{}}
}

// Log is what the journal holds by now.
func (j *Journal) Log() Log {
	j.mu.Lock()
	defer j.mu.Unlock()
	l := j.log
	l.entries = nil
	for _, e := range j.log.entries {
		c := *e
		l.entries = append(l.entries, &c)
	}
	return l
}

// Owed lists what is not settled, the last first.
func (j *Journal) Owed() []Entry {
	l := j.Log()
	return l.Owed()
}

// Amend replaces what opens the world again by what also knows how it stood, before anything is owed.
func (j *Journal) Amend(world World) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	h := j.log.Header
	h.World = world
	return j.append(Record{Phase: Amended, Header: &h})
}

// Leave lets go of the lock and writes nothing: whoever heals looks again, also when nothing is owed any more.
func (j *Journal) Leave() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.file.Close(); err != nil {
		return fmt.Errorf("leave journal %s: %w", j.log.Path, err)
	}
	return nil
}

// Close writes that all is settled and lets go of the lock. A journal in which nothing was ever owed is removed. While
// something is owed it lets go all the same, so that heal can take over, and returns an *InForceError.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	var err error
	_, recalled := j.file.(nowhere)
	switch owed := j.log.Owed(); {
	case len(owed) > 0:
		err = inForce(j.log.Header.Run, owed)
	case len(j.log.entries) == 0 && !recalled:
		_ = os.Remove(NotesPath(j.log.Path)) // of a guardian that had nothing to do
		if rerr := os.Remove(j.log.Path); rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
			err = fmt.Errorf("remove a journal of nothing: %w", rerr)
		}
	case !j.log.Closed():
		err = j.append(Record{Phase: Closed})
	}
	if cerr := j.file.Close(); cerr != nil {
		err = errors.Join(err, fmt.Errorf("close journal %s: %w", j.log.Path, cerr))
	}
	return err
}

// write appends a record: when it returns nil the record is on disk.
func (j *Journal) write(r Record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.append(r)
}

// append wants the mutex. What a failed write left behind is taken back, or the next line would begin in its middle.
func (j *Journal) append(r Record) error {
	if j.broken != nil {
		return j.broken
	}
	r.Schema, r.Run, r.Seq, r.Time, r.By = Schema, j.log.Header.Run, len(j.log.Records)+1, time.Now().UTC(), j.by
	if r.Header != nil {
		r.Run = r.Header.Run
	}
	if err := j.log.check(r); err != nil {
		return fmt.Errorf("write to journal %s: %w", j.log.Path, err)
	}
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write to journal %s: %w", j.log.Path, err)
	}
	line = append(line, '\n')
	if _, err = j.file.Write(line); err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		err = fmt.Errorf("write to journal %s: %w", j.log.Path, err)
		if terr := j.file.Truncate(j.whole); terr != nil {
			j.broken = errors.Join(err, fmt.Errorf("take back a torn line: %w", terr))
		}
		return err
	}
	j.whole += int64(len(line))
	j.log.take(r)
	if j.told == nil {
		return nil
	}
	if err := j.told(r); err != nil && r.Phase == Intent {
		return fmt.Errorf("tell who would mend it: %w", err)
	}
	return nil
}
