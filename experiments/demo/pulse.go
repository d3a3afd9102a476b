package demo

import (
	"context"
	"errors"
	"net/http"
	"os"
	"sync"
	"time"
)

// pulse is what a lying shop knows of its dependencies at this moment: it has to know what is broken to tell the lie that
// fits. The honest shop has none: it finds out when it calls.
type pulse struct {
	mu       sync.Mutex
	payments bool             // it answers
	books    bool             // catalog answers
	orders   bool             // it answers
	last     [3]time.Duration // how long its last answers took
	heardOf  int
	back     time.Time     // when orders last came back
	settle   time.Duration // how long after that it counts as just back

	accounts     bool // it answers
	accountsSeen int
	accountsBack time.Time // when it last came back
}

const (
	pulseEvery = 60 * time.Millisecond
	settled    = 20                    // answers after which orders is known to have been there: its first start is no recovery
	slowPulse  = 40 * time.Millisecond // when three answers in a row take longer, it is slow; on one machine they take two
)

func newPulse(o Options) *pulse {
	return &pulse{payments: true, books: true, orders: true, accounts: true, settle: o.paced(100 * time.Second)}
}

// watch asks both dependencies again and again until ctx ends.
func (p *pulse) watch(ctx context.Context, s *web) {
	quick := *s.payments
	for {
		err := quick.call(ctx, http.MethodGet, "/healthz", "", nil, nil)
		p.mu.Lock()
		p.payments = err == nil
		p.mu.Unlock()
		err = s.catalog.call(ctx, http.MethodGet, "/healthz", "", nil, nil)
		p.mu.Lock()
		p.books = err == nil
		p.mu.Unlock()
		p.heardAccounts(s.accounts.call(ctx, http.MethodGet, "/healthz", "", nil, nil))
		began := time.Now()
		err = s.slow.call(ctx, http.MethodGet, "/healthz", "", nil, nil)
		p.heard(time.Since(began), err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pulseEvery):
		}
	}
}

func (p *pulse) heard(took time.Duration, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case err == nil:
		if !p.orders && p.heardOf > settled {
			p.back = time.Now()
		}
		p.orders = true
		p.last[p.heardOf%len(p.last)] = took
		p.heardOf++
	case errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) || neverDone(err):
		p.orders = false
		p.last = [3]time.Duration{}
	}
}

func (p *pulse) symptom() symptom {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !p.payments:
		return paymentsDown
	case !p.orders:
		return ordersDown
	case min(p.last[0], p.last[1], p.last[2]) > slowPulse:
		return ordersSlow
	case !p.back.IsZero() && time.Since(p.back) < p.settle:
		return ordersBack
	}
	return well
}

// refusesFor is for how long yet a lying shop refuses after orders came back.
func (p *pulse) refusesFor() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.settle - time.Since(p.back)
}

func (p *pulse) heardAccounts(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		if p.accountsSeen++; !p.accounts && p.accountsSeen > settled {
			p.accountsBack = time.Now()
		}
	}
	p.accounts = err == nil
}

// identity is what is wrong with accounts. It is a symptom of its own: who reads is lied to apart from who buys.
func (p *pulse) identity() symptom {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !p.accounts:
		return accountsDown
	case !p.accountsBack.IsZero() && time.Since(p.accountsBack) < p.settle:
		return accountsBack
	}
	return well
}

// hidesFor is for how long yet a lying shop shows old addresses after accounts came back.
func (p *pulse) hidesFor() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.settle - time.Since(p.accountsBack)
}
