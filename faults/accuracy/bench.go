// Package accuracy measures what faults really do: how much of what was asked, how soon after they were told to begin, and
// how soon after their end all is as it was. The tests of each world run it there, and `make accuracy` prints its table.
//
//	Inject ─▶ ask again and again: from when on is it felt? ─▶ gauge ─▶ Revert ─▶ ask: from when on is it not? ─▶ State
package accuracy

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/faulttest"
)

// Bench is where faults are measured: services web and payments, of which the second is a peer (Serve).
type Bench struct {
	World  faults.World
	Dial   func(ctx context.Context) (net.Conn, error) // as web, to payments
	Lookup func(ctx context.Context) error             // of the name payments, as web
	Rounds int

	kept   *line // the connection of exchanges
	before *line // a connection that was open before the fault
}

// Measure is one way of measuring one fault.
type Measure struct {
	Fault string // as YAML
	Share faults.Share
	Asked string
	Once  bool // another round would draw the same from the seed, and say nothing more
	Alike bool // it is felt by everybody, all the time: nothing that begins after Inject may be spared
	Many  bool // an exchange may wait long in vain: ask without waiting for the one before
	// Felt asks once, and reports whether the fault was felt; nil: its times are not taken.
	Felt func(context.Context, *Bench) bool
	// Gauge adds to what was measured while the fault is in force.
	Gauge func(context.Context, *Bench, *Row) error
	// Judge says what is wrong with all that was gauged, and how it reads.
	Judge func(*Row) (said string, err error)
}

// Row is what all rounds of a measure came to.
type Row struct {
	Kind, Asked    string
	Values, Others []float64       // as the measure gauges them
	N, Hit         int             // of what is counted
	Usual          []float64       // the same as Values, without the fault
	Inject, Revert []time.Duration // from the call to the first that felt it, and to the first that did not
	Spared         int             // exchanges that began after Inject had returned, and did not feel it
	Left           int             // rounds after which State did not say absent
	Said           string
	alike          bool
}

// Rounds is how often each is measured, as the environment says: once, and only a few, where it says nothing.
func Rounds() (rounds int, all bool, err error) {
	text := os.Getenv("ACCURACY")
	if text == "" {
		return 1, false, nil
	}
	if rounds, err = strconv.Atoi(text); err != nil || rounds < 1 {
		return 0, false, fmt.Errorf("ACCURACY=%s is no number of rounds", text)
	}
	return rounds, true, nil
}

// settleTime bounds the wait for an effect, or for its end.
const settleTime = 30 * time.Second

// Run measures each that the world can have, and says what is wrong with each row.
func (b *Bench) Run(ctx context.Context, all []Measure) (rows []Row, err error) {
	for _, m := range all {
		row, merr := b.measure(ctx, m)
		if merr != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", m.Fault, merr))
		}
		if row != nil {
			rows = append(rows, *row)
		}
	}
	return rows, err
}

func (b *Bench) measure(ctx context.Context, m Measure) (*Row, error) {
	k, err := kindOf(m.Fault)
	if err != nil || !k.Needs(b.World) {
		return nil, err
	}
	row := &Row{Kind: k.Name, Asked: m.Asked, alike: m.Alike}
	rounds := b.Rounds
	if m.Once {
		rounds = 1
	}
	for range rounds {
		f, err := faulttest.Decode(k)
		if err != nil {
			return row, err
		}
		if s, can := f.(faults.Shareable); can && m.Share > 0 {
			s.HitShare(m.Share)
		}
		if s, is := f.(faults.Suited); is && s.Suits(b.World) != nil {
			return nil, nil // candor plan refuses it there
		}
		if err := b.round(ctx, m, f, row); err != nil {
			return row, err
		}
	}
	row.Said, err = m.Judge(row)
	if row.Left > 0 {
		err = errors.Join(err, fmt.Errorf("state is not absent after %d of %d rounds", row.Left, rounds))
	}
	return row, err
}

func kindOf(text string) (faults.Kind, error) {
	for _, k := range faults.Obligations() {
		if len(text) > len(k.Name) && text[:len(k.Name)+1] == k.Name+":" {
			k.Example = text
			return k, nil
		}
	}
	return faults.Kind{}, fmt.Errorf("no kind of fault: %s", text)
}

// round is one time in force. Whatever fails, it is reverted.
func (b *Bench) round(ctx context.Context, m Measure, f faults.Fault, row *Row) (err error) {
	if _, err := f.Prepare(ctx, b.World); err != nil {
		return err
	}
	if err := b.usually(ctx, row); err != nil {
		return err
	}
	began := time.Now()
	asking := b.ask(ctx, m)
	err = f.Inject(ctx, b.World)
	returned := time.Now()
	if err == nil && m.Felt != nil {
		if err = asking.until(ctx, true); err == nil {
			row.Inject = append(row.Inject, asking.effect(began, m.Alike))
			if m.Alike {
				row.Spared += asking.since(returned, false)
			}
		}
	}
	asking.end()
	if err == nil && m.Gauge != nil {
		err = m.Gauge(ctx, b, row)
	}
	began = time.Now()
	asking = b.ask(ctx, m)
	err = errors.Join(err, f.Revert(context.WithoutCancel(ctx), b.World))
	if err == nil && m.Felt != nil {
		if err = asking.until(ctx, false); err == nil {
			row.Revert = append(row.Revert, asking.whole(began))
		}
	}
	asking.end()
	b.letGo()
	if s, serr := f.State(ctx, b.World); serr != nil || s != faults.Absent {
		row.Left++
		err = errors.Join(err, serr)
	}
	return err
}

// usually opens a connection that will be an old one, and takes what an exchange takes without the fault.
func (b *Bench) usually(ctx context.Context, row *Row) (err error) {
	b.letGo()
	for until := time.Now().Add(settleTime); ; rest(ctx, 20*time.Millisecond) {
		if err = try(ctx, b); err == nil || ctx.Err() != nil || time.Now().After(until) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("without a fault: %w", err)
	}
	if b.before, err = b.line(ctx); err != nil {
		return err
	}
	for range 20 {
		took, err := b.before.say("usual", settleTime)
		if err != nil {
			return fmt.Errorf("without a fault: %w", err)
		}
		row.Usual = append(row.Usual, milliseconds(took))
	}
	return nil
}

// letGo ends what was kept.
func (b *Bench) letGo() {
	for _, l := range []*line{b.kept, b.before} {
		if l != nil {
			l.Close()
		}
	}
	b.kept, b.before = nil, nil
}

// line is a connection that is kept while it works.
type line struct {
	net.Conn
	in *bufio.Reader
}

func (b *Bench) line(ctx context.Context) (*line, error) {
	c, err := b.Dial(ctx)
	if err != nil {
		return nil, err
	}
	return &line{Conn: c, in: bufio.NewReaderSize(c, 64<<10)}, nil
}

// say sends a line and waits until it has come back, and says how long that took.
func (l *line) say(text string, within time.Duration) (time.Duration, error) {
	began := time.Now()
	_ = l.SetDeadline(began.Add(within)) // fails only when the connection has ended already
	if _, err := io.WriteString(l, text+"\n"); err != nil {
		return 0, err
	}
	_, err := io.ReadFull(l.in, make([]byte, len(text)+1))
	return time.Since(began), err
}
