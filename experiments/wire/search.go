package wire

import (
	"slices"

	"github.com/candor-chaos/candor/experiments"
)

const (
	window  = 128 << 10 // searched at once
	overlap = 4 << 10   // searched again with the next window, so that nothing hides on the seam
	maxHits = 50        // kept of one body
)

// search runs an Inspect over a stream by windows that overlap.
type search struct {
	inspect Inspect
	buf     []byte
	base    int64 // offset of buf in the stream
	fresh   bool  // buf holds bytes that were not searched
	hits    []experiments.PatternHit
}

func newSearch(inspect Inspect) *search { return &search{inspect: inspect} }

func (s *search) write(piece []byte) {
	if s.inspect == nil {
		return
	}
	for len(piece) > 0 {
		n := min(len(piece), window-len(s.buf))
		s.buf = append(s.buf, piece[:n]...)
		s.fresh = true
		piece = piece[n:]
		if len(s.buf) == window {
			s.look()
			s.base += window - overlap
			s.buf = append(s.buf[:0], s.buf[window-overlap:]...)
		}
	}
}

func (s *search) end() []experiments.PatternHit {
	if s.fresh {
		s.look()
	}
	return s.hits
}

// look searches what is in the buffer. A hit that two windows saw is kept once, in its longer form.
func (s *search) look() {
	s.fresh = false
	for _, hit := range s.inspect(s.buf) {
		hit.Offset += s.base
		known := slices.IndexFunc(s.hits, func(h experiments.PatternHit) bool {
			return h.Pattern == hit.Pattern && h.Offset == hit.Offset
		})
		switch {
		case known >= 0 && len(hit.Text) > len(s.hits[known].Text):
			s.hits[known] = hit
		case known < 0 && len(s.hits) < maxHits:
			s.hits = append(s.hits, hit)
		}
	}
}
