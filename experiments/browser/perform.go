package browser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/wire"
)

// lookAgain is how often a person looks whether what they wait for is there.
const lookAgain = 80 * time.Millisecond

// perform1 does one verb. What the page does not let the person do is the press's trouble; an error means that the browser
// broke.
func (u *user) perform1(ctx context.Context, act experiments.Act, what prepared, press *experiments.Press) error {
	p := u.page()
	var err error
	switch what.verb {
	case "open":
		err = u.navigate(ctx, p, press, func() error { return p.navigate(ctx, what.text) })
	case "tab":
		err = u.openTab(ctx, press, what.text)
	case "reload":
		err = u.navigate(ctx, p, press, func() error { return call(ctx, p.target, cdppage.Reload.Method, cdppage.ReloadParams{}) })
	case "back":
		err = u.back(ctx, p, press)
	case "press":
		err = u.key(ctx, p, what.text, press)
	case "wait":
		err = u.wait(ctx, p, what, press)
	default:
		err = u.touch(ctx, p, what, press)
	}
	var stuck *stuckError
	switch {
	case errors.As(err, &stuck):
		press.Trouble, press.Why = stuck.trouble, stuck.why
		return nil
	case err != nil && ctx.Err() != nil && u.stage.ctx.Err() == nil:
		press.Trouble, press.Why = wire.Timeout, "the page did not let the person do it in time"
		return nil
	}
	return err
}

// stuckError is what keeps a person from acting.
type stuckError struct{ trouble, why string }

func (e *stuckError) Error() string { return e.why }

func stuck(trouble, format string, args ...any) error {
	return &stuckError{trouble, fmt.Sprintf(format, args...)}
}

// navigate acts and leaves the rest to await.
func (u *user) navigate(ctx context.Context, p *page, press *experiments.Press, do func() error) error {
	p.mu.Lock()
	p.shown, p.loaded, p.ready, p.failed, p.dialogs = time.Time{}, time.Time{}, time.Time{}, "", 0
	p.mu.Unlock()
	u.actedNow(press)
	return do()
}

// navigate goes to an address. It comes back when the document's first bytes are there.
func (p *page) navigate(ctx context.Context, address string) error {
	got, err := cdp.Call(ctx, p.target, cdppage.Navigate, cdppage.NavigateParams{URL: address})
	switch {
	case err != nil && ctx.Err() != nil:
		p.stop()
		return stuck(wire.Timeout, "%s did not answer in time", address)
	case err != nil:
		return err
	case got.IsDownload:
		return nil
	case got.ErrorText != "":
		return stuck(trouble(got.ErrorText), "%s did not come: %s", address, got.ErrorText)
	}
	return nil
}

// stop ends loading, so that the tab can be used again.
func (p *page) stop() {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	_ = call(ctx, p.target, cdppage.StopLoading.Method, nil) // the next address ends it too
}

func (u *user) openTab(ctx context.Context, press *experiments.Press, address string) error {
	u.mu.Lock()
	first, many := u.pages[0], len(u.pages)
	u.mu.Unlock()
	if many >= mostPages {
		return stuck("full", "there are %d tabs already", many)
	}
	p, err := u.newPage(first.ctx)
	if err != nil {
		return err
	}
	u.mu.Lock()
	u.pages = append(u.pages, p)
	u.mu.Unlock()
	return u.navigate(ctx, p, press, func() error { return p.navigate(ctx, address) })
}

func (u *user) back(ctx context.Context, p *page, press *experiments.Press) error {
	past, err := cdp.Call(ctx, p.target, cdppage.GetNavigationHistory, cdp.Empty{})
	if err != nil {
		return err
	}
	if past.CurrentIndex < 1 {
		return stuck("nothing", "there is no page to go back to")
	}
	to := past.Entries[past.CurrentIndex-1].ID
	return u.navigate(ctx, p, press, func() error {
		return call(ctx, p.target, cdppage.NavigateToHistoryEntry.Method, cdppage.NavigateToHistoryEntryParams{EntryID: to})
	})
}

func (u *user) key(ctx context.Context, p *page, name string, press *experiments.Press) error {
	events, _ := keys(name)
	u.mu.Lock()
	press.Block = u.view.Focus
	press.Box = u.view.Blocks[press.Block].Box
	u.mu.Unlock()
	u.actedNow(press)
	for _, e := range events {
		if err := call(ctx, p.target, input.DispatchKeyEvent.Method, *e); err != nil {
			return err
		}
	}
	return nil
}

func (u *user) wait(ctx context.Context, p *page, what prepared, press *experiments.Press) error {
	u.actedNow(press)
	if what.wait.For == nil {
		return pause(ctx, what.wait.Time)
	}
	for {
		found, err := p.find(ctx, what.found)
		if err != nil {
			return err
		}
		if found.Count > 0 {
			press.Block, press.Box = found.First[0].ID, found.First[0].Box
			return nil
		}
		if pause(ctx, lookAgain) != nil {
			return stuck(wire.Timeout, "%s did not come into sight", what.found)
		}
	}
}

// element is what a locator found.
type element struct {
	ID       int64           `json:"id"`
	Box      experiments.Box `json:"box"`
	Selector string          `json:"selector"`
	Role     string          `json:"role"`
	Text     string          `json:"text"`
	Disabled bool            `json:"disabled"`
}

type elements struct {
	Count int       `json:"count"`
	First []element `json:"first"`
	Error string    `json:"error"`
}

// touch finds one element and fills, clicks or selects in it, as soon as it can be done.
func (u *user) touch(ctx context.Context, p *page, what prepared, press *experiments.Press) error {
	var why error
	for {
		found, err := p.find(ctx, what.found)
		switch {
		case err != nil && why != nil && ctx.Err() != nil && u.stage.ctx.Err() == nil:
			return why
		case err != nil:
			return err
		case found.Count == 1:
			press.Block, press.Box = found.First[0].ID, found.First[0].Box
			if err := u.apply(ctx, p, what, found.First[0], press); why == nil || ctx.Err() == nil || !press.Acted.IsZero() {
				why = err // else it is the time that is over, and what was in the way before says more
			}
		case found.Count > 1:
			return stuck("ambiguous", "%d elements are %s: %s", found.Count, what.found, list(found))
		default:
			why = stuck("missing", "there is no %s on the page", what.found)
		}
		var stuck *stuckError
		if why == nil || !errors.As(why, &stuck) || !press.Acted.IsZero() {
			return why
		}
		if pause(ctx, lookAgain) != nil {
			return why
		}
	}
}

func list(found elements) string {
	var all []string
	for _, e := range found.First {
		all = append(all, fmt.Sprintf("%s (%s)", e.Selector, clip(e.Text, 40)))
	}
	if found.Count > len(all) {
		all = append(all, "…")
	}
	return strings.Join(all, ", ")
}

// apply acts on an element, or says what is in the way.
func (u *user) apply(ctx context.Context, p *page, what prepared, e element, press *experiments.Press) error {
	if e.Disabled {
		return stuck("disabled", "%s is disabled", what.found)
	}
	switch what.verb {
	case "click":
		return u.click(ctx, p, what, e, press)
	case "select":
		return u.enter(ctx, p, "choose", what, e, press)
	}
	return u.enter(ctx, p, "enter", what, e, press)
}

func (u *user) click(ctx context.Context, p *page, what prepared, e element, press *experiments.Press) error {
	var at struct {
		X, Y     float64
		Box      experiments.Box
		Gone     bool
		Covered  string
		Disabled bool
	}
	switch err := p.ask(ctx, fmt.Sprintf("candor.aim(%d)", e.ID), &at); {
	case err != nil:
		return err
	case at.Gone:
		return stuck("missing", "%s went away", what.found)
	case at.Disabled:
		return stuck("disabled", "%s is disabled", what.found)
	case at.Covered != "":
		return stuck("covered", "%s lies under %s", what.found, at.Covered)
	}
	press.Box = at.Box
	u.actedNow(press)
	mouse := input.DispatchMouseEventParams{X: at.X, Y: at.Y, Button: input.MouseButtonLeft, ClickCount: 1}
	for _, kind := range []input.DispatchMouseEventType{input.DispatchMouseEventTypeMouseMoved, input.DispatchMouseEventTypeMousePressed, input.DispatchMouseEventTypeMouseReleased} {
		mouse.Type = kind
		if err := call(ctx, p.target, input.DispatchMouseEvent.Method, mouse); err != nil {
			return err
		}
	}
	return nil
}

// enter fills in or chooses. The observer's half answers empty when it went well so far, and done when all is done.
func (u *user) enter(ctx context.Context, p *page, how string, what prepared, e element, press *experiments.Press) error {
	text, err := json.Marshal(what.text)
	if err != nil {
		return err
	}
	var said string
	if err := p.ask(ctx, fmt.Sprintf("candor.%s(%d, %s)", how, e.ID, text), &said); err != nil {
		return err
	}
	if said != "" && said != "done" {
		return stuck("refused", "%s: %s", what.found, said)
	}
	u.actedNow(press)
	switch {
	case said == "done" || how == "choose":
		return nil
	case what.text == "":
		return u.strike(ctx, p, "Backspace")
	}
	return call(ctx, p.target, input.InsertText.Method, input.InsertTextParams{Text: what.text})
}

func (u *user) strike(ctx context.Context, p *page, name string) error {
	events, _ := keys(name)
	for _, e := range events {
		if err := call(ctx, p.target, input.DispatchKeyEvent.Method, *e); err != nil {
			return err
		}
	}
	return nil
}

func (p *page) find(ctx context.Context, what experiments.Found) (found elements, err error) {
	locator, err := json.Marshal(what)
	if err == nil {
		err = p.ask(ctx, "candor.find("+string(locator)+")", &found)
	}
	if err == nil && found.Error != "" {
		err = stuck("missing", "%s", found.Error)
	}
	return found, err
}

// ask evaluates something in the observer's world. While one document gives way to another there is none: then it asks
// again.
func (p *page) ask(ctx context.Context, expression string, into any) error {
	yes := true
	for {
		p.mu.Lock()
		world := p.world
		p.mu.Unlock()
		if world != "" {
			got, err := cdp.Call(ctx, p.target, runtime.Evaluate, runtime.EvaluateParams{Expression: expression, UniqueContextID: world, ReturnByValue: &yes})
			if err == nil && got.ExceptionDetails == nil && got.Result != nil {
				return json.Unmarshal(got.Result.Value, into)
			}
			if p.user.stage.ctx.Err() != nil {
				return p.user.stage.ctx.Err()
			}
		}
		if pause(ctx, lookAgain) != nil {
			return stuck(wire.Timeout, "the page does not react")
		}
	}
}
