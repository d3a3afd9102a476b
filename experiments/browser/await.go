package browser

import (
	"context"
	"fmt"
	"time"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/wire"
)

const (
	// calm is how long nothing may change before a person takes a page for finished.
	calm = 600 * time.Millisecond
	// reaction is how long an act may take to begin a navigation.
	reaction = 150 * time.Millisecond
)

// await waits for what comes of an act, as a person does: for a page that was asked for until it is there, for an answer
// to the intent until it stands.
func (u *user) await(ctx context.Context, act experiments.Act, what prepared, press *experiments.Press, answer *experiments.Answer) {
	p := u.page()
	switch what.verb {
	case "open", "reload", "back", "tab":
		u.arrive(ctx, p, press, answer)
	case "click", "press":
		if !act.Speaks && pause(ctx, reaction) == nil && p.net.navigating(press.Acted) {
			u.arrive(ctx, p, press, answer)
		}
	}
	if act.Speaks && answer.Answered {
		u.hearOut(ctx, p, act, answer)
	}
	if !answer.Answered {
		press.Trouble, press.Why = wire.Timeout, answer.Why
		if t := p.net.trouble(); t != "" {
			press.Trouble = t
		}
	}
}

// arrive waits until the document is there: loaded, or to be read and calm for a while although something of it never
// ends loading.
func (u *user) arrive(ctx context.Context, p *page, press *experiments.Press, answer *experiments.Answer) {
	for {
		p.mu.Lock()
		shown, ready, loaded, failed := p.shown, p.ready, p.loaded, p.failed
		p.mu.Unlock()
		u.mu.Lock()
		readable := u.view.At.After(press.Acted) && u.view.Text() != ""
		quiet := time.Since(u.changed) > calm
		u.mu.Unlock()
		switch {
		case failed != "" && shown.After(press.Acted):
			answer.Answered, answer.Why = false, failed
			return
		case loaded.After(press.Acted) && (readable || time.Since(loaded) > calm):
			return
		case ready.After(press.Acted) && readable && quiet:
			return
		}
		if pause(ctx, lookAgain) != nil {
			p.stop()
			answer.Answered, answer.Why = false, "the page never ended loading"
			if shown.IsZero() {
				answer.Why = "no page came"
			}
			return
		}
	}
}

// hearOut waits until a claim stands and nothing more is on its way, or the person gives up.
func (u *user) hearOut(ctx context.Context, p *page, act experiments.Act, answer *experiments.Answer) {
	u.mu.Lock()
	l := u.listener
	u.mu.Unlock()
	if l == nil {
		return
	}
	began := time.Now()
	for {
		claim, since := l.stands()
		open := p.net.open(l.began())
		u.mu.Lock()
		quiet := time.Since(u.changed)
		u.mu.Unlock()
		switch {
		case claim != experiments.ClaimNone && open == 0 && time.Since(since) > calm && quiet > calm/2 && p.net.rested() > calm/2:
			answer.Claim = claim
			return
		case claim == experiments.ClaimNone && open == 0 && act.Final > 0 && time.Since(began) > act.Final && quiet > calm:
			l.silent("the page said nothing of it")
			answer.Why = "the page said nothing of it"
			return
		}
		if pause(ctx, lookAgain) != nil || u.stage.ctx.Err() != nil {
			break
		}
	}
	claim, _ := l.stands()
	answer.Claim = claim
	if claim == experiments.ClaimNone && u.stage.ctx.Err() == nil {
		answer.Answered = false
		answer.Why = "the page said nothing of it in time"
		if n := p.net.open(l.began()); n > 0 {
			answer.Why += fmt.Sprintf("; %d requests are still under way", n)
		}
		l.silent(answer.Why)
	}
}

// pause waits, unless ctx ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
