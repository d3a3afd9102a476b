package report

import "github.com/candor-chaos/candor/experiments"

// tally counts what became of users' actions, for one journey or for all.
type tally struct {
	Name, Persona string
	Intents       int
	Straight      int // told the truth in time
	Lies          int
	Decided       int // intents without open and unverifiable ones
	SaidSo        int
	Silent        int
	Open          int
	Unverifiable  int
	Phantoms      int
	LieBound      float64
}

func tallyOf(j experiments.JourneyResult) tally {
	o := j.Outcomes
	t := tally{
		Name: word(j.Name), Persona: word(j.Persona), Intents: j.Intents,
		Straight: o["ack-true"] + o["rejected-honest"] + o["settled"] + o["said-so"],
		Lies:     o["ack-lost"] + o["ack-wrong"] + o["rejected-happened"] + o["pending-dropped"] + o["duplicated"],
		Decided:  j.Intents - o["open"] - o["unverifiable"],
		SaidSo:   o["said-so"], Silent: o["silent"], Open: o["open"], Unverifiable: o["unverifiable"],
		Phantoms: j.Phantoms, LieBound: j.LieRateBound95,
	}
	return t
}

// tallies counts each journey, and all together.
func tallies(r experiments.Result) (each []tally, all tally) {
	all.Name = "all journeys"
	for _, j := range r.Journeys {
		t := tallyOf(j)
		each = append(each, t)
		all.Intents += t.Intents
		all.Straight += t.Straight
		all.Lies += t.Lies
		all.Decided += t.Decided
		all.SaidSo += t.SaidSo
		all.Silent += t.Silent
		all.Open += t.Open
		all.Unverifiable += t.Unverifiable
		all.Phantoms += t.Phantoms
	}
	all.LieBound = upperBound(all.Lies, all.Decided)
	for _, t := range each {
		if t.Decided == all.Decided {
			all.LieBound = t.LieBound // one journey is all there is: the two must not differ
		}
	}
	return each, all
}

// Neither is what was neither told straight nor a lie: silent, open, unverifiable.
func (t tally) Neither() int { return max(0, t.Intents-t.Straight-t.Lies) }

// StraightRate, LieRate and SaidSoShare are the three numbers that are only ever shown together.
func (t tally) StraightRate() string { return percent(t.Straight, t.Intents) }
func (t tally) LieRate() string      { return percent(t.Lies, t.Decided) }
func (t tally) SaidSoShare() string  { return percent(t.SaidSo, t.Intents) }

// AtLeast is what the straight-answer rate is at least, AtMost what the lie rate is at most, both with 95 % confidence.
func (t tally) AtLeast() string {
	if t.Intents == 0 {
		return "–"
	}
	return downTo(lowerBound(t.Straight, t.Intents))
}

func (t tally) AtMost() string {
	if t.Decided <= 0 {
		return "100\u00a0%"
	}
	return upTo(t.LieBound)
}

// LieWords is the lie rate with its counts and its bound; where nothing could be decided it says so.
func (t tally) LieWords() string {
	if t.Decided <= 0 {
		return "not known: none of " + count(t.Intents, "action") + " could be decided"
	}
	return t.LieRate() + ", " + grouped(t.Lies) + " of " + grouped(t.Decided) + " decided, at most " + t.AtMost()
}

// TruthTone and LiesTone are how the two headline numbers are drawn.
func (t tally) TruthTone() string {
	if t.Straight == 0 {
		return toneHole
	}
	return toneGood
}

func (t tally) LiesTone() string {
	switch {
	case t.Decided <= 0:
		return toneHole
	case t.Lies > 0:
		return toneBad
	}
	return toneQuiet
}

func (t tally) TruthOf100() string { return ofHundred(t.Straight, t.Intents, false) }
func (t tally) LiesOf100() string  { return ofHundred(t.Lies, t.Decided, true) }

// Shows says what the count of lies proves; none found is not none there.
func (t tally) Shows() string {
	switch {
	case t.Intents == 0:
		return "No user wanted to change anything, so nothing is known about lies."
	case t.Decided <= 0:
		return "No action could be decided, so nothing is known about lies."
	case t.Lies == 0:
		return "No lie in " + count(t.Decided, "decided action") + ". That shows that at most " + t.AtMost() +
			" of such actions are lied to (95 % confidence). It cannot show that none is."
	}
	return count(t.Lies, "lie") + " in " + count(t.Decided, "decided action") + ". One is enough to lose a user’s trust."
}
