package guardian

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/candor-chaos/candor/faults/journal"
)

// ErrGone: the guardian died, so that nobody would mend in the runner's place.
var ErrGone = errors.New("the guardian is gone")

// ErrTook: the guardian has settled everything because the runner seemed to hang. The runner must end.
var ErrTook = errors.New("the guardian has taken over")

// Streams are the two ends of a guardian that was started, and how to wait for its end. Closing In is what it takes for
// the runner's death.
type Streams struct {
	In   io.WriteCloser
	Out  io.Reader
	Wait func(ctx context.Context) error // until it has ended and nothing of it is left
	Kill func(ctx context.Context) error // ends one that does not leave, when nothing is owed any more
}

// Guardian is the runner's end of a guardian.
type Guardian struct {
	streams Streams
	write   sync.Mutex
	in      *json.Encoder
	heard   chan answer
	ended   chan struct{} // closed when it can no longer be heard
	lost    chan struct{} // closed when it must not be relied on any more
	rests   chan struct{} // closed by Dismiss and Leave

	mu   sync.Mutex
	why  error
	once sync.Once
}

const (
	answerTime = 5 * time.Second // for one line to be understood
	beatEvery  = time.Second
	// Silence is how long a runner may say nothing before its guardian takes it for hanging.
	Silence = 15 * time.Second
)

// Guard makes a guardian that was started responsible for a journal: it knows all that the journal holds before Guard
// returns, and each record from then on before it is acted on. The run should be over after expiry. Whoever guards ends
// it with Dismiss or Leave.
func Guard(ctx context.Context, s Streams, j *journal.Journal, expiry time.Duration) (*Guardian, error) {
	g := &Guardian{streams: s, in: json.NewEncoder(s.In), heard: make(chan answer), ended: make(chan struct{}),
		lost: make(chan struct{}), rests: make(chan struct{})}
	go g.read()
	l := j.Log()
	err := g.say(ctx, message{Hello: &hello{Journal: l.Path, Silence: Silence, Expiry: expiry, Now: time.Now()}})
	if err == nil {
		err = j.Attach(func(r journal.Record) error { return g.say(ctx, message{Record: &r}) })
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make the guardian responsible: %w", err), g.Dismiss(context.WithoutCancel(ctx)))
	}
	go g.beat(ctx)
	return g, nil
}

func (g *Guardian) read() {
	lines := bufio.NewScanner(g.streams.Out)
	lines.Buffer(nil, lineLimit)
	err := ErrGone
	for lines.Scan() {
		var a answer
		if jerr := json.Unmarshal(lines.Bytes(), &a); jerr != nil {
			err = fmt.Errorf("%w: it said what cannot be read: %w", ErrGone, jerr)
			break
		}
		if a.Took != "" {
			g.lose(fmt.Errorf("%w: %s", ErrTook, a.Took))
			continue
		}
		select {
		case g.heard <- a:
		case <-time.After(answerTime): // nobody waits for it any more
		case <-g.rests:
		}
	}
	g.lose(errors.Join(err, lines.Err()))
	close(g.ended)
}

func (g *Guardian) lose(why error) {
	g.once.Do(func() {
		g.mu.Lock()
		g.why = why
		g.mu.Unlock()
		close(g.lost)
	})
}

// say sends one line and waits until it is understood: a guardian that stands still is as good as none. It is on a clock
// of its own: what is in force may have to be settled after the run's context has ended.
func (g *Guardian) say(ctx context.Context, m message) (err error) {
	g.write.Lock()
	defer g.write.Unlock()
	if g.gone() && !m.Bye {
		return g.Err()
	}
	defer func() {
		if errors.Is(err, ErrGone) {
			g.lose(err)
		}
	}()
	if d, can := g.streams.In.(interface{ SetWriteDeadline(time.Time) error }); can {
		_ = d.SetWriteDeadline(time.Now().Add(answerTime)) // what has no deadline waits for its reader
	}
	if err := g.in.Encode(m); err != nil {
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	if m.Bye {
		return nil
	}
	within, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), answerTime, fmt.Errorf("%w: no answer in %s", ErrGone, answerTime))
	defer cancel()
	for {
		select {
		case a := <-g.heard:
			switch {
			case m.Record != nil && a.Heard != m.Record.Seq:
				continue // to a line that was given up
			case a.Error != "":
				return fmt.Errorf("the guardian refused: %s", a.Error)
			}
			return nil
		case <-g.ended:
			return g.Err()
		case <-within.Done():
			return context.Cause(within)
		}
	}
}

func (g *Guardian) beat(ctx context.Context) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-g.rests:
			return
		case <-g.ended:
			return
		case <-tick.C:
			if err := g.say(ctx, message{Beat: true}); err != nil {
				g.lose(err)
				return
			}
		}
	}
}

// gone reports whether it can no longer be heard at all. One that took over still answers.
func (g *Guardian) gone() bool {
	select {
	case <-g.lost:
		return errors.Is(g.Err(), ErrGone)
	default:
		return false
	}
}

// Lost is closed when the guardian cannot be relied on any more: Err says why.
func (g *Guardian) Lost() <-chan struct{} { return g.lost }

// Err is why the guardian was lost, nil while it was not.
func (g *Guardian) Err() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.why
}

// dismissTime bounds a goodbye.
const dismissTime = 5 * time.Second

// Dismiss says goodbye, when nothing is owed any more, and waits until nothing of the guardian is left.
func (g *Guardian) Dismiss(ctx context.Context) error {
	_ = g.say(ctx, message{Bye: true}) // one that is gone already hears nothing
	return g.end(ctx)
}

// Leave ends without a goodbye: something stays owed, and the guardian goes on trying. It waits for nothing.
func (g *Guardian) Leave() error {
	close(g.rests)
	_ = g.streams.In.Close() // one that is gone has closed it already
	return nil
}

func (g *Guardian) end(ctx context.Context) error {
	close(g.rests)
	_ = g.streams.In.Close() // one that is gone has closed it already
	within, cancel := context.WithTimeout(ctx, dismissTime)
	defer cancel()
	if g.streams.Wait(within) == nil || within.Err() == nil {
		return nil // how it ended is its own affair: nothing is owed
	}
	within, stop := context.WithTimeout(ctx, dismissTime)
	defer stop()
	if err := g.streams.Kill(within); err != nil {
		return fmt.Errorf("end a guardian that does not leave: %w", err)
	}
	return nil
}
