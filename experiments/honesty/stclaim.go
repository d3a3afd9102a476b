package honesty

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// spoken are the sayings about one intent: those of its visit after the act that make a claim.
func (e *evidence) spoken() map[string][]*saying {
	about := map[string][]*saying{}
	for _, s := range e.sayings {
		if s.Marker != "" && !s.Block.Control && e.claimed(s) != experiments.ClaimNone {
			about[s.Marker] = append(about[s.Marker], s)
		}
	}
	return about
}

// claimed is the claim that a text makes: by its markup, else by its words. What was kept is no success.
func (e *evidence) claimed(s *saying) experiments.Claim {
	switch strings.ToLower(s.Block.Claim) {
	case "success":
		return experiments.ClaimSuccess
	case "failed", "failure", "refused":
		return experiments.ClaimRefused
	case "pending":
		return experiments.ClaimPending
	case "unknown":
		return experiments.ClaimUnknown
	}
	said := e.says(s)
	if said.Claim == experiments.ClaimSuccess && said.Is("kept") {
		return experiments.ClaimNone
	}
	return said.Claim
}

// otherThings reports whether two texts name different things, so that both may be true.
func (e *evidence) otherThings(a, b *saying) bool {
	one, other := e.nouns(a), e.nouns(b)
	return len(one) > 0 && len(other) > 0 && !slices.ContainsFunc(one, func(n string) bool { return slices.Contains(other, n) })
}

func (e *evidence) nouns(s *saying) (all []string) {
	for _, c := range e.says(s).Clauses {
		if c.Claim != experiments.ClaimNone {
			all = append(all, c.Nouns...)
		}
	}
	return all
}

func contradictionRule() Rule {
	info := experiments.RuleInfo{ID: "ST-12", Name: "contradiction", Severity: experiments.S2, Level: "B",
		Doc:     "“Saved” and an error together.",
		Check:   "Violated when a text that says success and one that says failure about one intent are on the page together for a second look, or failure turns into success without a new request that changes anything in between. Exercised by each intent for which a page said failure.",
		Guard:   "Success that turns into failure is a correction. Texts that name different things, or say what was kept, do not contradict each other; what the baseline shows together with success is not judged.",
		Source:  "appsmith#17918.",
		Example: "“Order placed” and “We could not place your order” stand on the page together.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		var broken sights
		spoken := e.spoken()
		for _, r := range e.rows {
			refusals, successes := []*saying{}, []*saying{}
			for _, one := range spoken[r.Marker] {
				switch e.claimed(one) {
				case experiments.ClaimRefused:
					if one.new {
						refusals = append(refusals, one)
					}
				case experiments.ClaimSuccess:
					successes = append(successes, one)
				}
			}
			if len(refusals) == 0 || e.meetsBaseline(r.acted(), r.acted()) {
				continue
			}
			if w, wrong := e.contradicted(r, refusals, successes); wrong {
				broken.add(s, w)
				continue
			}
			s.pass(s.row(r))
		}
		broken.report(s, 1)
		return s.occasions
	}}
}

// contradicted finds two texts about an intent that cannot both be true.
func (e *evidence) contradicted(r *row, refusals, successes []*saying) (wrongSight, bool) {
	for _, no := range refusals {
		for _, yes := range successes {
			if e.otherThings(no, yes) || !no.stayed() || !yes.stayed() {
				continue
			}
			from, to := latest(no.Born, yes.Born), earliest(no.until, yes.until)
			w := wrongSight{where: no.Where, from: from, to: to, lines: []int64{r.seq, no.BornN, yes.BornN}}
			switch {
			case no.Page == yes.Page && to.Sub(from) >= secondLook:
				w.kind, w.text = "together", fmt.Sprintf("%s and %s stood on the page together for %s.", quote(yes.Block.Text), quote(no.Block.Text), round(to.Sub(from)))
				return w, true
			case yes.Born.After(no.Born) && !e.triedAgain(r, no.Born, yes.Born):
				w.kind, w.to = "turned", yes.until
				w.text = fmt.Sprintf("%s turned into %s, and nothing was sent in between that could have changed it.", quote(no.Block.Text), quote(yes.Block.Text))
				return w, true
			}
		}
	}
	return wrongSight{}, false
}

// triedAgain reports whether a request of an intent that can change something was sent, or was still on its way, between
// two times.
func (e *evidence) triedAgain(r *row, from, to time.Time) bool {
	return slices.ContainsFunc(r.attempts, func(i int) bool {
		a := e.answers[i]
		return a.changes() && a.Ended.After(from) && !a.Sent.After(to)
	})
}

// changes reports whether a request may change something.
func (a answer) changes() bool {
	return a.Method != "GET" && a.Method != "HEAD" && a.Method != "OPTIONS"
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func prematureSuccessRule() Rule {
	info := experiments.RuleInfo{ID: "CL-08", Name: "premature-success", Severity: experiments.S1, Level: "B+L",
		Doc:     "“Saved” before the server answered, not corrected when it fails.",
		Check:   "Violated when a page claims success before the last request of the intent was answered, that request fails, and no other claim comes within the explanation deadline (10 s) after it, or before the person goes on. Exercised by each intent on a page whose last request failed, or that was told success before it was answered.",
		Guard:   "An optimistic display that is taken back with a word passes. An intent whose effects are all there was no lie; of a request that nobody answered the truth must show that.",
		Source:  "appsmith#17918.",
		Example: "“Order placed” appears on the click; the POST then fails with 500 and the text stays.",
	}
	return Rule{Info: info, check: func(e *evidence) []Occasion {
		s := e.sheet(info)
		for _, r := range e.rows {
			last := r.lastChange(e)
			if e.screenOf[screenKey{r.Journey, r.User}] == nil || last == nil || e.meetsBaseline(r.acted(), r.acted()) {
				continue
			}
			early, corrected := r.premature(last, e.deadlines(r.Journey).Explanation)
			failed := !last.good()
			switch {
			case !failed && early == nil:
			case !failed || early == nil || corrected || r.allThere():
				s.pass(s.row(r))
			case last.Status == 0 && r.blindEffect() != "":
				s.blind(s.row(r), r.blindEffect())
			default:
				s.fail(s.row(r), found{at: r.acted(), marker: r.Marker, lines: r.linesWith(e, early.seq, last.seq, early.Sample),
					text: fmt.Sprintf("The page said %s %s before its request was answered (%s), and did not take it back.", quote(early.Text), round(last.Ended.Sub(early.Final)), last.outcome())})
			}
		}
		return s.occasions
	}}
}

// lastChange is the last request of an intent that could change something; nil without one.
func (r *row) lastChange(e *evidence) *answer {
	for n := len(r.attempts) - 1; n >= 0; n-- {
		if a := &e.answers[r.attempts[n]]; a.changes() && a.Step == r.Step {
			return a
		}
	}
	return nil
}

// premature is the success that was claimed before a request was answered, and whether it was taken back in time.
func (r *row) premature(last *answer, within time.Duration) (early *madeClaim, corrected bool) {
	for i := range r.claims {
		c := &r.claims[i]
		switch {
		case c.Claim == experiments.ClaimSuccess && c.Final.Before(last.Ended):
			early, corrected = c, false
		case early != nil && c.Claim != experiments.ClaimSuccess && !c.Final.After(last.Ended.Add(within)):
			corrected = true
		}
	}
	return early, corrected
}

// allThere reports whether every effect of an intent is there once and right.
func (r *row) allThere() bool {
	return len(r.effects) > 0 && !slices.ContainsFunc(r.effects, func(x settlement) bool { return x.fact.standing != right })
}

// blindEffect is why an effect of an intent cannot be read; empty when all can.
func (r *row) blindEffect() string {
	for _, x := range r.effects {
		if x.fact.standing == unreadable {
			return x.fact.unsure()
		}
	}
	return ""
}

// linesWith are the lines of a row and further ones, each once.
func (r *row) linesWith(e *evidence, seqs ...int64) []string {
	lines := r.lines(e, fact{})
	for _, more := range refs(seqs...) {
		if !slices.Contains(lines, more) {
			lines = append(lines, more)
		}
	}
	return lines
}
