package demo

import (
	"hash/fnv"
	"net/http"
	"slices"
	"sync"
	"time"
)

// told keeps which lie was told about which marker.
type told struct {
	enabled []string

	mu   sync.Mutex
	list []tale
}

// tale is one lie that was told.
type tale struct {
	Marker string    `json:"marker"`
	Lie    string    `json:"lie"`
	At     time.Time `json:"at"`
}

func newTold(o Options) *told { return &told{enabled: o.Lies, list: []tale{}} }

// lies reports whether a lie is switched on.
func (t *told) lies(id string) bool { return slices.Contains(t.enabled, id) }

// pick chooses the one lie that a marker is told: by its hash, among those that are on and fit. None: "".
func (t *told) pick(marker string, fitting []string) string {
	var able []string
	for _, id := range fitting {
		if t.lies(id) {
			able = append(able, id)
		}
	}
	if len(able) == 0 {
		return ""
	}
	h := fnv.New32a()
	h.Write([]byte(marker))
	return able[int(h.Sum32()%uint32(len(able)))]
}

// note remembers a lie that was told.
func (t *told) note(id, marker string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.list = append(t.list, tale{Marker: marker, Lie: id, At: time.Now().UTC()})
}

// handler lists what was told at GET /lies.
func (t *told) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /lies", func(w http.ResponseWriter, _ *http.Request) {
		t.mu.Lock()
		defer t.mu.Unlock()
		writeJSON(w, http.StatusOK, map[string]any{"told": t.list})
	})
	return mux
}
