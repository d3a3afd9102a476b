package experiments

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// status binds the status page of the system.
func (w *compiler) status() {
	page, s := w.System.Status, w.Definitions.system
	if page == nil {
		return
	}
	if u := page.HTTP.Get.Source; u != "" && !strings.HasPrefix(u, "http://") && !strings.HasPrefix(u, "https://") && !strings.HasPrefix(u, "{{") {
		s.on("status.http.get", "", "%q does not begin with http:// or https://", u)
	}
	for _, part := range keys(page.Services) {
		w.known(s, "status.services."+part, page.Services[part])
	}
	p := &PlannedStatus{Services: page.Services, States: usualStates(), Dated: !page.HTTP.Updated.IsZero()}
	given := map[string]string{}
	for _, word := range []struct{ state, text string }{{PartUp, page.States.Up}, {PartShaky, page.States.Shaky}, {PartDown, page.States.Down}} {
		text := strings.ToLower(word.text)
		if other := given[text]; other != "" && text != "" {
			s.on("status.states."+word.state, "", "%q is the word for %s already", word.text, other)
		}
		if text != "" {
			given[text], p.States[text] = word.state, word.state
		}
	}
	w.plan.Status = p
}

// statusLimits is what a tier asks of status pages.
func (w *compiler) statusLimits(tier string) (l StatusLimits) {
	l.FirstNotice = w.statusTime(tier, "first_notice")
	l.ClearWithin = w.statusTime(tier, "clear_within")
	if lie, _ := w.statusValue(tier, "green_lie").(map[string]any); lie != nil {
		l.FailShare, _ = shareOf(lie["fail_share"])
		l.For, _ = timeOf(lie["for"])
	}
	return l
}

func (w *compiler) statusValue(tier, key string) any {
	if w.Standards == nil {
		return nil
	}
	value, _ := w.clause(tier, "status."+key)
	return value
}

func (w *compiler) statusTime(tier, key string) time.Duration {
	d, _ := timeOf(w.statusValue(tier, key))
	return d
}

// checkStatus finds what in a tier's clause about status pages cannot be read.
func (w *compiler) checkStatus(t Tier, at string) {
	for _, key := range []string{"first_notice", "clear_within"} {
		w.statusMistake(at+"."+key, t.Status[key], func(v any) error { _, err := timeOf(v); return err })
	}
	switch lie := t.Status["green_lie"].(type) {
	case nil:
	case map[string]any:
		for _, key := range keys(lie) {
			switch key {
			case "fail_share":
				w.statusMistake(at+".green_lie.fail_share", lie[key], func(v any) error { _, err := shareOf(v); return err })
			case "for":
				w.statusMistake(at+".green_lie.for", lie[key], func(v any) error { _, err := timeOf(v); return err })
			default:
				w.standards.on(at+".green_lie."+key, suggest(key, []string{"fail_share", "for"}), "unknown key %q", key)
			}
		}
		for _, key := range []string{"fail_share", "for"} {
			if _, given := lie[key]; !given {
				w.standards.on(at+".green_lie", "", "green_lie wants %q: a green page is a lie from a share of failing intents on, over a time", key)
			}
		}
	default:
		if lie != unset {
			w.standards.on(at+".green_lie", "", `green_lie wants "fail_share" and "for"`)
		}
	}
}

func (w *compiler) statusMistake(at string, value any, read func(any) error) {
	if value == nil || value == unset {
		return
	}
	if err := read(value); err != nil {
		w.standards.on(at, "", "%v", err)
	}
}

// shareOf reads a share, as 20% or 0.2.
func shareOf(value any) (float64, error) {
	text, percent := strings.CutSuffix(strings.TrimSpace(fmt.Sprint(value)), "%")
	share, err := strconv.ParseFloat(text, 64)
	if percent {
		share /= 100
	}
	if err != nil || !(share > 0 && share <= 1) || math.IsNaN(share) {
		return 0, fmt.Errorf("%q is no share: want more than 0%% and up to 100%%, as 20%%", fmt.Sprint(value))
	}
	return share, nil
}

func timeOf(value any) (time.Duration, error) {
	d, err := time.ParseDuration(fmt.Sprint(value))
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%q is no time such as 5m", fmt.Sprint(value))
	}
	return d, nil
}

// cannotStatus is why a rule about the status page cannot apply, and empty when it can.
func (w *compiler) cannotStatus(id string) string {
	page := w.System.Status
	limits := func(set func(StatusLimits) bool) bool {
		for _, j := range w.plan.Journeys {
			if set(j.Status) {
				return true
			}
		}
		return false
	}
	lie := limits(func(l StatusLimits) bool { return l.For > 0 })
	switch {
	case id == "SP-06":
		if !w.ready() {
			return "no service with a url declares what it answers when it can serve (ready)"
		}
	case page == nil:
		return "the system declares no status page"
	case id != "SP-03" && len(page.Services) == 0:
		return "the status page does not say which services its parts stand for"
	}
	switch {
	case id != "SP-03" && !lie:
		return "no tier says from when on green is a lie (status.green_lie)"
	case id == "SP-02" && !limits(func(l StatusLimits) bool { return l.FirstNotice > 0 }):
		return "no tier says when the first notice is due (status.first_notice)"
	}
	return ""
}

// ready reports whether any service can be asked from outside whether it can serve.
func (w *compiler) ready() bool {
	for _, s := range w.System.Services {
		if s.Ready != "" && s.URL.Source != "" {
			return true
		}
	}
	return false
}
