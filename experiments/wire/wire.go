// Package wire reads what servers answer. None of them is trusted: a body is read and kept within bounds, counted and
// hashed beyond what is kept, and searched as it passes; a failure gets one of nine names by its type.
package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"strings"

	"github.com/candor-chaos/candor/experiments"
)

// Limits bounds one body, in bytes.
type Limits struct {
	Keep int64 // kept as evidence
	See  int64 // what expressions look at
	Read int64 // read at most
}

// DefaultLimits are what a journey's answers are held to: 64 KiB kept, 1 MiB seen, 8 MiB read.
func DefaultLimits() Limits { return Limits{Keep: 64 << 10, See: 1 << 20, Read: 8 << 20} }

// Inspect searches a piece of a body. Offsets of its hits count from the start of the piece.
type Inspect func(piece []byte) []experiments.PatternHit

// Body is what was read of an answer.
type Body struct {
	Seen []byte // from the start, up to Limits.See
	Text experiments.Text
	Hits []experiments.PatternHit
}

// chunk is how much is read at a time.
const chunk = 32 << 10

// ReadBody reads until the end, the limit, or an error, and gives what it has in each case. A stream that is longer than
// Limits.Read is no error: Text.Unread says so. Memory stays within Limits.See and one window of the search.
func ReadBody(r io.Reader, l Limits, inspect Inspect) (Body, error) {
	var body Body
	hash := sha256.New()
	search := newSearch(inspect)
	buf := make([]byte, chunk)
	var err error
	for err == nil && body.Text.Length < l.Read {
		var n int
		n, err = r.Read(buf[:min(chunk, l.Read-body.Text.Length)])
		piece := buf[:n]
		body.Text.Length += int64(n)
		hash.Write(piece)
		body.Seen = append(body.Seen, piece[:min(int64(n), l.See-int64(len(body.Seen)))]...)
		search.write(piece)
	}
	if err == nil {
		body.Text.Unread, err = more(r)
	}
	if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	body.Hits = search.end()
	body.Text.Text = Printable(body.Seen[:min(l.Keep, int64(len(body.Seen)))])
	body.Text.Cut = body.Text.Length > l.Keep || body.Text.Unread
	body.Text.SHA256 = hex.EncodeToString(hash.Sum(nil))
	if body.Text.Length == 0 {
		body.Text.SHA256 = ""
	}
	return body, err
}

// more looks whether anything follows what was read. It waits for one byte, within the time that the reader has.
func more(r io.Reader) (bool, error) {
	var one [1]byte
	n, err := io.ReadFull(r, one[:])
	return n > 0, err
}

// Keep is a text that is at hand, such as the body of a request, cut like a body that was read.
func Keep(body []byte, keep int64) experiments.Text {
	if len(body) == 0 {
		return experiments.Text{}
	}
	sum := sha256.Sum256(body)
	return experiments.Text{Text: Printable(body[:min(keep, int64(len(body)))]), Length: int64(len(body)),
		SHA256: hex.EncodeToString(sum[:]), Cut: int64(len(body)) > keep}
}

// Printable makes a text that JSON holds unchanged. A character that the cut went through is dropped.
func Printable(body []byte) string {
	return strings.ToValidUTF8(string(body), "\uFFFD")
}

// Line is the start of a text in one line, for people: at most limit bytes.
func Line(text string, limit int) string {
	line := strings.Join(strings.Fields(text[:min(len(text), 4*limit)]), " ")
	if len(line) <= limit {
		return strings.ToValidUTF8(line, "")
	}
	return strings.ToValidUTF8(line[:limit], "") + "…"
}
