package honesty

import (
	"fmt"
	"slices"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// The rounds in which the truth is read; the last two decide.
const (
	roundBefore = "before"
	roundFirst  = "first"
	roundSecond = "second"
)

// truth is what the world showed of one effect.
type truth struct {
	journey  string
	effect   experiments.PlannedEffect
	before   *reading
	first    *reading
	second   *reading
	glimpsed map[string]int64 // marker → line of the last reading before these that had it
	early    []*reading       // those before these two that could see, in order
	blind    int              // readings that could not see
	tried    int
	shares   string // why its reader cannot be trusted; empty when it can
	likeness int    // how alike stored and wanted values are when all is well
}

// reading is one round of one effect.
type reading struct {
	seq     int64
	started time.Time
	rows    map[string]experiments.TruthRow
	blind   string
}

func (r *reading) sees() bool { return r != nil && r.blind == "" }

func (e *evidence) addTruth(r *experiments.Record) {
	read := r.Truth
	t := e.truths[effectKey{read.Journey, read.Effect}]
	if t == nil {
		return // not an effect of the plan
	}
	t.tried++
	if read.Blind != "" {
		t.blind++
	}
	switch read.Round {
	case roundBefore:
		t.before = newReading(r)
	case roundFirst:
		t.first = newReading(r)
	case roundSecond:
		t.second = newReading(r)
	default:
		if t.glimpsed == nil {
			t.glimpsed = map[string]int64{}
		}
		if read.Blind == "" {
			t.early = append(t.early, newReading(r))
		}
		for _, row := range read.Rows {
			if row.Count > 0 {
				t.glimpsed[row.Marker] = r.Seq
			}
		}
	}
}

// newReading indexes a reading. A reader may list a marker in several rows; they add up.
func newReading(r *experiments.Record) *reading {
	n := &reading{seq: r.Seq, started: r.Truth.Started, blind: r.Truth.Blind, rows: make(map[string]experiments.TruthRow, len(r.Truth.Rows))}
	if n.started.IsZero() {
		n.started = r.At
	}
	for _, row := range r.Truth.Rows {
		if other, twice := n.rows[row.Marker]; twice {
			row.Count += other.Count
			if other.At.After(row.At) {
				row.At = other.At
			}
		}
		n.rows[row.Marker] = row
	}
	return n
}

// last is the reading that decides: the second, or the first where no second could see.
func (t *truth) last() *reading {
	switch {
	case t.second.sees():
		return t.second
	case t.first.sees():
		return t.first
	}
	return nil
}

// weighTruths finds out of every effect whether its reader can be trusted, and how stored values look when all is well.
func (e *evidence) weighTruths() {
	for _, t := range e.truths {
		t.shares = e.sharedFate(t)
		t.likeness = e.learnLikeness(t)
	}
}

// sharedFate says why a reader shares a fault: what it goes through needs what was broken, or was itself still broken when
// it was read. A service that was broken and is whole again may tell of itself.
func (e *evidence) sharedFate(t *truth) string {
	for _, s := range e.strikes {
		if s.injecting.IsZero() {
			continue
		}
		for _, through := range t.effect.Shares {
			for _, broken := range s.planned.Reach.Services {
				if through != broken && slices.Contains(e.serviceNeeds(through), broken) {
					return fmt.Sprintf("its reader goes through %s, which needs %s, and that was broken", through, broken)
				}
				last := t.last()
				if through == broken && s.planned.Reach.Path == nil && last != nil && s.covers(last.started, last.started) {
					return fmt.Sprintf("its reader goes through %s, which was still broken when it was read", through)
				}
			}
		}
	}
	return ""
}

func (e *evidence) serviceNeeds(name string) []string {
	for _, s := range e.plan.Services {
		if s.Name == name {
			return s.Needs
		}
	}
	return nil
}

// standing is what the world shows of one effect of one intent.
type standing uint8

const (
	unreadable standing = iota
	absent
	right
	wrong
	several
)

// fact is the truth about one effect of one intent, with the readings that show it.
type fact struct {
	standing standing
	count    int64
	value    *string
	why      string    // why it is unreadable
	at       time.Time // when the reading that decided began
	once     bool      // only one reading could see: absence is not confirmed
	vanished int64     // line of an earlier reading that had the row, where it is absent now
	seqs     [2]int64  // lines of the readings
}

// about looks up one intent's effect, with the value that was wanted.
func (t *truth) about(marker, want string, valued bool, reread time.Duration) fact {
	last := t.last()
	switch {
	case last == nil && t.tried == 0:
		return fact{why: "the truth was not read"}
	case last == nil && t.first == nil && t.second == nil:
		return fact{why: "the truth was not read after the fault"}
	case last == nil:
		return fact{why: "the truth could not be read: " + t.whyBlind()}
	case t.shares != "":
		return fact{why: t.shares}
	}
	row := last.rows[marker]
	f := fact{count: row.Count, value: row.Value, at: last.started, once: !t.first.sees() || !t.second.sees()}
	f.seqs = [2]int64{last.seq}
	if !f.once {
		f.seqs = [2]int64{t.first.seq, t.second.seq}
		f.once = t.second.started.Sub(t.first.started) < reread
	}
	switch {
	case row.Count == 0:
		f.standing = absent
		f.vanished = t.glimpsed[marker]
		if !f.once && t.first.rows[marker].Count > 0 {
			f.vanished = t.first.seq
		}
	case row.Count > 1:
		f.standing = several
	case !valued:
		f.standing = right
	case row.Value == nil:
		f.standing, f.why = unreadable, "the reader lists no value"
	case alike(want, *row.Value, t.likeness):
		f.standing = right
	default:
		f.standing = wrong
	}
	return f
}

func (t *truth) whyBlind() string {
	for _, r := range []*reading{t.second, t.first} {
		if r != nil && r.blind != "" {
			return r.blind
		}
	}
	return ""
}
