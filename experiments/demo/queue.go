package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// task is an order that the shop promised to finish.
type task struct {
	Basket basket `json:"basket"`
	Pence  int    `json:"pence"`
	Done   bool   `json:"done"` // kept all the same: whoever was promised it can still ask
}

// queue keeps promises: what is in it is written down before the customer is told, and tried again, with the same keys,
// until it is done.
type queue struct {
	path string

	mu    sync.Mutex
	tasks map[string]task
}

// openQueue reads what an earlier process left. Without a folder it lives in memory alone.
func openQueue(folder string) (*queue, error) {
	q := &queue{tasks: map[string]task{}}
	if folder == "" {
		return q, nil
	}
	q.path = filepath.Join(folder, "queue.json")
	data, err := os.ReadFile(q.path)
	if errors.Is(err, fs.ErrNotExist) {
		return q, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &q.tasks)
	}
	if err != nil {
		return nil, fmt.Errorf("read the queue: %w", err)
	}
	return q, nil
}

func (q *queue) add(t task) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.tasks[t.Basket.Note] = t
	return q.save()
}

func (q *queue) done(note string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	t := q.tasks[note]
	t.Done = true
	q.tasks[note] = t
	return q.save()
}

// state is what is known here of an order that was promised; empty for all others. It needs no other service: a monitor
// that fails while orders is slow would leave whoever was promised something with nothing to follow.
func (q *queue) state(note string) string {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch t, is := q.tasks[note]; {
	case !is:
		return ""
	case t.Done:
		return "placed"
	}
	return "pending"
}

// open lists what is not done.
func (q *queue) open() []task {
	q.mu.Lock()
	defer q.mu.Unlock()
	var tasks []task
	for _, t := range q.tasks {
		if !t.Done {
			tasks = append(tasks, t)
		}
	}
	return tasks
}

func (q *queue) save() error {
	if q.path == "" {
		return nil
	}
	data, err := json.Marshal(q.tasks)
	if err != nil {
		return fmt.Errorf("save the queue: %w", err)
	}
	next := q.path + ".next"
	if err := os.WriteFile(next, data, 0o600); err != nil {
		return fmt.Errorf("save the queue: %w", err)
	}
	return os.Rename(next, q.path)
}

// work finishes what is in the queue until ctx ends. The pauses differ, so that shops that come back together do not
// fall over the same service together.
func (s *web) work(ctx context.Context) {
	for {
		pause := s.options.paced(8*time.Second) + rand.N(s.options.paced(8*time.Second))
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		for _, t := range s.queue.open() {
			if s.finish(ctx, t) == nil {
				_ = s.queue.done(t.Basket.Note) // not saved: it is finished once more, with the same keys
			}
		}
	}
}

func (s *web) finish(ctx context.Context, t task) error {
	b := t.Basket
	if err := s.payments.call(ctx, http.MethodPost, "/charges", "charge "+b.Note, charge{Reference: b.Note, Pence: t.Pence}, nil); err != nil {
		return err
	}
	return s.orders.call(ctx, http.MethodPost, "/orders/"+b.Note+"/place", "place "+b.Note, nil, nil)
}
