package browser

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/css"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/inspector"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/candor-chaos/candor/experiments"
)

//go:embed observer.js
var observer string

// world is the name of the observer's own world in a page, and binding what it reports through.
const (
	world   = "candor"
	binding = "candorSeen"
)

// page is one tab.
type page struct {
	user   *user
	ctx    context.Context
	cancel context.CancelFunc
	target *chromedp.Target
	net    *traffic
	events chan any
	done   chan struct{}

	mu      sync.Mutex
	world   string // unique ID of the observer's context in the document that is shown
	loaded  time.Time
	ready   time.Time // DOMContentLoaded
	shown   time.Time // the document came
	failed  string    // why the browser shows a page of its own
	dialogs int
}

// newPage opens a tab and sends the observer ahead of everything that will be shown in it.
func (u *user) newPage(parent context.Context, options ...chromedp.ContextOption) (*page, error) {
	p := &page{user: u, events: make(chan any, 4096), done: make(chan struct{})}
	p.net = newTraffic(p)
	ctx, cancel := chromedp.NewContext(parent, append(options, chromedp.WithListener(p.hear))...)
	p.ctx, p.cancel = ctx, cancel
	go p.attend()
	err := chromedp.Do(ctx, func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		p.target = t
		return chromedp.Void{}, p.prepare(ctx)
	})
	if err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// prepare sets the tab up.
func (p *page) prepare(parent context.Context) error {
	ctx, cancel := context.WithTimeout(parent, startWithin)
	defer cancel()
	yes, megabyte := true, int64(1<<20)
	config, err := json.Marshal(map[string]any{"regions": append([]experiments.Region{}, p.user.config.Regions...)})
	if err != nil {
		return err
	}
	source := "const CONFIG = " + string(config) + ";\n" + observer
	total, each := 32*megabyte, 9*megabyte
	c := chromedp.FromContext(p.ctx)
	return errors.Join(
		call(ctx, p.target, dom.Disable.Method, nil), call(ctx, p.target, css.Disable.Method, nil),
		call(ctx, p.target, network.Enable.Method, network.EnableParams{MaxTotalBufferSize: &total, MaxResourceBufferSize: &each, MaxPostDataSize: &megabyte}),
		call(ctx, p.target, runtime.AddBinding.Method, runtime.AddBindingParams{Name: binding, ExecutionContextName: world}),
		call(ctx, p.target, cdppage.AddScriptToEvaluateOnNewDocument.Method,
			cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: source, WorldName: world, RunImmediately: &yes}),
		call(ctx, p.target, emulation.SetFocusEmulationEnabled.Method, emulation.SetFocusEmulationEnabledParams{Enabled: true}),
		call(ctx, c.Browser, browser.SetDownloadBehavior.Method, browser.SetDownloadBehaviorParams{
			Behavior: browser.SetDownloadBehaviorBehaviorDeny, BrowserContextID: c.BrowserContextID, EventsEnabled: &yes}),
	)
}

// call asks the browser for something whose answer does not matter.
func call(ctx context.Context, s cdp.Session, method string, params any) error {
	if params == nil {
		params = cdp.Empty{}
	}
	if err := s.Call(ctx, method, params, nil); err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	return nil
}

// hear takes an event on the browser's own goroutine, which must not wait for the browser.
func (p *page) hear(ev any) {
	select {
	case p.events <- ev:
	case <-p.ctxDone():
	}
}

func (p *page) ctxDone() <-chan struct{} {
	if p.ctx == nil {
		return nil
	}
	return p.ctx.Done()
}

// attend takes events one after the other.
func (p *page) attend() {
	defer close(p.done)
	for {
		select {
		case <-p.ctx.Done():
			return
		case ev := <-p.events:
			p.take(ev)
		}
	}
}

func (p *page) take(ev any) {
	switch e := ev.(type) {
	case *runtime.EventBindingCalled:
		if e.Name == binding {
			p.user.seen(p, e.Payload)
		}
	case *runtime.EventExecutionContextCreated:
		p.entered(e.Context)
	case *cdppage.EventFrameNavigated:
		p.navigated(e.Frame)
	case *cdppage.EventDomContentEventFired:
		p.mark(&p.ready)
	case *cdppage.EventLoadEventFired:
		p.mark(&p.loaded)
	case *cdppage.EventJavascriptDialogOpening:
		p.dialog(e)
	case *runtime.EventConsoleAPICalled:
		p.console(e)
	case *runtime.EventExceptionThrown:
		p.user.notice(experiments.Notice{Kind: experiments.NoticeException, Text: exceptionText(e.ExceptionDetails), URL: e.ExceptionDetails.URL})
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError && e.Entry.Source != log.EntrySourceNetwork {
			p.user.notice(experiments.Notice{Kind: experiments.NoticeConsole, Text: string(e.Entry.Source) + ": " + e.Entry.Text, URL: e.Entry.URL})
		}
	case *target.EventTargetCrashed, *inspector.EventTargetCrashed:
		p.user.notice(experiments.Notice{Kind: experiments.NoticeCrash, Text: "the page's process died"})
	default:
		p.net.take(ev)
	}
}

func (p *page) mark(moment *time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	*moment = time.Now()
}

// entered keeps the observer's context in the page itself; frames have their own.
func (p *page) entered(c *runtime.ExecutionContextDescription) {
	var aux struct {
		FrameID string `json:"frameId"`
	}
	if c.Name != world || json.Unmarshal(c.AuxData, &aux) != nil || aux.FrameID != string(p.id()) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.world = c.UniqueID
}

// id is that of the tab, which is also that of its main frame.
func (p *page) id() target.ID {
	if c := chromedp.FromContext(p.ctx); c != nil && c.Target != nil {
		return c.Target.TargetID
	}
	return ""
}

func (p *page) navigated(f *cdp.Frame) {
	if f.ParentID != "" {
		return
	}
	p.mu.Lock()
	p.shown, p.loaded, p.ready, p.failed = time.Now(), time.Time{}, time.Time{}, ""
	p.mu.Unlock()
	n := experiments.Notice{Kind: experiments.NoticeNavigated, URL: f.URL}
	if f.UnreachableURL != "" {
		n.URL, n.Text = f.UnreachableURL, p.net.lastFailure()
		p.mu.Lock()
		p.failed = n.Text
		p.mu.Unlock()
	}
	if !strings.HasPrefix(n.URL, "about:") {
		p.user.notice(n)
	}
}

// dialog dismisses what a page opens over itself; one that does it without end waits longer each time.
func (p *page) dialog(e *cdppage.EventJavascriptDialogOpening) {
	p.mu.Lock()
	p.dialogs++
	delay := time.Duration(min(max(0, p.dialogs-5), 5)) * 10 * time.Millisecond
	p.mu.Unlock()
	leave := e.Type == cdppage.DialogTypeBeforeunload
	p.user.notice(experiments.Notice{Kind: experiments.NoticeDialog, Text: string(e.Type) + ": " + e.Message, URL: e.URL})
	go func() {
		ctx, cancel := context.WithTimeout(p.ctx, patience)
		defer cancel()
		_ = pause(ctx, delay)
		_ = call(ctx, p.target, cdppage.HandleJavaScriptDialog.Method, cdppage.HandleJavaScriptDialogParams{Accept: leave}) // it may be gone
	}()
}

func (p *page) console(e *runtime.EventConsoleAPICalled) {
	if e.Type != runtime.ConsoleAPICalledTypeError && e.Type != runtime.ConsoleAPICalledTypeWarning {
		return
	}
	var texts []string
	for _, a := range e.Args[:min(len(e.Args), 8)] {
		texts = append(texts, objectText(a))
	}
	p.user.notice(experiments.Notice{Kind: experiments.NoticeConsole, Text: string(e.Type) + ": " + strings.Join(texts, " ")})
}

func objectText(o *runtime.RemoteObject) string {
	var text string
	if json.Unmarshal(o.Value, &text) == nil {
		return text
	}
	if o.Description != "" {
		return o.Description
	}
	return string(o.Value)
}

func exceptionText(d *runtime.ExceptionDetails) string {
	if d.Exception != nil && d.Exception.Description != "" {
		return d.Exception.Description
	}
	return d.Text
}

// close closes the tab.
func (p *page) close() {
	p.cancel()
	<-p.done
}
