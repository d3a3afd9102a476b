package wire

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-chaos/candor/experiments"
)

var small = Limits{Keep: 8, See: 16, Read: 64}

func TestReadBodyKeepsWithinLimits(t *testing.T) {
	for _, c := range []struct {
		name string
		body string
		want experiments.Text
		seen int
	}{
		{"empty", "", experiments.Text{}, 0},
		{"fits", "12345678", experiments.Text{Text: "12345678", Length: 8}, 8},
		{"longer than kept", "123456789", experiments.Text{Text: "12345678", Length: 9, Cut: true}, 9},
		{"longer than seen", strings.Repeat("x", 20), experiments.Text{Text: "xxxxxxxx", Length: 20, Cut: true}, 16},
		{"exactly what is read", strings.Repeat("x", 64), experiments.Text{Text: "xxxxxxxx", Length: 64, Cut: true}, 16},
		{"longer than read", strings.Repeat("x", 65), experiments.Text{Text: "xxxxxxxx", Length: 64, Cut: true, Unread: true}, 16},
		{"a rune on the cut", "1234567é", experiments.Text{Text: "1234567\uFFFD", Length: 9, Cut: true}, 9},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ReadBody(strings.NewReader(c.body), small, nil)
			if err != nil {
				t.Fatal(err)
			}
			if c.want.Length > 0 {
				sum := sha256.Sum256([]byte(c.body[:c.want.Length]))
				c.want.SHA256 = hex.EncodeToString(sum[:])
			}
			if diff := cmp.Diff(c.want, got.Text); diff != "" {
				t.Errorf("ReadBody(%q) keeps (-want +got):\n%s", c.body, diff)
			}
			if len(got.Seen) != c.seen {
				t.Errorf("ReadBody(%q) shows %d bytes; want %d", c.body, len(got.Seen), c.seen)
			}
		})
	}
}

// broken gives some bytes and then an error.
type broken struct {
	io.Reader
	err error
}

func (b broken) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		err = b.err
	}
	return n, err
}

func TestReadBodyKeepsWhatCameBeforeAnError(t *testing.T) {
	got, err := ReadBody(broken{strings.NewReader("half an ans"), io.ErrUnexpectedEOF}, DefaultLimits(), nil)
	if !errors.Is(err, io.ErrUnexpectedEOF) || got.Text.Text != "half an ans" {
		t.Errorf("ReadBody of a broken stream = %q, %v", got.Text.Text, err)
	}
}

// endless counts what is taken from it.
type endless struct{ taken int64 }

func (e *endless) Read(p []byte) (int, error) {
	e.taken += int64(len(p))
	return len(p), nil
}

func TestReadBodyLeavesAnEndlessStream(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	source := &endless{}
	got, err := ReadBody(source, DefaultLimits(), func([]byte) []experiments.PatternHit { return nil })
	runtime.ReadMemStats(&after)
	if err != nil || !got.Text.Unread || got.Text.Length != 8<<20 {
		t.Fatalf("ReadBody(endless) = %d bytes, unread %v, %v", got.Text.Length, got.Text.Unread, err)
	}
	if source.taken > 8<<20+1 {
		t.Errorf("ReadBody took %d bytes; the limit is %d", source.taken, 8<<20)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 8<<20 {
		t.Errorf("reading 8 MiB of which 1 MiB is seen allocated %d bytes in all", used)
	}
}

func TestReadBodyBoundsAGzipBomb(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := io.CopyN(w, zeros{}, 256<<20); err != nil {
		t.Fatal(err)
	}
	w.Close()
	r, err := gzip.NewReader(&packed)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ReadBody(r, DefaultLimits(), nil)
	if err != nil || got.Text.Length != 8<<20 || !got.Text.Unread {
		t.Errorf("ReadBody(bomb) = %d bytes, unread %v, %v", got.Text.Length, got.Text.Unread, err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// finds every "needle" in a piece.
func needles(piece []byte) []experiments.PatternHit {
	var hits []experiments.PatternHit
	for from := 0; ; {
		at := bytes.Index(piece[from:], []byte("needle"))
		if at < 0 {
			return hits
		}
		hits = append(hits, experiments.PatternHit{Pattern: "needle", Offset: int64(from + at), Text: "needle"})
		from += at + 6
	}
}

func TestSearchFindsEachHitOnce(t *testing.T) {
	// Around every seam of two windows, and read in pieces of any size.
	random := rand.New(rand.NewSource(1))
	for range 200 {
		at := window - 12 + random.Intn(24) - random.Intn(2)*overlap + random.Intn(3)*(window-overlap)
		stream := strings.Repeat(".", at) + "needle" + strings.Repeat(".", random.Intn(2*window))
		s := newSearch(needles)
		for rest := []byte(stream); len(rest) > 0; {
			n := min(len(rest), 1+random.Intn(70000))
			s.write(rest[:n])
			rest = rest[n:]
		}
		got := s.end()
		if len(got) != 1 || got[0].Offset != int64(at) {
			t.Fatalf("a needle at %d of %d was found as %v", at, len(stream), got)
		}
	}
}

func TestSearchBoundsItsHits(t *testing.T) {
	got, err := ReadBody(strings.NewReader(strings.Repeat("needle ", 10000)), DefaultLimits(), needles)
	if err != nil || len(got.Hits) != maxHits {
		t.Errorf("10000 hits are kept as %d, %v; want %d", len(got.Hits), err, maxHits)
	}
}

func TestJSON(t *testing.T) {
	empty := map[string]any{}
	for _, c := range []struct {
		body string
		want any
	}{
		{`{"id": 12345678901234567, "price": 12.5}`, map[string]any{"id": int64(12345678901234567), "price": 12.5}},
		{`[1, "a", null]`, []any{int64(1), "a", nil}},
		{"\ufeff {\"a\": true} \n", map[string]any{"a": true}},
		{`{"big": 123456789012345678901234567890}`, map[string]any{"big": 1.2345678901234568e29}},
		{`{"huge": 1e999}`, map[string]any{"huge": "1e999"}},
		{`{"id": 1}{"id": 2}`, empty},
		{`{"id": 1`, empty},
		{`404`, empty},
		{`<html>`, empty},
		{``, empty},
		{strings.Repeat("[", 100000) + strings.Repeat("]", 100000), empty},
	} {
		read, err := ReadBody(strings.NewReader(c.body), DefaultLimits(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, JSON(read)); diff != "" {
			t.Errorf("JSON(%.40q) (-want +got):\n%s", c.body, diff)
		}
	}
}

func TestJSONDoesNotReadHalfABody(t *testing.T) {
	body, err := ReadBody(strings.NewReader(`[1] `+strings.Repeat(" ", 20)), small, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(any(map[string]any{}), JSON(body)); diff != "" {
		t.Errorf("JSON of a body that is seen in part (-want +got):\n%s", diff)
	}
}

func TestLine(t *testing.T) {
	for text, want := range map[string]string{"": "", "a\n  b\tc": "a b c", strings.Repeat("x", 50): strings.Repeat("x", 10) + "…", "123456789é": "123456789…"} {
		if got := Line(text, 10); got != want {
			t.Errorf("Line(%q, 10) = %q; want %q", text, got, want)
		}
	}
}
