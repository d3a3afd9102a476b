package history

import (
	"errors"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/candor-chaos/candor/experiments"
)

func create(t testing.TB) (Folder, *Writer) {
	t.Helper()
	folder, err := NewFolder(t.TempDir(), NewRun("x"))
	if err != nil {
		t.Fatal(err)
	}
	w, err := Create(folder, experiments.Head{Schema: Schema}, map[string]string{"DB": "postgres://shop:hunter2hunter2@db/orders"})
	if err != nil {
		t.Fatal(err)
	}
	return folder, w
}

func TestManyMayAppendAtOnce(t *testing.T) {
	folder, w := create(t)
	const writers, each = 8, 200
	numbers := make(chan int64, writers*each)
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for range each {
				n, err := w.Append(experiments.Record{Look: &experiments.Look{Probe: "web"}})
				if err != nil {
					t.Error(err)
				}
				numbers <- n
			}
		})
	}
	all.Wait()
	close(numbers)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	seen := map[int64]bool{}
	for n := range numbers {
		seen[n] = true
	}
	h, err := Read(folder.History())
	if err != nil || len(seen) != writers*each || len(h.Records) != 1+writers*each {
		t.Errorf("%d numbers, %d lines, %v; want %d of each and the head", len(seen), len(h.Records), err, writers*each)
	}
}

func TestALostObservationIsAnErrorThatStays(t *testing.T) {
	_, w := create(t)
	if err := w.file.Close(); err != nil { // a disk that went away
		t.Fatal(err)
	}
	lost := w.Sync()
	if !errors.Is(lost, fs.ErrClosed) {
		t.Fatalf("Sync = %v; want the cause", lost)
	}
	if _, err := w.Append(experiments.Record{}); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Append after a loss = %v; want the loss again", err)
	}
	if _, err := NewMarkers(w, "c-").Next(t.Context()); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("a marker was handed out that is not on disk: %v", err)
	}
}

func TestARecordThatCannotBeReadBackIsNotWritten(t *testing.T) {
	folder, w := create(t)
	if _, err := w.Append(experiments.Record{Trouble: &experiments.Trouble{Text: strings.Repeat("x", longestLine)}}); err == nil {
		t.Error("a line was written that Read refuses")
	}
	w.file.Close()
	if _, err := Read(folder.History()); err != nil {
		t.Error(err)
	}
}

// A crash cuts the file anywhere.
func TestACutAnywhereLeavesTheLinesBefore(t *testing.T) {
	folder, w := create(t)
	for range 3 {
		if _, err := w.Append(experiments.Record{Trouble: &experiments.Trouble{Text: "é"}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(folder.History())
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(whole) + 1 {
		part := string(whole[:i])
		h, err := ReadFrom("h", strings.NewReader(part))
		lines, torn := strings.Count(part, "\n"), part != "" && !strings.HasSuffix(part, "\n")
		if err != nil || len(h.Records) != lines || h.Torn != torn {
			t.Fatalf("cut at %d: %d records, torn %v, %v; want %d, %v", i, len(h.Records), h.Torn, err, lines, torn)
		}
	}
}

func TestALineIsBounded(t *testing.T) {
	_, err := ReadFrom("h", strings.NewReader(strings.Repeat("x", longestLine+2)))
	if err == nil || !strings.Contains(err.Error(), "h:1: longer than 16 MiB") {
		t.Errorf("error %v; want one that names line 1 and the bound", err)
	}
	_, err = ReadFrom("h", strings.NewReader(`{"seq":1,"at":"2026-11-24T00:00:00Z","head":{"schema":"candor.history/v1"}}{}`+"\n"))
	if err == nil || !strings.Contains(err.Error(), "more follows it") {
		t.Errorf("error %v; want one about two records on a line", err)
	}
}

func TestNames(t *testing.T) {
	for experiment, want := range map[string]string{
		"payments-outage": "-payments-outage-", "Payments outage!": "-payments-outage-", "../../etc": "-etc-", "": "-run-", "日本": "-run-",
		strings.Repeat("long", 40): "-" + strings.Repeat("long", 10) + "-",
	} {
		run := NewRun(experiment)
		if !regexp.MustCompile(`^\d{8}-\d{6}` + want + `[a-z2-9]{4}$`).MatchString(run) {
			t.Errorf("NewRun(%q) = %q", experiment, run)
		}
	}
	seen := map[string]bool{}
	for range 1000 {
		prefix := NewPrefix()
		if seen[prefix] || !regexp.MustCompile(`^c[a-z2-9]{7}-$`).MatchString(prefix) {
			t.Fatalf("NewPrefix() = %q, which is malformed or was drawn before", prefix)
		}
		seen[prefix] = true
	}
}

func BenchmarkAppend(b *testing.B) {
	_, w := create(b)
	body := strings.Repeat("<p>The quick brown fox buys a book.</p>\n", 256)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		r := experiments.Record{Exchange: &experiments.Exchange{URL: "http://x/", Headers: map[string][]string{"Content-Type": {"text/html"}}, Body: experiments.Text{Text: body}}}
		if _, err := w.Append(r); err != nil {
			b.Fatal(err)
		}
	}
}
