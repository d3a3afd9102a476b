// Package browser lets users act in a real browser and writes down what each of them sees.
//
//	Stage ── one Chromium of the run's own: own profile, own process group, ends with the run however that ends
//	  └ user ── an isolated browser context: cookies, cache and windows of their own
//	      └ page ── observer.js looks every 250 ms and after changes, and reports what changed
//	          ├ Page      samples                     Press   what the person did
//	          ├ Exchange  documents, xhr, fetch       Claim   every change of what the page claims
//	          └ Notice    console, dialogs, windows   Shot, Outline  at changes of claims, at errors, per phase
//
// A page is hostile: what it reports is bounded, what it wants of the browser (dialogs, downloads, windows) is refused and
// noted. Its status is never a claim: a person does not see it. Frames within a page are not looked into.
package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/remote"

	"github.com/candor-chaos/candor/experiments"
)

// Kind is acting as a person does in a browser.
var Kind = experiments.SurfaceKind{
	Name: "browser",
	Doc:  "a real browser: what a person sees, clicks and types",
	Example: `click: {role: button, name: Buy now}
`,
	NewAction: func() experiments.Action { return new(Action) },
	Start:     start,
}

// stage is one browser with its users.
type stage struct {
	config  experiments.StageConfig
	process *process
	ctx     context.Context // of the connection; done when the browser is gone
	cancel  context.CancelFunc
	album   album

	mu    sync.Mutex
	users []*user
	phase phase
}

// start starts the browser. Where there is none, or it does not start, the error is an ErrSurfaceGone.
func start(ctx context.Context, c experiments.StageConfig) (experiments.Stage, error) {
	p, err := launch(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", experiments.ErrSurfaceGone, err)
	}
	s := &stage{config: c, process: p, album: album{folder: c.Folder}}
	silent := chromedp.WithErrorf(func(string, ...any) {})
	allocator, stop := remote.NewAllocator(context.WithoutCancel(ctx), p.address, remote.NoModifyURL)
	s.ctx, s.cancel = chromedp.NewContext(allocator, silent)
	end := s.cancel
	s.cancel = func() { end(); stop() }
	if err := chromedp.ListenBrowser(s.ctx, s.event); err == nil {
		err = s.discover()
	}
	if err == nil && s.ctx.Err() != nil {
		err = s.ctx.Err()
	}
	if err != nil {
		s.cancel()
		return nil, fmt.Errorf("%w: talk to the browser: %w", experiments.ErrSurfaceGone, errors.Join(err, p.end()))
	}
	if c.Folder != "" {
		if err := os.MkdirAll(filepath.Join(c.Folder, "shots"), 0o755); err != nil {
			s.cancel()
			return nil, errors.Join(fmt.Errorf("make a place for screenshots: %w", err), p.end())
		}
	}
	return s, nil
}

// discover asks to be told of windows and downloads.
func (s *stage) discover() error {
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	_, err := cdp.Call(ctx, s.browser(), target.SetDiscoverTargets, target.SetDiscoverTargetsParams{Discover: true})
	return err
}

func (s *stage) browser() *chromedp.Browser { return chromedp.FromContext(s.ctx).Browser }

// Open makes a user with a browser context of their own. Nothing is asked of the product.
func (s *stage) Open(c experiments.SurfaceConfig) (experiments.Surface, error) {
	u := newUser(s, c)
	if err := u.open(); err != nil {
		return nil, u.broken("open a window", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users = append(s.users, u)
	return u, nil
}

// event is what the browser tells that belongs to no page.
func (s *stage) event(ev any) {
	switch e := ev.(type) {
	case *target.EventTargetCreated:
		if info := e.TargetInfo; info.Type == "page" && info.OpenerID != "" {
			go s.shut(info)
		}
	case *browser.EventDownloadWillBegin:
		for _, u := range s.everybody() {
			u.download(string(e.FrameID), e.URL, e.SuggestedFilename)
		}
	}
}

// shut closes a window that a page opened: a person's steps stay where they are.
func (s *stage) shut(info *target.Info) {
	for _, u := range s.everybody() {
		u.window(info.OpenerID, info.URL)
	}
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	_, _ = cdp.Call(ctx, s.browser(), target.CloseTarget, target.CloseTargetParams{TargetID: info.TargetID}) // it may have closed itself
}

func (s *stage) everybody() []*user {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*user{}, s.users...)
}

// Close ends the browser and removes its profile.
func (s *stage) Close() error {
	s.mu.Lock()
	s.phase.stop()
	s.mu.Unlock()
	s.cancel()
	return s.process.end()
}

// patience bounds what the browser is asked.
const patience = 10 * time.Second
