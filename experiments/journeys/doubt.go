package journeys

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// told is what the product said of the intent in the end, and the answer that said it.
type told struct {
	claim  experiments.Claim
	at     time.Time
	answer experiments.Answer
}

// glance is one look of a doubter.
type glance struct {
	sent  time.Time
	seen  bool
	blind string
	seq   int64
}

// doubt looks up elsewhere what was just told, again and again until it is there or the product has had its time. Who was
// told that nothing happened has nothing to look for.
func (v *visit) doubt(ctx context.Context, a act, heard told) error {
	acts := v.walker.planned.Acts
	if acts.Looks < 1 || heard.claim == experiments.ClaimRefused || heard.claim == experiments.ClaimNone {
		return nil
	}
	sight := experiments.Sight{Marker: v.marker, Journey: v.record.Journey, Step: a.name, User: v.record.User,
		Visitor: v.user.login.Name, Told: heard.claim}
	looks := v.lookups(a, heard)
	if n := len(looks); n > 0 {
		sight.Step = looks[n-1].name
	}
	for look := range acts.Looks {
		if !until(ctx, heard.at.Add(acts.Lag*time.Duration(look)/time.Duration(max(1, acts.Looks-1)))) && look > 0 {
			break
		}
		g, err := v.look(ctx, looks, look+1)
		if err != nil {
			return err
		}
		sight.Looks, sight.After, sight.Seen, sight.Blind, sight.Exchange = look+1, g.sent.Sub(heard.at), g.seen, g.blind, g.seq
		if g.seen || len(looks) == 0 {
			break
		}
	}
	_, err := v.walker.config.Recorder.Append(experiments.Record{At: time.Now(), Sight: &sight})
	return err
}

// lookup is one step of a look-up; sees judges what it shows where the step has no expect.
type lookup struct {
	act
	sees func(experiments.Answer) (seen bool, blind string)
}

// lookups are the journey's own; without them the page on which the intent ended, or the one that its answer names.
func (v *visit) lookups(a act, heard told) []lookup {
	var all []lookup
	for i := range v.walker.journey.Lookup {
		step := &v.walker.journey.Lookup[i]
		l := lookup{act: act{step: step, name: step.Name, timeout: v.timeout(step, -1), lookup: true}}
		if planned := v.walker.planned.Lookup; i < len(planned) {
			l.name = planned[i].Name
		}
		all = append(all, l)
	}
	if request, is := a.step.Action.(*Request); len(all) == 0 && is {
		if l, can := v.again(a, request, heard.answer); can {
			all = append(all, l)
		}
	}
	return all
}

// again is reading the page once more that the intent ended on, where it shows the marker; or what Location names.
func (v *visit) again(a act, sent *Request, answer experiments.Answer) (lookup, bool) {
	last := answer.Exchanges[len(answer.Exchanges)-1]
	address, sees := last.URL, v.shows
	switch {
	case last.Method == http.MethodGet && strings.Contains(last.Body.Text, v.marker):
	case last.Method == http.MethodGet:
		return lookup{}, false
	default:
		from, err := url.Parse(last.URL)
		location := http.Header(last.Headers).Get("Location")
		if err != nil || location == "" {
			return lookup{}, false
		}
		to, err := from.Parse(location)
		if err != nil || origin(to) != origin(from) {
			return lookup{}, false
		}
		address, sees = to.String(), exists
	}
	again := &Request{Get: experiments.Literal(address), Headers: map[string]experiments.Template{}}
	for name, value := range sent.Headers {
		if !strings.EqualFold(name, "Idempotency-Key") && !strings.EqualFold(name, "Content-Type") {
			again.Headers[name] = value
		}
	}
	name := a.name + experiments.LookedUp
	return lookup{act: act{step: &experiments.Step{Name: name, Action: again}, name: name, timeout: a.timeout, lookup: true}, sees: sees}, true
}

// shows looks for the marker in what came back.
func (v *visit) shows(answer experiments.Answer) (bool, string) {
	seen, blind := exists(answer)
	last := answer.Exchanges[len(answer.Exchanges)-1]
	switch {
	case !seen:
		return false, blind
	case strings.Contains(last.Body.Text, v.marker):
		return true, ""
	case last.Body.Cut || last.Body.Unread:
		return false, "the page is longer than what was kept of it"
	}
	return false, ""
}

// exists goes by the status: a 2xx is a sight of it, a 404 or 410 of its absence, and anything else is none.
func exists(answer experiments.Answer) (bool, string) {
	if answer.Recorded {
		return existsOnPage(answer)
	}
	switch last := answer.Exchanges[len(answer.Exchanges)-1]; {
	case !answer.Answered:
		return false, "no answer (" + last.Trouble + ")"
	case last.Status >= 200 && last.Status < 300:
		return true, ""
	case last.Status == http.StatusNotFound || last.Status == http.StatusGone:
		return false, ""
	default:
		return false, fmt.Sprintf("the look-up was answered %d", last.Status)
	}
}

// look takes the steps of a look-up once. The last one's answer decides.
func (v *visit) look(ctx context.Context, looks []lookup, attempt int) (glance, error) {
	if len(looks) == 0 {
		return glance{sent: time.Now(), blind: "the journey has no look-up, and what the intent ended on does not show it"}, nil
	}
	g := glance{sent: time.Now()}
	for i, l := range looks {
		vars := v.sees()
		if r, ok := l.step.Action.(rehearser); ok {
			if err := r.Rehearse(vars); err != nil {
				g.blind = fmt.Sprintf("step %q cannot be acted: %v", l.name, err)
				return g, nil
			}
		}
		g.sent = time.Now()
		answer, err := v.user.surface.Do(context.WithoutCancel(ctx), v.act(l.act, vars, 1))
		if err != nil {
			return g, fmt.Errorf("step %q: %w", l.name, err)
		}
		seen := vars.With(answer.Vars)
		if g.seq, err = v.exchanges(l.act, pressed{attempt: attempt, answer: answer}, true, seen); err != nil {
			return g, err
		}
		if v.steps[l.name], g.blind = v.extract(l.act, answer, seen); g.blind != "" {
			return g, nil
		}
		if i == len(looks)-1 {
			g.seen, g.blind = l.judge(answer, seen)
		}
	}
	return g, nil
}

// judge says whether it is there, or why that cannot be told. An expect that does not hold of an answer that is no sight
// of anything says nothing.
func (l lookup) judge(answer experiments.Answer, seen experiments.Vars) (bool, string) {
	if l.sees != nil {
		return l.sees(answer)
	}
	holds, err := l.step.Expect.Holds(seen)
	if err == nil && holds && answer.Answered {
		return true, ""
	}
	if _, blind := exists(answer); blind != "" {
		return false, blind
	}
	if err != nil {
		return false, err.Error()
	}
	return false, ""
}

// until waits for a moment and reports whether ctx is still alive then.
func until(ctx context.Context, at time.Time) bool {
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return ctx.Err() == nil
	}
}
