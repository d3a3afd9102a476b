package docker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"

	"github.com/candor-chaos/candor/faults"
)

const (
	maxLogged = 8 << 20  // bytes of logs that one look reads
	maxLogRow = 64 << 10 // bytes of one line
)

var errFlood = fmt.Errorf("it logged more than %d MiB since the last look", maxLogged>>20)

// LastLogged is when a service logged its last line, by the engine's clock; zero when it never did.
func (w *World) LastLogged(ctx context.Context, service string) (time.Time, error) {
	return w.logged(ctx, service, container.LogsOptions{Tail: "1"}, func(time.Time, string) {})
}

// LoggedAfter gives each line that a service logged after a moment, oldest first, and when the last of them was logged.
// Clocks are the engine's alone. After more than it may read it fails, and says from where one can go on.
func (w *World) LoggedAfter(ctx context.Context, service string, after time.Time, line func(text string)) (time.Time, error) {
	options := container.LogsOptions{}
	if !after.IsZero() {
		options.Since = fmt.Sprintf("%d.%09d", after.Unix(), after.Nanosecond())
	}
	return w.logged(ctx, service, options, func(at time.Time, text string) {
		if at.After(after) { // the engine counts the moment itself in
			line(text)
		}
	})
}

// logRow is a line and when it was logged.
type logRow struct {
	at   time.Time
	text string
}

// logged reads the logs of all replicas of a service, in the order of time. Where one has logged too much, what the others
// logged after the place where it has to go on waits for the next look.
func (w *World) logged(ctx context.Context, service string, options container.LogsOptions, line func(time.Time, string)) (last time.Time, err error) {
	all, err := w.all(ctx, service)
	switch {
	case err != nil:
		return last, err
	case len(all) == 0:
		return last, fmt.Errorf("service %s: no container of %s: %w", service, w.whose(), faults.ErrNotFound)
	case len(all) == 1:
		return w.loggedOf(ctx, all[0], options, line)
	}
	var rows []logRow
	var until time.Time
	for _, c := range all {
		one, oerr := w.loggedOf(ctx, c, options, func(at time.Time, text string) { rows = append(rows, logRow{at, text}) })
		err = errors.Join(err, oerr)
		switch {
		case oerr != nil && one.IsZero():
			return time.Time{}, err // the same can be read again
		case oerr != nil && (until.IsZero() || one.Before(until)):
			until = one
		case one.After(last):
			last = one
		}
	}
	slices.SortStableFunc(rows, func(a, b logRow) int { return a.at.Compare(b.at) })
	for _, r := range rows {
		if until.IsZero() || !r.at.After(until) {
			line(r.at, r.text)
		}
	}
	if !until.IsZero() {
		last = until
	}
	return last, err
}

func (w *World) loggedOf(ctx context.Context, from seen, options container.LogsOptions, line func(time.Time, string)) (last time.Time, err error) {
	c, id := from.InspectResponse, from.id
	options.ShowStdout, options.ShowStderr, options.Timestamps = true, true, true
	stream, err := w.docker.ContainerLogs(ctx, id.ID, options)
	if err != nil {
		return last, translate(err, "read the logs of "+id.Name)
	}
	defer stream.Close()
	text := plainLogs(stream, c.Config != nil && c.Config.Tty)
	defer text.Close()
	rows := bufio.NewScanner(text)
	rows.Buffer(nil, maxLogRow+64)
	for rows.Scan() {
		stamp, said, _ := strings.Cut(strings.TrimSuffix(rows.Text(), "\r"), " ")
		at, err := time.Parse(time.RFC3339Nano, stamp)
		if err != nil {
			continue // the rest of a line that was split
		}
		if at.After(last) {
			last = at
		}
		line(at, said)
	}
	err = rows.Err()
	if err != nil && !errors.Is(err, errFlood) {
		last = time.Time{} // the same can be read again
	}
	if err != nil {
		return last, fmt.Errorf("read the logs of %s: %w", id.Name, err)
	}
	return last, nil
}

// plainLogs is a stream of logs without the frames in which the engine sends both outputs, up to maxLogged.
func plainLogs(stream io.Reader, terminal bool) io.ReadCloser {
	bounded := &flood{from: stream, left: maxLogged}
	if terminal {
		return io.NopCloser(bounded)
	}
	text, into := io.Pipe()
	go func() {
		_, err := stdcopy.StdCopy(into, into, bounded)
		into.CloseWithError(err)
	}()
	return text
}

// flood refuses to read more than it may: a count of a part would be wrong.
type flood struct {
	from io.Reader
	left int
}

func (f *flood) Read(p []byte) (int, error) {
	n, err := f.from.Read(p)
	if f.left -= n; f.left < 0 {
		return 0, errFlood
	}
	return n, err
}
