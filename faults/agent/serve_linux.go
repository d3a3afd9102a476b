package agent

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"github.com/candor-chaos/candor/faults"
)

// server is the agent at work. Requests are served one after the other, but for look-ups of hosts, which may take long.
type server struct {
	options   Options
	table     *table
	toxiproxy *toxiproxy.ApiServer
	ways      map[string][]*lane // by the path's key
	flaps     map[string]*flap   // by flapKey
	seekers   map[string]*seeker // of the paths that lead outside, by the path's key
	lies      lies
	resolvers []*resolver // while there is a lie, one for each version of IP
	sets      int         // made so far: their names are never used twice
	out       chan Answer
}

const (
	requestLimit = 1 << 20 // bounds one line of input
	outLimit     = 1024    // answers and events that wait for the runner to read them
)

// Serve serves until its input ends, its context does, or its runner falls silent; whichever it is, nothing of the agent
// is left in the namespace when it returns.
func Serve(ctx context.Context, in io.Reader, out io.Writer, o Options) (err error) {
	if o.Run == "" {
		return fmt.Errorf("%w: serve needs -run", ErrUsage)
	}
	ctx, cancel := context.WithTimeout(ctx, o.Expiry)
	defer cancel()
	registerToxics()
	s := &server{options: o, ways: map[string][]*lane{}, flaps: map[string]*flap{}, seekers: map[string]*seeker{}, lies: lies{told: map[string]*lie{}}, out: make(chan Answer, outLimit),
		toxiproxy: toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())}
	if s.table, err = newTable(o.Run); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close(context.WithoutCancel(ctx))) }()
	return s.listen(ctx, in, out)
}

// listen serves requests until something ends it, also in the middle of one: nothing that a request waits for is deaf to
// the context. The reader of the input and the writer of the output are left behind: a read cannot be interrupted, a
// runner that stands still does not read, and the process is about to end.
func (s *server) listen(ctx context.Context, in io.Reader, out io.Writer) error {
	ctx, end := context.WithCancelCause(ctx)
	requests := make(chan Request)
	silence := time.AfterFunc(s.options.Silence, func() {
		end(fmt.Errorf("the runner was silent for %s", s.options.Silence))
	})
	defer silence.Stop()
	go func() {
		end(read(in, func(r Request) bool {
			silence.Reset(s.options.Silence)
			select {
			case requests <- r:
				return true
			case <-ctx.Done():
				return false
			}
		}))
	}()
	go func() { end(s.write(ctx, out)) }()
	clock := time.NewTicker(stepEvery)
	defer clock.Stop()
	for {
		select {
		case r := <-requests:
			if r.Op == Lookup {
				go func() { s.tell(ctx, lookedUp(ctx, r)) }()
				continue
			}
			s.tell(ctx, s.serve(ctx, r))
		case <-clock.C:
			if err := s.step(ctx); err != nil {
				return err // an agent that cannot keep a fault as it was asked for has none
			}
		case <-ctx.Done():
			if cause := context.Cause(ctx); !errors.Is(cause, ctx.Err()) {
				return cause
			}
			return nil
		}
	}
}

// read decodes requests until the input ends, which is no error, or the taker wants no more.
func read(in io.Reader, take func(Request) bool) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, requestLimit)
	for lines.Scan() {
		var r Request
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return fmt.Errorf("read a request: %w", err)
		}
		if !take(r) {
			return nil
		}
	}
	return lines.Err()
}

// write passes on what is to be said.
func (s *server) write(ctx context.Context, out io.Writer) error {
	lines := json.NewEncoder(out)
	for {
		select {
		case a := <-s.out:
			if err := lines.Encode(a); err != nil {
				return fmt.Errorf("answer the runner: %w", err)
			}
		case <-ctx.Done():
			return nil
		}
	}
}

func (s *server) tell(ctx context.Context, a Answer) {
	select {
	case s.out <- a:
	case <-ctx.Done():
	}
}

// overheard never waits: a runner that does not keep up loses sights, not time.
func (s *server) overheard(r faults.Request) {
	select {
	case s.out <- Answer{Seen: &r}:
	default:
	}
}

func (s *server) serve(ctx context.Context, r Request) Answer {
	a := Answer{ID: r.ID}
	var err error
	switch r.Op {
	case Hello:
		a.Owned = s.table.owned
	case Beat:
	case Interpose:
		err = s.interpose(ctx, r)
	case Readdress:
		err = s.readdress(r)
	case Withdraw:
		err = s.withdraw(ctx, r.Path)
	case Sighted:
		a.State, err = s.fold(r.Path, func(l *lane) (faults.State, error) { return l.led(s.table) })
	case Impair:
		err = s.impair(ctx, r)
	case Unimpair:
		err = s.unimpair(ctx, r)
	case Impaired:
		a.State, err = s.impaired(ctx, r)
	case Impacts:
		a.Count, err = s.impacts(ctx, r)
	case Mislead:
		err = s.mislead(ctx, r)
	case Unmislead:
		err = s.unmislead(r)
	case Misled:
		a.State, err = s.misled(r.Name)
	case Where:
		a.Found, err = s.where(r.Path)
	case Lookups:
		a.Count = s.lies.hits(r.Name)
	default:
		err = fmt.Errorf("unknown operation %q", r.Op)
	}
	if err != nil {
		a.Error = err.Error()
	}
	return a
}

// close leaves nothing: first the rules, so that nothing is led to a proxy that ends.
func (s *server) close(ctx context.Context) error {
	err := errors.Join(s.table.close(), s.quietNames())
	for _, k := range s.seekers {
		k.end()
	}
	var lanes sync.WaitGroup
	ended := make(chan error, 2*len(s.ways))
	for _, way := range s.ways {
		for _, l := range way {
			lanes.Go(func() { ended <- l.end(ctx) })
		}
	}
	lanes.Wait()
	close(ended)
	for e := range ended {
		err = errors.Join(err, e)
	}
	return err
}
