package journal

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/faulttest"
)

// quick tries as often as patient does, and waits less.
var quick = pace{inject: 5 * time.Second, bite: 50 * time.Millisecond, once: 5 * time.Second, revert: 40 * time.Millisecond,
	first: time.Millisecond, most: 5 * time.Millisecond}

func header(run string) Header {
	return Header{Run: run, System: "shop", World: World{Name: "docker", Config: json.RawMessage(`{"project":"shop"}`)}}
}

func create(t *testing.T, dir, run string) *Journal {
	t.Helper()
	j, err := Create(dir, header(run))
	if err != nil {
		t.Fatal(err)
	}
	j.pace = quick
	return j
}

func open(t *testing.T, path string) *Journal {
	t.Helper()
	j, err := Open(path, "heal")
	if err != nil {
		t.Fatal(err)
	}
	j.pace = quick
	return j
}

func read(t *testing.T, path string) Log {
	t.Helper()
	l, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// crash lets go of the lock as the kernel does when a process dies.
func crash(t *testing.T, j *Journal) {
	t.Helper()
	if err := j.file.Close(); err != nil {
		t.Fatal(err)
	}
}

// obligation prepares the example of a kind, with other keys where they are given.
func obligation(t *testing.T, w faults.World, id string, k faults.Kind, example ...string) Obligation {
	t.Helper()
	if len(example) > 0 {
		k.Example = example[0]
	}
	f, err := faulttest.Decode(k)
	if err != nil {
		t.Fatal(err)
	}
	said, err := f.Prepare(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	return Obligation{ID: id, Kind: k.Name, Fault: f, Summary: said}
}

func ids(entries []Entry) []string {
	all := []string{}
	for _, e := range entries {
		all = append(all, e.ID)
	}
	return all
}

func phases(l Log) string {
	var all []string
	for _, r := range l.Records {
		all = append(all, strings.TrimSpace(string(r.Phase)+" "+r.ID))
	}
	return strings.Join(all, ", ")
}

func TestLifeOfAJournal(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "state")
	w := faulttest.NewFake()
	j := create(t, dir, "r1")
	way, refuse, frozen := obligation(t, w, "way", faults.Interpose), obligation(t, w, "refuse", faults.Outage), obligation(t, w, "frozen", faults.Pause)
	for _, ob := range []Obligation{way, refuse, frozen} {
		if err := j.Inject(t.Context(), w, ob); err != nil {
			t.Fatal(err)
		}
	}
	if got := ids(j.Owed()); !cmp.Equal(got, []string{"frozen", "refuse", "way"}) {
		t.Errorf("Owed = %v; want the last first", got)
	}
	if err := j.Inject(t.Context(), w, obligation(t, w, "refuse", faults.Outage)); err == nil {
		t.Error("an obligation that is owed can be made again")
	}
	if err := j.Revert(t.Context(), w, "refuse"); err != nil {
		t.Fatal(err)
	}
	if err := j.Revert(t.Context(), w, "refuse"); err != nil {
		t.Errorf("Revert of what is settled = %v; want nil", err)
	}
	if err := j.Revert(t.Context(), w, "nothing"); err == nil {
		t.Error("Revert of what was never owed is accepted")
	}
	if err := j.Inject(t.Context(), w, refuse); err != nil {
		t.Errorf("a settled obligation cannot be made again: %v", err)
	}
	if err := j.RevertAll(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if broken := w.Broken(); len(broken) > 0 {
		t.Errorf("there is left: %v", broken)
	}
	l := read(t, j.log.Path)
	want := "open, intent way, injected way, intent refuse, injected refuse, intent frozen, injected frozen, reverted refuse, " +
		"intent refuse, injected refuse, reverted refuse, reverted frozen, reverted way, closed"
	if got := phases(l); got != want {
		t.Errorf("the journal says %s; want %s", got, want)
	}
	h := header("r1")
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	h.Runner = Runner{PID: os.Getpid(), Host: host}
	if diff := cmp.Diff(h, l.Header); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
	if !l.Closed() || len(l.Owed()) > 0 {
		t.Errorf("Closed = %v, Owed = %v", l.Closed(), l.Owed())
	}
}

// ledger remembers what was asked of the file.
type ledger struct {
	sink
	asked []string
}

func (l *ledger) Write(p []byte) (int, error) {
	l.asked = append(l.asked, "write")
	return l.sink.Write(p)
}

func (l *ledger) Sync() error {
	l.asked = append(l.asked, "sync")
	return l.sink.Sync()
}

// The intent is on disk before the first call that could change something, at every one of them.
func TestNoWriteBeforeItsIntent(t *testing.T) {
	w := faulttest.NewFake()
	j := create(t, t.TempDir(), "r1")
	file := &ledger{sink: j.file}
	j.file = file
	want := ""
	w.Before = func(call int, write bool) faulttest.Failure {
		if write && file.asked[len(file.asked)-1] != "sync" {
			t.Errorf("call %d could write before the intent was synced", call)
		}
		if l, err := Read(j.log.Path); write && (err != nil || len(ids(l.Owed())) == 0 || ids(l.Owed())[0] != want) {
			t.Errorf("call %d could write while the disk owes %v (%v); want %s", call, ids(l.Owed()), err, want)
		}
		return faulttest.None
	}
	for _, ob := range []Obligation{obligation(t, w, "way", faults.Interpose), obligation(t, w, "refuse", faults.Outage), obligation(t, w, "dead", faults.Kill)} {
		want = ob.ID
		if err := j.Inject(t.Context(), w, ob); err != nil {
			t.Fatal(err)
		}
	}
	w.Before = nil
	if err := errors.Join(j.RevertAll(t.Context(), w), j.Close()); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(file.asked, " "), strings.TrimSpace(strings.Repeat("write sync ", 3+3+3+1)); got != want {
		t.Errorf("the file was asked to %s; want one write and one sync for each record: %s", got, want)
	}
}

func TestAnotherProcessMends(t *testing.T) {
	dir := t.TempDir()
	w := faulttest.NewFake()
	j := create(t, dir, "r1")
	for _, ob := range []Obligation{obligation(t, w, "way", faults.Interpose), obligation(t, w, "refuse", faults.Outage), obligation(t, w, "dead", faults.Kill)} {
		if err := j.Inject(t.Context(), w, ob); err != nil {
			t.Fatal(err)
		}
	}
	path := j.log.Path
	if _, err := Open(path, "heal"); !errors.Is(err, ErrHeld) {
		t.Errorf("Open while the runner lives = %v; want ErrHeld", err)
	}
	if all, err := Dirty(dir); err != nil || len(all) != 1 || !all[0].Held {
		t.Errorf("Dirty while the runner lives = %+v, %v; want one that is held", all, err)
	}
	if other, err := Create(dir, header("side-by-side")); err != nil {
		t.Errorf("a living run of the same system is in the way: %v", err)
	} else if err := other.Close(); err != nil {
		t.Error(err)
	}
	crash(t, j)
	if all, err := Dirty(dir); err != nil || len(all) != 1 || all[0].Held {
		t.Errorf("Dirty after a crash = %+v, %v; want one that is free", all, err)
	}
	var dirty *DirtyError
	if _, err := Create(dir, header("r2")); !errors.Is(err, ErrDirty) || !errors.As(err, &dirty) || !strings.Contains(err.Error(), "refused with a TCP reset") {
		t.Errorf("Create over what a dead run owes = %v; want ErrDirty that says what", err)
	}
	if _, err := Create(dir, header("r1")); !errors.Is(err, ErrDirty) {
		t.Errorf("Create of the same run = %v; want ErrDirty", err)
	}
	elsewhere := header("r3")
	elsewhere.System = "another"
	if other, err := Create(dir, elsewhere); err != nil {
		t.Errorf("another system's debts are in the way: %v", err)
	} else if err := other.Close(); err != nil {
		t.Error(err)
	}

	for range 2 { // heal may be run again
		heir := open(t, path)
		if err := heir.RevertAll(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		if err := heir.Close(); err != nil {
			t.Fatal(err)
		}
		if broken := w.Broken(); len(broken) > 0 {
			t.Errorf("there is left: %v", broken)
		}
	}
	if all, err := Dirty(dir); err != nil || len(all) > 0 {
		t.Errorf("Dirty after heal = %+v, %v; want none", all, err)
	}
	if _, err := Create(dir, header("r1")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Create over a closed journal = %v; want that it exists", err)
	}
}

// What is settled is forgotten after a while, what is owed never.
func TestOldJournalsAreForgotten(t *testing.T) {
	dir := t.TempDir()
	w := faulttest.NewFake()
	settled, owing := create(t, dir, "settled"), create(t, dir, "owing")
	for _, j := range []*Journal{settled, owing} {
		if err := j.Inject(t.Context(), w, obligation(t, w, "frozen", faults.Pause)); err != nil {
			t.Fatal(err)
		}
		if j == settled {
			if err := errors.Join(j.RevertAll(t.Context(), w), j.Close()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := owing.Leave(); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-keepClosed - time.Hour)
	for _, j := range []*Journal{settled, owing} {
		if err := os.WriteFile(NotesPath(j.log.Path), []byte("a note"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(j.log.Path, old, old); err != nil {
			t.Fatal(err)
		}
	}
	forget(filepath.Dir(owing.log.Path), time.Now().Add(-keepClosed))
	for path, there := range map[string]bool{settled.log.Path: false, NotesPath(settled.log.Path): false, owing.log.Path: true, NotesPath(owing.log.Path): true} {
		if _, err := os.Stat(path); (err == nil) != there {
			t.Errorf("%s is there %v; want %v", filepath.Base(path), err == nil, there)
		}
	}
}
