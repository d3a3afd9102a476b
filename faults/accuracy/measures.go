package accuracy

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"time"
)

// within bounds an exchange that may never be answered.
const within = 300 * time.Millisecond

// late is what an exchange takes at least that a delay is felt in: far more than one without a fault on a busy machine.
const late = 40 * time.Millisecond

// All are the measures of every kind but spike, which is about traffic of the run's own.
func All() []Measure { return append(onPaths(), onServices()...) }

func onPaths() []Measure {
	return []Measure{
		{Fault: "latency: {from: web, to: payments, delay: 50ms}", Asked: "50 ms", Alike: true, Felt: longer(late), Gauge: gaugeDelay, Judge: judgeDelay},
		{Fault: "slow: {from: web, to: payments, rate: 64KiB/s, direction: down}", Asked: "64 KiB/s", Alike: true, Felt: longer2(16<<10, 100*time.Millisecond), Gauge: gaugeRate, Judge: Near("KiB/s", 64, 0.10)},
		{Fault: "trickle: {from: web, to: payments, size: 16B, gap: 20ms, direction: down}", Asked: "16 B each 20 ms", Alike: true, Felt: longer(100 * time.Millisecond), Gauge: gaugeGap, Judge: Near("ms apart", 20, 0.10)},
		{Fault: "cut: {from: web, to: payments, after: 10KiB}", Asked: "after 10240 B", Alike: true, Felt: shortened, Gauge: gaugeCut, Judge: Near("B", 10240, 0)},
		{Fault: "linger: {from: web, to: payments, delay: 300ms}", Asked: "300 ms", Alike: true, Felt: lingers(150 * time.Millisecond), Gauge: gaugeLinger, Judge: Near("ms", 300, 0.15)},
		{Fault: "outage: {from: web, to: payments, mode: refuse}", Asked: "all refused", Alike: true, Many: true, Felt: broken, Gauge: gaugeOutage(refused), Judge: judgeAll},
		{Fault: "outage: {from: web, to: payments, mode: reset}", Asked: "all reset", Alike: true, Many: true, Felt: broken, Gauge: gaugeOutage(reset), Judge: judgeAll},
		{Fault: "outage: {from: web, to: payments, mode: blackhole}", Asked: "all silent", Alike: true, Many: true, Felt: broken, Gauge: gaugeOutage(silent), Judge: judgeAll},
		{Fault: "outage: {from: web, to: payments, mode: hang}", Asked: "none answered", Alike: true, Many: true, Felt: broken, Gauge: gaugeOutage(unanswered), Judge: judgeAll},
		{Fault: "outage: {from: web, to: payments, mode: reset}", Share: 0.3, Once: true, Asked: "30 % of connections", Gauge: gaugeShare, Judge: judgeShare(0.3)},
		{Fault: "cut: {from: web, to: payments, after: 1B}", Share: 0.3, Once: true, Asked: "30 % of connections", Gauge: gaugeShare, Judge: judgeShare(0.3)},
		{Fault: "flap: {from: web, to: payments, down: 500ms, up: 700ms}", Asked: "500 / 700 ms", Felt: broken, Gauge: gaugeFlap, Judge: judgeFlap},
		{Fault: "errors: {from: web, to: payments, status: 500}", Asked: "status 500, all", Alike: true, Felt: answered500, Gauge: gaugeErrors, Judge: judgeAll},
		{Fault: "errors: {from: web, to: payments, status: 500}", Share: 0.3, Once: true, Asked: "500 for 30 % of requests", Gauge: gaugeErrors, Judge: judgeShare(0.3)},
		{Fault: "dns: {from: web, names: [payments]}", Asked: "not found", Alike: true, Felt: unnamed, Gauge: gaugeNames, Judge: judgeAll},
	}
}

func onServices() []Measure {
	return []Measure{
		{Fault: "kill: {service: payments, as: operator}", Asked: "no answer", Alike: true, Many: true, Felt: broken, Gauge: gaugeOutage(anyway), Judge: judgeAll},
		{Fault: "stop: {service: payments, grace: 1s}", Asked: "no answer", Alike: true, Many: true, Felt: broken, Gauge: gaugeOutage(anyway), Judge: judgeAll},
		{Fault: "pause: {service: payments}", Asked: "no answer", Alike: true, Many: true, Felt: broken, Gauge: gaugeOutage(anyway), Judge: judgeAll},
		{Fault: "disconnect: {service: payments}", Asked: "no answer", Alike: true, Many: true, Felt: broken, Gauge: gaugeOutage(anyway), Judge: judgeAll},
		{Fault: "cpu: {service: payments, cores: 0.2}", Asked: "0.2 cores", Gauge: gaugeCores, Judge: Near("cores", 0.2, 0.15)},
		{Fault: "memory: {service: payments, limit: 64MiB}", Asked: "dies at 64 MiB", Gauge: gaugeMemory, Judge: judgeMemory},
		{Fault: "restart: {service: payments, grace: 1s}", Asked: "another process", Gauge: gaugeRestart, Judge: judgeAll},
	}
}

// exchange says a line on a connection that is kept from one to the next.
func exchange(ctx context.Context, b *Bench, size int) (time.Duration, error) {
	if b.kept == nil {
		dialing, cancel := context.WithTimeout(ctx, within)
		defer cancel()
		var err error
		if b.kept, err = b.line(dialing); err != nil {
			return 0, err
		}
	}
	took, err := b.kept.say(strings.Repeat("x", size), 2*time.Second)
	if err != nil {
		b.kept.Close()
		b.kept = nil
	}
	return took, err
}

func longer(than time.Duration) func(context.Context, *Bench) bool { return longer2(160, than) }

func longer2(size int, than time.Duration) func(context.Context, *Bench) bool {
	return func(ctx context.Context, b *Bench) bool {
		took, err := exchange(ctx, b, size)
		return err == nil && took > than
	}
}

// broken makes a connection and says a line.
func broken(ctx context.Context, b *Bench) bool { return try(ctx, b) != nil }

func try(ctx context.Context, b *Bench) error {
	dialing, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	l, err := b.line(dialing)
	if err != nil {
		return &dialError{err}
	}
	defer l.Close()
	_, err = l.say("hello", within)
	return err
}

// dialError tells a connection that was not made from one that broke.
type dialError struct{ error }

func (e *dialError) Unwrap() error { return e.error }

func dialed(err error) bool {
	var d *dialError
	return !errors.As(err, &d)
}

func timedOut(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout() || errors.Is(err, context.DeadlineExceeded)
}

func refused(err error) bool    { return !dialed(err) && errors.Is(err, syscall.ECONNREFUSED) }
func reset(err error) bool      { return dialed(err) && errors.Is(err, syscall.ECONNRESET) }
func silent(err error) bool     { return !dialed(err) && timedOut(err) }
func unanswered(err error) bool { return dialed(err) && timedOut(err) }
func anyway(err error) bool     { return err != nil }

// gaugeOutage counts those that met what the mode promises.
func gaugeOutage(as func(error) bool) func(context.Context, *Bench, *Row) error {
	return func(ctx context.Context, b *Bench, r *Row) error {
		for range 10 {
			r.N++
			if err := try(ctx, b); err != nil && as(err) {
				r.Hit++
			}
		}
		return nil
	}
}

// gaugeDelay takes what a line takes on a connection that is open already; the row knows what it usually takes.
func gaugeDelay(ctx context.Context, b *Bench, r *Row) error {
	for range 20 {
		took, err := exchange(ctx, b, 16)
		if err != nil {
			return err
		}
		r.Values = append(r.Values, milliseconds(took))
	}
	return nil
}

const transfer = 128 << 10

// gaugeRate times one long answer.
func gaugeRate(ctx context.Context, b *Bench, r *Row) error {
	l, err := b.line(ctx)
	if err != nil {
		return err
	}
	defer l.Close()
	_ = l.SetDeadline(time.Now().Add(settleTime)) // fails only when the connection has ended already
	text := strings.Repeat(strings.Repeat("x", 1023)+"\n", transfer>>10)
	began := time.Now()
	go io.WriteString(l, text) // what fails shows in the answer
	if _, err := io.ReadFull(l.in, make([]byte, transfer)); err != nil {
		return err
	}
	r.Values = append(r.Values, transfer/1024/time.Since(began).Seconds())
	return nil
}

// gaugeGap times the pieces of one line: ten of them, nine gaps.
func gaugeGap(ctx context.Context, b *Bench, r *Row) error {
	const pieces, size = 10, 16
	for range 3 {
		l, err := b.line(ctx)
		if err != nil {
			return err
		}
		_ = l.SetDeadline(time.Now().Add(settleTime)) // fails only when the connection has ended already
		_, err = io.WriteString(l, strings.Repeat("x", pieces*size-1)+"\n")
		piece := make([]byte, size)
		if err == nil {
			_, err = io.ReadFull(l.in, piece)
		}
		first := time.Now()
		for n := 1; err == nil && n < pieces; n++ {
			_, err = io.ReadFull(l.in, piece)
		}
		l.Close()
		if err != nil {
			return err
		}
		r.Values = append(r.Values, milliseconds(time.Since(first))/(pieces-1))
	}
	return nil
}

// shortened is felt when an answer of more than is let pass does not come whole.
func shortened(ctx context.Context, b *Bench) bool {
	n, err := pour(ctx, b)
	return err == nil && n < poured
}

const poured = 16 << 10

// pour asks for an answer on a connection of its own, and counts what comes of it.
func pour(ctx context.Context, b *Bench) (int, error) {
	l, err := b.line(ctx)
	if err != nil {
		return 0, err
	}
	defer l.Close()
	_ = l.SetDeadline(time.Now().Add(2 * time.Second)) // fails only when the connection has ended already
	if _, err := io.WriteString(l, strings.Repeat("x", poured-1)+"\n"); err != nil {
		return 0, err
	}
	n, err := io.ReadFull(l.in, make([]byte, poured))
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

func gaugeCut(ctx context.Context, b *Bench, r *Row) error {
	for range 5 {
		n, err := pour(ctx, b)
		if err != nil {
			return err
		}
		r.Values = append(r.Values, float64(n))
	}
	return nil
}

func lingers(than time.Duration) func(context.Context, *Bench) bool {
	return func(ctx context.Context, b *Bench) bool {
		took, err := farewell(ctx, b)
		return err == nil && took > than
	}
}

// farewell asks the other end to close, and times how long it takes to learn of it.
func farewell(ctx context.Context, b *Bench) (time.Duration, error) {
	l, err := b.line(ctx)
	if err != nil {
		return 0, err
	}
	defer l.Close()
	_ = l.SetDeadline(time.Now().Add(2 * time.Second)) // fails only when the connection has ended already
	if _, err := l.say("hello", 2*time.Second); err != nil {
		return 0, err
	}
	began := time.Now()
	if _, err := io.WriteString(l, "bye\n"); err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, l.in)
	return time.Since(began), err
}

func gaugeLinger(ctx context.Context, b *Bench, r *Row) error {
	for range 5 {
		took, err := farewell(ctx, b)
		if err != nil {
			return err
		}
		r.Values = append(r.Values, milliseconds(took))
	}
	return nil
}

// Short are those that say within seconds whether measuring works at all.
func Short() []Measure {
	var some []Measure
	for _, m := range onPaths() {
		switch {
		case strings.HasPrefix(m.Fault, "slow"):
			m.Judge = Near("KiB/s", 64, 0.30) // a single one, on a machine that may do something else
			some = append(some, m)
		case strings.HasPrefix(m.Fault, "latency"), strings.HasPrefix(m.Fault, "errors") && m.Share > 0:
			some = append(some, m)
		}
	}
	return some
}
