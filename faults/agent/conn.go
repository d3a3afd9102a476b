package agent

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/candor-chaos/candor/faults"
)

// ErrGone means that the agent has ended, or can no longer be heard.
var ErrGone = errors.New("the agent is gone")

// ErrRefused is what an agent's own error is.
var ErrRefused = errors.New("the agent could not")

// Conn is the runner's end of an agent's standard input and output.
type Conn struct {
	stream io.Closer
	seen   func(faults.Request)

	write sync.Mutex // one line at a time
	out   *json.Encoder

	mu      sync.Mutex
	next    int64
	waiting map[int64]chan Answer
	gone    chan struct{}
	why     error
}

// NewConn takes over an agent's streams. seen is told what passes on the paths; it must not wait. Whoever makes a Conn
// closes it.
func NewConn(in io.Writer, out io.Reader, closer io.Closer, seen func(faults.Request)) *Conn {
	c := &Conn{stream: closer, seen: seen, out: json.NewEncoder(in), waiting: map[int64]chan Answer{}, gone: make(chan struct{})}
	go c.read(out)
	return c
}

// answerLimit bounds one line of output.
const answerLimit = 1 << 20

func (c *Conn) read(from io.Reader) {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, answerLimit)
	var err error
	for err == nil && lines.Scan() {
		var a Answer
		if err = json.Unmarshal(lines.Bytes(), &a); err == nil {
			c.deliver(a)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.why = errors.Join(ErrGone, err, lines.Err())
	close(c.gone)
}

func (c *Conn) deliver(a Answer) {
	if a.Seen != nil {
		if c.seen != nil {
			c.seen(*a.Seen)
		}
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if w, waits := c.waiting[a.ID]; waits {
		delete(c.waiting, a.ID)
		w <- a
	}
}

// Do asks the agent and waits for its answer.
func (c *Conn) Do(ctx context.Context, r Request) (Answer, error) {
	answer := make(chan Answer, 1)
	c.mu.Lock()
	c.next++
	r.ID = c.next
	c.waiting[r.ID] = answer
	c.mu.Unlock()
	defer c.forget(r.ID)
	if err := c.send(r); err != nil {
		return Answer{}, errors.Join(ErrGone, err)
	}
	select {
	case a := <-answer:
		if a.Error != "" {
			return a, fmt.Errorf("%w %s: %s", ErrRefused, r.Op, a.Error)
		}
		return a, nil
	case <-c.gone:
		return Answer{}, c.Err()
	case <-ctx.Done():
		return Answer{}, context.Cause(ctx)
	}
}

func (c *Conn) send(r Request) error {
	c.write.Lock()
	defer c.write.Unlock()
	return c.out.Encode(r)
}

func (c *Conn) forget(id int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.waiting, id)
}

// Gone is closed when the agent has ended.
func (c *Conn) Gone() <-chan struct{} { return c.gone }

// Err is why the agent can no longer be heard, once it is gone.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.why
}

// Close ends the agent's input, which ends the agent, and waits until it can no longer be heard or ctx ends.
func (c *Conn) Close(ctx context.Context) error {
	err := c.stream.Close()
	select {
	case <-c.gone:
		return err
	case <-ctx.Done():
		return errors.Join(err, context.Cause(ctx))
	}
}
