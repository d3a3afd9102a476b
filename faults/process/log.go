package process

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// logLimit bounds what is kept of a service's output: a service in trouble may print without an end.
const logLimit = 16 << 20

// tailLimit bounds what is kept in memory, to be shown when a service does not start.
const tailLimit = 512

// output keeps what a service prints, over all of its incarnations.
type output struct {
	mu   sync.Mutex
	file *os.File
	left int
	tail []byte
}

func newOutput(folder, service string) (*output, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, fmt.Errorf("make a folder for the logs of services: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(folder, service+".log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("keep the log of %s: %w", service, err)
	}
	return &output{file: f, left: logLimit}, nil
}

// Write never fails: a service must not feel that its log is full, or the disk.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tail = append(o.tail, p...)
	o.tail = o.tail[max(0, len(o.tail)-tailLimit):]
	if o.left > 0 {
		n, _ := o.file.Write(p[:min(len(p), o.left)])
		if o.left -= n; o.left <= 0 {
			_, _ = o.file.WriteString("\n[candor keeps no more of this log]\n")
		}
	}
	return len(p), nil
}

// last is what was printed last.
func (o *output) last() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.tail)
}

func (o *output) close() error { return o.file.Close() }
