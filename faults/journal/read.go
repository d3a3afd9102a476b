package journal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
)

// LineError is a line that cannot be read, so that nothing in its journal can be trusted and nothing is touched.
type LineError struct {
	Path string
	Line int
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("%s:%d: %v", e.Path, e.Line, e.Err) }

func (e *LineError) Unwrap() error { return e.Err }

// Read reads a journal without a lock, also while its runner writes. With a *LineError the Log holds what stood before
// the line, which is enough to say whose journal it is and not enough to act on.
func Read(path string) (Log, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Log{Path: path}, fmt.Errorf("read journal: %w", err)
	}
	l, _, err := parse(path, data)
	return l, err
}

// parse also says how many bytes hold whole lines.
func parse(path string, data []byte) (Log, int64, error) {
	l := Log{Path: path}
	var whole int64
	for len(data) > 0 {
		line, rest, ended := bytes.Cut(data, []byte{'\n'})
		// A file that grew before its blocks were written holds zeros after a power cut.
		if !ended || len(rest) == 0 && bytes.IndexByte(line, 0) >= 0 {
			l.Torn = true
			break
		}
		var r Record
		err := json.Unmarshal(line, &r)
		if err == nil {
			err = l.check(r)
		}
		if err != nil {
			return l, whole, &LineError{Path: path, Line: len(l.Records) + 1, Err: err}
		}
		l.take(r)
		whole += int64(len(line)) + 1
		data = rest
	}
	return l, whole, nil
}
