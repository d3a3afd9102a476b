package honesty

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// row is one line of the ledger: what a user wanted once, what was done and said about it, and what is true.
type row struct {
	*experiments.Intent
	seq      int64
	at       time.Time // when the intent was written down
	claims   []madeClaim
	attempts []int // places in evidence.answers
	effects  []settlement
	outcome  outcome
}

type madeClaim struct {
	*experiments.ClaimMade
	seq int64
}

// settlement is one effect of one intent: what was said about it, what is true, and how the two go together.
type settlement struct {
	truth   *truth
	claim   experiments.Claim
	own     bool // the product spoke of this effect by name
	fact    fact
	outcome outcome
}

func (e *evidence) addIntent(r *experiments.Record) {
	if e.marked[r.Intent.Marker] != nil {
		return // a marker is reserved once; a second intent with it is the same one
	}
	row := &row{Intent: r.Intent, seq: r.Seq, at: r.At}
	e.rows = append(e.rows, row)
	e.marked[row.Marker] = row
	e.visited[visitKey{row.Journey, row.Visit, row.User}] = row
}

func (e *evidence) addClaim(r *experiments.Record) {
	if row := e.marked[r.Claim.Marker]; row != nil {
		row.claims = append(row.claims, madeClaim{r.Claim, r.Seq})
	}
}

// final is the last claim that was made, nil when none ever was.
func (r *row) final() *madeClaim {
	if len(r.claims) == 0 {
		return nil
	}
	return &r.claims[len(r.claims)-1]
}

// claim is what the user was told in the end.
func (r *row) claim() experiments.Claim {
	if final := r.final(); final != nil {
		return final.Claim
	}
	return experiments.ClaimNone
}

// acted and told are when the user acted and when the last word came.
func (r *row) acted() time.Time {
	if final := r.final(); final != nil && !final.Clicked.IsZero() {
		return final.Clicked
	}
	return r.at
}

func (r *row) told() time.Time {
	if final := r.final(); final != nil && !final.Final.IsZero() {
		return final.Final
	}
	return r.acted()
}

// unsent reports whether nothing shows that the user ever acted: the runner may have died in between.
func (r *row) unsent() bool { return len(r.claims) == 0 && len(r.attempts) == 0 }

// forsake takes back what was under way when a browser died: nobody was there any more to be told anything.
func (e *evidence) forsake() {
	if !slices.ContainsFunc(e.troubles, func(t experiments.Trouble) bool { return t.Code == experiments.ReasonNoBrowser }) {
		return
	}
	ended := map[visitKey]bool{}
	for _, v := range e.visits {
		ended[visitKey{v.Journey, v.ID, v.User}] = true
	}
	for _, r := range e.rows {
		if j := e.journeys[r.Journey]; j != nil && j.Surface == "browser" && len(r.claims) == 0 && !ended[visitKey{r.Journey, r.Visit, r.User}] {
			r.attempts = nil
		}
	}
}

// lines are the evidence of a row: intent, last attempt, last claim, and the readings of one effect.
func (r *row) lines(e *evidence, f fact) []string {
	seqs := []int64{r.seq, f.seqs[0], f.seqs[1], f.vanished}
	if final := r.final(); final != nil {
		seqs = append(seqs, final.seq, final.Exchange)
	}
	if n := len(r.attempts); n > 0 {
		seqs = append(seqs, e.answers[r.attempts[n-1]].seq)
	}
	for _, s := range e.inForce(r.acted(), r.told()) {
		seqs = append(seqs, s.seq)
	}
	return refs(seqs...)
}

// ledger is what the rows come to.
type ledger struct{ *evidence }

// reckon settles every row: each effect by itself, and the row by the worst of them.
func (e *evidence) reckon() ledger {
	for i, a := range e.answers {
		if row := e.marked[a.Marker]; row != nil && a.Marker != "" {
			row.attempts = append(row.attempts, i)
		}
	}
	e.forsake()
	for _, r := range e.rows {
		r.settle(e)
	}
	e.sickness = e.diagnose()
	return ledger{e}
}

func (r *row) settle(e *evidence) {
	j := e.journeys[r.Journey]
	if r.unsent() {
		r.outcome = unverifiable
		return
	}
	if j == nil || len(j.Effects) == 0 {
		r.outcome = withoutEffects(r.claim())
		return
	}
	for _, effect := range j.Effects {
		t := e.truths[effectKey{r.Journey, effect.Name}]
		want, valued := r.Wants[effect.Name]
		s := settlement{truth: t, claim: r.claim(), fact: t.about(r.Marker, want, valued, e.plan.Timeline.Reread)}
		if final := r.final(); final != nil {
			if said, spoke := final.Effects[effect.Name]; spoke {
				s.claim, s.own = said, true
			}
		}
		s.outcome = judge(s.claim, s.fact, !s.fact.at.Before(r.due(e)))
		r.effects = append(r.effects, s)
		if len(r.effects) == 1 || s.outcome < r.outcome {
			r.outcome = s.outcome
		}
	}
}

// due is when what is pending has to be final: by the promise, counted from the answer that made it; without one by the
// final deadline, counted from the act.
func (r *row) due(e *evidence) time.Time {
	if final := r.final(); final != nil && final.Promise > 0 {
		return r.told().Add(final.Promise)
	}
	return r.acted().Add(e.deadlines(r.Journey).Final)
}

// phantom is a row of a private tenant that nobody wanted.
type phantom struct {
	marker string
	count  int64
	seq    int64
}

// phantoms lists what is new in a private tenant and belongs to no intent. A marker in a reserved block may have been
// sent by a runner that died, and is none.
func (e *evidence) phantoms(t *truth) (found []phantom) {
	last := t.last()
	if !t.effect.Own || last == nil || !t.before.sees() || t.shares != "" {
		return nil
	}
	for _, marker := range sorted(last.rows) {
		if e.marked[marker] != nil || e.reserved(marker) {
			continue
		}
		if n := last.rows[marker].Count - t.before.rows[marker].Count; n > 0 {
			found = append(found, phantom{marker: marker, count: n, seq: last.seq})
		}
	}
	return found
}

// reserved reports whether a marker lies in a block that this run reserved.
func (e *evidence) reserved(marker string) bool {
	digits, ours := strings.CutPrefix(marker, e.head.Prefix)
	n, err := strconv.ParseInt(digits, 10, 64)
	if !ours || err != nil || e.head.Prefix == "" {
		return false
	}
	for _, b := range e.blocks {
		if n >= b.First && n <= b.Last {
			return true
		}
	}
	return false
}
