package journal

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/faulttest"
)

var errDisk = errors.New("the disk fails as it was told")

// shaky is a file that fails at the operations it is told to; a write that fails leaves half of its line.
type shaky struct {
	sink
	fails []bool // for the operations to come
}

func (s *shaky) failing() bool {
	if len(s.fails) == 0 {
		return false
	}
	f := s.fails[0]
	s.fails = s.fails[1:]
	return f
}

func (s *shaky) Write(p []byte) (int, error) {
	if s.failing() {
		n, err := s.sink.Write(p[:len(p)/2])
		return n, errors.Join(errDisk, err)
	}
	return s.sink.Write(p)
}

func (s *shaky) Sync() error {
	if s.failing() {
		return errDisk
	}
	return s.sink.Sync()
}

func (s *shaky) Truncate(size int64) error {
	if s.failing() {
		return errDisk
	}
	return s.sink.Truncate(size)
}

// walk is a run that goes wrong in every way, and what must hold all the same.
type walk struct {
	t    *testing.T
	w    *faulttest.Fake
	j    *Journal
	disk *shaky
	obs  map[string]Obligation
}

// signs tells what in the world belongs to which obligation.
var signs = map[string]string{"way": "web: interposed", "refuse": "web: impaired", "frozen": "orders: paused", "dead": "catalog: does not run"}

func newWalk(t *testing.T) *walk {
	dir, err := os.MkdirTemp(t.TempDir(), "walk")
	if err != nil {
		t.Fatal(err)
	}
	w := &walk{t: t, w: faulttest.NewFake(), obs: map[string]Obligation{}}
	w.hold(create(t, dir, "r1"))
	w.obs["way"] = obligation(t, w.w, "way", faults.Interpose)
	w.obs["refuse"] = obligation(t, w.w, "refuse", faults.Outage)
	w.obs["frozen"] = obligation(t, w.w, "frozen", faults.Pause)
	return w
}

func (w *walk) hold(j *Journal) {
	w.disk = &shaky{sink: j.file}
	w.j = j
	j.file = w.disk
}

func (w *walk) broken(id string) bool {
	return slices.ContainsFunc(w.w.Broken(), func(b string) bool { return strings.HasPrefix(b, signs[id]) })
}

// onDisk is the last phase of an obligation as another process would read it.
func (w *walk) onDisk(t *rapid.T, id string) Phase {
	l, err := Read(w.j.log.Path)
	if err != nil {
		t.Fatalf("the journal cannot be read: %v", err)
	}
	if e := l.find(id); e != nil {
		return e.Phase
	}
	return ""
}

// prepare makes each death anew: it is of one incarnation.
func (w *walk) prepare(id string) Obligation {
	if id == "dead" && !w.broken(id) {
		plan := w.w.Before
		w.w.Before = nil
		w.obs[id] = obligation(w.t, w.w, id, faults.Kill, "kill: {service: catalog}")
		w.w.Before = plan
	}
	return w.obs[id]
}

func (w *walk) inject(t *rapid.T) {
	id := rapid.SampledFrom([]string{"way", "refuse", "frozen", "dead"}).Draw(t, "id")
	ob := w.prepare(id)
	before := w.onDisk(t, id)
	_, writes := w.w.Counts()
	err := w.j.Inject(w.t.Context(), w.w, ob)
	_, after := w.w.Counts()
	now := w.onDisk(t, id)
	switch {
	case err == nil && (now != Injected || !w.broken(id)):
		t.Fatalf("Inject of %s is content, the disk says %q and the world shows it: %v", id, now, w.broken(id))
	case after > writes && (now == "" || now == Reverted):
		t.Fatalf("the world was touched for %s, and the disk says %q", id, now)
	case (before == Intent || before == Injected || before == RevertFailed) && (err == nil || after > writes):
		t.Fatalf("%s was owed (%q) and is injected again", id, before)
	}
}

func (w *walk) revert(t *rapid.T) {
	id := rapid.SampledFrom([]string{"way", "refuse", "frozen", "dead"}).Draw(t, "id")
	before := w.onDisk(t, id)
	err := w.j.Revert(w.t.Context(), w.w, id)
	w.settled(t, id, before, err)
}

func (w *walk) settled(t *rapid.T, id string, before Phase, err error) {
	now := w.onDisk(t, id)
	switch {
	case before == "" && now != "":
		t.Fatalf("Revert of %s, which was never owed, wrote %q", id, now)
	case err == nil && w.broken(id), err == nil && now != Reverted && before != "" && w.j.broken == nil:
		// A journal that could not take back a line owes on disk what it never did, and says so in Close.
		t.Fatalf("Revert of %s is content, the disk says %q and the world shows it: %v", id, now, w.broken(id))
	case now == Reverted && w.broken(id):
		t.Fatalf("the disk says that %s is reverted, and the world shows it", id)
	}
}

func (w *walk) revertAll(t *rapid.T) {
	err := w.j.RevertAll(w.t.Context(), w.w)
	for id := range signs {
		w.settled(t, id, w.onDisk(t, id), nilUnless(err, w.onDisk(t, id) != Reverted))
	}
	if err == nil && len(w.j.Owed()) > 0 {
		t.Fatalf("RevertAll is content and owes %v", ids(w.j.Owed()))
	}
}

func nilUnless(err error, owed bool) error {
	if owed {
		return err
	}
	return nil
}

func (w *walk) crash(t *rapid.T) {
	crash(w.t, w.j)
	j, err := Open(w.j.log.Path, "heal")
	if err != nil {
		t.Fatalf("the journal of a crash cannot be opened: %v", err)
	}
	j.pace = quick
	w.hold(j)
}

func (w *walk) worldFails(t *rapid.T) {
	plan := rapid.SliceOfN(rapid.SampledFrom([]faulttest.Failure{faulttest.None, faulttest.Early, faulttest.Late}), 1, 12).Draw(t, "calls")
	always := rapid.Bool().Draw(t, "always")
	w.w.Before = func(int, bool) faulttest.Failure {
		if len(plan) == 0 {
			return faulttest.None
		}
		f := plan[0]
		if !always || f == faulttest.None {
			plan = plan[1:]
		}
		return f
	}
}

func (w *walk) diskFails(t *rapid.T) {
	w.disk.fails = rapid.SliceOfN(rapid.Bool(), 1, 6).Draw(t, "operations")
}

// holds is what must be true after every step: whatever is broken is owed on disk, and the records are legal.
func (w *walk) holds(t *rapid.T) {
	for id := range signs {
		if p := w.onDisk(t, id); w.broken(id) && (p == "" || p == Reverted) {
			t.Fatalf("%s is broken, and the disk says %q", id, p)
		}
	}
	l, err := Read(w.j.log.Path)
	if err != nil {
		t.Fatal(err)
	}
	legal(t, l)
}

// legal is the law once more, as a table.
func legal(t *rapid.T, l Log) {
	after := map[Phase][]Phase{
		"": {Intent}, Intent: {Injected, Reverted, RevertFailed}, Injected: {Reverted, RevertFailed},
		RevertFailed: {Reverted, RevertFailed}, Reverted: {Intent},
	}
	at := map[string]Phase{}
	for i, r := range l.Records {
		if i == 0 {
			if r.Phase != Opened {
				t.Fatalf("the first record is %q", r.Phase)
			}
			continue
		}
		if !slices.Contains(after[at[r.ID]], r.Phase) {
			t.Fatalf("record %d: %q of %s after %q", i+1, r.Phase, r.ID, at[r.ID])
		}
		at[r.ID] = r.Phase
	}
}

// However world, disk and process fail, in whatever order: nothing is broken that is not owed on disk, and when all is
// well again one heal mends everything.
func TestWalk(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		w := newWalk(t)
		r.Repeat(map[string]func(*rapid.T){
			"inject": w.inject, "inject another": w.inject, "revert": w.revert, "revert all": w.revertAll,
			"crash": w.crash, "world fails": w.worldFails, "disk fails": w.diskFails, "": w.holds,
		})
		w.w.Before, w.disk.fails = nil, nil
		w.crash(r)
		if err := w.j.RevertAll(t.Context(), w.w); err != nil {
			r.Fatalf("heal = %v", err)
		}
		if broken := w.w.Broken(); len(broken) > 0 {
			r.Fatalf("after heal there is left: %v", broken)
		}
		if err := w.j.Close(); err != nil {
			r.Fatal(err)
		}
	})
}
