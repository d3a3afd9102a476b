package journeys

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/wire"
)

// How a claim was found, in the order in which the ways are tried.
const (
	byDeclared = "declared"
	byMarkup   = "markup"
	byLexicon  = "lexicon"
	byStatus   = "status"
	byNothing  = "nothing"
)

// Lexicon reads texts as a person would: the claim that they make about an intent, and the words that make it.
// ClaimNone when they make none.
type Lexicon func(texts []string) (claim experiments.Claim, words string)

// precedence is the order in which matching claims count: whoever doubts aloud is not read as sure.
var precedence = [...]experiments.Claim{experiments.ClaimUnknown, experiments.ClaimRefused, experiments.ClaimPending, experiments.ClaimSuccess}

// heard is what an answer was found to say.
type heard struct {
	claim   experiments.Claim
	also    []experiments.Claim
	effects map[string]experiments.Claim
	by      string
	words   string
	promise time.Duration
}

// hear derives the claim of an answer: what the journey declares, then what the markup says, then the words, then the
// status of the last hop. Who gets no answer was told nothing.
func hear(claims *experiments.Claims, answer experiments.Answer, vars experiments.Vars, attempt int, words Lexicon) heard {
	last := answer.Exchanges[len(answer.Exchanges)-1]
	if !answer.Answered {
		return heard{by: byNothing, words: wire.Line(last.Trouble+": "+last.Why, maxWords)}
	}
	h := heard{by: byNothing}
	if claims != nil {
		h = declared(claims, vars)
		h.effects = perEffect(claims, vars)
	}
	if h.claim == experiments.ClaimNone {
		h.adopt(markup(last, bodyOf(answer.Vars)))
	}
	if h.claim == experiments.ClaimNone && words != nil {
		h.adopt(spoken(last, answer.Vars, words))
	}
	if h.claim == experiments.ClaimNone {
		h.adopt(byTheStatus(last.Status, attempt))
	}
	if h.words == "" {
		h.words = fmt.Sprintf("HTTP %d %s", last.Status, wire.Line(last.Body.Text, maxWords))
	}
	if h.claim == experiments.ClaimPending {
		h.promise = promise(claims, vars, last)
	}
	return h
}

// maxWords bounds the evidence of a claim, in bytes.
const maxWords = 240

// adopt takes what the next way found and keeps what was said about single effects.
func (h *heard) adopt(next heard) {
	if next.claim != experiments.ClaimNone {
		next.effects = h.effects
		*h = next
	}
}

// declared asks the journey's own conditions. One that cannot look at the answer, because a field is not there, does not
// match.
func declared(claims *experiments.Claims, vars experiments.Vars) heard {
	return pick(map[experiments.Claim]experiments.Expr{
		experiments.ClaimUnknown: claims.Unknown,
		experiments.ClaimRefused: claims.Refused,
		experiments.ClaimPending: claims.Pending,
		experiments.ClaimSuccess: claims.Success,
	}, vars)
}

func pick(conditions map[experiments.Claim]experiments.Expr, vars experiments.Vars) heard {
	h := heard{by: byNothing}
	for _, claim := range precedence {
		condition := conditions[claim]
		if condition.IsZero() {
			continue
		}
		if holds, err := condition.Holds(vars); err != nil || !holds {
			continue
		}
		if h.claim != experiments.ClaimNone {
			h.also = append(h.also, claim)
			continue
		}
		h.claim, h.by = claim, byDeclared
	}
	return h
}

// perEffect is what the product said about single effects; those that it did not speak of are not there.
func perEffect(claims *experiments.Claims, vars experiments.Vars) map[string]experiments.Claim {
	var said map[string]experiments.Claim
	for effect, conditions := range claims.PerEffect {
		if h := pick(conditions, vars); h.claim != experiments.ClaimNone {
			if said == nil {
				said = map[string]experiments.Claim{}
			}
			said[effect] = h.claim
		}
	}
	return said
}

// byTheStatus is what a program takes a status to mean. A gateway that heard nothing says nothing about the intent.
func byTheStatus(status, attempt int) heard {
	h := heard{by: byStatus}
	switch {
	case status == http.StatusAccepted, status == http.StatusConflict && attempt > 1:
		h.claim = experiments.ClaimPending
	case status >= 200 && status < 300:
		h.claim = experiments.ClaimSuccess
	case status == http.StatusBadGateway, status == http.StatusGatewayTimeout, status < 400:
		return heard{by: byNothing}
	default:
		h.claim = experiments.ClaimRefused
	}
	return h
}

// promise is how long until what is pending will be final: what the journey declares, else Retry-After.
func promise(claims *experiments.Claims, vars experiments.Vars, last experiments.Exchange) time.Duration {
	if claims != nil && !claims.Promise.IsZero() {
		value, err := claims.Promise.Eval(vars)
		if err != nil {
			return 0
		}
		switch v := value.(type) {
		case time.Duration:
			return max(0, v)
		case string:
			d, err := time.ParseDuration(v)
			if err != nil {
				return 0
			}
			return max(0, d)
		}
		return 0
	}
	return retryAfter(http.Header(last.Headers), last.Ended)
}

// longestPromise bounds Retry-After: what lies further away is not a promise to a person.
const longestPromise = 24 * time.Hour

func retryAfter(header http.Header, now time.Time) time.Duration {
	text := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return min(longestPromise, time.Duration(seconds)*time.Second)
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	if theirs, err := http.ParseTime(header.Get("Date")); err == nil {
		now = theirs
	}
	return min(longestPromise, max(0, at.Sub(now)))
}
