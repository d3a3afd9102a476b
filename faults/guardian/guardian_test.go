package guardian

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.yaml.in/yaml/v4"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/faulttest"
	"github.com/candor-chaos/candor/faults/journal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a runner with its journal and a guardian in a goroutine, over a fake world.
type rig struct {
	w     *faulttest.Fake
	dir   string
	j     *journal.Journal
	s     *server
	ended chan error // what Serve returned
	cut   func()     // takes the guardian's streams away, as its death does
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{w: faulttest.NewFake(), dir: t.TempDir(), ended: make(chan error, 1)}
	var err error
	r.j, err = journal.Create(r.dir, journal.Header{Run: "r1", System: "shop", World: journal.World{Name: "docker"}})
	if err != nil {
		t.Fatal(err)
	}
	r.s = &server{open: func(context.Context, journal.World) (World, error) { return r.w, nil }, began: time.Now(), heard: time.Now(),
		pace: pace{lock: time.Second, between: 5 * time.Millisecond, most: 20 * time.Millisecond, patience: 20 * time.Second, look: 5 * time.Millisecond, hello: 200 * time.Millisecond}}
	return r
}

// start makes the guardian responsible.
func (r *rig) start(t *testing.T) *Guardian {
	t.Helper()
	in, toGuardian := io.Pipe()
	fromGuardian, out := io.Pipe()
	r.s.out = json.NewEncoder(out)
	gone := make(chan struct{})
	r.cut = func() { out.Close(); in.CloseWithError(io.ErrClosedPipe) }
	go func() {
		r.ended <- r.s.serve(context.Background(), in)
		out.Close()
		close(gone)
	}()
	g, err := Guard(t.Context(), Streams{In: toGuardian, Out: fromGuardian, Wait: func(ctx context.Context) error {
		select {
		case <-gone:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}, Kill: func(context.Context) error { r.cut(); return nil }}, r.j, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// breaks prepares and injects an example of a kind.
func (r *rig) breaks(t *testing.T, id string, k faults.Kind, until time.Time) error {
	t.Helper()
	var doc map[string]yaml.Node
	if err := yaml.Unmarshal([]byte(k.Example), &doc); err != nil {
		t.Fatal(err)
	}
	f, own := k.New(), doc[k.Name]
	if err := own.Decode(f); err != nil {
		t.Fatal(err)
	}
	said, err := f.Prepare(t.Context(), r.w)
	if err != nil {
		t.Fatal(err)
	}
	return r.j.Inject(t.Context(), r.w, journal.Obligation{ID: id, Kind: k.Name, Fault: f, Summary: said, Until: until})
}

func (r *rig) breaksTwo(t *testing.T) {
	t.Helper()
	if err := errors.Join(r.breaks(t, "frozen", faults.Pause, time.Time{}), r.breaks(t, "dead", faults.Kill, time.Time{})); err != nil {
		t.Fatal(err)
	}
	if len(r.w.Broken()) == 0 {
		t.Fatal("nothing is broken: this would show nothing")
	}
}

// die is the end of the runner: its pipes and its locks go.
func (r *rig) die(t *testing.T, g *Guardian) {
	t.Helper()
	var owed *journal.InForceError
	if err := r.j.Close(); err != nil && !errors.As(err, &owed) { // frees the lock, as the kernel does
		t.Fatal(err)
	}
	if err := g.Leave(); err != nil {
		t.Fatal(err)
	}
	if err := <-r.ended; err != nil {
		t.Errorf("the guardian ended with %v", err)
	}
}

func (r *rig) settled(t *testing.T, by string) {
	t.Helper()
	if broken := r.w.Broken(); len(broken) > 0 {
		t.Errorf("there is left: %v", broken)
	}
	l, err := journal.Read(filepath.Join(r.dir, "journals", "r1.jsonl"))
	if err != nil || len(l.Owed()) > 0 || !l.Closed() {
		t.Errorf("the journal owes %v, closed %v, %v", l.Owed(), l.Closed(), err)
	}
	for _, e := range l.Entries() {
		if e.By != by {
			t.Errorf("%s was settled by %q; want %q", e.ID, e.By, by)
		}
	}
}

func TestRunnerDies(t *testing.T) {
	r := newRig(t)
	g := r.start(t)
	r.breaksTwo(t)
	r.die(t, g)
	r.settled(t, "guardian")
	note, err := os.ReadFile(filepath.Join(r.dir, "journals", "r1.guardian.log"))
	if err != nil || !strings.Contains(string(note), "its runner is gone without a goodbye") || !strings.Contains(string(note), "reverted frozen") {
		t.Errorf("the guardian notes %q, %v", note, err)
	}
}

// What was there before the guardian is its business too.
func TestGuardianComesLate(t *testing.T) {
	r := newRig(t)
	r.breaksTwo(t)
	r.die(t, r.start(t))
	r.settled(t, "guardian")
}

// An engine that fails for a while is tried again and again.
func TestRunnerDiesWhileTheEngineIsDown(t *testing.T) {
	r := newRig(t)
	g := r.start(t)
	r.breaksTwo(t)
	calls := 0
	r.s.open = func(context.Context, journal.World) (World, error) {
		if calls++; calls < 10 {
			return nil, faults.ErrUnreachable
		}
		return r.w, nil
	}
	r.die(t, g)
	r.settled(t, "guardian")
}

func TestGoodbye(t *testing.T) {
	r := newRig(t)
	g := r.start(t)
	r.breaksTwo(t)
	if err := errors.Join(r.j.RevertAll(t.Context(), r.w), g.Dismiss(t.Context()), r.j.Close()); err != nil {
		t.Fatal(err)
	}
	if err := <-r.ended; err != nil {
		t.Error(err)
	}
	r.settled(t, "")
}

// Without a guardian nothing more is broken, and what is broken can still be mended.
func TestGuardianDies(t *testing.T) {
	r := newRig(t)
	g := r.start(t)
	if err := r.breaks(t, "frozen", faults.Pause, time.Time{}); err != nil {
		t.Fatal(err)
	}
	r.cut()
	select {
	case <-g.Lost():
	case <-time.After(10 * time.Second):
		t.Fatal("the runner does not notice that its guardian died")
	}
	if !errors.Is(g.Err(), ErrGone) {
		t.Errorf("Err = %v; want ErrGone", g.Err())
	}
	before := r.w.Dump()
	if err := r.breaks(t, "dead", faults.Kill, time.Time{}); !errors.Is(err, ErrGone) {
		t.Errorf("Inject without a guardian = %v; want ErrGone", err)
	}
	if r.w.Dump() != before {
		t.Error("the world was touched while nobody would mend it")
	}
	if err := r.j.RevertAll(t.Context(), r.w); err != nil {
		t.Errorf("RevertAll without a guardian = %v", err)
	}
	if err := errors.Join(r.j.Close(), g.Dismiss(t.Context())); err != nil {
		t.Error(err)
	}
	<-r.ended
	r.settled(t, "")
}

// hangs waits for the guardian to take over from a runner that lives.
func hangs(t *testing.T, r *rig, g *Guardian, why string) {
	t.Helper()
	select {
	case <-g.Lost():
	case <-time.After(10 * time.Second):
		t.Fatal("the guardian never takes over")
	}
	if !errors.Is(g.Err(), ErrTook) || !strings.Contains(g.Err().Error(), why) {
		t.Errorf("Err = %v; want ErrTook and %q", g.Err(), why)
	}
	for end := time.Now().Add(10 * time.Second); len(r.w.Broken()) > 0 && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
	}
	if broken := r.w.Broken(); len(broken) > 0 {
		t.Fatalf("there is left: %v", broken)
	}
	if err := r.breaks(t, "late", faults.Pause, time.Time{}); err == nil || !strings.Contains(err.Error(), "the guardian has taken over") {
		t.Errorf("Inject after that = %v; want a refusal", err)
	}
	if broken := r.w.Broken(); len(broken) > 0 {
		t.Errorf("there is left: %v", broken)
	}
	r.die(t, g)
	r.settled(t, "guardian")
}

func TestRunnerHangs(t *testing.T) {
	r := newRig(t)
	g := r.start(t)
	r.breaksTwo(t)
	r.s.silent(t, g)
	hangs(t, r, g, "its runner said nothing for")
}

// silent makes any silence too long: the beat is each second.
func (s *server) silent(t *testing.T, g *Guardian) {
	t.Helper()
	l, err := journal.Read(s.hello.Journal)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.say(t.Context(), message{Hello: &hello{Journal: l.Path, Silence: 20 * time.Millisecond}}); err != nil {
		t.Fatal(err)
	}
}

// A try that fails is not the last one: a runner that hangs may hang for ever.
func TestRunnerHangsWhileTheEngineIsDown(t *testing.T) {
	r := newRig(t)
	g := r.start(t)
	r.breaksTwo(t)
	var calls atomic.Int32
	r.s.open = func(context.Context, journal.World) (World, error) {
		if calls.Add(1) < 8 {
			return nil, faults.ErrUnreachable
		}
		return r.w, nil
	}
	r.s.silent(t, g)
	hangs(t, r, g, "its runner said nothing for")
}

// A guardian that stands still is as good as none: the runner notices, nothing more is broken, and the goodbye does not
// wait for ever.
func TestGuardianStandsStill(t *testing.T) {
	s, err := Process("/bin/sh", "-c", `read hello; echo '{"ready":true}'; read open; echo '{"heard":1}'; kill -STOP $$`)
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t)
	g, err := Guard(t.Context(), s, r.j, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-g.Lost():
	case <-time.After(30 * time.Second):
		t.Fatal("the runner does not notice")
	}
	before := r.w.Dump()
	if err := r.breaks(t, "frozen", faults.Pause, time.Time{}); !errors.Is(err, ErrGone) || r.w.Dump() != before {
		t.Errorf("Inject = %v; want ErrGone and an untouched world", err)
	}
	if err := errors.Join(r.j.RevertAll(t.Context(), r.w), g.Dismiss(t.Context()), r.j.Close()); err != nil {
		t.Error(err)
	}
}

func TestFaultBeyondItsTime(t *testing.T) {
	r := newRig(t)
	g := r.start(t)
	if err := r.breaks(t, "frozen", faults.Pause, time.Now().Add(50*time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	hangs(t, r, g, "frozen should have been reverted by")
}

// A disk that takes no line is no reason to leave a fault in force: what was told is enough. heal writes it down later.
func TestJournalCannotBeHad(t *testing.T) {
	r := newRig(t)
	g := r.start(t)
	r.breaksTwo(t)
	path := filepath.Join(r.dir, "journals", "r1.jsonl")
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	r.die(t, g)
	if broken := r.w.Broken(); len(broken) > 0 {
		t.Errorf("there is left: %v", broken)
	}
	if err := os.Rename(path+".away", path); err != nil {
		t.Fatal(err)
	}
	dirty, err := journal.Dirty(r.dir)
	if err != nil || len(dirty) != 1 {
		t.Fatalf("Dirty = %v, %v; want the journal that nobody could write to", dirty, err)
	}
	for _, h := range Heal(t.Context(), dirty, r.s.open) {
		if h.Err != nil || h.Living || len(h.Settled.Entries) != 2 {
			t.Errorf("Heal = %+v", h)
		}
	}
	r.settled(t, "heal")
}

func TestHealLeavesTheLivingAlone(t *testing.T) {
	r := newRig(t)
	r.breaksTwo(t)
	dirty, err := journal.Dirty(r.dir)
	if err != nil || len(dirty) != 1 {
		t.Fatalf("Dirty = %v, %v", dirty, err)
	}
	before := r.w.Dump()
	if all := Heal(t.Context(), dirty, r.s.open); !all[0].Living || r.w.Dump() != before {
		t.Errorf("Heal = %+v; want that it is left alone", all[0])
	}
	if err := errors.Join(r.j.RevertAll(t.Context(), r.w), r.j.Close()); err != nil {
		t.Error(err)
	}
}

// A guardian to whom nobody ever speaks goes: its runner died while it was started.
func TestNobodySpeaks(t *testing.T) {
	r := newRig(t)
	in, toGuardian := io.Pipe()
	if err := r.s.serve(context.Background(), in); !errors.Is(err, errNobody) {
		t.Errorf("serve = %v; want errNobody", err)
	}
	if err := errors.Join(toGuardian.Close(), r.j.Close()); err != nil {
		t.Fatal(err)
	}
}

// A guardian that is a process outlives its runner's group, and leaves when its input ends.
func TestProcess(t *testing.T) {
	s, err := Process("/bin/sh", "-c", "echo $$; cat >/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 32)
	n, err := s.Out.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	if err := json.Unmarshal(line[:n], &pid); err != nil {
		t.Fatal(err)
	}
	if group, err := syscall.Getpgid(pid); err != nil || group != pid || group == syscall.Getpgrp() {
		t.Errorf("its process group is %d, %v; want its own, %d", group, err, pid)
	}
	if err := errors.Join(s.In.Close(), s.Wait(t.Context())); err != nil {
		t.Error(err)
	}
}
