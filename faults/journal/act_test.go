package journal

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/faulttest"
)

func TestInjectThatFailsIsOwed(t *testing.T) {
	w := faulttest.NewFake()
	j := create(t, t.TempDir(), "r1")
	w.Before = func(_ int, write bool) faulttest.Failure {
		if write {
			return faulttest.Late
		}
		return faulttest.None
	}
	if err := j.Inject(t.Context(), w, obligation(t, w, "frozen", faults.Pause)); !errors.Is(err, faulttest.ErrBroken) {
		t.Errorf("Inject = %v; want the world's error", err)
	}
	w.Before = nil
	if got := phases(read(t, j.log.Path)); got != "open, intent frozen" {
		t.Errorf("the journal says %s", got)
	}
	if err := j.RevertAll(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	if broken := w.Broken(); len(broken) > 0 {
		t.Errorf("there is left: %v", broken)
	}
}

// numb says that it was injected, and never is.
type numb struct{ faults.Fault }

func (numb) Inject(context.Context, faults.World) error { return nil }

func TestInjectMustBite(t *testing.T) {
	w := faulttest.NewFake()
	j := create(t, t.TempDir(), "r1")
	ob := obligation(t, w, "frozen", faults.Pause)
	ob.Fault = numb{ob.Fault}
	if err := j.Inject(t.Context(), w, ob); !errors.Is(err, ErrNotPresent) {
		t.Errorf("Inject = %v; want ErrNotPresent", err)
	}
	ended, cancel := context.WithCancelCause(t.Context())
	why := errors.New("the operator said so")
	cancel(why)
	if err := j.Inject(ended, w, obligation(t, w, "dead", faults.Kill)); !errors.Is(err, why) {
		t.Errorf("Inject on a context that has ended = %v; want its cause", err)
	}
	if got := ids(j.Owed()); !cmp.Equal(got, []string{"frozen"}) {
		t.Errorf("Owed = %v; nothing begins on a context that has ended", got)
	}
	ob = obligation(t, w, "odd", faults.Pause)
	ob.Kind = "odd"
	if err := j.Inject(t.Context(), w, ob); err == nil || !strings.Contains(err.Error(), `"odd" is no kind`) {
		t.Errorf("Inject of a kind that heal does not know = %v", err)
	}
}

func TestRevertFails(t *testing.T) {
	w := faulttest.NewFake()
	j := create(t, t.TempDir(), "r1")
	for _, ob := range []Obligation{obligation(t, w, "frozen", faults.Pause), obligation(t, w, "dead", faults.Kill, "kill: {service: catalog}")} {
		if err := j.Inject(t.Context(), w, ob); err != nil {
			t.Fatal(err)
		}
	}
	w.Before = func(int, bool) faulttest.Failure { return faulttest.Early }
	err := j.RevertAll(t.Context(), w)
	var in *InForceError
	if !errors.As(err, &in) || len(in.Left) != 2 || in.Left[0].ID != "dead" || !errors.Is(err, ErrDirty) || !errors.Is(err, faulttest.ErrBroken) {
		t.Fatalf("RevertAll = %v; want both, the last first", err)
	}
	if !strings.Contains(err.Error(), "by hand: docker unpause shop_orders_1") || !strings.Contains(err.Error(), "by hand: docker start shop_catalog_1") {
		t.Errorf("RevertAll = %v; want what a person can type", err)
	}
	if !strings.Contains(err.Error(), "orders (container shop_orders_1) is frozen") || !strings.Contains(err.Error(), "candor heal") {
		t.Errorf("RevertAll = %v; want what is in force and what mends it", err)
	}
	if got := read(t, j.log.Path).Records[5]; got.Phase != RevertFailed || got.ID != "dead" || !strings.Contains(got.Error, "fails as it was told") {
		t.Errorf("record 6 = %+v; want the failed revert with its reason", got)
	}
	w.Before = nil
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := j.RevertAll(ended, w); err != nil {
		t.Errorf("RevertAll on a context that has ended = %v; it has its own clock", err)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}

func TestCloseWhileOwing(t *testing.T) {
	w := faulttest.NewFake()
	j := create(t, t.TempDir(), "r1")
	if err := j.Inject(t.Context(), w, obligation(t, w, "frozen", faults.Pause)); err != nil {
		t.Fatal(err)
	}
	var in *InForceError
	if err := j.Close(); !errors.As(err, &in) || in.Left[0].ID != "frozen" {
		t.Errorf("Close = %v; want what is owed", err)
	}
	heir := open(t, j.log.Path) // Close let go of the lock
	if err := heir.RevertAll(t.Context(), w); err != nil {
		t.Error(err)
	}
	if err := heir.Close(); err != nil {
		t.Error(err)
	}
}

func TestHowItEndedIsNoted(t *testing.T) {
	for fate, want := range map[string]string{"": "", "removed": "orders (container shop_orders_1) is gone",
		"replaced": "orders (container shop_orders_1) is gone, and another one has its name"} {
		w := faulttest.NewFake()
		j := create(t, t.TempDir(), "r1")
		if err := j.Inject(t.Context(), w, obligation(t, w, "dead", faults.Kill)); err != nil {
			t.Fatal(err)
		}
		switch fate {
		case "removed":
			w.Remove("orders")
		case "replaced":
			w.Replace("orders")
		}
		if err := j.RevertAll(t.Context(), w); err != nil {
			t.Errorf("RevertAll when %q = %v; nothing of ours is left", fate, err)
		}
		l := j.Log()
		if got := l.Entries()[0]; got.Note != want || got.Phase != Reverted {
			t.Errorf("when %q the entry is %s with note %q; want %q", fate, got.Phase, got.Note, want)
		}
	}
}

// lazy says that it was reverted, and was not.
type lazy struct{ faults.Fault }

func (lazy) Revert(context.Context, faults.World) error { return nil }

func TestRevertMustShow(t *testing.T) {
	w := faulttest.NewFake()
	j := create(t, t.TempDir(), "r1")
	ob := obligation(t, w, "frozen", faults.Pause)
	ob.Fault = lazy{ob.Fault}
	if err := j.Inject(t.Context(), w, ob); err != nil {
		t.Fatal(err)
	}
	if err := j.RevertAll(t.Context(), w); !errors.Is(err, ErrDirty) || !strings.Contains(err.Error(), "after Revert it is present") {
		t.Errorf("RevertAll = %v; want that it is still present", err)
	}
	if got := ids(j.Owed()); !cmp.Equal(got, []string{"frozen"}) {
		t.Errorf("Owed = %v; want that it stays", got)
	}
}

// rude panics where it should revert.
type rude struct{ faults.Fault }

func (rude) Revert(context.Context, faults.World) error { panic("rude") }

func TestPanicStopsNobody(t *testing.T) {
	w := faulttest.NewFake()
	j := create(t, t.TempDir(), "r1")
	first, second := obligation(t, w, "frozen", faults.Pause), obligation(t, w, "dead", faults.Kill, "kill: {service: catalog}")
	second.Fault = rude{second.Fault}
	for _, ob := range []Obligation{first, second} {
		if err := j.Inject(t.Context(), w, ob); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.RevertAll(t.Context(), w); err == nil || !strings.Contains(err.Error(), "panic: rude") {
		t.Errorf("RevertAll = %v; want the panic as an error", err)
	}
	if got := w.Broken(); !cmp.Equal(got, []string{"catalog: does not run"}) {
		t.Errorf("there is left %v; the other one had to be mended", got)
	}
}

// Faults overlap: their injections and reverts run side by side, and those of one wait for each other.
func TestSideBySide(t *testing.T) {
	w := faulttest.NewFake()
	j := create(t, t.TempDir(), "r1")
	j.pace = patient
	var all sync.WaitGroup
	for _, service := range []string{"web", "orders", "payments", "catalog"} {
		ob := obligation(t, w, service, faults.Pause, "pause: {service: "+service+"}")
		all.Go(func() {
			if err := j.Inject(t.Context(), w, ob); err != nil {
				t.Error(err)
			}
			for range 2 {
				all.Go(func() {
					if err := j.Revert(t.Context(), w, service); err != nil {
						t.Error(err)
					}
				})
			}
		})
	}
	all.Wait()
	if err := j.Close(); err != nil {
		t.Error(err)
	}
	if broken := w.Broken(); len(broken) > 0 {
		t.Errorf("there is left: %v", broken)
	}
	if l := read(t, j.log.Path); len(l.Records) != 1+4*3+1 {
		t.Errorf("the journal says %s", phases(l))
	}
}
