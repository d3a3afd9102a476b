package accuracy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// The parts of a sample: large enough for an interval that says something, small enough for seconds.
const (
	connections = 400
	requests    = 400
)

// gaugeShare counts the connections that are hit.
func gaugeShare(ctx context.Context, b *Bench, r *Row) error {
	for range connections {
		r.N++
		if try(ctx, b) != nil {
			r.Hit++
		}
	}
	return nil
}

// gaugeFlap looks every few milliseconds, and takes the halves that it saw begin and end.
func gaugeFlap(ctx context.Context, b *Bench, r *Row) error {
	var began time.Time
	was, turns := false, 0
	for until := time.Now().Add(6 * time.Second); ctx.Err() == nil && time.Now().Before(until); rest(ctx, 2*time.Millisecond) {
		at := time.Now()
		is := try(ctx, b) != nil
		if is == was && turns > 0 {
			continue
		}
		switch took := milliseconds(at.Sub(began)); {
		case turns < 2: // the first half was not seen from its beginning
		case was:
			r.Values = append(r.Values, took)
		default:
			r.Others = append(r.Others, took)
		}
		was, began, turns = is, at, turns+1
	}
	if len(r.Values) == 0 || len(r.Others) == 0 {
		return errors.New("not one whole half was seen")
	}
	return nil
}

// request asks over a kept connection, and says the status.
func request(ctx context.Context, b *Bench) (int, error) {
	if b.kept == nil {
		dialing, cancel := context.WithTimeout(ctx, within)
		defer cancel()
		var err error
		if b.kept, err = b.line(dialing); err != nil {
			return 0, err
		}
	}
	_ = b.kept.SetDeadline(time.Now().Add(2 * time.Second)) // fails only when the connection has ended already
	_, err := io.WriteString(b.kept, "GET /measured HTTP/1.1\r\nHost: payments\r\n\r\n")
	var answer *http.Response
	if err == nil {
		answer, err = http.ReadResponse(b.kept.in, nil)
	}
	if err == nil {
		_, err = io.Copy(io.Discard, answer.Body)
	}
	if err != nil {
		b.letGo()
		return 0, err
	}
	return answer.StatusCode, nil
}

func answered500(ctx context.Context, b *Bench) bool {
	status, err := request(ctx, b)
	return err == nil && status == http.StatusInternalServerError
}

func gaugeErrors(ctx context.Context, b *Bench, r *Row) error {
	for range requests {
		r.N++
		switch status, err := request(ctx, b); {
		case err != nil:
			return err
		case status == http.StatusInternalServerError:
			r.Hit++
		case status != http.StatusOK:
			return fmt.Errorf("status %d", status)
		}
	}
	return nil
}

func unnamed(ctx context.Context, b *Bench) bool { return b.Lookup(ctx) != nil }

func gaugeNames(ctx context.Context, b *Bench, r *Row) error {
	for range 10 {
		r.N++
		if b.Lookup(ctx) != nil {
			r.Hit++
		}
	}
	return nil
}

// gaugeCores lets the service compute: of how many processors does it get the time?
func gaugeCores(ctx context.Context, b *Bench, r *Row) error {
	for range 2 {
		took, used, err := b.burnt(ctx)
		if err != nil {
			return err
		}
		r.Values = append(r.Values, used/took)
	}
	return nil
}

func (b *Bench) burnt(ctx context.Context) (took, used float64, err error) {
	l, err := b.line(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer l.Close()
	_ = l.SetDeadline(time.Now().Add(settleTime)) // fails only when the connection has ended already
	if _, err = io.WriteString(l, "burn\n"); err == nil {
		_, err = fmt.Fscan(l.in, &took, &used)
	}
	return took, used, err
}

// gaugeMemory lets the service take memory until it dies, and counts how much it had.
func gaugeMemory(ctx context.Context, b *Bench, r *Row) error {
	l, err := b.line(ctx)
	if err != nil {
		return err
	}
	defer l.Close()
	_ = l.SetDeadline(time.Now().Add(settleTime)) // fails only when the connection has ended already
	if _, err := io.WriteString(l, "eat\n"); err != nil {
		return err
	}
	said, err := io.ReadAll(l.in)
	if timedOut(err) {
		return err
	}
	r.N++
	if !strings.Contains(string(said), "\n") { // it had all that it wanted, and lives
		r.Hit++
	}
	r.Values = append(r.Values, float64(strings.Count(string(said), ".")))
	for until := time.Now().Add(settleTime); ctx.Err() == nil && time.Now().Before(until); rest(ctx, 20*time.Millisecond) {
		if err = try(ctx, b); err == nil { // whoever looks after it has started it again
			return nil
		}
	}
	return err
}

// gaugeRestart takes note that a connection from before is gone and a new one is answered.
func gaugeRestart(ctx context.Context, b *Bench, r *Row) error {
	r.N++
	for until := time.Now().Add(settleTime); ctx.Err() == nil && time.Now().Before(until); rest(ctx, 5*time.Millisecond) {
		if try(ctx, b) != nil {
			continue
		}
		if _, err := b.before.say("hello", within); err != nil {
			r.Hit++
		}
		return nil
	}
	return errors.New("it did not come back")
}
