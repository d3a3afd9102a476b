package journal

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/faulttest"
)

// small mounts a file system of a few pages, which needs root.
func small(t *testing.T) string {
	t.Helper()
	if os.Getenv("CANDOR_TEST_NO_DOCKER") != "" && os.Geteuid() != 0 {
		t.Skip("not root, and CANDOR_TEST_NO_DOCKER says that this is meant")
	}
	dir := t.TempDir()
	if err := unix.Mount("candor-journal-test", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Fatalf("mount a small tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return dir
}

// fill leaves no page free.
func fill(t *testing.T, dir string) (empty func()) {
	t.Helper()
	path := filepath.Join(dir, "filler")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("fill the disk: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFullDisk(t *testing.T) {
	dir := small(t)
	w := faulttest.NewFake()
	j := create(t, dir, "r1")
	frozen := obligation(t, w, "frozen", faults.Pause)
	if err := j.Inject(t.Context(), w, frozen); err != nil {
		t.Fatal(err)
	}
	empty := fill(t, dir)
	if _, err := Create(dir, header("r2")); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("Create on a full disk = %v; want that no space is left", err)
	}

	// Longer than the page that the journal has begun: what fits of it is written, and must be taken back.
	dead := obligation(t, w, "dead", faults.Kill, "kill: {service: catalog}")
	dead.Summary += strings.Repeat(" indeed", 1500)
	before := w.Dump()
	_, writes := w.Counts()
	if err := j.Inject(t.Context(), w, dead); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("Inject on a full disk = %v; want that no space is left", err)
	}
	if _, after := w.Counts(); after != writes || w.Dump() != before {
		t.Error("the world was touched without an intent on disk")
	}
	if l := read(t, j.log.Path); l.Torn || len(l.Owed()) != 1 {
		t.Errorf("the journal is torn %v and owes %v", l.Torn, ids(l.Owed()))
	}
	empty()
	if err := j.Inject(t.Context(), w, dead); err != nil {
		t.Errorf("Inject with space again = %v", err)
	}
	if err := errors.Join(j.RevertAll(t.Context(), w), j.Close()); err != nil {
		t.Error(err)
	}
	if broken := w.Broken(); len(broken) > 0 {
		t.Errorf("there is left: %v", broken)
	}
}

func TestReadOnlyFolder(t *testing.T) {
	dir := small(t)
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatalf("remount read-only: %v", err)
	}
	if _, err := Create(dir, header("r1")); !errors.Is(err, unix.EROFS) {
		t.Errorf("Create = %v; want that the file system is read-only", err)
	}
	if all, err := Dirty(dir); err != nil || len(all) > 0 {
		t.Errorf("Dirty = %v, %v", all, err)
	}
}
