package history

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// block is how many markers one synced line reserves, so that load is not bound by the disk.
const block = 1000

// Markers hands out the run's markers: its prefix and a counter. It is safe for use side by side.
type Markers struct {
	writer *Writer
	prefix string

	mu       sync.Mutex
	next     int64
	reserved int64 // the last marker that is reserved on disk
}

// NewMarkers begins at 1.
func NewMarkers(w *Writer, prefix string) *Markers {
	return &Markers{writer: w, prefix: prefix, next: 1}
}

// Next returns a marker that nobody else gets. The line that reserves it is on disk before it returns.
func (m *Markers) Next(ctx context.Context) (string, error) {
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.next > m.reserved {
		b := experiments.MarkerBlock{First: m.next, Last: m.next + block - 1}
		if err := m.writer.appendSynced(experiments.Record{Block: &b}); err != nil {
			return "", fmt.Errorf("reserve markers: %w", err)
		}
		m.reserved = b.Last
	}
	marker := fmt.Sprintf("%s%d", m.prefix, m.next)
	m.next++
	return marker, nil
}

// NewPrefix draws what all markers of a run begin with: letters and digits that survive trimming and a change of case,
// and nothing that a product would take for its own.
func NewPrefix() string { return "c" + draw(7) + "-" }

// NewRun names a run: when, what, and four letters that keep two of the same second apart.
func NewRun(experiment string) string {
	what := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-':
			return r
		case r >= 'A' && r <= 'Z':
			return r + ('a' - 'A')
		}
		return '-'
	}, experiment)
	what = strings.Join(strings.FieldsFunc(what[:min(len(what), 40)], func(r rune) bool { return r == '-' }), "-")
	if what == "" {
		what = "run"
	}
	return time.Now().UTC().Format("20060102-150405-") + what + "-" + draw(4)
}

// draw makes n letters or digits that no eye mixes up.
func draw(n int) string {
	const alphabet = "23456789abcdefghjkmnpqrstuvwxyz"
	random := make([]byte, n)
	rand.Read(random) // never fails (crypto/rand)
	for i, b := range random {
		random[i] = alphabet[int(b)%len(alphabet)]
	}
	return string(random)
}
