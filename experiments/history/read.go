package history

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/candor-chaos/candor/experiments"
)

// longestLine bounds one line; a record holds at most a bounded body.
const longestLine = 16 << 20

// Read reads a history. A last line that was cut off is left out and said so; a bad line anywhere else is an error with
// its number, as is a line of a newer candor.
func Read(path string) (experiments.History, error) {
	f, err := os.Open(path)
	if err != nil {
		return experiments.History{}, fmt.Errorf("read history: %w", err)
	}
	defer f.Close()
	return ReadFrom(path, f)
}

// ReadFrom is Read from a stream; name stands in errors.
func ReadFrom(name string, from io.Reader) (experiments.History, error) {
	var h experiments.History
	in := bufio.NewReaderSize(from, 1<<20)
	for n := int64(1); ; n++ {
		line, err := readLine(in)
		if errors.Is(err, io.EOF) {
			h.Torn = len(line) > 0
			return h, nil
		}
		if err != nil {
			return h, fmt.Errorf("%s:%d: %w", name, n, err)
		}
		record, err := parse(line)
		if err == nil && record.Seq != n {
			err = fmt.Errorf("says that it is line %d", record.Seq)
		}
		if err == nil && n == 1 && (record.Head == nil || record.Head.Schema != Schema) {
			err = fmt.Errorf("is not the head of a %s", Schema)
		}
		if err != nil {
			return h, fmt.Errorf("%s:%d: %w", name, n, err)
		}
		h.Records = append(h.Records, record)
	}
}

func parse(line []byte) (r experiments.Record, err error) {
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return r, fmt.Errorf("not a record that this candor knows: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return r, errors.New("not a record that this candor knows: more follows it on its line")
	}
	return r, nil
}

// readLine returns a line without its end; the rest of a file without one comes with io.EOF.
func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		piece, err := in.ReadSlice('\n')
		line = append(line, piece...)
		if len(line) > longestLine {
			return nil, fmt.Errorf("longer than %d MiB", longestLine>>20)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		return bytes.TrimSuffix(line, []byte("\n")), err
	}
}
