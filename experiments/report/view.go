package report

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/candor-chaos/candor/experiments"
)

// view is everything that a report says about a run, put into words once for every format.
type view struct {
	Title, Experiment, System, Service string
	Run, Started, Took, Version        string
	Hypothesis                         string
	Danger                             *danger
	Ending                             string
	Verdict, Tone, Sentence            string
	Reasons                            []experiments.Reason
	Conditions                         []condition
	RulesLine                          string
	Each                               []tally
	All                                tally
	Findings                           []group
	FindingsTotal, RulesBroken         int
	Ledgers                            []ledger
	Samples                            []sample
	Expectations                       []judged
	Clauses                            []judged
	ClausesMet                         string
	Faults                             []faultView
	Sweep                              []sweepView
	Recovery                           string
	Gaps                               gaps
	Environment                        string
	Again                              again
	Line                               timeline
	Picture                            picture
	Severities                         []struct{ Severity, Words string }
}

// danger is what may still be in force.
type danger struct {
	Heading string
	Left    []string
}

// judged is a thing with a bound, what was measured, and where it stands.
type judged struct {
	Text, Target, Measured, State, Tone string
}

// faultView is what became of a fault.
type faultView struct {
	Name, Kind, Target, Said            string
	Hits, Injected, Effective, Reverted string
	After, Tone                         string
	Troubles                            []string
}

// gaps is what the run did not prove.
type gaps struct {
	Unverifiable, Idle, Required, Cannot []gap
	Notes                                []string
	Exceptions                           []string
}

type gap struct{ Rule, Title, Why string }

// again is how to run or judge it once more.
type again struct {
	Run, Judge, Seed, Version, PlanHash string
}

func viewOf(run Run) view {
	r, p, t := run.Result, run.Plan, readTape(run)
	v := view{
		Title: line(cmp.Or(p.Title, r.Experiment, p.Experiment, "A run of candor")), Experiment: word(cmp.Or(r.Experiment, p.Experiment, unnamed)),
		System: word(cmp.Or(r.System, p.System, unnamed)), Service: word(p.Service), Run: word(cmp.Or(r.Run, unnamed)), Started: stamp(r.Started),
		Version: word(cmp.Or(r.Candor, t.head.Candor, unnamed)), Hypothesis: clean(p.Hypothesis, textLimit),
		Danger: dangerOf(r), Ending: endingWords(r.Ending), Reasons: reasonsOf(r), RulesLine: rulesLine(r.Rules),
		Expectations: expectationsOf(r), Severities: severityWords, Samples: samples(run, t), Ledgers: ledgersOf(r),
		Environment: environmentWords(r), Again: againOf(run, t),
	}
	if !r.Started.IsZero() && r.Ended.After(r.Started) {
		v.Took = span(r.Ended.Sub(r.Started))
	}
	v.Each, v.All = tallies(r)
	v.Verdict, v.Tone = verdictWord(r.Verdict)
	v.Sentence = verdictSentence(r, v.All)
	v.Findings = groupsOf(run, t)
	v.FindingsTotal, v.RulesBroken = len(r.Findings), len(v.Findings)
	v.Clauses, v.ClausesMet = clausesOf(r)
	v.Faults = faultsOf(run, t)
	v.Sweep = sweepOf(r)
	v.Recovery = recoveryWords(r)
	if words := run.Plan.Recovery.Words(); words != "" {
		v.Recovery += " It was not clean, but " + words + "."
	}
	v.Gaps = gapsOf(run, t)
	v.Line = timelineOf(run, t)
	v.Conditions = conditionsOf(run, t, v.Line)
	v.Picture = drawTimeline(v.Line, r, t)
	return v
}

// dangerOf is nil unless something may still be in force.
func dangerOf(r experiments.Result) *danger {
	var left []string
	for _, l := range r.Environment.Left {
		left = append(left, line(l))
	}
	for _, f := range r.Faults {
		if f.StateAfter != "" && f.StateAfter != "absent" {
			left = append(left, "fault "+word(f.Name)+" on "+word(f.Target)+": "+word(f.StateAfter))
		}
	}
	switch {
	case len(left) > 0:
		return &danger{"Still in force", left}
	case r.Ending == experiments.Dirty:
		return &danger{"Still in force", []string{"the run did not say what"}}
	case !r.Environment.Clean && len(r.Faults) > 0:
		return &danger{"May still be in force", []string{"nobody looked, after the run, whether everything was put back"}}
	}
	return nil
}

func reasonsOf(r experiments.Result) []experiments.Reason {
	var reasons []experiments.Reason
	for _, reason := range r.Reasons {
		reasons = append(reasons, experiments.Reason{Code: word(reason.Code), Text: clean(reason.Text, textLimit)})
	}
	return reasons
}

// rulesLine is the headline of the rules: never a score, always what was not exercised.
func rulesLine(rules []experiments.RuleResult) string {
	n := map[experiments.RuleVerdict]int{}
	for _, r := range rules {
		n[r.Verdict]++
	}
	exercised := n[experiments.RulePass] + n[experiments.RuleFail]
	return strconv.Itoa(exercised) + " of " + count(len(rules), "rule") + " came up: " + strconv.Itoa(n[experiments.RulePass]) + " held, " +
		strconv.Itoa(n[experiments.RuleFail]) + " were broken. " + strconv.Itoa(n[experiments.Unverifiable]) + " could not be checked, " +
		strconv.Itoa(n[experiments.NotExercised]) + " did not come up, " + strconv.Itoa(n[experiments.NotApplicable]) + " cannot apply here."
}

func expectationsOf(r experiments.Result) []judged {
	var all []judged
	for _, e := range r.Expectations {
		state, tone := expectationWord(e.Verdict)
		all = append(all, judged{Text: line(e.Text), Measured: line(e.Measured), State: state, Tone: tone})
	}
	return all
}

// clausesOf lists the clauses; the headline counts what is known and met, and never a mean over the known ones.
func clausesOf(r experiments.Result) (all []judged, headline string) {
	met, counted := 0, 0
	for _, c := range r.Standards {
		state, tone := stateWord(c.State)
		all = append(all, judged{Text: word(c.Clause), Target: line(c.Target), Measured: line(c.Measured), State: state, Tone: tone})
		if c.State != "not-applicable" {
			counted++
		}
		if c.State == "met" {
			met++
		}
	}
	return all, strconv.Itoa(met) + " of " + count(counted, "clause") + " known and met"
}

func faultsOf(run Run, t *tape) []faultView {
	var all []faultView
	for _, f := range run.Result.Faults {
		v := faultView{Name: word(f.Name), Kind: word(f.Kind), Target: word(f.Target), Hits: grouped(int(f.Hits)),
			Injected: t.offset(f.Injected), Effective: t.offset(f.Effective), Reverted: t.offset(f.Reverted), After: word(f.StateAfter), Tone: toneGood}
		for _, p := range run.Plan.Faults {
			if p.Name == f.Name {
				v.Said = line(p.Said)
			}
		}
		for _, r := range t.faults {
			if r.Fault.Name == f.Name && r.Fault.Error != "" && len(v.Troubles) < 3 {
				v.Troubles = append(v.Troubles, t.offset(r.At)+" "+word(r.Fault.Event)+": "+line(r.Fault.Error))
			}
			if r.Fault.Name == f.Name && r.Fault.Said != "" && v.Said == "" {
				v.Said = line(r.Fault.Said)
			}
		}
		if f.StateAfter != "absent" {
			v.Tone = toneBad
			v.After = cmp.Or(v.After, "not looked at")
		}
		all = append(all, v)
	}
	return all
}

func recoveryWords(r experiments.Result) string {
	if len(r.Faults) == 0 {
		return "There was nothing to recover from."
	}
	if r.Recovery.SteadyAfter < 0 {
		return "The system was not seen steady again."
	}
	return "Steady again " + ms(float64(r.Recovery.SteadyAfter)) + " after the last fault had ended."
}

func environmentWords(r experiments.Result) string {
	switch {
	case len(r.Environment.Left) > 0:
		return "Not clean: " + count(len(r.Environment.Left), "thing") + " left."
	case r.Environment.Clean && len(r.Environment.Changed) > 0:
		return "Verified clean: after the run candor looked, and nothing of its own was left. Not its own doing, and left alone: " +
			line(strings.Join(r.Environment.Changed, "; ")) + "."
	case r.Environment.Clean:
		return "Verified clean: after the run candor looked, and nothing of its own was left."
	}
	return "Not verified: nobody looked whether everything was put back."
}

// gapsOf lists what the run did not prove, by rule.
func gapsOf(run Run, t *tape) gaps {
	planned := map[string]experiments.PlannedRule{}
	for _, p := range run.Plan.Rules {
		planned[p.ID] = p
	}
	var g gaps
	for _, r := range run.Result.Rules {
		p := planned[r.ID]
		x := gap{Rule: word(r.ID), Title: ruleTitle(r.ID), Why: line(p.Why)}
		switch {
		case r.Verdict == experiments.Unverifiable:
			g.Unverifiable = append(g.Unverifiable, x)
		case r.Verdict == experiments.NotApplicable:
			g.Cannot = append(g.Cannot, x)
		case r.Verdict == experiments.NotExercised && p.Required:
			g.Required = append(g.Required, x)
		case r.Verdict == experiments.NotExercised:
			g.Idle = append(g.Idle, x)
		}
		if p.Allowed != "" {
			g.Exceptions = append(g.Exceptions, x.Rule+": "+line(p.Allowed)+" (until "+p.Until.Format("2 Jan 2006")+")")
		}
	}
	g.Notes = notesOf(run, t)
	return g
}

func notesOf(run Run, t *tape) []string {
	var notes []string
	if run.History.Torn {
		notes = append(notes, "The last line of the history was cut off; all before it is there.")
	}
	for _, key := range sortedKeys(t.truths) {
		if read := t.truths[key]; read.rows == nil {
			journey, effect, _ := strings.Cut(key, "\x00")
			notes = append(notes, "The truth of "+word(effect)+" in "+word(journey)+" could not be read: "+line(read.blind))
		}
	}
	for _, trouble := range t.troubles[:min(len(t.troubles), 10)] {
		notes = append(notes, word(trouble.Code)+": "+line(trouble.Text))
	}
	return notes
}

func againOf(run Run, t *tape) again {
	r := run.Result
	name := cmp.Or(r.Experiment, run.Plan.Experiment, "EXPERIMENT")
	seed := strconv.FormatUint(r.Seed, 10)
	return again{
		Run: "candor run " + word(name) + ".yaml --seed " + seed, Judge: "candor judge " + word(cmp.Or(r.Run, "RUN")), Seed: seed,
		Version: word(cmp.Or(r.Candor, t.head.Candor, unnamed)), PlanHash: word(t.head.PlanHash),
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
