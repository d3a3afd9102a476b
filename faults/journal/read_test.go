package journal

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/faulttest"
)

// written is a journal whose runner has died with two obligations: the bytes, and the world.
func written(t *testing.T, dir string) (path string, data []byte, w *faulttest.Fake) {
	t.Helper()
	w = faulttest.NewFake()
	j := create(t, dir, "r1")
	for _, ob := range []Obligation{obligation(t, w, "frozen", faults.Pause), obligation(t, w, "dead", faults.Kill, "kill: {service: catalog}")} {
		if err := j.Inject(t.Context(), w, ob); err != nil {
			t.Fatal(err)
		}
	}
	crash(t, j)
	data, err := os.ReadFile(j.log.Path)
	if err != nil {
		t.Fatal(err)
	}
	return j.log.Path, data, w
}

func put(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Cut anywhere, a journal can be read, owes what its whole lines owe, and heals.
func TestTornAnywhere(t *testing.T) {
	path, data, _ := written(t, t.TempDir())
	for n := 0; n <= len(data); n += 7 {
		put(t, path, data[:n])
		l, err := Read(path)
		if err != nil {
			t.Fatalf("cut at %d: %v", n, err)
		}
		whole := bytes.Count(data[:n], []byte("\n"))
		if len(l.Records) != whole || l.Torn != (n > 0 && data[n-1] != '\n') {
			t.Fatalf("cut at %d: %d records, torn %v; want %d", n, len(l.Records), l.Torn, whole)
		}
		if whole == 0 {
			if _, err := Open(path, "heal"); err == nil {
				t.Fatalf("cut at %d: Open accepts a journal without a record", n)
			}
			continue
		}
		j := open(t, path)
		if err := j.RevertAll(t.Context(), faulttest.NewFake()); err != nil {
			t.Fatalf("cut at %d: %v", n, err)
		}
		if err := j.Close(); err != nil {
			t.Fatalf("cut at %d: %v", n, err)
		}
		if len(l.Entries()) == 0 {
			if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
				t.Fatalf("cut at %d: a journal of nothing stays: %v", n, err)
			}
			continue
		}
		if l := read(t, path); !l.Closed() || l.Torn {
			t.Fatalf("cut at %d: after heal it is closed %v, torn %v", n, l.Closed(), l.Torn)
		}
	}
}

func TestZerosAfterAPowerCut(t *testing.T) {
	path, data, _ := written(t, t.TempDir())
	for _, tail := range []string{"\x00\x00\x00", "{\"sch\x00\x00\x00\n"} {
		put(t, path, append(bytes.Clone(data), tail...))
		if l := read(t, path); !l.Torn || len(l.Owed()) != 2 {
			t.Errorf("with the tail %q: torn %v, owed %v", tail, l.Torn, ids(l.Owed()))
		}
	}
}

func TestBadLines(t *testing.T) {
	dir := t.TempDir()
	path, data, w := written(t, dir)
	lines := strings.SplitAfter(string(data), "\n")
	before := w.Dump()
	for name, tt := range map[string]struct {
		line int
		bad  func(line string) string
		says string
	}{
		"not JSON":      {3, func(string) string { return "hello\n" }, "invalid character"},
		"last, whole":   {5, func(string) string { return "hello\n" }, "invalid character"},
		"newer schema":  {2, func(l string) string { return strings.Replace(l, `"schema":1`, `"schema":2`, 1) }, "schema 2 is newer"},
		"no schema":     {2, func(string) string { return "{}\n" }, "not a record"},
		"missing":       {2, func(string) string { return "" }, "record 3 where 2 is due"},
		"unknown phase": {3, func(l string) string { return strings.Replace(l, `"injected"`, `"cursed"`, 1) }, `unknown phase "cursed"`},
		"never owed":    {3, func(l string) string { return strings.Replace(l, `"frozen"`, `"melted"`, 1) }, "which is not owed"},
		"another run":   {4, func(l string) string { return strings.Replace(l, `"run":"r1"`, `"run":"r9"`, 1) }, `run "r9"`},
		"owed twice":    {4, func(l string) string { return strings.Replace(l, `"id":"dead"`, `"id":"frozen"`, 1) }, "owed already"},
		"no fault":      {4, func(l string) string { return strings.Replace(l, `"fault":`, `"default":`, 1) }, "no fault"},
		"no header":     {1, func(l string) string { return strings.Replace(l, `"header":`, `"other":`, 1) }, "no header"},
		"opened twice":  {2, func(string) string { return strings.Replace(lines[0], `"seq":1`, `"seq":2`, 1) }, "open alone is the first"},
		"closed":        {5, func(l string) string { return strings.Replace(l, `"injected"`, `"closed"`, 1) }, "closed while something is owed"},
	} {
		bad := append([]string{}, lines...)
		bad[tt.line-1] = tt.bad(bad[tt.line-1])
		put(t, path, []byte(strings.Join(bad, "")))
		_, err := Open(path, "heal")
		var at *LineError
		if !errors.As(err, &at) || at.Line != tt.line || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: Open = %v; want line %d and %q", name, err, tt.line, tt.says)
		}
		all, err := Dirty(dir)
		if err != nil || len(all) != 1 || !errors.As(all[0].Err, &at) {
			t.Errorf("%s: Dirty = %+v, %v; want it listed with its error", name, all, err)
		}
		if _, err := Create(dir, header("r2")); !errors.Is(err, ErrDirty) {
			t.Errorf("%s: Create beside it = %v; it may owe anything", name, err)
		}
		if now, err := os.ReadFile(path); err != nil || string(now) != strings.Join(bad, "") {
			t.Errorf("%s: the journal was touched (%v)", name, err)
		}
	}
	if diff := cmp.Diff(before, w.Dump()); diff != "" {
		t.Errorf("the world was touched (-before +after):\n%s", diff)
	}
}

// What another candor has made is owed and reported; the rest is mended.
func TestUnknownKind(t *testing.T) {
	dir := t.TempDir()
	path, data, w := written(t, dir)
	put(t, path, bytes.Replace(data, []byte(`"kind":"kill"`), []byte(`"kind":"curse"`), 1))
	l := read(t, path)
	if got := l.Owed()[0]; got.Kind != "curse" || got.Line != 4 {
		t.Errorf("Owed = %+v; want the unknown kind in line 4", got)
	}
	j := open(t, path)
	err := j.RevertAll(t.Context(), w)
	var in *InForceError
	if !errors.As(err, &in) || len(in.Left) != 1 || !strings.Contains(err.Error(), `line 4 of `+path+`: this candor knows no fault of kind "curse"`) {
		t.Errorf("RevertAll = %v; want the unknown one, with its line", err)
	}
	if got := w.Broken(); !cmp.Equal(got, []string{"catalog: does not run"}) {
		t.Errorf("there is left %v; the pause had to be mended", got)
	}
	if err := j.Close(); !errors.Is(err, ErrDirty) {
		t.Errorf("Close = %v; want ErrDirty", err)
	}
	if all, err := Dirty(dir); err != nil || len(all) != 1 {
		t.Errorf("Dirty = %+v, %v; it is still owed", all, err)
	}
}

// process is a world of another name: what it does not know it must not try.
type process struct{ *faulttest.Fake }

func (process) Name() string { return "process" }

func TestAnotherWorld(t *testing.T) {
	path, _, w := written(t, t.TempDir())
	j := open(t, path)
	before := w.Dump()
	if err := j.RevertAll(t.Context(), process{w}); err == nil || !strings.Contains(err.Error(), "made in a docker world, and this is a process world") {
		t.Errorf("RevertAll = %v; want a refusal", err)
	}
	if diff := cmp.Diff(before, w.Dump()); diff != "" {
		t.Errorf("the world was touched (-before +after):\n%s", diff)
	}
}

// traffic is the world of a runner's own traffic.
type traffic struct{ *faulttest.Fake }

func (traffic) Name() string { return faults.LoadWorld }

// What was made in the runner's own traffic ends with the runner: an heir says so and asks no world. The runner itself
// mends it where it was made, whatever world it gives for the rest.
func TestTrafficEndsWithItsRunner(t *testing.T) {
	inject := func(t *testing.T) (*Journal, *faulttest.Fake) {
		j, err := Create(t.TempDir(), header("rush"))
		if err != nil {
			t.Fatal(err)
		}
		load := faulttest.NewFake()
		if err := j.Inject(t.Context(), traffic{load}, obligation(t, traffic{load}, "rush", faults.Spike)); err != nil {
			t.Fatal(err)
		}
		if len(load.Broken()) != 1 {
			t.Fatalf("Broken = %v; want the crowd", load.Broken())
		}
		return j, load
	}
	t.Run("heir", func(t *testing.T) {
		j, load := inject(t)
		path := j.Log().Path
		if err := j.Leave(); err != nil {
			t.Fatal(err)
		}
		w, heir := faulttest.NewFake(), open(t, path)
		if err := heir.RevertAll(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		log := heir.Log()
		if e := log.Entries()[0]; e.Phase != Reverted || !strings.Contains(e.Note, "ended with it") {
			t.Errorf("the entry is %+v; want it reverted, and a note that says how", e)
		}
		if calls, _ := w.Counts(); calls != 0 || len(load.Broken()) != 1 {
			t.Errorf("the heir asked %d times, and of the crowd is left %v", calls, load.Broken())
		}
	})
	t.Run("runner", func(t *testing.T) {
		j, load := inject(t)
		if err := j.RevertAll(t.Context(), faulttest.NewFake()); err != nil {
			t.Fatal(err)
		}
		if left := load.Broken(); len(left) > 0 {
			t.Errorf("there is left: %v", left)
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestStateDir(t *testing.T) {
	for _, tt := range []struct {
		flag string
		env  map[string]string
		want string
	}{
		{"/var/candor", map[string]string{"XDG_STATE_HOME": "/x", "HOME": "/home/a"}, "/var/candor"},
		{"", map[string]string{"XDG_STATE_HOME": "/x", "HOME": "/home/a"}, "/x/candor"},
		{"", map[string]string{"XDG_STATE_HOME": "relative", "HOME": "/home/a"}, "/home/a/.local/state/candor"},
		{"", map[string]string{"HOME": "/home/a"}, "/home/a/.local/state/candor"},
		{"", nil, ""},
	} {
		got, err := StateDir(tt.flag, func(k string) string { return tt.env[k] })
		if got != tt.want || (err != nil) != (tt.want == "") {
			t.Errorf("StateDir(%q, %v) = %q, %v; want %q", tt.flag, tt.env, got, err, tt.want)
		}
	}
	if got, err := StateDir("here", func(string) string { return "" }); err != nil || !filepath.IsAbs(got) {
		t.Errorf("StateDir(%q) = %q, %v; want an absolute path", "here", got, err)
	}
}

func TestRunsThatCannotNameAFile(t *testing.T) {
	for _, run := range []string{"", "..", ".hidden", "a/b", "../x"} {
		if _, err := Create(t.TempDir(), header(run)); err == nil || !strings.Contains(err.Error(), "cannot name a journal") {
			t.Errorf("Create of run %q = %v; want a refusal", run, err)
		}
	}
}
