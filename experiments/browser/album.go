package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	cdppage "github.com/chromedp/cdproto/page"

	"github.com/candor-chaos/candor/experiments"
)

const (
	shotWidth, shotHeight = 640, 400 // of thumbnails; a window has 1280 × 800
	shotQuality           = 55
	mostShot              = 120 << 10 // bytes of one
	mostShots             = 600       // of a run
	betweenShots          = 400 * time.Millisecond
	mostNodes             = 400
)

// album numbers the screenshots of a run.
type album struct {
	folder string
	taken  atomic.Int64
}

// phase is the phase of the run, and the picture of its middle that is still to be taken.
type phase struct {
	name   experiments.Phase
	middle *time.Timer
}

func (p *phase) stop() {
	if p.middle != nil {
		p.middle.Stop()
	}
}

// Begin takes the pictures of the filmstrip: the end of the phase that was, the start and the middle of the one that is.
func (s *stage) Begin(name experiments.Phase, length time.Duration) {
	s.mu.Lock()
	last := s.phase.name
	s.phase.stop()
	s.phase = phase{name: name}
	if length > 0 {
		s.phase.middle = time.AfterFunc(length/2, func() { s.film(string(name) + " middle") })
	}
	s.mu.Unlock()
	if last != "" {
		s.film(string(last) + " end")
	}
	s.film(string(name) + " start")
}

// film takes a picture of the first user of each journey.
func (s *stage) film(why string) {
	done := map[string]bool{}
	for _, u := range s.everybody() {
		if !done[u.config.Journey] {
			done[u.config.Journey] = true
			u.owed.Go(func() { u.shoot(why) })
		}
	}
}

// picture takes a screenshot and the browser's own accessibility tree, unless it did so a moment ago.
func (u *user) picture(why string) {
	u.mu.Lock()
	soon := time.Since(u.shot) < betweenShots && why != "claim"
	if !soon {
		u.shot = time.Now()
	}
	gone := len(u.pages) == 0
	u.mu.Unlock()
	if soon || gone {
		return
	}
	u.owed.Go(func() {
		u.shoot(why)
		u.outline(why)
	})
}

// shoot takes a screenshot. One that cannot be taken is none: the samples say what was seen.
func (u *user) shoot(why string) {
	s := u.stage
	if s.album.folder == "" || s.album.taken.Load() >= mostShots {
		return
	}
	u.mu.Lock()
	if len(u.pages) == 0 {
		u.mu.Unlock()
		return
	}
	p, where := u.pages[len(u.pages)-1], u.where
	u.mu.Unlock()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	data, err := p.capture(ctx)
	if err != nil || len(data) == 0 || len(data) > mostShot {
		return
	}
	file := filepath.Join("shots", fmt.Sprintf("%06d.jpg", s.album.taken.Add(1)))
	if err := os.WriteFile(filepath.Join(s.album.folder, file), data, 0o644); err != nil {
		u.notice(experiments.Notice{Kind: experiments.NoticeConsole, Text: "candor could not save a screenshot: " + err.Error()})
		return
	}
	u.record(experiments.Record{At: time.Now(), Shot: &experiments.Shot{Where: where, Why: why, File: filepath.ToSlash(file),
		Width: shotWidth, Height: shotHeight, Bytes: len(data)}})
}

func (p *page) capture(ctx context.Context) ([]byte, error) {
	layout, err := cdp.Call(ctx, p.target, cdppage.GetLayoutMetrics, cdp.Empty{})
	if err != nil {
		return nil, err
	}
	quality, fast := int64(shotQuality), true
	clip := cdppage.Viewport{Width: 1280, Height: 800, Scale: float64(shotWidth) / 1280}
	if v := layout.CSSVisualViewport; v != nil {
		clip.X, clip.Y = v.PageX, v.PageY
	}
	got, err := cdp.Call(ctx, p.target, cdppage.CaptureScreenshot, cdppage.CaptureScreenshotParams{Format: cdppage.CaptureScreenshotFormatJpeg,
		Quality: &quality, Clip: &clip, OptimizeForSpeed: &fast})
	return got.Data, err
}

// outline writes down the browser's accessibility tree.
func (u *user) outline(why string) {
	u.mu.Lock()
	if len(u.pages) == 0 {
		u.mu.Unlock()
		return
	}
	p, where := u.pages[len(u.pages)-1], u.where
	u.mu.Unlock()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	got, err := cdp.Call(ctx, p.target, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	if err != nil {
		return
	}
	o := &experiments.Outline{Where: where, Why: why}
	depth := map[accessibility.NodeID]int{}
	for _, n := range got.Nodes {
		depth[n.NodeID] = depth[n.ParentID] + 1
		if n.Ignored || word(n.Role) == "none" || word(n.Role) == "InlineTextBox" {
			depth[n.NodeID] = depth[n.ParentID]
			continue
		}
		if len(o.Nodes) == mostNodes {
			o.Cut = true
			break
		}
		o.Nodes = append(o.Nodes, nodeOf(n, min(depth[n.NodeID]-1, 40)))
	}
	u.record(experiments.Record{At: time.Now(), Outline: o})
}

func nodeOf(n *accessibility.Node, depth int) experiments.Node {
	out := experiments.Node{Depth: depth, Role: word(n.Role), Name: clip(word(n.Name), 200), About: clip(word(n.Description), 200)}
	for _, p := range n.Properties {
		value := word(p.Value)
		switch p.Name {
		case "busy":
			out.Busy = value == "true"
		case "live":
			out.Live = value
		case "disabled":
			out.Disabled = value == "true"
		case "focused":
			out.Focused = value == "true"
		case "invalid":
			out.Invalid = value != "" && value != "false"
		}
	}
	return out
}

// word is a value of the tree as text.
func word(v *accessibility.Value) string {
	if v == nil {
		return ""
	}
	var s string
	if json.Unmarshal(v.Value, &s) == nil {
		return s
	}
	return string(v.Value)
}
