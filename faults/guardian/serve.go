package guardian

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/candor-chaos/candor/faults/journal"
)

// pace says how long a guardian waits and tries.
type pace struct {
	lock     time.Duration // for the journal's lock, which a dead runner's kernel frees at once
	between  time.Duration // between two tries, doubled each time
	most     time.Duration
	patience time.Duration // for all tries: an engine that restarts comes back within it
	look     time.Duration // how often deadlines are looked at
	hello    time.Duration // for the runner's first word: one that died meanwhile may leave an input that never ends
}

var patient = pace{lock: 2 * time.Second, between: 50 * time.Millisecond, most: 500 * time.Millisecond,
	patience: 15 * time.Minute, look: 200 * time.Millisecond, hello: 10 * time.Second}

// errNobody: no runner ever said a word.
var errNobody = errors.New("nobody speaks to this guardian")

// server is a guardian at work.
type server struct {
	open    OpenWorld
	pace    pace
	hello   hello
	ahead   time.Duration // of this clock before the runner's
	records []journal.Record
	out     *json.Encoder
	began   time.Time
	heard   time.Time // when the runner last said something
	noted   string    // the last note: what stays the same is not said again

	took   string     // why it settles although the runner lives
	trying chan error // one try of that is under way
	mended bool       // one succeeded
	next   time.Time  // when to try again
	wait   time.Duration
}

// Serve guards one runner: in is what it says, out is what it hears. It returns when the runner said goodbye, or when the
// runner is gone and all is settled. Its context ends nothing: there is nobody else left to mend.
func Serve(ctx context.Context, in io.Reader, out io.Writer, open OpenWorld) error {
	s := &server{open: open, pace: patient, out: json.NewEncoder(out), began: time.Now(), heard: time.Now()}
	return s.serve(context.WithoutCancel(ctx), in)
}

func (s *server) serve(ctx context.Context, in io.Reader) error {
	lines := make(chan message)
	ended := make(chan error, 1)
	done := make(chan struct{})
	defer close(done)
	go read(in, lines, ended, done)
	tick := time.NewTicker(s.pace.look)
	defer tick.Stop()
	for {
		select {
		case m := <-lines:
			if m.Bye {
				return nil
			}
			s.heard = time.Now()
			s.take(m)
		case err := <-ended:
			if s.trying != nil {
				<-s.trying
			}
			return s.takeOver(ctx, err)
		case err := <-s.trying:
			s.tried(err)
		case <-tick.C:
			if s.hello.Journal == "" && time.Since(s.began) > s.pace.hello {
				return errNobody
			}
			s.takeFrom(ctx, time.Now())
		}
	}
}

// read hands over line by line. It ends with its input, whose end is the runner's.
func read(in io.Reader, lines chan<- message, ended chan<- error, done <-chan struct{}) {
	scan := bufio.NewScanner(in)
	scan.Buffer(nil, lineLimit)
	for scan.Scan() {
		var m message
		if err := json.Unmarshal(scan.Bytes(), &m); err != nil {
			ended <- fmt.Errorf("a line that is none: %w", err)
			return
		}
		select {
		case lines <- m:
		case <-done:
			return
		}
	}
	ended <- scan.Err()
}

// take understands one line and says so. A runner that cannot be answered is about to be missed at the other end too.
func (s *server) take(m message) {
	var a answer
	switch {
	case m.Hello != nil:
		s.hello, a.Ready = *m.Hello, true
		if !m.Hello.Now.IsZero() {
			s.ahead = time.Since(m.Hello.Now)
		}
	case m.Beat:
		a.Ready = true
	case m.Record != nil:
		a.Heard = m.Record.Seq
		if s.took != "" && m.Record.Phase == journal.Intent {
			a.Error = "the guardian has taken over: " + s.took
			break
		}
		records := append(s.records, *m.Record)
		if _, err := journal.Recall(s.hello.Journal, "guardian", records); err != nil {
			a.Error = err.Error()
			break
		}
		s.records = records
	default:
		return
	}
	_ = s.out.Encode(a) // a runner that hears nothing does not act, and ends
}

// overdue is why the runner must be hanging, and empty when it need not.
func (s *server) overdue(now time.Time) string {
	if s.hello.Silence > 0 && now.Sub(s.heard) > s.hello.Silence {
		return fmt.Sprintf("its runner said nothing for %s", s.hello.Silence)
	}
	if s.hello.Expiry > 0 && now.Sub(s.began) > s.hello.Expiry {
		return fmt.Sprintf("the run should have ended after %s", s.hello.Expiry)
	}
	j, err := journal.Recall(s.hello.Journal, "guardian", s.records)
	if err != nil {
		return ""
	}
	for _, e := range j.Owed() {
		if !e.Until.IsZero() && now.Add(-s.ahead).After(e.Until) {
			return fmt.Sprintf("%s should have been reverted by %s", e.ID, e.Until.Format(time.RFC3339))
		}
	}
	return ""
}

// takeFrom settles from memory when the runner lives, holds the journal and does not do its work: it is told at once, for
// when it wakes, and tries go on until one succeeds.
func (s *server) takeFrom(ctx context.Context, now time.Time) {
	if s.mended || s.trying != nil || now.Before(s.next) {
		return
	}
	if s.took == "" {
		if s.took = s.overdue(now); s.took == "" {
			return
		}
		s.note("the runner lives, and is taken for hanging: " + s.took)
		_ = s.out.Encode(answer{Took: s.took})
	}
	j, err := journal.Recall(s.hello.Journal, "guardian", s.records)
	if err != nil {
		s.mended = true // nothing was ever owed
		return
	}
	s.trying = make(chan error, 1)
	go func(done chan<- error) {
		settled, err := Settle(ctx, j, s.open, false)
		if err == nil {
			err = errSettled{settled}
		}
		done <- err
	}(s.trying)
}

// errSettled is no error: it brings what a try has settled.
type errSettled struct{ Settled }

func (errSettled) Error() string { return "settled" }

func (s *server) tried(err error) {
	s.trying = nil
	var done errSettled
	if errors.As(err, &done) {
		s.mended = true
		s.noteSettled(done.Settled, nil)
		return
	}
	s.note(err.Error())
	s.wait = min(max(2*s.wait, s.pace.between), s.pace.most)
	s.next = time.Now().Add(s.wait)
}

// takeOver settles what the runner left, again and again until it is done or patience ends. Between two tries whoever heals
// can have the journal.
func (s *server) takeOver(ctx context.Context, why error) error {
	ctx, cancel := context.WithTimeout(ctx, s.pace.patience)
	defer cancel()
	for wait := s.pace.between; ; wait = min(2*wait, s.pace.most) {
		j, err := s.journal(ctx)
		if err == nil && j != nil {
			s.note("its runner is gone without a goodbye")
			err = s.settle(ctx, j)
		}
		if err == nil {
			return nil
		}
		s.note(err.Error())
		if !rest(ctx, wait) {
			return errors.Join(fmt.Errorf("what the runner left is not settled: %w", err), why)
		}
	}
}

// settle tries once. A disk that takes no line is no reason to stay: what is mended is mended, and heal will write it.
func (s *server) settle(ctx context.Context, j *journal.Journal) error {
	settled, err := Settle(ctx, j, s.open, true)
	s.noteSettled(settled, err)
	if err == nil {
		return j.Close()
	}
	var owed *journal.InForceError
	if errors.As(err, &owed) && owed.Mended() {
		err = nil
	}
	return errors.Join(err, j.Leave())
}

// journal is nil when there is nothing to settle: the runner ended in good order, or owed nothing yet.
func (s *server) journal(ctx context.Context) (*journal.Journal, error) {
	if len(s.records) == 0 {
		return nil, nil
	}
	within, cancel := context.WithTimeout(ctx, s.pace.lock)
	defer cancel()
	j, err := journal.Open(s.hello.Journal, "guardian")
	for errors.Is(err, journal.ErrHeld) && rest(within, s.pace.between) {
		j, err = journal.Open(s.hello.Journal, "guardian")
	}
	if errors.Is(err, journal.ErrHeld) {
		return nil, err // whoever has it mends; if it does not, it is free the next time
	}
	if errors.Is(err, fs.ErrNotExist) && s.owesNothing() {
		return nil, nil // whoever was quicker removed it
	}
	if err != nil {
		return journal.Recall(s.hello.Journal, "guardian", s.records)
	}
	if l := j.Log(); l.Closed() {
		return nil, j.Leave()
	}
	return j, nil
}

func (s *server) owesNothing() bool {
	j, err := journal.Recall(s.hello.Journal, "guardian", s.records)
	return err != nil || len(j.Owed()) == 0
}

// rest waits, and is false when ctx has ended.
func rest(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
