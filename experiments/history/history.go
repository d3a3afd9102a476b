// Package history keeps what was seen in one run: a file of JSON lines to which everything that acts in the run appends,
// and from which everything else is derived.
//
//	.candor/runs/<run>/history.jsonl   the observations; the truth about the run
//	                   plan.json       what the run was to do
//	                   result.json     the judgement, which can be made again
//
// Observations may be buffered, and the tail may be lost without harm; what must not be lost is synced: the line that
// reserves markers, before any of them is used. A lost observation is an error that stays: the run proves nothing.
package history

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// Schema names the format of the lines.
const Schema = "candor.history/v1"

// Writer appends to a run's history. It is safe for use side by side.
type Writer struct {
	secrets redactor

	mu     sync.Mutex
	file   *os.File
	buffer *bufio.Writer
	seq    int64
	err    error // the first that happened: evidence is lost, and every later append says so
}

// Create begins the history of a run and syncs its first line. secrets are values that must not be kept, by name.
func Create(folder Folder, head experiments.Head, secrets map[string]string) (*Writer, error) {
	f, err := os.OpenFile(folder.History(), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("begin history: %w", err)
	}
	w := &Writer{file: f, buffer: bufio.NewWriterSize(f, 256<<10), secrets: newRedactor(secrets)}
	if _, err = w.Append(experiments.Record{Head: &head}); err == nil {
		err = w.Sync()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("begin history: %w", err), f.Close())
	}
	return w, nil
}

// Append writes one record and returns its line number. A record without a time gets the present one.
func (w *Writer) Append(r experiments.Record) (int64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.append(r)
}

func (w *Writer) append(r experiments.Record) (int64, error) {
	if w.err != nil {
		return 0, w.err
	}
	if r.At.IsZero() {
		r.At = time.Now()
	}
	r.At = r.At.UTC()
	r.Seq = w.seq + 1
	r = w.secrets.record(r)
	if err := w.write(r); err != nil {
		w.err = fmt.Errorf("append to history: %w", err)
		return 0, w.err
	}
	w.seq++
	return w.seq, nil
}

func (w *Writer) write(r experiments.Record) error {
	line, err := json.Marshal(r)
	if err == nil {
		line, err = w.secrets.line(line)
	}
	if err == nil && len(line) > longestLine {
		err = fmt.Errorf("a record of %d MiB is longer than a line may be (%d MiB)", len(line)>>20, longestLine>>20)
	}
	if err == nil {
		_, err = w.buffer.Write(append(line, '\n'))
	}
	return err
}

// Sync brings all that was appended to the disk.
func (w *Writer) Sync() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sync()
}

func (w *Writer) sync() error {
	if w.err != nil {
		return w.err
	}
	err := w.buffer.Flush()
	if err == nil {
		err = w.file.Sync()
	}
	if err != nil {
		w.err = fmt.Errorf("sync history: %w", err)
	}
	return w.err
}

// appendSynced appends and syncs as one step.
func (w *Writer) appendSynced(r experiments.Record) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, err := w.append(r); err != nil {
		return err
	}
	return w.sync()
}

// errClosed stays: what would be appended now is lost.
var errClosed = errors.New("the history is closed")

// Close syncs and lets go of the file.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	err := errors.Join(w.sync(), w.file.Close())
	w.err = errClosed
	return err
}
