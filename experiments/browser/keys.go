package browser

import (
	"unicode/utf8"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp/kb"
)

// keys are the events of pressing and letting go of a key.
func keys(name string) ([]*input.DispatchKeyEventParams, bool) {
	named := map[string]string{"Enter": kb.Enter, "Tab": kb.Tab, "Escape": kb.Escape, "Backspace": kb.Backspace, "Delete": kb.Delete,
		"Space": " ", "ArrowDown": kb.ArrowDown, "ArrowUp": kb.ArrowUp, "ArrowLeft": kb.ArrowLeft, "ArrowRight": kb.ArrowRight,
		"Home": kb.Home, "End": kb.End, "PageUp": kb.PageUp, "PageDown": kb.PageDown}
	key, known := named[name]
	if !known {
		key = name
	}
	if r, size := utf8.DecodeRuneInString(key); size == len(key) && size > 0 {
		return kb.Encode(r), true
	}
	return nil, false
}
