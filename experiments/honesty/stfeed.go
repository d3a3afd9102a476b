package honesty

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// mergedStays makes one of the looks that follow each other in the same region of the same document and are all as wanted.
func mergedStays(stays []*stay, wanted func(*stay) bool) (merged []*stay) {
	type key struct {
		screen *screen
		region string
		page   int64
	}
	open := map[key]*stay{}
	for _, one := range stays {
		k := key{one.screen, one.region.Name, one.Page}
		last := open[k]
		switch {
		case !wanted(one):
			delete(open, k)
		case last != nil && last.until.Equal(one.from):
			last.until, last.lastSeq, last.left, last.seen.Text = one.until, one.lastSeq, one.left, one.seen.Text
		default:
			whole := *one
			open[k] = &whole
			merged = append(merged, &whole)
		}
	}
	return merged
}

// feedTimes are when something came to a user's pages: an answer to what they asked by themselves, or an event.
func (e *evidence) feedTimes(s *screen) (all []time.Time) {
	for _, i := range s.asks {
		if a := e.answers[i]; a.By == experiments.ByClient && a.Kind != "document" && a.good() {
			all = append(all, a.Ended)
		}
	}
	for _, n := range s.notices {
		if n.Kind == experiments.NoticeSocket {
			all = append(all, n.When)
		}
	}
	slices.SortFunc(all, time.Time.Compare)
	return all
}

// usualInterval is how long it usually is between two things that come to a journey's pages in the baseline; 0 when
// nothing does.
func (e *evidence) usualInterval(journey string) time.Duration {
	var gaps []time.Duration
	for _, s := range e.screens {
		if s.journey != journey {
			continue
		}
		var last time.Time
		for _, at := range e.feedTimes(s) {
			if e.normalTime(at) {
				if !last.IsZero() {
					gaps = append(gaps, at.Sub(last))
				}
				last = at
			}
		}
	}
	if len(gaps) == 0 {
		return 0
	}
	slices.Sort(gaps)
	return gaps[len(gaps)/2]
}

// longestGap is the longest time between two in which none of the given ones lies.
func longestGap(times []time.Time, from, to time.Time) (start, end time.Time) {
	start, end = from, from
	last := from
	for _, at := range append(slices.Clone(times), to) {
		if at.Before(from) || at.After(to) {
			continue
		}
		if at.Sub(last) > end.Sub(start) {
			start, end = last, at
		}
		last = at
	}
	return start, end
}

// ageRange is an age as words give it: "2 minutes ago" may be nearly 3.
type ageRange struct{ longest time.Duration }

var (
	nowWords = regexp.MustCompile(`(?i)\b(?:just now|right now|a moment ago|moments ago|a few seconds ago|seconds ago|up to date)\b`)
	agoWords = regexp.MustCompile(`(?i)\b(\d+|an?|one)\s*(s|sec|secs|seconds?|m|min|mins|minutes?|h|hrs?|hours?|d|days?)\s+(?:ago|old)\b`)
	atClock  = regexp.MustCompile(`(?i)\b(?:as of|updated|last updated|refreshed|from|at|since)\b[^0-9]{0,24}\b(\d{1,2}):(\d{2})(?::(\d{2}))?\b`)
	dayWords = regexp.MustCompile(`(?i)\b(?:yesterday)\b`)
)

// ageSaid is the age that texts give at a moment; false when they give none that can be read.
func ageSaid(texts []string, at time.Time) (age ageRange, text string, ok bool) {
	for _, text := range texts {
		if found := agoWords.FindStringSubmatch(text); found != nil {
			return ageRange{agoOf(found[1], found[2])}, found[0], true
		}
		if found := atClock.FindStringSubmatch(text); found != nil {
			if d, ok := clockAge(found[1:], at); ok {
				return ageRange{d}, found[0], true
			}
		}
		if found := dayWords.FindString(text); found != "" {
			return ageRange{48 * time.Hour}, found, true
		}
		if found := nowWords.FindString(text); found != "" {
			return ageRange{time.Second}, found, true
		}
	}
	return ageRange{}, "", false
}

// agoOf is the longest that "2 minutes ago" can mean.
func agoOf(number, unit string) time.Duration {
	n, err := strconv.Atoi(number)
	if err != nil {
		n = 1 // a minute, an hour, one day
	}
	one := time.Second
	switch strings.ToLower(unit)[0] {
	case 'm':
		one = time.Minute
	case 'h':
		one = time.Hour
	case 'd':
		one = 24 * time.Hour
	}
	return time.Duration(min(n, 10_000)+1) * one
}

// clockAge is how long ago a time of day was: in the zone of the moment, or in UTC, whichever gives the longer age below
// half a day, since that is the one which accuses less.
func clockAge(parts []string, at time.Time) (time.Duration, bool) {
	hour, _ := strconv.Atoi(parts[0])
	minute, _ := strconv.Atoi(parts[1])
	second, _ := strconv.Atoi(parts[2])
	if hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	exact := time.Second
	if parts[2] == "" {
		exact = time.Minute
	}
	best, ok := time.Duration(0), false
	for _, t := range []time.Time{at, at.UTC()} {
		then := time.Date(t.Year(), t.Month(), t.Day(), hour, minute, second, 0, t.Location())
		if then.After(t.Add(exact)) {
			then = then.AddDate(0, 0, -1)
		}
		if age := t.Sub(then); age < 12*time.Hour && (!ok || age > best) {
			best, ok = max(0, age), true
		}
	}
	return best + exact, ok
}
