package agent

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"github.com/candor-chaos/candor/faults"
)

// server is the agent at work. Requests are served one after the other.
type server struct {
	options   Options
	table     *table
	toxiproxy *toxiproxy.ApiServer
	ways      map[string][]*lane // by the path's key
	sets      int                // made so far: their names are never used twice

	mu   sync.Mutex // guards out
	out  *json.Encoder
	seen chan faults.Request
}

// requestLimit bounds one line of input.
const requestLimit = 1 << 20

// Serve serves until its input ends, its context does, or its runner falls silent; whichever it is, nothing of the agent
// is left in the namespace when it returns.
func Serve(ctx context.Context, in io.Reader, out io.Writer, o Options) (err error) {
	if o.Run == "" {
		return fmt.Errorf("%w: serve needs -run", ErrUsage)
	}
	ctx, cancel := context.WithTimeout(ctx, o.Expiry)
	defer cancel()
	registerToxics()
	s := &server{options: o, ways: map[string][]*lane{}, out: json.NewEncoder(out), seen: make(chan faults.Request, 1024),
		toxiproxy: toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())}
	if s.table, err = newTable(o.Run); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close(context.WithoutCancel(ctx))) }()
	go s.tellSeen(ctx)
	return s.listen(ctx, in)
}

// listen serves requests as they come. The reader of the input is left behind at the end: a read cannot be interrupted,
// and the process is about to end.
func (s *server) listen(ctx context.Context, in io.Reader) error {
	requests := make(chan Request)
	failed := make(chan error, 1)
	go func() { failed <- read(ctx, in, requests) }()
	silence := time.NewTimer(s.options.Silence)
	defer silence.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-silence.C:
			return fmt.Errorf("the runner was silent for %s", s.options.Silence)
		case err := <-failed:
			return err
		case r := <-requests:
			silence.Reset(s.options.Silence)
			if err := s.answer(s.serve(ctx, r)); err != nil {
				return fmt.Errorf("answer the runner: %w", err)
			}
		}
	}
}

// read decodes requests until the input ends, which is no error.
func read(ctx context.Context, in io.Reader, requests chan<- Request) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, requestLimit)
	for lines.Scan() {
		var r Request
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return fmt.Errorf("read a request: %w", err)
		}
		select {
		case requests <- r:
		case <-ctx.Done():
			return nil
		}
	}
	return lines.Err()
}

func (s *server) answer(a Answer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.Encode(a)
}

// overheard never waits: a runner that does not keep up loses sights, not time.
func (s *server) overheard(r faults.Request) {
	select {
	case s.seen <- r:
	default:
	}
}

func (s *server) tellSeen(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case r := <-s.seen:
			if s.answer(Answer{Seen: &r}) != nil {
				return // the runner is gone, and listen notices
			}
		}
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
		err = s.interpose(ctx, r.Path, r.Addresses)
	case Readdress:
		err = s.each(r.Path, func(l *lane) error {
			l.aim(r.Addresses)
			return s.table.replaceSet(l.set, l.family, r.Addresses)
		})
	case Lift:
		err = s.each(r.Path, func(l *lane) error { return s.table.remove(l.ruleName()) })
	case Restore:
		err = s.each(r.Path, s.restore)
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
	default:
		err = fmt.Errorf("unknown operation %q", r.Op)
	}
	if err != nil {
		a.Error = err.Error()
	}
	return a
}

// interpose starts one lane for each version of IP that the namespace has, and leads the path through them.
func (s *server) interpose(ctx context.Context, path faults.Path, addresses []netip.Addr) error {
	if _, there := s.ways[path.Key()]; there {
		return s.each(path, s.restore)
	}
	var lanes []*lane
	for _, f := range families {
		if f.name == "v6" && !haveIPv6(ctx) {
			continue
		}
		l, err := s.newLane(ctx, path, f, addresses)
		if err == nil {
			lanes = append(lanes, l)
			err = l.lead(s.table)
		}
		if err != nil {
			s.ways[path.Key()] = lanes
			return errors.Join(err, s.withdraw(ctx, path))
		}
	}
	s.ways[path.Key()] = lanes
	return nil
}

// haveIPv6 reports whether the namespace's loopback speaks it.
func haveIPv6(ctx context.Context) bool {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp6", "[::1]:0")
	if err != nil {
		return false
	}
	return l.Close() == nil
}

// restore leads a lane again, once.
func (s *server) restore(l *lane) error {
	state, err := l.led(s.table)
	if err != nil || state == faults.Present {
		return err
	}
	return errors.Join(s.table.remove(l.ruleName()), l.lead(s.table))
}

// withdraw removes rules, proxies and sets of a path. One that is not there is no error.
func (s *server) withdraw(ctx context.Context, path faults.Path) error {
	var errs []error
	for _, l := range s.ways[path.Key()] {
		errs = append(errs, s.table.remove(l.ruleName()), l.end(ctx), s.table.removeSet(l.set))
	}
	delete(s.ways, path.Key())
	return errors.Join(errs...)
}

func (s *server) each(path faults.Path, do func(*lane) error) error {
	lanes, there := s.ways[path.Key()]
	if !there {
		return fmt.Errorf("%s is not interposed", path)
	}
	var errs []error
	for _, l := range lanes {
		errs = append(errs, do(l))
	}
	return errors.Join(errs...)
}

// fold is the state of a path over its lanes: partial as soon as they differ. No lanes: absent.
func (s *server) fold(path faults.Path, look func(*lane) (faults.State, error)) (faults.State, error) {
	state := faults.Absent
	for i, l := range s.ways[path.Key()] {
		here, err := look(l)
		if err != nil {
			return faults.Unknown, err
		}
		if i > 0 && here != state {
			return faults.Partial, nil
		}
		state = here
	}
	return state, nil
}

// close leaves nothing: first the rules, so that nothing is led to a proxy that ends.
func (s *server) close(ctx context.Context) error {
	err := s.table.close()
	for _, lanes := range s.ways {
		for _, l := range lanes {
			err = errors.Join(err, l.end(ctx))
		}
	}
	return err
}
