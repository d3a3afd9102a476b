package browser

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/candor-chaos/candor/experiments"
)

// mostPages is how many tabs a user has open at once.
const mostPages = 5

// user is one person: a browser context, its tabs, and what they see of the one they look at.
type user struct {
	stage  *stage
	config experiments.SurfaceConfig
	acting sync.Mutex // hands and eyes are at one place; waiting for what comes of an act needs neither
	owed   sync.WaitGroup

	mu       sync.Mutex
	pages    []*page // the last one is looked at
	where    experiments.Where
	view     *experiments.View
	changed  time.Time // when the page last changed
	act      experiments.Act
	acted    time.Time
	listener *listener
	noticed  map[string]int // notices of this visit, by kind
	shot     time.Time      // when the last screenshot was asked for
	furnish  map[string]map[string]bool
	err      error // evidence that was lost
}

func newUser(s *stage, c experiments.SurfaceConfig) *user {
	if c.Service == nil {
		c.Service = func(string) string { return "" }
	}
	return &user{stage: s, config: c, view: experiments.NewView(), noticed: map[string]int{}, furnish: map[string]map[string]bool{},
		where: experiments.Where{Journey: c.Journey, User: c.User, Visitor: c.Visitor}}
}

// open makes the browser context with its first tab.
func (u *user) open() error {
	p, err := u.newPage(u.stage.ctx, chromedp.WithNewBrowserContext())
	if err != nil {
		return err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.pages = []*page{p}
	return nil
}

// page is the tab that the user looks at.
func (u *user) page() *page {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.pages[len(u.pages)-1]
}

// record writes down. What is lost makes the next act fail.
func (u *user) record(r experiments.Record) int64 {
	seq, err := u.stage.config.Recorder.Append(r)
	if err != nil {
		u.mu.Lock()
		u.err = err
		u.mu.Unlock()
	}
	return seq
}

// broken tells an error of the browser from one that is not.
func (u *user) broken(what string, err error) error {
	if u.stage.ctx.Err() != nil || errors.Is(err, chromedp.ErrTargetDetached) {
		return fmt.Errorf("%s: %w: the browser ended", what, experiments.ErrSurfaceGone)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// Do acts one step and waits for what comes of it: for the page to be there, for the claim to stand. What a product does
// not do is an Answer.
func (u *user) Do(ctx context.Context, act experiments.Act) (experiments.Answer, error) {
	action, ok := act.Action.(*Action)
	if !ok {
		return experiments.Answer{}, fmt.Errorf("surface browser cannot act a %T", act.Action)
	}
	what, err := action.prepare(act.Vars, u.config.Base)
	if err != nil {
		return experiments.Answer{}, err
	}
	if act.Timeout <= 0 {
		act.Timeout = time.Minute
	}
	within, cancel := context.WithTimeout(ctx, act.Timeout)
	defer cancel()
	began := time.Now()
	press, err := u.perform(within, act, what)
	if err != nil {
		return experiments.Answer{}, u.broken(what.verb, err)
	}
	answer := experiments.Answer{Recorded: true, Answered: press.Trouble == "", Why: press.Why}
	if answer.Answered {
		u.await(within, act, what, &press, &answer)
	}
	press.Ended = time.Now()
	u.record(experiments.Record{At: press.Ended, Press: &press})
	if u.stage.ctx.Err() != nil {
		return answer, u.broken(what.verb, u.stage.ctx.Err())
	}
	answer.Vars = u.sees(press, began, answer)
	if !answer.Answered && ctx.Err() != nil {
		return answer, context.Cause(ctx)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return answer, u.err
}

// perform does what the person does, and nothing else at the same time.
func (u *user) perform(ctx context.Context, act experiments.Act, what prepared) (experiments.Press, error) {
	u.acting.Lock()
	defer u.acting.Unlock()
	u.turnTo(act, what)
	u.mu.Lock()
	press := experiments.Press{Where: u.where, Attempt: max(1, act.Attempt), Verb: what.verb, Target: what.String(), Began: time.Now()}
	u.mu.Unlock()
	if act.Attempt > 1 { // who presses again presses what is there
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		return press, u.perform1(short, act, what, &press)
	}
	return press, u.perform1(ctx, act, what, &press)
}

// turnTo begins a step: what is seen and sent from now on belongs to it.
func (u *user) turnTo(act experiments.Act, what prepared) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if act.Visit != u.where.Visit {
		u.where.Marker, u.where.Visit, u.noticed = "", act.Visit, map[string]int{}
	}
	if u.listener != nil && what.verb != "wait" && act.Attempt <= 1 {
		u.listener = nil // the person does something else
	}
	u.where.Step, u.act, u.acted = act.Step, act, time.Time{}
	if act.Speaks && act.Marker != "" {
		u.where.Marker = act.Marker
	}
	if act.Speaks && u.listener == nil {
		u.listener = u.listen(act)
	}
}

// actedNow is the moment at which the input goes in.
func (u *user) actedNow(press *experiments.Press) {
	press.Acted = time.Now()
	u.mu.Lock()
	u.acted = press.Acted
	l := u.listener
	u.mu.Unlock()
	if l != nil {
		l.clickedAt(press.Acted, press.Box)
	}
}

// sees is what expressions see of the page.
func (u *user) sees(press experiments.Press, began time.Time, answer experiments.Answer) experiments.Vars {
	status := u.page().net.status(press.Acted)
	u.mu.Lock()
	defer u.mu.Unlock()
	vars := pageVars(u.view)
	from := press.Acted
	if from.IsZero() {
		from = began
	}
	vars["elapsed"], vars["answered"] = press.Ended.Sub(from), answer.Answered
	// What a step without an expect goes by; expressions do not see it.
	vars["ok"], vars["status"] = answer.Answered && status < 400, int64(status)
	return vars
}

// pageVars is a page as expressions have it.
func pageVars(v *experiments.View) experiments.Vars {
	alerts := []any{}
	for _, text := range v.Alerts() {
		alerts = append(alerts, text)
	}
	return experiments.Vars{"page": map[string]any{"url": v.URL, "title": v.Title, "text": v.Text(), "alerts": alerts}}
}

// Close closes all tabs and forgets the browser context.
func (u *user) Close() error {
	u.mu.Lock()
	pages := u.pages
	u.pages, u.listener = nil, nil
	u.mu.Unlock()
	for i := len(pages) - 1; i >= 0; i-- {
		pages[i].close()
	}
	u.owed.Wait()
	u.stage.mu.Lock()
	defer u.stage.mu.Unlock()
	for i, other := range u.stage.users {
		if other == u {
			u.stage.users = append(u.stage.users[:i], u.stage.users[i+1:]...)
			break
		}
	}
	return u.err
}
